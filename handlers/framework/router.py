"""From anything that comes in to its handler, with everything that must hold on every path.

The account is found by the workspace, the person by the account's records, the handler by name. A rule that says no, a
record that has moved on, a store that does not answer: each becomes a sentence here, in one place.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from difflib import get_close_matches
from zoneinfo import ZoneInfo

from domain.accounts.account import Account, Person
from domain.people import Profile, identify
from domain.refusal import Refusal
from handlers import blocklist, home, numbers, support
from handlers.framework import parse_args, unsupported_files
from handlers.framework.context import Context, words_for
from handlers.framework.effects import screen_effect
from handlers.framework.events import (
    Actor,
    Address,
    ChatMessage,
    Command,
    HomeRequest,
    Inbound,
    Mention,
    MessageDeletion,
    MessageEdit,
    OptionsRequest,
    Press,
    Submit,
)
from handlers.framework.forms import Done, Errors, Form, Nothing, Options, Response
from handlers.framework.ports import Services, Unavailable
from handlers.framework.refusals import refusal_screen, refusal_text
from handlers.framework.routes import merge_routes
from handlers.framework.screens import Notice, Paragraph, Screen, strip_markup
from handlers.wording import Words, choose_language, words_in
from store.engine.accounts import AccountChanged, AccountSnapshot
from store.engine.commit import GuardFailed
from store.engine.keys import cell_of
from store.server.connection import StoreUnavailable

_UTC = ZoneInfo("UTC")
_GREETINGS = frozenset(
    {"hi", "hello", "hey", "help", "thanks", "thank", "cześć", "hej", "dzięki", "pomoc", "hallo", "danke", "hilfe"}
    | {"bonjour", "salut", "merci", "aide", "hola", "gracias", "ayuda", "oi", "olá", "obrigado", "obrigada", "ajuda"}
    | {"こんにちは", "ありがとう", "ヘルプ"}
)

ROUTES = merge_routes((numbers.ROUTES, blocklist.ROUTES, support.ROUTES, home.ROUTES))
COMMANDS = tuple(dict.fromkeys(name for name, _ in ROUTES.commands))
OWN_NAME = "switchboard"  # `/switchboard numbers …` is `/numbers …`: another app may own the short word

SENTENCE = 3  # words from which on a message that is no command is a question
TRIES = 4  # a record can change under a request; it does not do so for ever
REMEMBERED = 10_000
PROFILE_LIFE = timedelta(minutes=10)


class Router:
    """`handle` answers anything; it raises only for faults of ours."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._profiles: OrderedDict[tuple[str, str, str], tuple[datetime, Profile | None]] = OrderedDict()

    async def handle(self, event: Inbound) -> Response:
        actor = event.actor
        words = words_in(choose_language(actor.locale), _UTC)
        try:
            for _ in range(TRIES):
                snapshot = await self._services.accounts.at(actor.platform, actor.workspace)
                if snapshot is None:
                    return _answer(event, _screen(words, "workspace_unknown", workspace=actor.workspace))
                try:
                    return await self._as_person(snapshot, event)
                except AccountChanged:
                    self._services.accounts.forget(snapshot.account.id)
            return _answer(event, _screen(words, "busy"))
        except StoreUnavailable:
            return _answer(event, _screen(words, "store_unavailable"))
        except Unavailable:
            return _answer(event, _screen(words, "platform_unavailable"))

    async def welcome(self, platform: str, workspace: str, user: str | None, also: Sequence[str] = ()) -> bool:
        """Greets whoever installed the bot, once, with what to do next; with `user` unknown, the first super admin.
        `also`: further ids of the same user.
        False: there is nobody to greet, or they were greeted before."""
        snapshot = await self._services.accounts.at(platform, workspace)
        now = self._services.now()
        if snapshot is None:
            if user is None:
                return False
            tag, screen = cell_of(f"{platform}:{workspace}"), _screen(words_in("en", _UTC), "unconnected", workspace)
        else:
            ids = (user, *also) if user else ()
            listed = (person for id in ids if (person := snapshot.account.by_user(platform, id)))
            person = next(listed, None) if user else _first_admin(snapshot.account, platform)
            if person is None and user is not None:
                person = snapshot.account.unlisted_person(platform, user)
            user = user or (person.user_on(platform) if person else None)
            if person is None or user is None:
                return False
            ctx = Context(
                self._services,
                snapshot,
                person,
                Actor(platform, workspace, user),
                words_for(snapshot.account, person, None),
                now,
            )
            tag, screen = snapshot.tag, home.welcome(ctx)
        effect = screen_effect(f"welcome|{workspace}", Address(platform, workspace, user=user), screen)
        return await self._services.contacts.greet(tag, platform, workspace, user, (effect,), now)

    async def handle_lost_post(self, account: str, key: str, why: str) -> None:
        """A post can't arrive where it goes: the channel is closed to us, say."""
        told = ROUTES.lost.get(key.partition(":")[0])
        if told is not None:
            await told(self._services, account, key, why)

    async def _as_person(self, snapshot: AccountSnapshot, event: Inbound) -> Response:
        account, actor, now = snapshot.account, event.actor, self._services.now()
        key = await self._post(snapshot, event)
        if key is None and _overheard(event):
            return Nothing()
        try:
            person = await self._person(account, actor, now)
        except Refusal as no:
            words = words_in(choose_language(actor.locale), _UTC)
            return _answer(event, refusal_screen(words, account, no))
        words = words_for(account, person, actor.locale)
        ctx = Context(self._services, snapshot, person, actor, words, now)
        try:
            return await (self._dispatch(ctx, event) if key is None else _in_thread(ctx, event, key))
        except (Refusal, GuardFailed) as no:
            # The same request again finds the world as the first one left it: the first answer stands.
            if (again := await self._again(ctx, event)) is not None:
                return again
            refusal = no if isinstance(no, Refusal) else Refusal("meanwhile")
            return _no(ctx, event, refusal)

    async def _post(self, snapshot: AccountSnapshot, event: Inbound) -> str | None:
        """The key of our post below which something was said, where a handler claims such posts."""
        if not isinstance(event, ChatMessage | MessageEdit | MessageDeletion):
            return None
        # What is changed may be known by itself: where there are no threads nothing else leads to it.
        known = event.thread or (None if isinstance(event, ChatMessage) else event.message)
        if not known:
            return None
        where = event.where
        key = await self._services.posts.find(snapshot, where.platform, where.workspace, known)
        return key if key is not None and key.partition(":")[0] in ROUTES.threads else None

    async def _person(self, account: Account, actor: Actor, now: datetime) -> Person:
        """Who acts, by the account's records; the platform is asked only about people who are not listed."""
        if actor.outsider:
            raise Refusal("who_outsider")
        for user in (actor.user, *actor.other_ids):
            if (listed := account.by_user(actor.platform, user)) is not None:
                return listed
        profile = await self._profile(actor, now)
        if profile is None:
            raise Refusal("who_unknown")
        return identify(account, actor.platform, profile)

    async def _profile(self, actor: Actor, now: datetime) -> Profile | None:
        key = (actor.platform, actor.workspace, actor.user)
        known = self._profiles.get(key)
        if known is not None and known[0] > now:
            return known[1]
        profile = await self._services.directory.profile(*key)
        self._profiles[key] = (now + PROFILE_LIFE, profile)
        while len(self._profiles) > REMEMBERED:
            self._profiles.popitem(last=False)
        return profile

    async def _dispatch(self, ctx: Context, event: Inbound) -> Response:
        match event:
            case Command():
                return await self._command(ctx, event)
            case Press(action=home.OPEN_FORM):
                # A dialog can only be opened by a press: the command that asked for it, once more.
                words = tuple(event.value.split())
                return await self._command(ctx, Command(ctx.actor, event.id, OWN_NAME, words, event.where))
            case Press():
                # A live field or a button of a form is that form's own.
                press = ROUTES.presses.get(f"{event.form}:{event.action}" if event.form else event.action)
                return await press(ctx, event) if press else Notice(_screen(ctx.words, "control_unknown"))
            case Submit():
                submit = ROUTES.submits.get(event.form)
                return await submit(ctx, event) if submit else Notice(_screen(ctx.words, "control_unknown"))
            case OptionsRequest():
                suggest = ROUTES.suggests.get(event.field)
                return await suggest(ctx, event) if suggest else Options(())
            case HomeRequest():
                return await home.show_home(ctx, event)
            case ChatMessage():
                return await self._heard(ctx, event)
            case MessageEdit() | MessageDeletion():
                return Nothing()  # what was said to the bot has been acted on as it was first

    async def _command(self, ctx: Context, event: Command) -> Response:
        name, words = event.name, event.words
        if name == OWN_NAME:
            if not words or not isinstance(words[0], str) or words[0].lower() not in COMMANDS:
                return self._help(ctx, words)
            name, words = words[0].lower(), words[1:]
        first = words[0].lower() if words and isinstance(words[0], str) else ""
        handler = ROUTES.commands.get((name, first))
        sentence = ROUTES.texts.get(name)
        if handler is None and sentence is not None and (first, len(words)) != ("help", 1):
            return await sentence(ctx, Command(ctx.actor, event.id, name, tuple(words), event.where))
        if handler is None:
            if first and parse_args.looks_like_number(first):
                first, words = "list", ("list", *words)
            else:
                return self._help(ctx, words, name)
            handler = ROUTES.commands[(name, first)]
        inner = Command(ctx.actor, event.id, name, tuple(words[1:]), event.where)
        return await handler(ctx, inner)

    async def _heard(self, ctx: Context, event: ChatMessage) -> Response:
        """A message is answered by a message, which travels through the outbox: heard twice, it is answered once."""
        outcome = await self._said(ctx, event)
        shown = outcome.screen if isinstance(outcome, Notice) else outcome
        if isinstance(shown, Form):
            shown = home.form_button_screen(ctx, shown, _in_full([w for w in event.words if isinstance(w, str)]))
        if not isinstance(shown, Screen):
            return outcome
        id = f"said|{event.id}"
        # In a channel others read along: what is one person's goes to them alone, there if the platform can do that.
        there = event.where.user is not None
        private = event.where if there else Address(event.actor.platform, event.actor.workspace, user=event.actor.user)
        await self._services.changes.send_once(ctx.snapshot, id, (screen_effect(id, private, shown),))
        return Nothing() if there else _screen(ctx.words, "in_private")

    async def _said(self, ctx: Context, event: ChatMessage) -> Response:
        """A message is a command without its stroke; anything else gets the help."""
        words = event.words
        if event.unthreaded and (key := await support.threads.live_chat_key(ctx, event)) is not None:
            return await support.threads.below(ctx, event, key)
        wanted = next((on for file in event.files if (on := ROUTES.files.get(file.kind))), None)
        if wanted is not None:
            # A list of numbers may be meant for a ticket too.
            kept = await support.sent_files.keep_files(ctx, event, ROUTES.files)
            try:
                return await wanted(ctx, event)
            except Refusal as no:
                if kept is None:
                    raise
                why = Paragraph((refusal_text(ctx.words, ctx.account, no),))
                return replace(kept, blocks=(why, *kept.blocks))
        first = words[0].lower().lstrip("/") if words and isinstance(words[0], str) else ""
        if first in COMMANDS or first == OWN_NAME:
            return await self._command(ctx, Command(ctx.actor, event.id, first, tuple(words[1:]), event.where))
        if (first or not event.files) and any(name == first for _, name in ROUTES.commands):
            name = next(n for n, verb in ROUTES.commands if verb == first)
            return await self._command(ctx, Command(ctx.actor, event.id, name, tuple(words), event.where))
        if event.files:
            kept = await support.sent_files.keep_files(ctx, event, ROUTES.files)
            return kept or unsupported_files.unsupported_file_screen(ctx, event.files[0], ROUTES.files)
        if first not in _GREETINGS and len(words) >= SENTENCE:
            return await support.ask.answer(ctx, parse_args.join_args(words), event.id, counted=False)
        return self._help(ctx, words if first and first not in _GREETINGS else ())

    def _help(self, ctx: Context, words: tuple[str | Mention, ...], name: str | None = None) -> Screen:
        unknown = words[0] if words and isinstance(words[0], str) else None
        if name == "support":
            return support.help_screen(ctx)
        help_screen = blocklist.help_screen if name == "blocklist" else numbers.help_screen
        if unknown in {None, "help"}:
            return help_screen(ctx)
        verbs = [verb for command, verb in ROUTES.commands if verb and name in {None, command}]
        near = get_close_matches(unknown.lower(), verbs if name else [*COMMANDS, *verbs], n=1, cutoff=0.5)
        return help_screen(ctx, unknown=unknown[:40], near=near[0] if near else None)

    async def _again(self, ctx: Context, event: Inbound) -> Response | None:
        """What a change answered the first time, where this is a repeat of it."""
        if not isinstance(event, Command | Press | Submit):
            return None
        result = await self._services.changes.first_answer(ctx.snapshot, event.id)
        return None if result is None else repeat_response(ctx, event, result)


