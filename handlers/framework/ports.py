"""The ports that handlers use, and `Services`, which holds all of them."""

from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NamedTuple, Protocol

from domain.accounts.account import Account
from domain.numbers.codes import draw
from domain.numbers.number import Needs
from domain.people import Profile
from handlers.framework.events import File
from handlers.framework.screens import Heading, Paragraph
from store.blocklist.blocklist import Blocklist
from store.blocklist.uploads import Uploads
from store.calls.records import Calls
from store.engine.accounts import Accounts
from store.engine.blobs import Blobs
from store.engine.commit import Changes
from store.engine.contacts import Contacts
from store.engine.posts import Posts
from store.numbers.orders import Orders
from store.numbers.records import Numbers
from store.numbers.registered import RegisteredNumbers
from store.support.promise_records import PromiseRecords
from store.support.questions import Questions
from store.support.tickets import Tickets

CodeDelivery = Literal["call", "sms"]


class Unavailable(Exception):
    """The other side did not answer in time, or not usefully; what it was asked for did not happen. `after`: seconds to
    wait before the next try, if it said so."""

    def __init__(self, why: str = "", after: float | None = None) -> None:
        super().__init__(why)
        self.after = after


class CarrierRefusal(Exception):
    """The carrier refused, and would refuse a repeat. `code`: its error code; `reason`: what that means for us."""

    def __init__(self, code: int, message: str = "", reason: "RefusalReason" = "other") -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.reason = reason


class FileGone(Exception):
    """The file no longer exists, or is not this workspace's."""


class FileTooLarge(Exception):
    """The file is larger than the limit."""


class Files(Protocol):
    """Reads files in messages from the platform."""

    def read(self, file: File, platform: str, workspace: str, limit: int) -> AsyncIterator[bytes]:
        """The content in chunks of at most 64 KiB, as it arrives; never more than `limit` bytes. Raises, at the first
        chunk or a later one, `Unavailable` (also if it is too slow or not the file), `FileTooLarge` or `FileGone`."""


@dataclass(frozen=True, slots=True)
class ImportContext:
    """Who imports a file. `own`: the account's provided and registered numbers; `by`: the person's id; `language`: of
    the report."""

    account: Account
    own: frozenset[str]
    by: str
    now: datetime
    language: str = "en"


@dataclass(slots=True)
class FileSummary:
    """What a blocklist file holds. `refused`: line, number as written, reason; `confirm`: key and warnings of entries
    that must be confirmed. Both lists are cut off, their counts are not."""

    lines: int = 0
    taken: int = 0
    confirm_count: int = 0
    refused_count: int = 0
    frames: int = 0
    detailed: bool = True  # every entry records who, when and why
    numbers: dict[str, int] = field(default_factory=dict)  # of those taken, without details, by direction
    confirm: list[tuple[str, str]] = field(default_factory=list)
    refused: list[tuple[int, str, str]] = field(default_factory=list)


class BlocklistReader(Protocol):
    """Reads blocklist files without blocking the event loop."""

    def read(self, content: AsyncIterable[bytes], asked: ImportContext) -> AsyncGenerator[bytes | FileSummary, None]:
        """As `csv_file.read_file`: the frames, then the summary. The caller closes the generator. Raises
        `csv_table.BadFile`, `Unavailable`, and what `content` raises."""


class Directory(Protocol):
    """User profiles of the platforms."""

    async def profile(self, platform: str, workspace: str, user: str) -> Profile | None:
        """The user's profile, or None if there is no such user. Raises `Unavailable`; answers within 2 s."""


class Offer(NamedTuple):
    """A number on offer."""

    e164: str
    country: str  # region code
    ordered: bool = False  # it is bought from a carrier, which takes a while; else it is available at once
    needs: Needs = ""  # what the carrier requires for the number


# Why a carrier refuses: sold meanwhile, address or documents missing, no such number (any more), known already.
RefusalReason = Literal["sold", "address", "papers", "unknown", "known", "other"]


class CarrierNumber(NamedTuple):
    """A number that the operator owns at the carrier."""

    e164: str
    id: str
    account: str | None  # the account that we bought it for; None: not bought by us
    approved: bool = True  # False: the carrier is still reviewing it
    routed_here: bool = True  # the carrier asks this bot about calls to it
    routed_to: str = ""  # the URL that it asks instead


