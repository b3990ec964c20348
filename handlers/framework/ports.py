"""What the handlers need from outside, and the bundle of it that every handler gets."""

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
from store.engine.changes import Changes
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
    """The other side did not answer in time, or not usefully; what was asked of it did not happen. `after`: seconds
    that it wants to be left alone for."""

    def __init__(self, why: str = "", after: float | None = None) -> None:
        super().__init__(why)
        self.after = after


class CarrierRefusal(Exception):
    """The carrier said no, and will say it again. `code`: its own number for why; `reason`: what it means for us."""

    def __init__(self, code: int, message: str = "", reason: "RefusalReason" = "other") -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.reason = reason


class FileGone(Exception):
    """The file is not there any more, or never was this workspace's."""


class FileTooLarge(Exception):
    """The file has more bytes than were asked for at most."""


class Files(Protocol):
    """What people drop into the chat, read where the platform keeps it."""

    def read(self, file: File, platform: str, workspace: str, limit: int) -> AsyncIterator[bytes]:
        """The content in chunks of at most 64 KiB, as it arrives; `async for` it. Whatever the file claims, never more
        than `limit` bytes are read. Raises, at the first chunk or a later one, `Unavailable` (also when it is too slow
        or is not the file itself), `FileTooLarge` or `FileGone`."""


@dataclass(frozen=True, slots=True)
class ImportContext:
    """Whose file it is. `own`: the account's provided and registered numbers; `language`: of whoever is told."""

    account: Account
    own: frozenset[str]
    by: str
    now: datetime
    language: str = "en"


@dataclass(slots=True)
class FileSummary:
    """What a file holds. `refused`: line, what stood there, why; `confirm`: key and warnings of entries that need a
    second yes; both only the first of them, the counts whole."""

    lines: int = 0
    taken: int = 0
    confirm_count: int = 0
    refused_count: int = 0
    frames: int = 0
    detailed: bool = True  # every entry keeps who, when and why
    numbers: dict[str, int] = field(default_factory=dict)  # of those taken, without details, by direction
    confirm: list[tuple[str, str]] = field(default_factory=list)
    refused: list[tuple[int, str, str]] = field(default_factory=list)


class BlocklistReader(Protocol):
    """Reads blocklist files without keeping anybody waiting."""

    def read(self, content: AsyncIterable[bytes], asked: ImportContext) -> AsyncGenerator[bytes | FileSummary, None]:
        """As `csv_file.read_file`: the frames, then what the file holds; close it, whatever happens. Raises
        `csv_table.BadFile`, `Unavailable`, and what `content` raises."""


class Directory(Protocol):
    """What a platform knows of its users."""

    async def profile(self, platform: str, workspace: str, user: str) -> Profile | None:
        """Who a user is, or None when the platform knows no such user. Raises `Unavailable`; answers within 2 s."""


class Offer(NamedTuple):
    """A number that could be had."""

    e164: str
    country: str  # region code
    ordered: bool = False  # bought from a carrier when taken, which takes a while; else it is there at once
    needs: Needs = ""  # what the carrier asks for before it hands the number out


# Why a carrier says no: sold meanwhile, an address or papers are missing, not there (any more), known already.
RefusalReason = Literal["sold", "address", "papers", "unknown", "known", "other"]


class CarrierNumber(NamedTuple):
    """A number that is the operator's at the carrier."""

    e164: str
    id: str
    account: str | None  # for which account we bought it; None: not by us
    approved: bool = True  # False: the carrier's own check is not over
    routed_here: bool = True  # calls to it are asked about where they should be
    routed_to: str = ""  # where they are asked about instead


class Seller(Protocol):
    """A carrier that numbers are bought from. Every method raises `Unavailable` (it did not happen), `CarrierRefusal`
    (it never will) or `store.effects.InDoubt` (nobody knows), and answers within the seconds beside it."""

    @property
    def validates(self) -> bool:
        """Whether registered numbers must be validated with it before they show as a caller id, and can be."""

    async def buy(self, account: Account, e164: str, country: str, needs: Needs) -> CarrierNumber:
        """10 s. With an address of the country where one is needed and known."""

    async def find(self, e164: str) -> CarrierNumber | None:
        """4 s. The operator's number with the carrier, if it is one."""

    async def route_calls(self, id: str) -> None:
        """8 s. Calls to the number are asked about where they should be."""

    async def release(self, id: str) -> None:
        """8 s. Gives a number back; one that is gone already is given back."""

    async def validate(self, account: Account, person: str, e164: str, extension: str | None) -> str | None:
        """2 s. Calls the number and wants the digits that are answered here typed; None: it is validated already."""


class Carrier(Protocol):
    """Where provided numbers come from and verification codes are sent through."""

    name: str

    def ready(self, account: Account) -> bool:
        """Whether calling is set up for the account at all."""

    async def countries(self, account: Account) -> Sequence[str]:
        """Region codes in which numbers may be had, the account's own first."""

    async def offers(self, account: Account, country: str, area: str, start: int, limit: int) -> Sequence[Offer]:
        """Numbers on offer in a country, of an area code where one is given: `limit` from position `start` on, in a
        steady order. Some may be in use already; the store knows. Raises `Unavailable` within 2 s."""

    async def offered(self, account: Account, e164: str) -> Offer | None:
        """This very number, if it is on offer: what came back from a screen may be anything."""

    def can_send(self, account: Account) -> Sequence[CodeDelivery]:
        """The ways a verification code can go out; none when nothing is configured."""


class SearchHit(NamedTuple):
    """An article that a search brought: `passage` is the plain text of it that answers, `url` the page where people
    read it (None: in the chat), `score` its share of the question, 0 to about 1."""

    id: str
    title: str
    passage: str
    url: str | None
    language: str
    score: float


class Article(NamedTuple):
    """An article to be read in the chat."""

    id: str
    title: str
    url: str | None
    language: str
    pieces: Sequence[Heading | Paragraph]


class Articles(Protocol):
    """An account's help articles. Every method raises `Unavailable` where the answer is not there within a second;
    an account without articles has none."""

    async def search(self, account: Account, text: str, language: str, limit: int, wide: bool) -> Sequence[SearchHit]:
        """The articles that answer a question, best first; `wide`: also those that only have to do with it."""

    async def get(self, account: Account, id: str) -> Article | None:
        """The article, or None where the account has no such one (any more)."""

    async def suggested(self, account: Account, language: str, limit: int) -> Sequence[str]:
        """Questions that the articles answer, in the language or else in English."""


class NoArticles:
    """The port where there is nothing to search."""

    async def search(self, account: Account, text: str, language: str, limit: int, wide: bool) -> Sequence[SearchHit]:
        return ()

    async def get(self, account: Account, id: str) -> Article | None:
        return None

    async def suggested(self, account: Account, language: str, limit: int) -> Sequence[str]:
        return ()


_NOTHING_TO_READ = NoArticles()


@dataclass(frozen=True, slots=True)
class Services:
    """Everything a handler may use beside its request. Frozen: wired once at start."""

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
    seller: Seller | None = None  # None: numbers come from the inventory alone
    mail: bool = False  # whether mail can be sent (`effects.mail_effect`)
    platforms: tuple[str, ...] = ()  # those that are on, by name
    draw_code: Callable[[], tuple[str, str]] = draw  # a fresh verification code and its salt
    links: tuple[tuple[str, str], ...] = ()  # privacy, terms, support pages of the operator
    articles: Articles = _NOTHING_TO_READ
