"""Which handler answers what. Registering a name twice raises DuplicateRoute at import."""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields
from functools import wraps
from typing import Any, NamedTuple, TypeVar

from handlers.framework.context import Context
from handlers.framework.events import ChatMessage, Command, MessageDeletion, MessageEdit, OptionsRequest, Press, Submit
from handlers.framework.home import HomeSection
from handlers.framework.parse_args import Args
from handlers.framework.ports import Services
from handlers.framework.results import Result
from handlers.framework.screens import Options, Response, Screen

OnCommand = Callable[[Context, Command], Awaitable[Response]]
OnPress = Callable[[Context, Press], Awaitable[Response]]
OnSubmit = Callable[[Context, Submit], Awaitable[Response]]
OnFile = Callable[[Context, ChatMessage], Awaitable[Response]]
# Given the message, and the key of the post that it replies to.
OnThread = Callable[[Context, ChatMessage | MessageEdit | MessageDeletion, str], Awaitable[Response]]
# Given the account, the key of a post that can't be delivered, and the platform's error code.
OnLost = Callable[[Services, str, str, str], Awaitable[None]]
OnSuggest = Callable[[Context, OptionsRequest], Awaitable[Options]]

# Given the unknown word that was typed, if any, and the nearest known one, if any.
OnHelp = Callable[[Context, str | None, str | None], Screen]
# Given a change's result and its screen; None and None if the value of the press is no such result.
OnResult = Callable[[Context, Result | None, Screen | None], Awaitable[Screen]]
OnHomePress = Callable[[Context, Press], Awaitable[str]]


class Conversation(NamedTuple):
    """How one workflow handles messages that are no commands.

    `live_thread`: the key of the post that a message replies to, in conversations without threads. `keep_files`: stores
    the files of a message, given the kinds that some handler reads; None if they are of no use. `answer`: answers a
    sentence, given the id of its message.
    """

    live_thread: Callable[[Context, ChatMessage], Awaitable[str | None]]
    keep_files: Callable[[Context, ChatMessage, Collection[str]], Awaitable[Screen | None]]
    answer: Callable[[Context, Args, str], Awaitable[Screen]]


_F = TypeVar("_F")
_R = TypeVar("_R", bound=Result)


