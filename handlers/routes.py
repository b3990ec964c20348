"""Which handler answers what. Two claims on one name fail at start."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from handlers.context import Context
from handlers.vocabulary import Command, Opened, Options, Outcome, Press, Said, Screen, Submit, Suggest

OnCommand = Callable[[Context, Command], Awaitable[Outcome]]
OnPress = Callable[[Context, Press], Awaitable[Outcome]]
OnSubmit = Callable[[Context, Submit], Awaitable[Outcome]]
OnSuggest = Callable[[Context, Suggest], Awaitable[Options]]
Again = Callable[[Context, list[str]], Screen]

_F = TypeVar("_F", bound=Callable[..., Any])


@dataclass(slots=True)
class Routes:
    """A module's claims. Commands by (name, first word), those that take any words by name, presses by action,
    submissions by form, suggestions by field, and, by the first word of a change's result, the sentence that says
    what was done."""

    commands: dict[tuple[str, str], OnCommand] = field(default_factory=dict)
    texts: dict[str, OnCommand] = field(default_factory=dict)
    presses: dict[str, OnPress] = field(default_factory=dict)
    submits: dict[str, OnSubmit] = field(default_factory=dict)
    suggests: dict[str, OnSuggest] = field(default_factory=dict)
    results: dict[str, Again] = field(default_factory=dict)

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

    def result(self, *words: str) -> Callable[[_F], _F]:
        return _claim(self.results, *words)


class ClaimedTwice(Exception):
    """Two handlers want the same name."""


def merge(parts: Iterable[Routes]) -> Routes:
    whole = Routes()
    for part in parts:
        for name in ("commands", "texts", "presses", "submits", "suggests", "results"):
            into, new = getattr(whole, name), getattr(part, name)
            _none_twice(into, new)
            into.update(new)
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
            raise ClaimedTwice(f"{name} is claimed by two handlers")


__all__ = ["Again", "ClaimedTwice", "Opened", "Routes", "Said", "merge"]
