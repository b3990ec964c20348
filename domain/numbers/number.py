"""The numbers of an account and what may happen to them.

Provided numbers belong to the account and hold one of its slots; registered ones are a person's own. Every function
takes a record and gives the next one, its version one higher, or raises `Refusal`.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, AwareDatetime, Field

from domain import policy
from domain.accounts.account import Account, Person
from domain.numbers.codes import Challenge
from domain.numbers.fields import Source, edited_fields, parse_fields, texts_of
from domain.phone import (
    ParsedNumber,
    country_of,
    parse_extension,
    same_number,
)
from domain.policy import REVIEW_COUNTRIES, UNDO_DAYS
from domain.record import Record
from domain.refusal import Refusal

SCHEMA: Final = 2  # 2: carrier_id, needs, validated
Needs = Literal["", "address", "papers"]  # what the carrier must be given before it hands a number out


class NumberState(StrEnum):
    ORDERED = "ordered"  # being bought from the carrier
    ACTIVE = "active"
    PENDING = "pending"  # the country reviews it first, or the carrier needs something
    PORTING = "porting"  # on its way to another carrier
    DELETED = "deleted"  # can be undone until `undo_until`


_HOLDING: Final = frozenset({NumberState.ORDERED, NumberState.ACTIVE, NumberState.PENDING})
_ADVANCES: Final = {
    NumberState.PENDING: {NumberState.ACTIVE},
    NumberState.ACTIVE: {NumberState.PORTING},
    NumberState.PORTING: {NumberState.ACTIVE},  # the other carrier gave up
}


class Number(Record):
    """One number of an account, provided or registered. Times are aware."""

    schema_: Annotated[int, Field(alias="schema"), AfterValidator(lambda old: max(old, SCHEMA))] = (
        SCHEMA  # older: upgraded
    )
    e164: str
    source: Source
    state: NumberState = NumberState.ACTIVE
    person: str | None = None  # provided: who has it; registered: whose it is
    forwarding: str | None = None  # E.164
    forwarding_extension: str | None = None
    label: str | None = None
    extension: str | None = None
    default: bool = False  # registered: the caller id when nothing is chosen
    since: AwareDatetime
    changed: AwareDatetime | None = None
    version: int = 1
    deleted_at: AwareDatetime | None = None
    undo_until: AwareDatetime | None = None
    before: NumberState | None = None  # deleted: the state that undoing brings back
    carrier_id: str | None = None  # the carrier's id of a number bought there; None: the operator's own, or imported
    needs: Needs = ""  # pending: what the carrier still asks of the operator
    validated: AwareDatetime | None = None  # registered: since when the carrier takes it as a caller id

    def __hash__(self) -> int:
        return hash((self.e164, self.version))

    @property
    def counts(self) -> bool:
        """Whether it holds one of the account's slots: a number being ported or deleted has freed its own."""
        return self.source == "provided" and self.state in _HOLDING

    @property
    def leaving(self) -> bool:
        """Whether it is being given back: deleted, and no more to be undone."""
        return self.state is NumberState.DELETED and self.undo_until is None

    def next(self, now: datetime, **changes: object) -> "Number":
        """The record after a change at `now`."""
        return self.model_copy(update={**changes, "changed": now, "version": self.version + 1})


def require_calling(account: Account) -> None:
    """Refuses (`no_calling`) an account whose tier has no calling."""
    if not account.calling:
        raise Refusal("no_calling", tier=policy.CALLING_TIER, have=account.tier.value)


def acquire(e164: str, person: Person | None, now: datetime, account: Account) -> Number:
    """A new provided number for that person or nobody yet; pending where its country reviews numbers."""
    require_calling(account)
    state = NumberState.PENDING if country_of(e164) in REVIEW_COUNTRIES else NumberState.ACTIVE
    return Number(e164=e164, source="provided", state=state, person=person.id if person else None, since=now)


def order(e164: str, now: datetime, account: Account) -> Number:
    """A new provided number, nobody's yet, that is to be bought."""
    require_calling(account)
    return Number(e164=e164, source="provided", state=NumberState.ORDERED, since=now)


def complete_purchase(number: Number, carrier_id: str, ready: bool, now: datetime) -> Number:
    """The number once the carrier has sold it; pending while its country reviews it or it isn't `ready`. One deleted
    meanwhile stays deleted."""
    state = NumberState.ACTIVE if ready and country_of(number.e164) not in REVIEW_COUNTRIES else NumberState.PENDING
    if number.state is NumberState.DELETED:
        return number.next(now, before=state, carrier_id=carrier_id, needs="")
    return number.next(now, state=state, carrier_id=carrier_id, needs="")


def await_operator(number: Number, needs: Needs, now: datetime) -> Number:
    """The number waiting for what the carrier asks of the operator."""
    if number.state is NumberState.DELETED:
        return number.next(now, before=NumberState.PENDING, needs=needs)
    return number.next(now, state=NumberState.PENDING, needs=needs)


def begin_release(number: Number, now: datetime) -> Number:
    """A deleted number that goes back to the carrier now: it can't be undone from here on."""
    return number.next(now, undo_until=None)


