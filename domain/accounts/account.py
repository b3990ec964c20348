"""The records of the accounts file: an account, its people and its settings."""

from collections.abc import Collection, Mapping
from datetime import date
from difflib import get_close_matches
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import (
    Discriminator,
    Field,
    StrictInt,
    Tag,
    ValidationError,
    ValidationInfo,
    create_model,
    field_validator,
    model_validator,
)

from domain import policy
from domain.accounts.explain import ErrorPath, explain
from domain.accounts.fields import (
    Country,
    Day,
    Email,
    Flag,
    Id,
    Language,
    Name,
    NestedError,
    Part,
    Text,
    Url,
    Word,
    Zone,
    unique,
    zone,
)
from domain.accounts.hours import Hours
from domain.accounts.platforms import PLATFORMS, PlatformName
from domain.accounts.subscription import Addons, AgreedLimits, Seat, Subscription, Tier
from domain.phone import is_e164, parse
from domain.refusal import Refusal

SCHEMA: Final = 1


class Workspace(Part):
    """A workspace of a platform, or a tenant, as some call it."""

    platform: PlatformName
    id: Word


class Desk(Part):
    """The channel in which specialists work."""

    platform: PlatformName
    workspace: Word
    channel: Word


class Contact(Part):
    """The customer-success contact."""

    name: Name
    email: Email


class Holidays(Part):
    """Changes to the public holidays of the account's country."""

    add: tuple[Day, ...] = ()
    remove: tuple[Day, ...] = ()


class Days(Part):
    """Consecutive days, both ends included."""

    first: Day = Field(alias="from")
    last: Day = Field(alias="to")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.last < self.first:
            raise ValueError(f"expected days in their order, not {self.first} to {self.last}")
        return self

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last


class Level(Part):
    """A level of the escalation policy: who is told, and the minutes to wait before the next level."""

    people: Annotated[tuple[Id, ...], Field(max_length=20)] = ()
    channel: Desk | None = None
    minutes: Annotated[StrictInt, Field(ge=1, le=1440)] = 10  # D 2026-11


class EscalationPolicy(Part):
    """The levels that an escalated ticket goes through until somebody acknowledges it; `repeat`: further rounds through
    all levels."""

    levels: Annotated[tuple[Level, ...], Field(max_length=10)] = ()
    repeat: Annotated[StrictInt, Field(ge=0, le=10)] = 1  # D 2026-11


class Promises(Part):
    """First and next responses agreed with this account, in minutes of business hours, instead of the policy's. Premium
    support's guarantees are not affected."""

    email: Annotated[StrictInt, Field(ge=1, le=100_000)] | None = None
    chat: Annotated[StrictInt, Field(ge=1, le=100_000)] | None = None
    callback: Annotated[StrictInt, Field(ge=1, le=100_000)] | None = None


class Features(Part):
    blocklist: Flag = True  # D 2026-06


class DefaultPerson(Part):
    """Settings of people in a workspace who are not listed. They are never super admins."""

    seat: Seat = Seat.NONE
    language: Language | None = None
    timezone: Zone | None = None


class _PersonBase(Part):
    id: Id
    name: Name
    email: Email | None = None


if TYPE_CHECKING:

    class _Reachable(_PersonBase): ...

else:  # with a field for the user id on each platform: the file and the records have it under the platform's name
    _Reachable = create_model("_Reachable", __base__=_PersonBase, **dict.fromkeys(PLATFORMS, (Word | None, None)))


class Person(_Reachable):
    """Somebody of an account. Rights come from here and from nowhere else."""

    seat: Seat = Seat.NONE
    super_admin: Flag = False
    specialist: Flag = False
    language: Language | None = None
    timezone: Zone | None = None

    @property
    def listed(self) -> bool:
        """Whether the accounts file names this person; the id of the others is `platform:user`."""
        return ":" not in self.id

    @property
    def handles(self) -> dict[str, str]:
        """Their user id on each platform that the record names one for."""
        return {platform: user for platform in PLATFORMS if (user := getattr(self, platform))}

    def user_on(self, platform: str) -> str | None:
        """Their user id on a platform, as far as the record or an unlisted person's own id tells."""
        prefix = f"{platform}:"
        return self.handles.get(platform) or (self.id.removeprefix(prefix) if self.id.startswith(prefix) else None)

    @property
    def ids(self) -> tuple[str, ...]:
        """Every id under which a record may know this person: also those from before they were listed."""
        users = [f"{platform}:{user}" for platform, user in self.handles.items()]
        return (self.id, *(id for id in users if id != self.id))


def _form(value: object) -> str:
    return "several" if isinstance(value, list | tuple) else "one"


def _day_or_days(value: object) -> str:
    return "days" if isinstance(value, dict | Days) else "day"


