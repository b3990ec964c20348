"""A platform user's identity in an account, and their rights."""

import unicodedata
from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple

from domain import policy
from domain.accounts.account import Account, Person
from domain.numbers.number import Number, require_calling
from domain.refusal import Refusal


class Right(StrEnum):
    SEE_NUMBERS = "see_numbers"  # one's own
    SEE_ALL_NUMBERS = "see_all_numbers"
    SEE_USAGE = "see_usage"  # everybody's: the pool is shared
    MANAGE_NUMBERS = "manage_numbers"  # get, assign, forward, delete, undo, import
    MANAGE_BLOCKLIST = "manage_blocklist"  # see and change it
    REGISTER = "register"  # a number of one's own to call from
    REQUEST_MORE = "request_more"  # numbers or minutes on top


class Profile(NamedTuple):
    """A user as the platform describes them. `outsider`: belongs to another workspace or tenant and takes part in a
    shared channel. `also`: further ids of the same user."""

    user: str
    name: str
    email: str | None = None
    bot: bool = False
    guest: bool = False
    deleted: bool = False
    outsider: bool = False
    also: tuple[str, ...] = ()


def require_right(account: Account, person: Person, right: Right, set_up: bool = True) -> None:
    """Raises Refusal unless the person has the right; the reason that concerns everybody comes first.

    Codes: `no_calling`, `not_set_up`, `addons_tier`, `not_super_admin`, `needs_seat`. `set_up`: whether calling is set
    up for the account.
    """
    require_calling(account)
    if not set_up:
        raise Refusal("not_set_up", admins=account.admin_names)
    match right:
        case Right.REQUEST_MORE if not account.tier.reaches(policy.ADDON_TIER):
            raise Refusal("addons_tier", tier=policy.ADDON_TIER)
        case Right.MANAGE_NUMBERS | Right.SEE_ALL_NUMBERS | Right.REQUEST_MORE | Right.MANAGE_BLOCKLIST if (
            not person.super_admin
        ):
            raise Refusal("not_super_admin", admins=account.admin_names)
        case Right.REGISTER if account.seat_needed and not person.seat.paid:
            raise Refusal("needs_seat", admins=account.admin_names)


def may(account: Account, person: Person, right: Right, set_up: bool = True) -> bool:
    """Whether the person has the right, as `require_right` decides."""
    try:
        require_right(account, person, right, set_up)
    except Refusal:
        return False
    return True


def owns_number(person: Person, number: Number) -> bool:
    """Whether the number is assigned to the person or registered by them."""
    return number.person is not None and number.person in person.ids


def identify(account: Account, platform: str, profile: Profile) -> Person:
    """The person behind a platform user: matched by user id, else by email address, else the unlisted person.

    Raises Refusal: `who_bot`, `who_deactivated`, `who_outsider`; `who_guest` for a guest who is not listed.
    """
    if profile.bot:
        raise Refusal("who_bot")
    if profile.deleted:
        raise Refusal("who_deactivated")
    if profile.outsider:
        raise Refusal("who_outsider")
    ids = (profile.user, *profile.also)
    person = next((found for id in ids if (found := account.by_user(platform, id))), None)
    if person is None and profile.email:
        person = account.by_email(profile.email)
        # A user id in the record takes precedence over a matching email address.
        if person is not None and platform in person.handles:
            person = None
    if person is None:
        if profile.guest:
            raise Refusal("who_guest")
        person = account.unlisted_person(platform, profile.user, profile.name)
    return person


def find_person(account: Account, who: str, field: str = "person") -> Person:
    """The person named by typed text ("@max", "Max Müller", "max"): matched by id, else by name, else by a prefix of
    either.

    Raises Refusal for the input `field`: `person_unknown`, `person_ambiguous` (params `names`).
    """
    wanted = _folded(who.strip().removeprefix("@"))
    if not wanted:
        raise Refusal("person_unknown", field, who=who)
    matches: tuple[Callable[[Person], bool], ...] = (
        lambda person: wanted in person.ids or wanted == person.id,
        lambda person: _folded(person.name) == wanted,
        lambda person: any(text.startswith(wanted) for text in (person.id, _folded(person.name))),
    )
    for matching in matches:
        found = [person for person in account.people if matching(person)]
        if len(found) == 1:
            return found[0]
        if found:
            raise Refusal("person_ambiguous", field, who=who, names=tuple(person.name for person in found))
    raise Refusal("person_unknown", field, who=who)


def _folded(text: str) -> str:
    """The text for comparing names, without differences in case, Unicode composition and spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