@dataclass(slots=True)
class Routes:
    """The handlers of a module: of commands by (name, first word), of commands that take any words by name, of presses
    by action, submissions by form, options by field, messages with a file by the file's kind, replies to a post and
    posts that can't be delivered by the first word of the post's key, the renderers of results by the first word of the
    result, lists with a result on top by the action of `Result.SHOW`, help by the command's name, presses on the home
    screen and its sections.

    `require` is called before each handler of a command, press, submission, option or file; it raises Refusal for
    people who may do nothing of what the module does.
    """

    require: Callable[[Context], None] | None = None
    commands: dict[tuple[str, str], OnCommand] = field(default_factory=dict)
    texts: dict[str, OnCommand] = field(default_factory=dict)
    presses: dict[str, OnPress] = field(default_factory=dict)
    submits: dict[str, OnSubmit] = field(default_factory=dict)
    suggests: dict[str, OnSuggest] = field(default_factory=dict)
    files: dict[str, OnFile] = field(default_factory=dict)
    threads: dict[str, OnThread] = field(default_factory=dict)
    lost: dict[str, OnLost] = field(default_factory=dict)
    results: dict[str, tuple[type[Result], Callable[[Context, Any], Screen]]] = field(default_factory=dict)
    result_lists: dict[str, OnResult] = field(default_factory=dict)
    helps: dict[str, OnHelp] = field(default_factory=dict)
    home_presses: dict[str, OnHomePress] = field(default_factory=dict)
    home_sections: dict[str, HomeSection] = field(default_factory=dict)
    conversation: Conversation | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the commands; the first one's help is the help."""
        return tuple(dict.fromkeys(name for name, _ in self.commands))

    def command(self, name: str, *verbs: str) -> Callable[[_F], _F]:
        return _claim(self.commands, *((name, verb) for verb in verbs), require=self.require)

    def text(self, *names: str) -> Callable[[_F], _F]:
        """A command whose words are a sentence, unless the first word is one of `command`'s."""
        return _claim(self.texts, *names, require=self.require)

    def press(self, *actions: str) -> Callable[[_F], _F]:
        return _claim(self.presses, *actions, require=self.require)

    def submit(self, *forms: str) -> Callable[[_F], _F]:
        return _claim(self.submits, *forms, require=self.require)

    def suggest(self, *fields: str) -> Callable[[_F], _F]:
        return _claim(self.suggests, *fields, require=self.require)

    def file(self, *kinds: str) -> Callable[[_F], _F]:
        """Messages whose first file of a registered kind (`File.kind`: "csv") is one of these."""
        return _claim(self.files, *kinds, require=self.require)

    def thread(self, *kinds: str) -> Callable[[_F], _F]:
        """Replies to posts whose key begins with the kind and a colon: "ticket" of "ticket:142:desk"."""
        return _claim(self.threads, *kinds)

    def lost_post(self, *kinds: str) -> Callable[[_F], _F]:
        """Posts of a kind that can't be delivered."""
        return _claim(self.lost, *kinds)

    def result(self, kind: type[_R]) -> Callable[[Callable[[Context, _R], Screen]], Callable[[Context, _R], Screen]]:
        """The screen that says what was done."""

        def register(render: Callable[[Context, _R], Screen]) -> Callable[[Context, _R], Screen]:
            _claim(self.results, kind.WORD)((kind, render))
            return render

        return register

    def result_list(self, action: str) -> Callable[[_F], _F]:
        """The list that a dialog was opened from, with the dialog's result on top."""
        return _claim(self.result_lists, action)

    def help(self, name: str) -> Callable[[_F], _F]:
        """The help of a command."""
        return _claim(self.helps, name)

    def home_press(self, *actions: str) -> Callable[[_F], _F]:
        """Presses on the home screen, which is redrawn at the position that the handler returns."""
        return _claim(self.home_presses, *actions)

    def home_section(self, name: str, section: HomeSection) -> None:
        _claim(self.home_sections, name)(section)

    def parse_result(self, text: str) -> Result:
        """A stored result. Raises ValueError if it is none of a registered class."""
        kind, _ = self.results.get(text.partition("|")[0], (None, None))
        if kind is None:
            raise ValueError("not a result of a registered class")
        return kind.parse(text)

    def render_result(self, ctx: Context, done: Result) -> Screen:
        return self.results[done.WORD][1](ctx, done)


class DuplicateRoute(Exception):
    """Two handlers are registered under one name."""


def merge_routes(parts: Iterable[Routes]) -> Routes:
    whole = Routes()
    for part in parts:
        for each in fields(Routes):
            into, new = getattr(whole, each.name), getattr(part, each.name)
            if isinstance(into, dict):
                _none_twice(into, new)
                into.update(new)
        if part.conversation is not None:
            if whole.conversation is not None:
                raise DuplicateRoute("messages are claimed by two handlers")
            whole.conversation = part.conversation
    return whole


def _claim(table: dict[Any, Any], *names: Any, require: Callable[[Context], None] | None = None) -> Callable[[_F], _F]:
    def register(handler: _F) -> _F:
        _none_twice(table, dict.fromkeys(names))
        table.update(dict.fromkeys(names, handler if require is None else _after(require, handler)))
        return handler

    return register


def _after(require: Callable[[Context], None], handler: Any) -> Any:
    @wraps(handler)
    async def checked(ctx: Context, event: Any) -> Any:
        require(ctx)
        return await handler(ctx, event)

    return checked


def _none_twice(table: Mapping[Any, Any], new: Mapping[Any, Any]) -> None:
    for name in new:
        if name in table:
            raise DuplicateRoute(f"{name} is claimed by two handlers")
