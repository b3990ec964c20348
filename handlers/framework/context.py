"""`Context`, which every handler gets; and a change with everything that is sent because of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from domain.accounts.account import Account, Person
from domain.accounts.fields import zone
from domain.numbers.usage import Limits, limits
from domain.people import Right, may, require_right
from domain.phone import pretty
from handlers.framework.effects import home_effects, screen_effect
from handlers.framework.events import Actor, Address
from handlers.framework.ports import Services
from handlers.framework.results import Result
from handlers.framework.screens import Screen
from handlers.wording import Words, choose_language, words_in
from store.engine.accounts import AccountSnapshot
from store.engine.commit import Change
from store.engine.contacts import LastSeen
from store.engine.effects import Effect

RIGHTS_CACHED = 10_000  # answers of `Context.may` per revision of an account


@dataclass(frozen=True, slots=True)
class Context:
    """One request. `now` is the same for all of it."""

    services: Services
    snapshot: AccountSnapshot
    person: Person
    actor: Actor
    words: Words
    now: datetime
    names: dict[str, str] = field(default_factory=dict)  # by id, of people who are not listed (`load_names`)

    @classmethod
    def for_person(
        cls,
        services: Services,
        snapshot: AccountSnapshot,
        person: Person,
        actor: Actor,
        now: datetime,
        locale: str | None = None,
    ) -> "Context":
        """With the words for the person, as `words_for` chooses them."""
        return cls(services, snapshot, person, actor, words_for(snapshot.account, person, locale), now)

    @property
    def account(self) -> Account:
        return self.snapshot.account

    @property
    def region(self) -> str:
        return self.snapshot.account.country

    def may(self, right: Right) -> bool:
        """Whether the person has the right; cached with the revision of the account."""
        rights, key = self.snapshot.rights, (self.person.id, right)
        answer = rights.get(key)
        if answer is None:
            if len(rights) > RIGHTS_CACHED:
                rights.clear()
            answer = rights[key] = may(self.snapshot.account, self.person, right)
        return answer

    def require(self, right: Right) -> None:
        """Raise the Refusal that says why, unless the person has the right."""
        if not self.may(right):
            require_right(self.account, self.person, right)

    @property
    def calling_ready(self) -> bool:
        """Whether the carrier is set up for the account."""
        return self.services.carrier.ready(self.snapshot.account)

    @property
    def english(self) -> Words:
        """English, which people may type whatever their language is."""
        return words_in("en", self.words.zone)

    @property
    def limits(self) -> Limits:
        return limits(self.snapshot.account)

    def number(self, e164: str, extension: str | None = None) -> str:
        """A number in the account's national format, or in the international one for numbers of other countries."""
        return pretty(e164, self.region, extension, self.words("numbers.extension"))

    def name(self, person: str | None) -> str:
        """The name of a person by their id: "you" for the reader, "nobody" for None."""
        if person is None:
            return self.words("person.nobody")
        if person == self.person.id:
            return self.words("person.you")
        someone = self.account.person(person)
        if someone is None:
            return self.words("person.gone")
        return someone.name if someone.listed else self.names.get(person, someone.name)

    async def load_names(self, *people: str | None) -> None:
        """Load the names of those who are not listed, for `name`."""
        strangers = {p for p in people if p and p not in self.names and (q := self.account.person(p)) and not q.listed}
        if strangers:
            self.names.update(await self.services.contacts.names(self.snapshot, sorted(strangers)))

    def for_reader(self, person: Person) -> "Context":
        """The same request in the words for another person."""
        return replace(self, person=person, words=words_for(self.account, person))


def words_for(account: Account, person: Person, locale: str | None = None) -> Words:
    """The words for a reader: the language is the platform's locale, else the record's, else the account's default
    (docs/domain.md 8)."""
    fallback = account.default_person.language if account.default_person else None
    return words_in(choose_language(locale, person.language, fallback), zone(person.timezone or account.timezone))


@dataclass(frozen=True, slots=True)
class Notification:
    """A screen that one person is sent because another acted."""

    person: Person
    screen: Screen


async def build_change(
    ctx: Context,
    id: str | None,
    result: Result | None,
    *,
    confirm: Screen | None = None,
    where: Address | None = None,
    notifications: Sequence[Notification] = (),
    touched: Iterable[str | None] = (),
    more: Sequence[Effect] = (),
    holder: Person | None = None,
) -> Change:
    """Build a change with its effects; writes nothing.

    Args:
        id: of the request, by which a repeat is recognised; None if it can't be repeated.
        confirm: answers a dialog, which only closes; sent to `where`, or drawn on top of the list that the dialog was
            opened from.
        notifications: never sent to the person who acts.
        touched: ids of people whose open home screens are redrawn, besides the actor's and the super admins'.
        holder: who gets a number; the name of one who is not listed is stored with the change.
    """
    effects: list[Effect] = list(more)
    dedup_key = id or f"{ctx.actor.user}:{ctx.now.timestamp()}"
    if confirm is not None and where is not None:
        redraw = result.redraw if result is not None and where.reply else None
        effects.append(screen_effect(dedup_key, where, confirm, redraw))
    people = {p: None for p in (ctx.person.id, *touched) if p}
    people.update({p.id: None for p in ctx.account.super_admins})
    seen = await ctx.services.contacts.last_seen(ctx.snapshot, list(people), ctx.services.platforms)
    for notification in notifications:
        if notification.person.id != ctx.person.id:
            effects += person_effects(ctx, dedup_key, notification.person, notification.screen, seen)
    effects += home_effects(dedup_key, seen)
    name = (holder.id, holder.name) if holder is not None and not holder.listed else None
    return Change(id, ctx.person.id, ctx.now, result.pack() if result else "", tuple(effects), name)


def person_effects(
    ctx: Context, dedup_key: str, person: Person, screen: Screen, seen: dict[tuple[str, str], LastSeen]
) -> list[Effect]:
    """Send a screen to the best of the person's addresses; empty if they have none."""
    addresses = reachable_addresses(ctx.account, ctx.services, person, seen)[:1]
    return [screen_effect(dedup_key, to, screen) for to in addresses]


def reachable_addresses(
    account: Account, services: Services, person: Person, seen: dict[tuple[str, str], LastSeen]
) -> list[Address]:
    """Where a person can be reached, best first: where they were seen last, then by the account's record."""
    theirs = sorted((at.at, f, at) for (p, f), at in seen.items() if p == person.id)
    addresses = [Address(f, at.workspace, user=at.user) for _, f, at in reversed(theirs)]
    for platform in services.platforms:
        user = person.user_on(platform)
        workspace = next((w.id for w in account.workspaces if w.platform == platform), None)
        if user and workspace:
            addresses.append(Address(platform, workspace, user=user))
    return addresses
