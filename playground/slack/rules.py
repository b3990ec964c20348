"""The rules of which the checks of blocks and views consist.

A rule is called with the checker, the value and its JSON pointer, and reports what is wrong; it never raises.
Lengths are counted as Slack's own code counts them, in UTF-16 units, so an emoji outside the BMP counts twice.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass(slots=True)
class Checker:
    """Gathers errors. ``surface`` is ``message``, ``modal`` or ``home``."""

    surface: str
    errors: list[str] = field(default_factory=list)

    def fail(self, path: str, why: str) -> None:
        """Adds one error in Slack's wording, with the JSON pointer to its place."""
        self.errors.append(f"[ERROR] {why} [json-pointer:{path or '/'}]")


Rule = Callable[[Checker, Any, str], None]
After = Callable[[Checker, Json, str], None]


def units(text: str) -> int:
    """The length of a text as Slack counts it."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def string(most: int, least: int = 1, pattern: str = "") -> Rule:
    """A string of ``least`` to ``most`` characters, matching ``pattern`` whole where one is given."""
    wanted = re.compile(pattern) if pattern else None

    def rule(check: Checker, value: Any, path: str) -> None:
        if not isinstance(value, str):
            check.fail(path, "must be a string")
        elif units(value) < least:
            check.fail(path, f"must be more than {least - 1} characters")
        elif units(value) > most:
            check.fail(path, f"must be less than {most + 1} characters")
        elif wanted and not wanted.fullmatch(value):
            check.fail(path, "invalid format")

    return rule


def boolean(check: Checker, value: Any, path: str) -> None:
    """True or false."""
    if not isinstance(value, bool):
        check.fail(path, "must be a boolean")


def integer(least: int, most: int) -> Rule:
    """A whole number within bounds."""

    def rule(check: Checker, value: Any, path: str) -> None:
        if not isinstance(value, int) or isinstance(value, bool):
            check.fail(path, "must be an integer")
        elif not least <= value <= most:
            check.fail(path, f"must be between {least} and {most}")

    return rule


def number(check: Checker, value: Any, path: str) -> None:
    """A number, of a chart."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        check.fail(path, "must be a number")


def one_of(*values: str) -> Rule:
    """One of these strings."""

    def rule(check: Checker, value: Any, path: str) -> None:
        if value not in values:
            check.fail(path, f"must be one of {', '.join(values)}")

    return rule


def each(rule: Rule, most: int, least: int = 1) -> Rule:
    """A list of ``least`` to ``most`` items that each satisfy ``rule``."""

    def check_all(check: Checker, value: Any, path: str) -> None:
        if not isinstance(value, list):
            check.fail(path, "must be an array")
            return
        if len(value) < least:
            check.fail(path, f"no fewer than {least} items allowed")
        if len(value) > most:
            check.fail(path, f"no more than {most} items allowed")
        for index, item in enumerate(value[: most + 1]):
            rule(check, item, f"{path}/{index}")

    return check_all


def shape(needed: Mapping[str, Rule], allowed: Mapping[str, Rule] | None = None, then: After | None = None) -> Rule:
    """An object with the keys ``needed``, perhaps those ``allowed``, and no others; ``then`` looks at the whole."""
    known: dict[str, Rule] = {**needed, **(allowed or {})}

    def rule(check: Checker, value: Any, path: str) -> None:
        if not isinstance(value, dict):
            check.fail(path, "must provide an object")
            return
        before = len(check.errors)
        for key in needed:
            if key not in value:
                check.fail(path, f"missing required field: {key}")
        for key, item in value.items():
            if key in known:
                known[key](check, item, f"{path}/{key}")
            else:
                check.fail(path, f"additional property {key!r} is not allowed")
        if then and len(check.errors) == before:
            then(check, value, path)

    return rule


def by_type(kinds: Mapping[str, Rule], what: str) -> Rule:
    """An object whose ``type`` chooses the rule."""

    def rule(check: Checker, value: Any, path: str) -> None:
        if not isinstance(value, dict):
            check.fail(path, "must provide an object")
            return
        kind = value.get("type")
        found = kinds.get(kind) if isinstance(kind, str) else None
        if found is None:
            check.fail(f"{path}/type", f"unsupported {what}: {kind}")
        else:
            found(check, value, path)

    return rule


def anything(check: Checker, value: Any, path: str) -> None:
    """Accepts any value: it is checked elsewhere."""


def exactly(value: str) -> Rule:
    """Exactly this string."""
    return one_of(value)


URL = string(3_000, pattern=r"(https?|mailto|tel|slack):\S+")


def text(most: int, kinds: tuple[str, ...] = ("plain_text", "mrkdwn")) -> Rule:
    """A text object of one to ``most`` characters and one of ``kinds``."""
    body = string(most)
    plain = shape({"type": exactly("plain_text"), "text": body}, {"emoji": boolean})
    mrkdwn = shape({"type": exactly("mrkdwn"), "text": body}, {"verbatim": boolean})

    def rule(check: Checker, value: Any, path: str) -> None:
        kind = value.get("type") if isinstance(value, dict) else None
        if kind not in kinds:
            check.fail(path, f"must be a text object of type {' or '.join(kinds)}")
        else:
            (plain if kind == "plain_text" else mrkdwn)(check, value, path)

    return rule


def plain(most: int) -> Rule:
    """A ``plain_text`` object."""
    return text(most, ("plain_text",))
