"""What the handlers need from outside, and the bundle of it that every handler gets."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple, Protocol

from domain.accounts import Account
from domain.codes import draw
from domain.people import Profile
from handlers.vocabulary import Heading, Paragraph
from store.accounts import Accounts
from store.asking import Asking
from store.numbers import Numbers

Via = Literal["call", "sms"]


class Unavailable(Exception):
    """The other side did not answer in time, or not usefully."""


class Directory(Protocol):
    """What a platform knows of its users."""

    async def profile(self, platform: str, workspace: str, user: str) -> Profile | None:
        """Who a user is, or None when the platform knows no such user. Raises `Unavailable`; answers within 2 s."""


class Offer(NamedTuple):
    """A number that could be had."""

    e164: str
    country: str  # region code


class Carrier(Protocol):
    """Where provided numbers come from and verification codes are sent through."""

    name: str

    def ready(self, account: Account) -> bool:
        """Whether calling is set up for the account at all."""

    async def countries(self, account: Account) -> Sequence[str]:
        """Region codes in which numbers may be had, the account's own first."""

    async def offers(self, account: Account, country: str, area: str, start: int, limit: int) -> Sequence[Offer]:
        """Numbers on offer in a country, of an area code where one is given: `limit` from position `start` on, in a
        steady order. Some may be in use already; the store knows."""

    async def offered(self, account: Account, e164: str) -> bool:
        """Whether this very number is on offer: what came back from a screen may be anything."""

    def can_send(self, account: Account) -> Sequence[Via]:
        """The ways a verification code can go out; none when nothing is configured."""


class Found(NamedTuple):
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

    async def search(self, account: Account, text: str, language: str, limit: int, wide: bool) -> Sequence[Found]:
        """The articles that answer a question, best first; `wide`: also those that only have to do with it."""

    async def get(self, account: Account, id: str) -> Article | None:
        """The article, or None where the account has no such one (any more)."""

    async def suggested(self, account: Account, language: str, limit: int) -> Sequence[str]:
        """Questions that the articles answer, in the language or else in English."""


class NoArticles:
    """The port where there is nothing to search."""

    async def search(self, account: Account, text: str, language: str, limit: int, wide: bool) -> Sequence[Found]:
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
    numbers: Numbers
    asking: Asking
    carrier: Carrier
    directory: Directory
    now: Callable[[], datetime]
    mail: bool = False  # whether mail to the customer-success contact can be sent
    platforms: tuple[str, ...] = ("slack",)
    draw: Callable[[], tuple[str, str]] = draw  # a fresh verification code and its salt
    links: tuple[tuple[str, str], ...] = ()  # privacy, terms, support pages of the operator
    articles: Articles = _NOTHING_TO_READ
