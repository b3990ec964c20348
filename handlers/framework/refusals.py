"""Refusals as sentences, which say why and what to do next."""

from collections.abc import Collection
from typing import Any

from domain.accounts.account import Account
from domain.refusal import Refusal
from handlers.framework.context import Context
from handlers.framework.events import File
from handlers.framework.screens import Button, Buttons, Paragraph, Screen
from handlers.wording import Words

LONGEST_NAME = 80  # characters of a file's name
NAMES_AT_MOST = 5  # of people with a name like the one typed
# The param that chooses the plural form, by the refusal's code.
_COUNTED = {"code_wrong": "left", "undo_no_room": "limit"}


def refusal_text(words: Words, account: Account, refusal: Refusal) -> str:
    """The sentence in the reader's language; params that are codes (of a country, a tier …) become words."""
    params: dict[str, Any] = {}
    for name, value in refusal.params.items():
        match name, value:
            case "country", str():
                params[name] = words.country(value)
            case "tier" | "have", str():
                params[name] = words(f"tier.{value}")
            case "why", str():
                params[name] = words(f"why.{value}")
            case "specialist", str():
                who = account.person(value)
                params[name] = who.name if who is not None else value
            case "admins", tuple() | list():
                params[name] = value or [words("person.a_super_admin")]
            case "names", tuple() | list():
                params[name] = value[:NAMES_AT_MOST]
            case _:
                params[name] = value
    if (counted := _COUNTED.get(refusal.code)) is not None:
        params["n"] = params[counted]
    return words(f"refusal.{refusal.code}", **params)


# A limit is reached: the screen has a button to the usage.
_LIMIT_REACHED = frozenset({"numbers_full", "numbers_full_unused", "undo_no_room"})


def refusal_screen(words: Words, account: Account, refusal: Refusal) -> Screen:
    """The sentence as a screen, with a button to the next step if there is one."""
    blocks: list[Paragraph | Buttons] = [Paragraph((refusal_text(words, account, refusal),))]
    if refusal.code in {"no_calling", "addons_tier"} and account.pricing_url:
        blocks.append(Buttons((Button(words("button.plans"), "open", url=account.pricing_url),)))
    if refusal.code in _LIMIT_REACHED:
        blocks.append(Buttons((Button(words("button.usage_more"), "numbers.usage"),)))
    return Screen(words("answer.refused.title"), tuple(blocks))


def unsupported_file_screen(ctx: Context, file: File, kinds: Collection[str]) -> Screen:
    """Says that a file is of no use, and which kinds (endings: "csv") are."""
    name = file.name[:LONGEST_NAME] or ctx.words("file.nameless")
    known = ctx.words.join(kind.upper() for kind in sorted(kinds))
    text = ctx.words.text("file.other", name=name, kinds=known) if known else ctx.words.text("file.none", name=name)
    return Screen(ctx.words("file.title"), (Paragraph(text),))
