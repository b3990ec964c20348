"""The numbers of an account and their steps.

Provided numbers belong to the account and use one of its slots; registered ones are a person's own. Each step takes a
record and returns the next one, with `version` one higher, or raises Refusal.
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
Needs = Literal["", "address", "papers"]  # what the carrier requires before it provides a number


class NumberState(StrEnum):
    ORDERED = "ordered"  # being bought from the carrier
    ACTIVE = "active"
    PENDING = "pending"  # the country reviews it first, or the carrier needs something
    PORTING = "porting"  # being ported to another carrier
    DELETED = "deleted"  # can be restored until `undo_until`


_HOLDING: Final = frozenset({NumberState.ORDERED, NumberState.ACTIVE, NumberState.PENDING})
_ADVANCES: Final = {
    NumberState.PENDING: {NumberState.ACTIVE},
    NumberState.ACTIVE: {NumberState.PORTING},
    NumberState.PORTING: {NumberState.ACTIVE},  # the port was abandoned
}


class Number(Record):
    """A number of an account."""

    schema_: Annotated[int, Field(alias="schema"), AfterValidator(lambda old: max(old, SCHEMA))] = (
        SCHEMA  # older: upgraded
    )
    e164: str
    source: Source
    state: NumberState = NumberState.ACTIVE
    person: str | None = None  # provided: assigned to; registered: its owner
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
    before: NumberState | None = None  # deleted: the state that restoring brings back
    carrier_id: str | None = None  # of a number bought from the carrier; None: the operator's own, or imported
    needs: Needs = ""  # pending: what the carrier requires of the operator
    validated: AwareDatetime | None = None  # registered: when the carrier accepted it as a caller id

    def __hash__(self) -> int:
        return hash((self.e164, self.version))

    @property
    def counts(self) -> bool:
        """Whether it uses one of the account's slots; numbers being ported and deleted ones do not."""
        return self.source == "provided" and self.state in _HOLDING

    @property
    def leaving(self) -> bool:
        """Whether it is deleted and being returned to the carrier: it cannot be restored."""
        return self.state is NumberState.DELETED and self.undo_until is None

    def next(self, now: datetime, **changes: object) -> "Number":
        """The record with `changes`, made at `now`."""
        return self.model_copy(update={**changes, "changed": now, "version": self.version + 1})


def require_calling(account: Account) -> None:
    """Raises Refusal `no_calling` if the account's tier has no calling."""
    if not account.calling:
        raise Refusal("no_calling", tier=policy.CALLING_TIER, have=account.tier.value)


def acquire(e164: str, person: Person | None, now: datetime, account: Account) -> Number:
    """A new provided number, assigned to the person or to nobody; pending if its country reviews numbers."""
    require_calling(account)
    state = NumberState.PENDING if country_of(e164) in REVIEW_COUNTRIES else NumberState.ACTIVE
    return Number(e164=e164, source="provided", state=state, person=person.id if person else None, since=now)


def order(e164: str, now: datetime, account: Account) -> Number:
    """A new provided number that is being bought, unassigned."""
    require_calling(account)
    return Number(e164=e164, source="provided", state=NumberState.ORDERED, since=now)


def complete_purchase(number: Number, carrier_id: str, ready: bool, now: datetime) -> Number:
    """The number after the carrier has sold it; pending if its country reviews it or it is not `ready`. If it was
    deleted in the meantime it stays deleted."""
    state = NumberState.ACTIVE if ready and country_of(number.e164) not in REVIEW_COUNTRIES else NumberState.PENDING
    if number.state is NumberState.DELETED:
        return number.next(now, before=state, carrier_id=carrier_id, needs="")
    return number.next(now, state=state, carrier_id=carrier_id, needs="")


def await_operator(number: Number, needs: Needs, now: datetime) -> Number:
    """The number pending until the operator supplies what the carrier needs."""
    if number.state is NumberState.DELETED:
        return number.next(now, before=NumberState.PENDING, needs=needs)
    return number.next(now, state=NumberState.PENDING, needs=needs)


def begin_release(number: Number, now: datetime) -> Number:
    """A deleted number that is being returned to the carrier, and cannot be restored any more."""
    return number.next(now, undo_until=None)


def validate(number: Number, now: datetime) -> Number:
    """A registered number that the carrier accepts as a caller id."""
    return number.next(now, validated=now)


def advance(number: Number, state: NumberState, now: datetime) -> Number:
    """The number in a state that the carrier reports: approved, being ported, or not ported after all (which uses a
    slot again).

    Raises ValueError if that state cannot follow.
    """
    if number.source != "provided" or state not in _ADVANCES.get(number.state, ()):
        raise ValueError(f"a {number.source} number that is {number.state} can't become {state}")
    return number.next(now, state=state)


def reassign(number: Number, person: Person | None, now: datetime) -> Number:
    """The number assigned to the person, or to nobody. Refused: `number_already_assigned`, `number_already_nobody`, and
    if it can't be changed now."""
    _changeable(number)
    if person is None:
        if number.person is None:
            raise Refusal("number_already_nobody", "person")
    elif number.person in person.ids:
        raise Refusal("number_already_assigned", "person", person=person.id)
    return number.next(now, person=person.id if person else None)


def forward(number: Number, to: ParsedNumber | None, now: datetime, forwards_to: str | None = None) -> Number:
    """The number with its calls forwarded to `to`; None: not forwarded.

    `forwards_to`: where `to` itself forwards, if it is a provided number: two that forward to each other would never
    ring.
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
    """The number deleted, with `UNDO_DAYS` to restore it; `typed` must be the number itself, as of `region`."""
    _changeable(number)
    if number.state is NumberState.ORDERED:
        raise Refusal("number_ordered")
    if not same_number(typed, number.e164, region):
        raise Refusal("confirm_mismatch", "confirm")
    until = now + timedelta(days=UNDO_DAYS)
    return number.next(now, state=NumberState.DELETED, before=number.state, deleted_at=now, undo_until=until)


def undo(number: Number, now: datetime, used: int, limit: int) -> Number:
    """The deleted number restored, before `undo_until` and if `used` of `limit` slots leave room."""
    if number.state != NumberState.DELETED or number.undo_until is None:
        raise Refusal("undo_not_deleted")
    if now >= number.undo_until:
        raise Refusal("undo_too_late", until=number.undo_until)
    if used >= limit:
        raise Refusal("undo_no_room", limit=limit)
    return number.next(now, state=number.before or NumberState.ACTIVE, before=None, deleted_at=None, undo_until=None)


def register_check(parsed: ParsedNumber, own_provided: bool) -> None:
    """Raises Refusal for numbers that cannot be registered; `own_provided`: it is a provided number of the account."""
    if parsed.kind in ("toll_free", "premium", "short", "emergency"):
        raise Refusal(f"register_{parsed.kind}", "number")
    if own_provided:
        raise Refusal("register_provided", "number")


def register(proved: Challenge, person: Person, now: datetime, default: bool = False) -> Number:
    """The person's registered number, once its code was verified."""
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
    """A registered number with its owner's new label, extension and default mark; blank texts remove them."""
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
    """Raises Refusal `not_owner` unless the person registered the number; super admins are no exception."""
    if number.source != "registered" or number.person not in person.ids:
        raise Refusal("not_owner")


def _changeable(number: Number) -> None:
    if number.source != "provided":
        raise Refusal("number_not_provided")
    if number.state == NumberState.DELETED:
        raise Refusal("number_deleted")
    if number.state == NumberState.PORTING:
        raise Refusal("number_porting")
