"""Tickets, the entries of their timelines, and who may see them."""

import re
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, Final, Literal, NamedTuple

from pydantic import AwareDatetime, Field

from domain.accounts.account import Account, Person
from domain.record import Record
from domain.refusal import Refusal
from domain.support.channels import CHATS, Channel, Surface
from domain.support.escalation import EscalationSnapshot
from domain.support.sla import Clock, Promise, PromiseOutcome, promise, promise_outcome

SCHEMA: Final = 1
PREFIX: Final = "SB-"


class TicketState(StrEnum):
    """The states of a ticket; `_STATES` says what holds in each. The catalogues have its labels, by its value:
    "state.ticket.new" for the desk, "ticket.state.new" for the person."""

    NEW = "new"
    OPEN = "open"  # assigned to a specialist
    PENDING = "pending"  # waiting for the person
    CLOSED = "closed"

    @property
    def rules(self) -> "StateRules":
        return _STATES[self]


class StateRules(NamedTuple):
    """What holds for tickets in a state.

    Attributes:
        view: the inbox view that lists them, beside "all". Those in "open" are in the desk's queues and have deadlines.
        on_hold: the clock is paused; what the person writes puts the ticket back to work. The inbox says so in a line
            of the state's own ("inbox.row.pending").
        desk_moves: the steps to other states that the desk is offered, as its buttons are called; what is not closed
            can be closed besides.
    """

    view: Literal["open", "closed"] = "open"
    on_hold: bool = False
    desk_moves: tuple[str, ...] = ()


_STATES: Final = {
    TicketState.NEW: StateRules(desk_moves=("pend",)),
    TicketState.OPEN: StateRules(desk_moves=("pend",)),
    TicketState.PENDING: StateRules(on_hold=True, desk_moves=("resume",)),
    TicketState.CLOSED: StateRules("closed", desk_moves=("reopen",)),
}


class Critical(StrEnum):
    """Whether a ticket is business critical: claimed by the person, then confirmed or downgraded by the desk."""

    CLAIMED = "claimed"
    CONFIRMED = "confirmed"
    DOWNGRADED = "downgraded"


class Impact(StrEnum):
    """Impact of a business-critical case (docs/domain.md 6, S 004)."""

    LOGIN = "login"  # most or all users can't log in or reach the product or essential tools
    OUTAGE = "outage"  # the whole system is down or disrupted
    CONTENT = "content"  # widespread loss of access to published content
    DATA = "data"  # critical data loss, or a security breach
    OTHER = "other"  # another such impact, explained


class FileRef(Record):
    """Reference to a file that the platform keeps; its content is never stored."""

    id: str
    name: str
    size: int | None = None  # bytes, as the sender's side claims
    mime: str = ""
    platform: str = ""
    workspace: str = ""
    ref: str = Field(default="", repr=False)
    url: str = Field(default="", repr=False)  # opens it, for who may see it on the platform


class Origin(Record):
    """The user who created the ticket, and is answered, on a platform."""

    platform: str
    workspace: str
    user: str


class Survey(Record):
    """The person's rating after closing, from 1 (bad) to 5 (good)."""

    rating: Annotated[int, Field(ge=1, le=5)]
    comment: str = ""
    at: AwareDatetime


class Callback(Record):
    """State of a callback.

    Attributes:
        tries: calls that the person did not take.
        due: when the next call is promised; None: no call is.
        called: when the person took the call.
        barred: the account's blocklist rejects calls to or from the number.
    """

    number: str  # E.164
    extension: str | None = None
    tries: int = 0
    due: AwareDatetime | None = None
    called: AwareDatetime | None = None
    barred: bool = False


class Ticket(Record):
    """A support request. `number` counts up within the account and is shown as "SB-142"."""

    schema_: Annotated[int, Field(alias="schema")] = SCHEMA
    number: int
    person: str
    name: str  # the person's, when they created it
    channel: Channel
    language: str  # that it is served in
    overview: str
    description: str
    email: str | None = None
    links: tuple[str, ...] = ()
    files: tuple[FileRef, ...] = ()
    callback: Callback | None = None
    asked: str = ""  # the question asked before, in the search
    read: tuple[str, ...] = ()  # ids of the articles read
    surface: Surface = "desktop"
    where: Origin | None = None
    locale: str | None = None  # of the client it was created from
    designated: bool = False  # made by a designated super admin: guarantees hold
    previous: int | None = None  # the ticket that this one follows

    state: TicketState = TicketState.NEW
    specialist: str | None = None
    critical: Critical | None = None
    impact: Impact | None = None
    affected: str = ""
    critical_reason: str = ""
    pressing: AwareDatetime | None = None  # when the person told the desk that it is urgent
    escalation: EscalationSnapshot | None = None
    survey: Survey | None = None

    created: AwareDatetime
    changed: AwareDatetime
    responded: AwareDatetime | None = None  # the first answer
    closed: AwareDatetime | None = None
    turn: Literal["desk", "person", "nobody"] = "desk"
    clock: Clock | None = None  # of the current promise
    past: tuple[Clock, ...] = ()  # of the last `CLOCKS_KEPT` promises that ended
    messages: int = 0
    version: int = 1

    def __hash__(self) -> int:
        return hash((self.number, self.version))

    @property
    def display_number(self) -> str:
        return f"{PREFIX}{self.number}"

    @property
    def is_closed(self) -> bool:
        return self.state.rules.view == "closed"

    @property
    def premium(self) -> bool:
        return self.channel.premium

    @property
    def live(self) -> bool:
        """Whether it is a live chat."""
        return self.channel in CHATS

    @property
    def is_critical(self) -> bool:
        """Whether it is treated as business critical now."""
        return self.critical in (Critical.CLAIMED, Critical.CONFIRMED)

    def promised(self, account: Account) -> Promise | None:
        """The promise under way, computed from the account as it is now; None if no clock runs."""
        return self.promised_by(self.clock, account) if self.clock is not None else None

    def promised_by(self, clock: Clock, account: Account) -> Promise:
        """What one of the ticket's clocks promises or promised."""
        critical = clock.critical_from is not None
        return promise(account, self.channel, clock.kind, designated=self.designated or critical, critical=critical)

    def outcome(self, clock: Clock, account: Account) -> PromiseOutcome | None:
        """How one of its past promises ended; None while it runs."""
        ordinary = clock.model_copy(update={"critical_from": None})
        return promise_outcome(clock, self.promised_by(clock, account), self.promised_by(ordinary, account))


