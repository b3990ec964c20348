"""Routes every event to its handler.

The account is found by the workspace, the person by the account's records, the handler by name. A Refusal, a record
that has changed meanwhile and a store that does not answer all become sentences here.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import astuple, replace
from datetime import datetime, timedelta
from difflib import get_close_matches
from zoneinfo import ZoneInfo

from domain.accounts.account import Account, Person
from domain.people import Profile, identify
from domain.refusal import Refusal
from handlers.framework.context import Context
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
from handlers.framework.home import home_screen, record_home_opened, welcome_screen
from handlers.framework.parse_args import looks_like_number
from handlers.framework.ports import Services, Unavailable
from handlers.framework.refusals import refusal_screen, refusal_text, unsupported_file_screen
from handlers.framework.routes import OnResult, Routes
from handlers.framework.screens import (
    Button,
    Buttons,
    Done,
    Errors,
    Form,
    Nothing,
    Notice,
    Options,
    Paragraph,
    Response,
    Screen,
    strip_markup,
)
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

OWN_NAME = "switchboard"  # `/switchboard numbers …` is `/numbers …`: another app may own the short word
OPEN_FORM = "open.form"  # the press that opens the dialog that a message asked for
LONGEST_COMMAND = 100

SENTENCE = 3  # words; a message of so many or more that is no command is a question
TRIES = 4  # of a request whose account changes meanwhile
PROFILES_CACHED = 10_000
PROFILE_LIFE = timedelta(minutes=10)


class Router:
    """`handle` answers any event; it raises for bugs only."""

    def __init__(self, services: Services, routes: Routes) -> None:
        self._services = services
        self._routes = routes
        self._names = routes.names
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
        """Send the welcome screen to the user who installed the bot, or to the first super admin if `user` is None.
        `also`: further ids of the same user. False: there is nobody to greet, or they were greeted before."""
        snapshot = await self._services.accounts.at(platform, workspace)
        now = self._services.now()
        if snapshot is None:
            if user is None:
                return False
            tag, screen = cell_of(f"{platform}:{workspace}"), _screen(words_in("en", _UTC), "unconnected", workspace)
        else:
            ids = (user, *also) if user else ()
            listed = (person for id in ids if (person := snapshot.account.by_user(platform, id)))
            admins = (person for person in snapshot.account.super_admins if person.user_on(platform))
            person = next(listed if user else admins, None)
            if person is None and user is not None:
                person = snapshot.account.unlisted_person(platform, user)
            user = user or (person.user_on(platform) if person else None)
            if person is None or user is None:
                return False
            ctx = Context.for_person(self._services, snapshot, person, Actor(platform, workspace, user), now)
            tag, screen = snapshot.tag, welcome_screen(ctx, self._routes.home_sections.values())
        effect = screen_effect(f"welcome|{workspace}", Address(platform, workspace, user=user), screen)
        return await self._services.contacts.greet(tag, platform, workspace, user, (effect,), now)

    async def handle_lost_post(self, account: str, key: str, why: str) -> None:
        """Handle a post that can't be delivered, because its channel is closed to the bot, for example."""
        handler = self._routes.lost.get(key.partition(":")[0])
        if handler is not None:
            await handler(self._services, account, key, why)

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
        ctx = Context.for_person(self._services, snapshot, person, actor, now, actor.locale)
        try:
            return await (self._dispatch(ctx, event) if key is None else self._in_thread(ctx, event, key))
        except (Refusal, GuardFailed) as no:
            # A repeat of a request that was carried out is refused because of it: answer as the first time.
            if (first := await self._first_response(ctx, event)) is not None:
                return first
            return _refuse(ctx, event, no if isinstance(no, Refusal) else Refusal("meanwhile"))

    async def _post(self, snapshot: AccountSnapshot, event: Inbound) -> str | None:
        """The key of our post that a message replies to, if a handler is registered for such posts."""
        if not isinstance(event, ChatMessage | MessageEdit | MessageDeletion):
            return None
        # In conversations without threads, an edited or deleted message is looked up by its own id.
        message = event.thread or (None if isinstance(event, ChatMessage) else event.message)
        if not message:
            return None
        where = event.where
        key = await self._services.posts.find(snapshot, where.platform, where.workspace, message)
        return key if key is not None and key.partition(":")[0] in self._routes.threads else None

    async def _person(self, account: Account, actor: Actor, now: datetime) -> Person:
        """Who acts, by the account's records, and by the platform's profile for people who are not listed. Raises
        Refusal."""
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
        cached = self._profiles.get(key)
        if cached is not None and cached[0] > now:
            return cached[1]
        profile = await self._services.directory.profile(*key)
        self._profiles[key] = (now + PROFILE_LIFE, profile)
        while len(self._profiles) > PROFILES_CACHED:
            self._profiles.popitem(last=False)
        return profile

    async def _dispatch(self, ctx: Context, event: Inbound) -> Response:
        match event:
            case Command():
                return await self._command(ctx, event)
            case Press() if event.action == OPEN_FORM:
                # Only a press can open a dialog: carry out the command again.
                words = tuple(event.value.split())
                return await self._command(ctx, Command(ctx.actor, event.id, OWN_NAME, words, event.where))
            case Press(form=None) if (on_home := self._routes.home_presses.get(event.action)) is not None:
                return await self._home(ctx, await on_home(ctx, event))
            case Press(form=None) if (draw := self._routes.result_lists.get(event.action)) is not None:
                return await self._list_with_result(ctx, event, draw)
            case Press():
                # Live fields and buttons of a form are registered as "form:action".
                press = self._routes.presses.get(f"{event.form}:{event.action}" if event.form else event.action)
                return await press(ctx, event) if press else Notice(_screen(ctx.words, "control_unknown"))
            case Submit():
                submit = self._routes.submits.get(event.form)
                return await submit(ctx, event) if submit else Notice(_screen(ctx.words, "control_unknown"))
            case OptionsRequest():
                suggest = self._routes.suggests.get(event.field)
                return await suggest(ctx, event) if suggest else Options(())
            case HomeRequest():
                if not event.anew:
                    await record_home_opened(ctx, event.actor)
                return await self._home(ctx)
            case ChatMessage():
                return await self._message(ctx, event)
            case MessageEdit() | MessageDeletion():
                return Nothing()  # the message has been answered as it was first

    async def _home(self, ctx: Context, position: str = "") -> Screen:
        return await home_screen(ctx, self._routes.home_sections.values(), position)

    async def _list_with_result(self, ctx: Context, press: Press, draw: OnResult) -> Screen:
        """The list that a dialog was opened from, with its result on top. The value of the press is untrusted."""
        try:
            result = self._routes.parse_result(press.value)
            await ctx.load_names(*(value for value in astuple(result) if isinstance(value, str)))
            shown = self._routes.render_result(ctx, result)
        except (KeyError, ValueError):
            return await draw(ctx, None, None)
        return await (draw(ctx, result, shown) if press.action == result.SHOW else draw(ctx, None, None))

    async def _command(self, ctx: Context, event: Command) -> Response:
        routes = self._routes
        name, words = event.name, event.words
        if name == OWN_NAME:
            if not words or not isinstance(words[0], str) or words[0].lower() not in self._names:
                return self._help(ctx, words)
            name, words = words[0].lower(), words[1:]
        first = words[0].lower() if words and isinstance(words[0], str) else ""
        handler = routes.commands.get((name, first))
        sentence = routes.texts.get(name)
        if handler is None and sentence is not None and (first, len(words)) != ("help", 1):
            return await sentence(ctx, Command(ctx.actor, event.id, name, tuple(words), event.where))
        if handler is None:
            if first and looks_like_number(first):
                first, words = "list", ("list", *words)
            else:
                return self._help(ctx, words, name)
            handler = routes.commands[(name, first)]
        inner = Command(ctx.actor, event.id, name, tuple(words[1:]), event.where)
        return await handler(ctx, inner)

    async def _message(self, ctx: Context, event: ChatMessage) -> Response:
        """Answer a message by a message through the outbox, so that one that arrives twice is answered once."""
        response = await self._answer_message(ctx, event)
        shown = response.screen if isinstance(response, Notice) else response
        if isinstance(shown, Form):
            shown = self._form_button_screen(ctx, shown, [w for w in event.words if isinstance(w, str)])
        if not isinstance(shown, Screen):
            return response
        id = f"said|{event.id}"
        # In a channel, the answer goes to the person alone: there, if the platform can do that, else in private.
        visible = event.where.user is not None
        to = event.where if visible else Address(event.actor.platform, event.actor.workspace, user=event.actor.user)
        await self._services.changes.send_once(ctx.snapshot, id, (screen_effect(id, to, shown),))
        return Nothing() if visible else _screen(ctx.words, "in_private")

    async def _answer_message(self, ctx: Context, event: ChatMessage) -> Response:
        """A message is a reply to a post, a file, a command without its slash or a question; else it gets the help."""
        words, routes, talk = event.words, self._routes, self._routes.conversation
        if event.unthreaded and talk is not None and not self._names_command(words):
            key = await talk.live_thread(ctx, event)
            if key is not None:
                return await self._in_thread(ctx, event, key)
        read_file = next((handler for file in event.files if (handler := routes.files.get(file.kind))), None)
        if read_file is not None:
            # A list of numbers may be meant for a ticket too.
            stored = await talk.keep_files(ctx, event, routes.files) if talk is not None else None
            try:
                return await read_file(ctx, event)
            except Refusal as no:
                if stored is None:
                    raise
                why = Paragraph((refusal_text(ctx.words, ctx.account, no),))
                return replace(stored, blocks=(why, *stored.blocks))
        first = words[0].lower().lstrip("/") if words and isinstance(words[0], str) else ""
        if first in self._names or first == OWN_NAME:
            return await self._command(ctx, Command(ctx.actor, event.id, first, tuple(words[1:]), event.where))
        if (first or not event.files) and any(name == first for _, name in routes.commands):
            name = next(n for n, verb in routes.commands if verb == first)
            return await self._command(ctx, Command(ctx.actor, event.id, name, tuple(words), event.where))
        if event.files:
            stored = await talk.keep_files(ctx, event, routes.files) if talk is not None else None
            return stored or unsupported_file_screen(ctx, event.files[0], routes.files)
        if talk is not None and first not in _GREETINGS and len(words) >= SENTENCE:
            return await talk.answer(ctx, words, event.id)
        return self._help(ctx, words if first and first not in _GREETINGS else ())

    def _help(self, ctx: Context, words: tuple[str | Mention, ...], name: str | None = None) -> Screen:
        unknown = words[0] if words and isinstance(words[0], str) else None
        help_screen = self._routes.helps.get(name or "", self._routes.helps[self._names[0]])
        if unknown in {None, "help"}:
            return help_screen(ctx, None, None)
        verbs = [verb for command, verb in self._routes.commands if verb and name in {None, command}]
        near = get_close_matches(unknown.lower(), verbs if name else [*self._names, *verbs], n=1, cutoff=0.5)
        return help_screen(ctx, unknown[:40], near[0] if near else None)

    async def _first_response(self, ctx: Context, event: Inbound) -> Response | None:
        """The response to the first of the requests with this id; None if this one is the first."""
        if not isinstance(event, Command | Press | Submit):
            return None
        result = await self._services.changes.first_answer(ctx.snapshot, event.id)
        if result is None or isinstance(event, Submit):
            return None if result is None else Done()
        screen = self._routes.render_result(ctx, self._routes.parse_result(result))
        return Notice(screen) if isinstance(event, Press) else screen

    async def _in_thread(self, ctx: Context, event: Inbound, key: str) -> Response:
        assert isinstance(event, ChatMessage | MessageEdit | MessageDeletion)  # noqa: S101 - only these have a key
        return await self._routes.threads[key.partition(":")[0]](ctx, event, key)

    def _names_command(self, words: Sequence[str | Mention]) -> bool:
        """Whether a message in a conversation without threads is a command: it begins with a name or a slash."""
        first = words[0] if words else ""
        return isinstance(first, str) and (first.startswith("/") or first.lower() in {*self._names, OWN_NAME, "help"})

    def _form_button_screen(self, ctx: Context, form: Form, words: Sequence[str]) -> Screen:
        """A button that opens the dialog, which a message can't."""
        command = self._in_full(form, words)[:LONGEST_COMMAND]
        button = Button(form.title, OPEN_FORM, command, style="primary", form=True)
        return Screen(form.title, (Paragraph(ctx.words.text("home.ask")), Buttons((button,))))

    def _in_full(self, form: Form, words: Sequence[str]) -> str:
        """The command of a message, which may leave out the command's name (then the form tells which it is) or begin
        with the bot's."""
        first, *rest = (words[0].lower().lstrip("/"), *words[1:]) if words else ("",)
        if first == OWN_NAME:
            first, *rest = (rest[0].lstrip("/"), *rest[1:]) if rest else ("",)
            name = next((name for name in self._names if form.id.startswith(f"{name}.")), self._names[0])
        else:
            name = next((name for name, verb in self._routes.commands if verb == first), self._names[0])
        return " ".join((first, *rest) if first.lower() in self._names else (name, first, *rest))


def _overheard(event: Inbound) -> bool:
    return isinstance(event, MessageEdit | MessageDeletion) or (isinstance(event, ChatMessage) and event.overheard)


def _refuse(ctx: Context, event: Inbound, refusal: Refusal) -> Response:
    """A refusal at its field, or as a screen of its own."""
    if isinstance(event, Submit):
        return Errors({refusal.field or "": refusal_text(ctx.words, ctx.account, refusal)})
    return _answer(event, refusal_screen(ctx.words, ctx.account, refusal))


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


def _screen(words: Words, key: str, workspace: str = "") -> Screen:
    return Screen(words(f"answer.{key}.title"), (Paragraph(words.text(f"answer.{key}", workspace=workspace)),))


def _text(screen: Screen) -> str:
    return " ".join(strip_markup(block.text) for block in screen.blocks if isinstance(block, Paragraph))
