"""What every handler is given: who asks, of which account, in whose words. And where things are said."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from domain.accounts.account import Account, Person
from domain.accounts.fields import zone
from domain.numbers.usage import Limits, limits
from domain.people import Right, may
from domain.phone import pretty
from handlers.framework.effects import home_effects, screen_effect
from handlers.framework.events import Actor, Address
from handlers.framework.ports import Services
from handlers.framework.results import Result
from handlers.framework.screens import Screen
from handlers.wording import Words, choose_language, words_in
from store.engine.accounts import AccountSnapshot
from store.engine.changes import Change
from store.engine.contacts import LastSeen
from store.engine.effects import Effect

RIGHTS_KEPT = 10_000  # of an account's people, listed or not


@dataclass(frozen=True, slots=True)
class Context:
    """One request. `now` is fixed for its whole life."""

    services: Services
    snapshot: AccountSnapshot
    person: Person
    actor: Actor
    words: Words
    now: datetime
    names: dict[str, str] = field(default_factory=dict)  # of people who are not listed, as far as learnt

    @property
    def account(self) -> Account:
        return self.snapshot.account

    @property
    def region(self) -> str:
        return self.snapshot.account.country

    def may(self, right: Right) -> bool:
        """Whether the person may; looked at once for a revision of the account."""
        rights, key = self.snapshot.rights, (self.person.id, right)
        known = rights.get(key)
        if known is None:
            if len(rights) > RIGHTS_KEPT:
                rights.clear()
            known = rights[key] = may(self.snapshot.account, self.person, right)
        return known

    @property
    def calling_ready(self) -> bool:
        """Whether there is anywhere to get numbers from."""
        return self.services.carrier.ready(self.snapshot.account)

    @property
    def english(self) -> Words:
        """For what people may type in English whatever they read."""
        return words_in("en", self.words.zone)

    @property
    def limits(self) -> Limits:
        return limits(self.snapshot.account)

    def number(self, e164: str, extension: str | None = None) -> str:
        """In the form that people of the account write it."""
        return pretty(e164, self.region, extension, self.words("numbers.extension"))

    def name(self, person: str | None) -> str:
        """Whose: "you", a name, "nobody"."""
        if person is None:
            return self.words("person.nobody")
        if person == self.person.id:
            return self.words("person.you")
        known = self.account.person(person)
        if known is None:
            return self.words("person.gone")
        return known.name if known.listed else self.names.get(person, known.name)

    async def load_names(self, *people: str | None) -> None:
        """The names of those among them who are not listed, for `name`."""
        strangers = {p for p in people if p and p not in self.names and (q := self.account.person(p)) and not q.listed}
        if strangers:
            self.names.update(await self.services.contacts.names(self.snapshot, sorted(strangers)))

    def words_for(self, person: Person) -> Words:
        return words_for(self.account, person, None)

    def for_reader(self, person: Person) -> "Context":
        """The same moment as another person reads it."""
        return Context(self.services, self.snapshot, person, self.actor, self.words_for(person), self.now, self.names)


def words_for(account: Account, person: Person, locale: str | None = None) -> Words:
    """A reader's words: of the platform's locale (docs/domain.md 8), else of the record, else the account's default."""
    fallback = account.default_person.language if account.default_person else None
    return words_in(choose_language(locale, person.language, fallback), zone(person.timezone or account.timezone))


@dataclass(frozen=True, slots=True)
class Notification:
    """Something one person is told because another acted."""

    person: Person
    screen: Screen


async def build_change(
    ctx: Context,
    id: str | None,
    result: Result | None,
    *,
    confirm: Screen | None = None,
    where: Address | None = None,
    told: Sequence[Notification] = (),
    touched: Iterable[str | None] = (),
    more: Sequence[Effect] = (),
    holder: Person | None = None,
) -> Change:
    """A change with all that must be said because of it: the answer to a dialog (whose own reply only closes it),
    a line to others, and every open home screen that shows what changed."""
    effects: list[Effect] = list(more)
    dedup_key = id or f"{ctx.actor.user}:{ctx.now.timestamp()}"
    if confirm is not None and where is not None:
        # The screen that the dialog was opened from is drawn anew with the news on it: doing so twice does no harm.
        # Where there is none the news is a message of its own.
        redraw = result.redraw if result is not None and where.reply else None
        effects.append(screen_effect(dedup_key, where, confirm, redraw))
    people = {p: None for p in (ctx.person.id, *touched) if p}
    people.update({p.id: None for p in ctx.account.super_admins})
    seen = await ctx.services.contacts.last_seen(ctx.snapshot, list(people), ctx.services.platforms)
    for line in told:
        # Told once, and never the one who acted.
        if line.person.id != ctx.person.id:
            effects += [screen_effect(dedup_key, to, line.screen) for to in addresses(ctx, line.person, seen)[:1]]
    effects += home_effects(dedup_key, seen)
    name = (holder.id, holder.name) if holder is not None and not holder.listed else None
    return Change(id, ctx.person.id, ctx.now, result.pack() if result else "", tuple(effects), name)


def addresses(ctx: Context, person: Person, seen: dict[tuple[str, str], LastSeen]) -> list[Address]:
    """Where a person can be reached, best first: where they were last seen, then what the account's record says."""
    return reachable_addresses(ctx.account, ctx.services, person, seen)


def reachable_addresses(
    account: Account, services: Services, person: Person, seen: dict[tuple[str, str], LastSeen]
) -> list[Address]:
    """`addresses`, where nobody asks."""
    theirs = sorted((at.at, f, at) for (p, f), at in seen.items() if p == person.id)
    found = [Address(f, at.workspace, user=at.user) for _, f, at in reversed(theirs)]
    for platform in services.platforms:
        user = person.user_on(platform)
        workspace = next((w.id for w in account.workspaces if w.platform == platform), None)
        if user and workspace:
            found.append(Address(platform, workspace, user=user))
    return found
