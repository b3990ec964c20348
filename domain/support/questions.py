"""Questions that people ask: cleaned for display and search, and made anonymous before they are counted."""

import re
import unicodedata
from datetime import datetime
from typing import Final

from domain import policy
from domain.accounts.account import Account
from domain.refusal import Refusal

# An address, a link, somebody named by the platform, a number of three digits or more however it is grouped.
_PERSONAL: Final = re.compile(r"\S+@\S+|\b\w+://\S+|\bwww\.\S+|@\S+|<[^<>]*>|\+?\d(?:[\s./()-]*\d){2,}", re.IGNORECASE)
_WORD: Final = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})  # what turns text around or is not seen at all
_JOINERS: Final = frozenset({"\u200c", "\u200d"})  # letters of Persian and of Indian scripts need them


def parse_question(text: str, field: str = "question") -> str:
    """The question on one line, cut to `QUESTION_LENGTH`. Raises Refusal `question_empty` if it has no word."""
    seen = "".join(
        " " if c in "\n\r\t" else "" if unicodedata.category(c) in _HIDDEN and c not in _JOINERS else c
        for c in text[: 4 * policy.QUESTION_LENGTH]
    )
    line = " ".join(seen.split())
    if not _WORD.search(line):
        raise Refusal("question_empty", field)
    return line if len(line) <= policy.QUESTION_LENGTH else f"{line[: policy.QUESTION_LENGTH - 1]}…"


def anonymize_question(account: Account, asked: str) -> str:
    """The question in lower case without what identifies a person: addresses, links, numbers and names of the account's
    people. "" if nothing is left."""
    names = {word for person in account.people for word in _words(person.name)}
    words = [
        word for word in _words(_PERSONAL.sub(" ", asked)) if word not in names and word.partition("'")[0] not in names
    ]
    return " ".join(words)[: policy.GAP_LENGTH].strip()


def week(account: Account, now: datetime) -> str:
    """The week of a moment (aware) in the account's zone: "2026-W48"."""
    return now.astimezone(account.zone).strftime("%G-W%V")


def _words(text: str) -> list[str]:
    return _WORD.findall(unicodedata.normalize("NFKC", text).casefold().replace("’", "'"))