def _overheard(event: Inbound) -> bool:
    return isinstance(event, MessageEdit | MessageDeletion) or (isinstance(event, ChatMessage) and event.overheard)


async def _in_thread(ctx: Context, event: Inbound, key: str) -> Response:
    assert isinstance(event, ChatMessage | MessageEdit | MessageDeletion)  # noqa: S101 - only these have a key
    return await ROUTES.threads[key.partition(":")[0]](ctx, event, key)


def repeat_response(ctx: Context, event: Command | Press | Submit | ChatMessage, result: str) -> Response:
    """The first answer to a change, said again."""
    if isinstance(event, Submit):
        return Done()
    screen = ROUTES.render_result(ctx, ROUTES.parse_result(result))
    return Notice(screen) if isinstance(event, Press) else screen


def _no(ctx: Context, event: Inbound, refusal: Refusal) -> Response:
    """A refusal where the person can see it: at the field, or as an answer of its own."""
    if isinstance(event, Submit):
        return Errors({refusal.field or "": refusal_text(ctx.words, ctx.account, refusal)})
    return _answer(event, refusal_screen(ctx.words, ctx.account, refusal))


def _in_full(words: Sequence[str]) -> str:
    """What was written, as the command that it is: a message may leave out the command's name, or put ours before."""
    first, *rest = (words[0].lower().lstrip("/"), *words[1:]) if words else ("",)
    if first == OWN_NAME:
        return " ".join(rest)
    name = next((name for name, verb in ROUTES.commands if verb == first), COMMANDS[0])
    return " ".join((first, *rest) if first in COMMANDS else (name, first, *rest))


def _answer(event: Inbound, screen: Screen) -> Response:
    match event:
        case Submit():
            return Errors({"": _text(screen)})
        case Press():
            return Notice(screen)
        case OptionsRequest():
            return Options(())
        case _:
            return screen


def _first_admin(account: Account, platform: str) -> Person | None:
    return next((p for p in account.super_admins if p.user_on(platform)), None)


def _screen(words: Words, key: str, workspace: str = "") -> Screen:
    return Screen(words(f"answer.{key}.title"), (Paragraph(words.text(f"answer.{key}", workspace=workspace)),))


def _text(screen: Screen) -> str:
    return " ".join(strip_markup(block.text) for block in screen.blocks if isinstance(block, Paragraph))
