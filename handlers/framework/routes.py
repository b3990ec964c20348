"""Which handler answers what. Two claims on one name fail at start."""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple, TypeVar

from handlers.framework.context import Context
from handlers.framework.events import ChatMessage, Command, MessageDeletion, MessageEdit, OptionsRequest, Press, Submit
from handlers.framework.forms import Options, Response
from handlers.framework.home import HomeSection
from handlers.framework.parse_args import Args
from handlers.framework.ports import Services
from handlers.framework.results import Result
from handlers.framework.screens import Screen

OnCommand = Callable[[Context, Command], Awaitable[Response]]
OnPress = Callable[[Context, Press], Awaitable[Response]]
OnSubmit = Callable[[Context, Submit], Awaitable[Response]]
OnFile = Callable[[Context, ChatMessage], Awaitable[Response]]
# Told what was said, and the key of the post below which it was.
OnThread = Callable[[Context, ChatMessage | MessageEdit | MessageDeletion, str], Awaitable[Response]]
# Told the account, the key of a post that can't arrive where it goes, and the platform's word for why.
OnLost = Callable[[Services, str, str, str], Awaitable[None]]
OnSuggest = Callable[[Context, OptionsRequest], Awaitable[Options]]

# Told an unknown word, and the nearest known one, where there are.
OnHelp = Callable[[Context, str | None, str | None], Screen]
OnHomePress = Callable[[Context, Press], Awaitable[str]]


class Conversation(NamedTuple):
    """What one workflow makes of messages that are no commands.

    `live_thread`: where there are no threads, the key of the post that the message belongs below. `keep_files`: takes
    note of files, told the kinds that are read by somebody; None where they are of no use. `answer`: to a sentence,
    given the id of its message.
    """

    live_thread: Callable[[Context, ChatMessage], Awaitable[str | None]]
    keep_files: Callable[[Context, ChatMessage, Collection[str]], Awaitable[Screen | None]]
    answer: Callable[[Context, Args, str], Awaitable[Screen]]


_F = TypeVar("_F")
_R = TypeVar("_R", bound=Result)


@dataclass(slots=True)
class Routes:
    """A module's claims. Commands by (name, first word), those that take any words by name, presses by action,
    submissions by form, suggestions by field, messages with a file by the file's kind, messages below a post (and posts
    that can't arrive) by the first word of the post's key, by the first word of a change's result the sentence that
    says what was done, help by a command's name, and sections of the home screen and the presses on it."""

    commands: dict[tuple[str, str], OnCommand] = field(default_factory=dict)
    texts: dict[str, OnCommand] = field(default_factory=dict)
    presses: dict[str, OnPress] = field(default_factory=dict)
    submits: dict[str, OnSubmit] = field(default_factory=dict)
    suggests: dict[str, OnSuggest] = field(default_factory=dict)
    files: dict[str, OnFile] = field(default_factory=dict)
    threads: dict[str, OnThread] = field(default_factory=dict)
    lost: dict[str, OnLost] = field(default_factory=dict)
    results: dict[str, tuple[type[Result], Callable[[Context, Any], Screen]]] = field(default_factory=dict)
    helps: dict[str, OnHelp] = field(default_factory=dict)
    home_presses: dict[str, OnHomePress] = field(default_factory=dict)
    home_sections: dict[str, HomeSection] = field(default_factory=dict)
    conversation: Conversation | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the commands; the first one's help is the help."""
        return tuple(dict.fromkeys(name for name, _ in self.commands))

    def command(self, name: str, *verbs: str) -> Callable[[_F], _F]:
        return _claim(self.commands, *((name, verb) for verb in verbs))

    def text(self, *names: str) -> Callable[[_F], _F]:
        """A command whose words are a sentence, where the first is none that is claimed."""
        return _claim(self.texts, *names)

    def press(self, *actions: str) -> Callable[[_F], _F]:
        return _claim(self.presses, *actions)

    def submit(self, *forms: str) -> Callable[[_F], _F]:
        return _claim(self.submits, *forms)

    def suggest(self, *fields: str) -> Callable[[_F], _F]:
        return _claim(self.suggests, *fields)

    def file(self, *kinds: str) -> Callable[[_F], _F]:
        """Messages whose first file of a claimed kind (`File.kind`: "csv") is one of these."""
        return _claim(self.files, *kinds)

    def thread(self, *kinds: str) -> Callable[[_F], _F]:
        """Messages below posts whose key begins with the kind and a colon: "ticket" of "ticket:142:desk"."""
        return _claim(self.threads, *kinds)

    def lost_post(self, *kinds: str) -> Callable[[_F], _F]:
        """Posts of a kind that can't arrive."""
        return _claim(self.lost, *kinds)

    def result(self, kind: type[_R]) -> Callable[[Callable[[Context, _R], Screen]], Callable[[Context, _R], Screen]]:
        """The sentence that says what was done."""

        def keep(render: Callable[[Context, _R], Screen]) -> Callable[[Context, _R], Screen]:
            _claim(self.results, kind.WORD)((kind, render))
            return render

        return keep

    def help(self, name: str) -> Callable[[_F], _F]:
        """What can be typed after a command's name."""
        return _claim(self.helps, name)

    def home_press(self, *actions: str) -> Callable[[_F], _F]:
        """Presses on the home screen, which is drawn anew at the position that the handler gives."""
        return _claim(self.home_presses, *actions)

    def home_section(self, name: str, section: HomeSection) -> None:
        _claim(self.home_sections, name)(section)

    def parse_result(self, text: str) -> Result:
        """A kept result. ValueError where nobody has claimed it."""
        kind, _ = self.results.get(text.partition("|")[0], (None, None))
        if kind is None:
            raise ValueError("nobody's result")
        return kind.parse(text)

    def render_result(self, ctx: Context, done: Result) -> Screen:
        return self.results[done.WORD][1](ctx, done)


class DuplicateRoute(Exception):
    """Two handlers want the same name."""


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


def _claim(table: dict[Any, Any], *names: Any) -> Callable[[_F], _F]:
    def keep(handler: _F) -> _F:
        _none_twice(table, dict.fromkeys(names))
        table.update(dict.fromkeys(names, handler))
        return handler

    return keep


def _none_twice(table: Mapping[Any, Any], new: Mapping[Any, Any]) -> None:
    for name in new:
        if name in table:
            raise DuplicateRoute(f"{name} is claimed by two handlers")
