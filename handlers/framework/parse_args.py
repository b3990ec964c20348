"""Parses what people type and what comes back from a screen: numbers, people, countries, offsets, searches."""

import re
import unicodedata
from collections.abc import Sequence

from phonenumbers import SUPPORTED_REGIONS

from domain.accounts.account import Person
from domain.people import find_person, identify
from domain.refusal import Refusal
from handlers.framework.context import Context
from handlers.framework.events import Mention

NOBODY_WORDS = frozenset({"nobody", "none", "nikt", "niemand", "personne", "nadie", "ninguém", "なし", "-"})
OFF_WORDS = frozenset({"off", "none", "wył", "aus", "arrêt", "desactivar", "desativar", "オフ", "-"})
_ME = frozenset({"me", "ja", "ich", "moi", "yo", "eu", "自分"})
OF_A_NUMBER = frozenset("+0123456789 ()-./‐‑‒–—")
LONGEST_OFFSET = 8  # digits

Args = Sequence[str | Mention]


def join_args(words: Args) -> str:
    """The words with spaces between them; mentions by name."""
    return " ".join(w if isinstance(w, str) else f"@{w.name or w.user}" for w in words)


def split_number(words: Args, allowed: frozenset[str] = OF_A_NUMBER) -> tuple[str, Args]:
    """Split off the number, which may have spaces in it; `allowed`: the characters of a number."""
    end = 0
    while end < len(words):
        word = words[end]
        if not isinstance(word, str) or not set(word) <= allowed:
            break
        end += 1
    if end == 0 and words and isinstance(words[0], str):
        end = 1  # no number; its parser refuses it
    return join_args(words[:end]), words[end:]


def looks_like_number(word: str) -> bool:
    return sum(c.isdigit() for c in word) >= 3 and set(word) <= OF_A_NUMBER


async def parse_person(ctx: Context, words: Args, field: str = "person") -> Person | None:
    """The person meant; None for "nobody". Raises Refusal for bots and for people outside the account."""
    if len(words) == 1 and isinstance(words[0], Mention):
        return await person_by_user(ctx, words[0].user, words[0].name or words[0].user, field)
    typed = join_args(words).strip()
    if typed.casefold() in NOBODY_WORDS:
        return None
    if typed.casefold().lstrip("@") in _ME:
        return ctx.person
    return find_person(ctx.account, typed, field)


async def person_by_user(ctx: Context, user: str, shown: str, field: str) -> Person:
    """The person of the account who has this user id on the platform. Raises Refusal."""
    listed = ctx.account.by_user(ctx.actor.platform, user)
    if listed is not None:
        return listed
    profile = await ctx.services.directory.profile(ctx.actor.platform, ctx.actor.workspace, user)
    if profile is None:
        raise Refusal("person_unknown", field, who=shown)
    try:
        return identify(ctx.account, ctx.actor.platform, profile)
    except Refusal as no:
        raise Refusal(no.code.replace("who_", "person_"), field, who=profile.name) from None


def parse_country_and_area(ctx: Context, words: Args) -> tuple[str, str]:
    """`GB 20`, `Germany`, `030`: the country (the account's if only an area code is given) and the area code or ""."""
    rest = [w for w in words if isinstance(w, str)]
    end = len(rest)
    while end and any(c.isdigit() for c in rest[end - 1]):
        end -= 1
    name, area = " ".join(rest[:end]), " ".join(rest[end:])
    return parse_country(ctx, name) if name else ctx.region, area


def parse_country(ctx: Context, typed: str, field: str = "country") -> str:
    """A country's code by the code or the name in the reader's language or English. Raises Refusal."""
    wanted = typed.strip().casefold()
    code = {"uk": "GB", "usa": "US"}.get(wanted, wanted.upper())
    if code in SUPPORTED_REGIONS:
        return code
    for region in SUPPORTED_REGIONS:
        if wanted in {ctx.words.country(region).casefold(), ctx.english.country(region).casefold()}:
            return str(region)
    raise Refusal("country_unknown", field, typed=typed[:40])


def parse_offset(text: str) -> int:
    """The offset in a list; 0 if the text is none."""
    return int(text) if text.isdecimal() and len(text) < LONGEST_OFFSET else 0


def fold(text: str) -> str:
    """Normalise a text for comparison in a search: NFKC, case folded, single spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def digit_runs(text: str) -> set[str]:
    """The digits of a search, with and without leading zeros, as dialled in the country and as stored."""
    digits = re.sub(r"\D", "", unicodedata.normalize("NFKC", text))
    return {run for run in (digits, digits.lstrip("0")) if run}