class MailStatus(Record):
    """Delivery of an entry by mail. `at`: since when this status holds; `reason`: why delivery failed, without
    addresses or text of the mail."""

    state: Literal["queued", "sent", "failed"]
    at: AwareDatetime
    reason: str = ""


class Message(Record):
    """One entry of a timeline.

    Replies are seen by both sides, notes by the desk alone; events report a step, and the desk alone sees those marked
    `internal`. `what` names an event's sentence in the catalogues ("ticket.event.closed"), which `params` fill; for
    replies and notes it is "".
    """

    schema_: Annotated[int, Field(alias="schema")] = SCHEMA
    id: int
    at: AwareDatetime
    by: str  # a person's id; "": the bot
    name: str = ""
    side: Literal["person", "desk", "system"]
    kind: Literal["reply", "note", "event"]
    what: str = ""
    text: str = ""
    params: dict[str, Any] = Field(default_factory=dict)
    files: tuple[FileRef, ...] = ()
    edited: AwareDatetime | None = None
    deleted: bool = False
    internal: bool = False
    mail: MailStatus | None = None  # None: not sent by mail


class TicketChange(NamedTuple):
    """Result of a step: the ticket afterwards and the entries that its timeline gains, in order."""

    ticket: Ticket
    messages: tuple[Message, ...]

    @property
    def message(self) -> Message:
        return self.messages[-1]


class TicketDraft(NamedTuple):
    """The fields of a new ticket, validated by `domain.text`."""

    channel: Channel
    language: str
    overview: str
    description: str
    email: str | None = None
    links: tuple[str, ...] = ()
    files: tuple[FileRef, ...] = ()
    number: str | None = None  # to call, E.164
    extension: str | None = None
    critical: bool = False
    impact: Impact | None = None
    affected: str = ""
    asked: str = ""
    read: tuple[str, ...] = ()
    surface: Surface = "desktop"
    previous: int | None = None
    where: Origin | None = None
    locale: str | None = None


def parse_ticket_number(text: str) -> int | None:
    """The number in "SB-142", "sb142", "#142" or "142"; None for anything else."""
    found = re.fullmatch(r"(?:SB-?|#)?([1-9][0-9]{0,11})", text.strip(), re.IGNORECASE | re.ASCII)
    return int(found[1]) if found else None


def visible_to_person(message: Message) -> bool:
    """Whether the ticket's person may see an entry. The only check that keeps notes and internal events from them."""
    return message.kind != "note" and not message.internal


# ── Who may ─────────────────────────────────────────────────────────────────────────────────────────────────────


def owns_ticket(person: Person, ticket: Ticket) -> bool:
    """Whether the person created the ticket."""
    return ticket.person in person.ids


def may_see(person: Person, ticket: Ticket) -> bool:
    """Whether a person may open a ticket: their own; super admins any of the account (S), specialists any; people whom
    its escalation notifies that one."""
    return (
        owns_ticket(person, ticket) or person.super_admin or person.specialist or is_named_by_escalation(person, ticket)
    )


def is_named_by_escalation(person: Person, ticket: Ticket) -> bool:
    """Whether a level of the ticket's escalation, as frozen when it started, names the person."""
    under_way = ticket.escalation
    named = {id for level in under_way.levels for id in level.people} if under_way is not None else set()
    return not named.isdisjoint(person.ids)


def dedicated(account: Account, ticket: Ticket) -> tuple[Person, ...]:
    """The dedicated specialists whom a premium ticket goes to first (docs/domain.md 6), without those who are no
    specialists any more. Empty: it goes to the whole desk."""
    if not ticket.premium:
        return ()
    named = (account.person(id) for id in account.premium_specialists)
    return tuple(person for person in named if person is not None and person.specialist)


def require_owner(person: Person, ticket: Ticket) -> None:
    """Raises Refusal `ticket_not_yours` unless the person created the ticket."""
    if not owns_ticket(person, ticket):
        raise Refusal("ticket_not_yours")


def require_desk(person: Person) -> None:
    """Raises Refusal `not_specialist` unless the person is a specialist; membership in the desk's channel does not
    count."""
    if not person.specialist:
        raise Refusal("not_specialist")


def expires(ticket: Ticket, account: Account) -> datetime | None:
    """When a closed ticket is deleted by the account's retention period; None: never."""
    if ticket.closed is None or account.retention_days is None:
        return None
    return ticket.closed.astimezone(UTC) + timedelta(days=account.retention_days)