class Account(Part):
    """A company. `Account.model_validate` reads the form of the accounts file; `explain_error` explains its errors."""

    id: Id
    name: Name
    created_on: Day
    country: Country
    timezone: Zone
    subscription: Annotated[
        Annotated[Subscription, Tag("one")] | Annotated[tuple[Subscription, ...], Field(min_length=1), Tag("several")],
        Discriminator(_form),
    ]
    premium_support: Flag = False
    addons: Addons = Addons()
    limits: AgreedLimits = AgreedLimits()
    workspaces: tuple[Workspace, ...] = ()
    desk: Desk | None = None
    customer_success: Contact | None = None
    people: tuple[Person, ...] = ()
    default_person: DefaultPerson = DefaultPerson()
    inventory: tuple[Text, ...] = ()
    premium_phone: Text | None = None
    support_phone: Text | None = None
    premium_contacts: tuple[Id, ...] = ()
    premium_specialists: tuple[Id, ...] = ()
    pricing_url: Url | None = None
    hours: Hours | None = None
    holidays: Holidays = Holidays()
    features: Features = Features()
    community_url: Url | None = None
    developer_url: Url | None = None  # the developers' community
    sign_in_url: Url | None = None  # help with signing in
    articles: Text | None = None
    escalation: EscalationPolicy = EscalationPolicy()
    promises: Promises = Promises()
    response_exceptions: tuple[  # days on which guaranteed responses are suspended (P 2025-07-28)
        Annotated[Annotated[Day, Tag("day")] | Annotated[Days, Tag("days")], Discriminator(_day_or_days)], ...
    ] = ()
    retention_days: Annotated[StrictInt, Field(ge=1, le=36_500)] | None = None  # of closed tickets
    # D 2026-11: whether calls are connected while the store does not answer
    calls_without_store: Literal["let_through", "refuse"] = "let_through"
    staff_access: Flag = True  # D 2026-06: specialists may access the account

    @field_validator("people")
    @classmethod
    def _people_once(cls, people: tuple[Person, ...]) -> tuple[Person, ...]:
        unique("the person", (person.id for person in people), "id")
        for platform, label in PLATFORMS.items():
            unique(f"the {label} user", (person.handles.get(platform) for person in people), platform)
        unique("the email address", (person.email and person.email.casefold() for person in people), "email")
        return people

    @field_validator("workspaces")
    @classmethod
    def _workspaces_once(cls, workspaces: tuple[Workspace, ...]) -> tuple[Workspace, ...]:
        unique("the workspace", (f"{workspace.platform} {workspace.id}" for workspace in workspaces))
        return workspaces

    @field_validator("subscription")
    @classmethod
    def _lines_once(cls, value: Subscription | tuple[Subscription, ...]) -> Subscription | tuple[Subscription, ...]:
        if isinstance(value, tuple):
            lines = [subscription.line for subscription in value]
            unique("the line", lines, "line")
            if "both" in lines and len(lines) > 1:
                raise NestedError("the line both is all there is", lines.index("both"), "line")
        return value

    @field_validator("premium_phone", "support_phone")
    @classmethod
    def _phone(cls, text: str | None, info: ValidationInfo) -> str | None:
        return None if text is None else _e164(text, info)

    @field_validator("inventory")
    @classmethod
    def _numbers_once(cls, texts: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        numbers = []
        for index, text in enumerate(texts):
            try:
                numbers.append(_e164(text, info))
            except ValueError as error:
                raise NestedError(str(error), index) from None
        unique("the number", numbers)
        return tuple(numbers)

    @field_validator("premium_contacts", "premium_specialists")
    @classmethod
    def _known(cls, ids: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if "people" in info.data:  # else `people` has an error of its own
            known = {person.id for person in info.data["people"]}
            for index, id in enumerate(ids):
                if id not in known:
                    raise NestedError(_nobody(id, known), index)
        unique("the person", ids)
        return ids

    @field_validator("escalation")
    @classmethod
    def _levels_known(cls, escalation: EscalationPolicy, info: ValidationInfo) -> EscalationPolicy:
        if "people" in info.data:
            known = {person.id for person in info.data["people"]}
            for index, level in enumerate(escalation.levels):
                for place, id in enumerate(level.people):
                    if id not in known:
                        raise NestedError(_nobody(id, known), "levels", index, "people", place)
                    if id in level.people[:place]:
                        raise NestedError(f"the person {id} is there twice", "levels", index, "people", place)
        return escalation

    @property
    def lines(self) -> tuple[Subscription, ...]:
        return self.subscription if isinstance(self.subscription, tuple) else (self.subscription,)

    @cached_property
    def tier(self) -> Tier:
        """The highest tier among the subscription's lines."""
        return max((line.tier for line in self.lines), key=lambda tier: tier.rank)

    @cached_property
    def calling(self) -> bool:
        """Whether the tier includes calling."""
        return self.tier.reaches(policy.CALLING_TIER)

    @property
    def lets_through(self) -> bool:
        """Whether calls are connected while the store is unavailable."""
        return self.calls_without_store == "let_through"

    @cached_property
    def seat_needed(self) -> bool:
        """Whether support and registering need a paid seat: for accounts created on or after `SEAT_FROM`."""
        return self.created_on >= policy.SEAT_FROM

    @cached_property
    def zone(self) -> ZoneInfo:
        return zone(self.timezone)

    def excepted(self, day: date) -> bool:
        """Whether guaranteed responses are suspended on that day."""
        return any(day in days if isinstance(days, Days) else day == days for days in self.response_exceptions)

    @cached_property
    def super_admins(self) -> tuple[Person, ...]:
        return tuple(person for person in self.people if person.super_admin)

    @cached_property
    def admin_names(self) -> tuple[str, ...]:
        """Names of the super admins, to tell people whom to ask."""
        return tuple(person.name for person in self.super_admins)

    @cached_property
    def _by_id(self) -> Mapping[str, Person]:
        return {id: person for person in reversed(self.people) for id in person.ids}

    @cached_property
    def _by_email(self) -> Mapping[str, Person]:
        return {person.email.casefold(): person for person in self.people if person.email}

    @cached_property
    def _served(self) -> frozenset[tuple[str, str]]:
        return frozenset((workspace.platform, workspace.id) for workspace in self.workspaces)

    def person(self, id: str) -> Person | None:
        """The person with that id; for the `platform:user` of somebody unlisted, the unlisted person."""
        found = self._by_id.get(id)
        if found is None and ":" in id:
            platform, _, user = id.partition(":")
            return self.unlisted_person(platform, user) if platform in PLATFORMS and user else None
        return found

    def by_user(self, platform: str, user: str) -> Person | None:
        """The listed person with that user id on the platform."""
        return self._by_id.get(f"{platform}:{user}")

    def by_email(self, email: str) -> Person | None:
        """The listed person with that email address, ignoring case."""
        return self._by_email.get(email.casefold())

    def unlisted_person(self, platform: str, user: str, name: str | None = None) -> Person:
        """A user of the workspace who is not listed, with the rights of `default_person`."""
        given = self.default_person
        handle: dict[str, Any] = {platform: user} if platform in PLATFORMS else {}
        return Person.model_construct(
            None,
            id=f"{platform}:{user}",
            name=name or user,
            seat=given.seat,
            language=given.language,
            timezone=given.timezone,
            **handle,
        )

    def serves(self, platform: str, workspace: str) -> bool:
        """Whether the workspace or tenant belongs to this account."""
        return (platform, workspace) in self._served

    def limits_now(self) -> tuple[int, int]:
        """Provided numbers and minutes a month: the tier's or those agreed, plus add-ons."""
        if not self.calling:
            return 0, 0
        numbers, minutes = self.limits.numbers, self.limits.minutes
        return (
            (policy.TIER_NUMBERS[self.tier] if numbers is None else numbers) + self.addons.numbers,
            (policy.TIER_MINUTES[self.tier] if minutes is None else minutes) + self.addons.minutes,
        )

    def to_file(self) -> dict[str, object]:
        """The account as the accounts file has it, without values that are the default; days are dates."""
        written: dict[str, object] = self.model_dump(mode="json", exclude_defaults=True)
        written["created_on"] = self.created_on
        if self.response_exceptions:
            written["response_exceptions"] = [
                {"from": days.first, "to": days.last} if isinstance(days, Days) else days
                for days in self.response_exceptions
            ]
        if "holidays" in written:
            written["holidays"] = {
                key: list(days) for key, days in (("add", self.holidays.add), ("remove", self.holidays.remove)) if days
            }
        return written


def explain_error(error: ValidationError) -> list[tuple[ErrorPath, str]]:
    """The errors of `Account.model_validate`: for each, the path in the file and a sentence.

    The path is as the file has it: `("people", 2, "seat")`. Paths of a larger file may precede it.
    """
    return explain(error, Account, frozenset({"one", "several", "day", "days"}))


def _nobody(id: str, known: Collection[str]) -> str:
    near = get_close_matches(id, known, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return f"nobody in people has the id {id!r}{hint}"


def _e164(text: str, info: ValidationInfo) -> str:
    """A number of the file in E.164, read as of the account's country. Raises ValueError."""
    if is_e164(text) or "country" not in info.data:  # `country` has an error of its own
        return text
    try:
        parsed = parse(text, info.data["country"])
    except Refusal:
        raise ValueError(f'expected a phone number such as "+4930901820000", not {text!r}') from None
    if parsed.extension:
        raise ValueError(f"expected a phone number without an extension, not {text!r}")
    return parsed.e164