def validate(number: Number, now: datetime) -> Number:
    """A registered number that the carrier takes as a caller id."""
    return number.next(now, validated=now)


def advance(number: Number, state: NumberState, now: datetime) -> Number:
    """What the carrier reports: approved, being ported, staying after all (which takes a slot again).

    Raises ValueError where that can't follow.
    """
    if number.source != "provided" or state not in _ADVANCES.get(number.state, ()):
        raise ValueError(f"a {number.source} number that is {number.state} can't become {state}")
    return number.next(now, state=state)


def reassign(number: Number, person: Person | None, now: datetime) -> Number:
    """The number as that person's, or nobody's. Refused where it is theirs already."""
    _changeable(number)
    if person is None:
        if number.person is None:
            raise Refusal("number_already_nobody", "person")
    elif number.person in person.ids:
        raise Refusal("number_already_assigned", "person", person=person.id)
    return number.next(now, person=person.id if person else None)


def forward(number: Number, to: ParsedNumber | None, now: datetime, forwards_to: str | None = None) -> Number:
    """Calls to the number ring `to` instead; None: no forwarding.

    `forwards_to`: where `to` forwards itself, if it is provided too: two that forward to each other never ring.
    """
    _changeable(number)
    if to is None:
        if number.forwarding is None:
            raise Refusal("forwarding_unchanged", "forwarding")
        return number.next(now, forwarding=None, forwarding_extension=None)
    if to.kind in ("premium", "short", "emergency"):
        raise Refusal(f"forward_{to.kind}", "forwarding")
    if to.e164 == number.e164:
        raise Refusal("forward_to_itself", "forwarding")
    if forwards_to == number.e164:
        raise Refusal("forward_loop", "forwarding")
    if (to.e164, to.extension) == (number.forwarding, number.forwarding_extension):
        raise Refusal("forwarding_unchanged", "forwarding")
    return number.next(now, forwarding=to.e164, forwarding_extension=to.extension)


def delete(number: Number, typed: str, region: str, now: datetime) -> Number:
    """The number deleted, to be undone within `UNDO_DAYS`; `typed` must name it, as of `region`."""
    _changeable(number)
    if number.state is NumberState.ORDERED:
        raise Refusal("number_ordered")
    if not same_number(typed, number.e164, region):
        raise Refusal("confirm_mismatch", "confirm")
    until = now + timedelta(days=UNDO_DAYS)
    return number.next(now, state=NumberState.DELETED, before=number.state, deleted_at=now, undo_until=until)


def undo(number: Number, now: datetime, used: int, limit: int) -> Number:
    """The deleted number as it was, until `undo_until` and where `used` of `limit` slots leave room."""
    if number.state != NumberState.DELETED or number.undo_until is None:
        raise Refusal("undo_not_deleted")
    if now >= number.undo_until:
        raise Refusal("undo_too_late", until=number.undo_until)
    if used >= limit:
        raise Refusal("undo_no_room", limit=limit)
    return number.next(now, state=number.before or NumberState.ACTIVE, before=None, deleted_at=None, undo_until=None)


def register_check(parsed: ParsedNumber, own_provided: bool) -> None:
    """Refuses what can't be a number of one's own; `own_provided`: it is a provided one of the account."""
    if parsed.kind in ("toll_free", "premium", "short", "emergency"):
        raise Refusal(f"register_{parsed.kind}", "number")
    if own_provided:
        raise Refusal("register_provided", "number")


def register(proved: Challenge, person: Person, now: datetime, default: bool = False) -> Number:
    """The person's own number, once its code was right."""
    return Number(
        e164=proved.e164,
        source="registered",
        person=person.id,
        extension=proved.extension,
        default=default,
        since=now,
        **texts_of(proved),
    )


def edit(
    number: Number, person: Person, typed: Mapping[str, str], extension: str, default: bool, now: datetime
) -> Number:
    """A registered number with other texts (`fields`), extension or default mark, by its owner; what is typed may be
    blank: none."""
    require_owner(number, person)
    texts, extension_read = parse_fields(edited_fields("registered"), typed), parse_extension(extension)
    if (texts_of(number) | texts, extension_read, default) == (texts_of(number), number.extension, number.default):
        raise Refusal("registered_unchanged")
    return number.next(now, **texts, extension=extension_read, default=default)


def edit_texts(number: Number, typed: Mapping[str, str], now: datetime) -> Number:
    """A provided number with other texts (`fields`); the same one where they are as they were."""
    texts = parse_fields(edited_fields("provided"), typed)
    if texts_of(number) | texts == texts_of(number):
        return number
    _changeable(number)
    return number.next(now, **texts)


def require_owner(number: Number, person: Person) -> None:
    """Refuses (`not_owner`) whoever didn't register the number: a super admin too."""
    if number.source != "registered" or number.person not in person.ids:
        raise Refusal("not_owner")


def _changeable(number: Number) -> None:
    if number.source != "provided":
        raise Refusal("number_not_provided")
    if number.state == NumberState.DELETED:
        raise Refusal("number_deleted")
    if number.state == NumberState.PORTING:
        raise Refusal("number_porting")
