"""What every handler is given: who asks, of which account, in whose words. And where things are said."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2s
from typing import Any

from domain.accounts.account import Account, Person
from domain.accounts.fields import zone
from domain.numbers.usage import Limits, limits
from domain.people import Right, may
from domain.phone import pretty
from handlers.framework.ports import Services
from handlers.framework.vocabulary import Actor, Address, Screen, pack_address, pack_screen
from handlers.wording import Words, choose_language, words_in
from store.engine.accounts import AccountSnapshot
from store.engine.blobs import Blob
from store.engine.changes import Change
from store.engine.contacts import LastSeen
from store.engine.effects import Effect
from store.engine.posts import MessageRef

RIGHTS_KEPT = 10_000  # of an account's people, listed or not
TEXT_IN_EFFECT = 256 * 1024  # bytes of a file that travels with its effect
ORPHANED_POSTS = "gone"  # a conversation of its own, in which posts are taken away whose place the ledger has forgotten
MAIL = "mail"  # the kind of effects that the mail server is handed
SHOW_RESULT = "numbers.news"  # the press that draws the list with what was done on top


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


def words_for(account: Account, person: Person, locale: str | None) -> Words:
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
    result: str,
    *,
    confirm: Screen | None = None,
    where: Address | None = None,
    told: Sequence[Notification] = (),
    touched: Iterable[str | None] = (),
    more: Sequence[Effect] = (),
    holder: Person | None = None,
    news: str = SHOW_RESULT,
) -> Change:
    """A change with all that must be said because of it: the answer to a dialog (whose own reply only closes it),
    a line to others, and every open home screen that shows what changed. `news`: the press that draws the screen that
    the dialog was opened from."""
    effects: list[Effect] = list(more)
    dedup_key = id or f"{ctx.actor.user}:{ctx.now.timestamp()}"
    if confirm is not None and where is not None:
        # The screen that the dialog was opened from is drawn anew with the news on it: doing so twice does no harm.
        # Where there is none the news is a message of its own.
        redraw = {"action": news, "value": result} if where.reply else None
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
    return Change(id, ctx.person.id, ctx.now, result, tuple(effects), name)


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


def screen_effect(dedup_key: str, to: Address, screen: Screen, redraw: dict[str, str] | None = None) -> Effect:
    """A screen on its way. `redraw`: the press whose answer takes the place of what `to.reply` leads to, while that
    can be done; else the screen is said to the person."""
    body: dict[str, Any] = {"to": pack_address(to), "screen": pack_screen(screen), "replace": False}
    if redraw:
        body["redraw"] = redraw
    return Effect(
        conv=to.conversation, kind=f"{to.platform}.screen", body=body, id=effect_id(dedup_key, "say", to.conversation)
    )


def file_effect(dedup_key: str, to: Address, name: str, title: str, comment: str, content: str | Blob) -> Effect:
    """A file on its way to a person in private. `comment` is said with it.

    Args:
        name: as it is saved, with its ending.
        content: short text (1 to `TEXT_IN_EFFECT` bytes of UTF-8; else ValueError), or what was put into
            `services.blobs`, which is deleted once it was sent.
    """
    kept: dict[str, Any] = {"blob": content.ref, "size": content.size} if isinstance(content, Blob) else {}
    if isinstance(content, str):
        if not 0 < len(content.encode()) <= TEXT_IN_EFFECT:
            raise ValueError("nothing, or too long for an effect: put it into a blob")
        kept = {"text": content}
    body = {"to": pack_address(to), "name": name, "title": title, "comment": comment, **kept}
    return Effect(
        conv=to.conversation,
        kind=f"{to.platform}.file",
        body=body,
        id=effect_id(dedup_key, "file", to.conversation, name),
    )


def post_effect(
    snapshot: AccountSnapshot, dedup_key: str, to: Address, key: str, screen: Screen | None, *, below: str | None = None
) -> Effect:
    """A post on its way: the screen goes where the post of that key is already, or is posted and known by the key from
    then on; None takes it away.

    Args:
        key: "ticket:142:desk": kind, number, and what it is of it. One of its own in the account.
        below: the key of the post at the head of the thread, which went to the same conversation before.
    """
    body: dict[str, Any] = {"account": snapshot.account.id, "tag": snapshot.tag, "to": pack_address(to), "key": key}
    body |= {"screen": pack_screen(screen) if screen is not None else None, "below": below}
    conv = to.conversation
    return Effect(conv=conv, kind=f"{to.platform}.post", body=body, id=effect_id(dedup_key, "put", key, conv))


def post_removal_effect(snapshot: AccountSnapshot, dedup_key: str, key: str, place: MessageRef) -> Effect:
    """A post that goes from where it stands, when nothing is to lead there any more but this: the ledger may have
    forgotten it, and whose conversation it is in stays unsaid."""
    to = Address(place.platform, place.workspace, channel=ORPHANED_POSTS)
    body: dict[str, Any] = {"account": snapshot.account.id, "tag": snapshot.tag, "to": pack_address(to), "key": key}
    body |= {"screen": None, "below": None, "at": place.field()}
    return Effect(conv=to.conversation, kind=f"{to.platform}.post", body=body, id=effect_id(dedup_key, "gone", key))


@dataclass(frozen=True, slots=True)
class OutgoingMail:
    """A mail. `thread`: mails of one thread lie together in mail programs; "" is none. `key`: of the record that is
    told how it ended ("ticket:142:m7:mail"); "" is none."""

    to: str
    subject: str
    text: str
    reply_to: str | None = None
    thread: str = ""
    key: str = ""


def mail_effect(snapshot: AccountSnapshot, dedup_key: str, conv: str, letter: OutgoingMail) -> Effect:
    """A mail on its way, where mail is configured (`Services.mail`). `conv`: mails of one go out in order."""
    body: dict[str, Any] = {"to": letter.to, "subject": letter.subject, "text": letter.text}
    body |= {"reply_to": letter.reply_to, "thread": letter.thread, "key": letter.key, "account": snapshot.account.id}
    return Effect(conv=conv, kind=MAIL, body=body, id=effect_id(dedup_key, "mail", letter.key or letter.to))


def home_effects(dedup_key: str, seen: Mapping[tuple[str, str], LastSeen]) -> list[Effect]:
    """The home screens of these people that are open, drawn anew."""
    return [
        _home(dedup_key, Address(platform, at.workspace, user=at.user)) for (_, platform), at in seen.items() if at.home
    ]


def _home(dedup_key: str, to: Address) -> Effect:
    conv = f"home:{to.conversation}"
    return Effect(
        conv=conv, kind=f"{to.platform}.home", body={"to": pack_address(to)}, id=effect_id(dedup_key, "home", conv)
    )


def effect_id(*parts: str) -> str:
    """The same for the same change, so that a repeat is recognised on the other side too."""
    return blake2s("|".join(parts).encode(), digest_size=12).hexdigest()