class Seller(Protocol):
    """A carrier that numbers are bought from. Every method raises `Unavailable` (it did not happen), `CarrierRefusal`
    (it never will) or `store.engine.effects.InDoubt` (nobody knows); the seconds are the longest that each takes."""

    @property
    def validates(self) -> bool:
        """Whether registered numbers must, and can, be validated with it before it shows them as a caller id."""

    async def buy(self, account: Account, e164: str, country: str, needs: Needs) -> CarrierNumber:
        """10 s. Buy a number, with an address in the country if one is needed and known."""

    async def find(self, e164: str) -> CarrierNumber | None:
        """4 s. The number at the carrier, or None if the operator does not own it."""

    async def route_calls(self, id: str) -> None:
        """8 s. Make the carrier ask this bot about calls to the number."""

    async def release(self, id: str) -> None:
        """8 s. Give a number back; no error if that has happened already."""

    async def validate(self, account: Account, person: str, e164: str, extension: str | None) -> str | None:
        """2 s. Call the number. The person must type the returned digits there; None if it is validated already."""


class Carrier(Protocol):
    """Where provided numbers come from and verification codes are sent through."""

    name: str

    def ready(self, account: Account) -> bool:
        """Whether calling is set up for the account."""

    async def countries(self, account: Account) -> Sequence[str]:
        """Codes of the countries with numbers on offer, the account's own first."""

    async def offers(self, account: Account, country: str, area: str, start: int, limit: int) -> Sequence[Offer]:
        """Numbers on offer in a country, with an area code if one is given: `limit` from position `start` on, in a
        stable order. Some may be taken (`Numbers.free` tells). Raises `Unavailable` within 2 s."""

    async def offered(self, account: Account, e164: str) -> Offer | None:
        """The offer of this number, which comes back from a screen untrusted; None if there is none."""

    def can_send(self, account: Account) -> Sequence[CodeDelivery]:
        """The ways to send a verification code; empty if none is configured."""


class SearchHit(NamedTuple):
    """An article that a search found. `passage`: the plain text in it that answers; `url`: its page (None: it is read
    in the chat); `score`: how much of the question it covers, 0 to about 1."""

    id: str
    title: str
    passage: str
    url: str | None
    language: str
    score: float


class Article(NamedTuple):
    """An article to read in the chat."""

    id: str
    title: str
    url: str | None
    language: str
    pieces: Sequence[Heading | Paragraph]


class Articles(Protocol):
    """An account's help articles. Every method raises `Unavailable` if it has no answer within a second."""

    async def search(self, account: Account, text: str, language: str, limit: int, wide: bool) -> Sequence[SearchHit]:
        """The articles that answer a question, best first; `wide`: related ones too."""

    async def get(self, account: Account, id: str) -> Article | None:
        """The article, or None if the account has no such article (any more)."""

    async def suggested(self, account: Account, language: str, limit: int) -> Sequence[str]:
        """Questions that the articles answer, in the language if there are any, else in English."""


class NoArticles:
    """`Articles` of accounts that have none."""

    async def search(self, account: Account, text: str, language: str, limit: int, wide: bool) -> Sequence[SearchHit]:
        return ()

    async def get(self, account: Account, id: str) -> Article | None:
        return None

    async def suggested(self, account: Account, language: str, limit: int) -> Sequence[str]:
        return ()


_NOTHING_TO_READ = NoArticles()


@dataclass(frozen=True, slots=True)
class Services:
    """Everything that handlers use besides the request; built once at start."""

    accounts: Accounts
    changes: Changes
    contacts: Contacts
    numbers: Numbers
    registered: RegisteredNumbers
    orders: Orders
    calls: Calls
    asking: Questions
    carrier: Carrier
    directory: Directory
    files: Files
    blobs: Blobs
    posts: Posts
    tickets: Tickets
    outcomes: PromiseRecords
    blocklist: Blocklist
    uploads: Uploads
    blocklist_reader: BlocklistReader
    now: Callable[[], datetime]
    seller: Seller | None = None  # None: numbers come from the inventory only
    mail: bool = False  # whether mail can be sent (`effects.mail_effect`)
    platforms: tuple[str, ...] = ()  # names of those that are configured
    draw_code: Callable[[], tuple[str, str]] = draw  # a new verification code and its salt
    links: tuple[tuple[str, str], ...] = ()  # (name, URL) of the operator's pages: privacy, terms, support
    articles: Articles = _NOTHING_TO_READ
