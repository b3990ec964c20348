"""Verification codes, which prove that a number is a person's own: sent to it and typed back.

The number is not stored until the code was right; of the code, only a salted hash is.
"""

import hmac
import secrets
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Literal
from unicodedata import decimal

from pydantic import AwareDatetime

from domain.phone import ParsedNumber
from domain.policy import CODE_DIGITS, CODE_MINUTES, CODE_TRIES
from domain.record import Record
from domain.refusal import Refusal


class Challenge(Record):
    """A code that was sent. `code_hash`: hex SHA-256 of salt and code; `tries`: wrong codes so far."""

    e164: str
    extension: str | None = None
    label: str | None = None
    via: Literal["call", "sms"]
    salt: str
    code_hash: str
    expires: AwareDatetime
    tries: int = 0

    def count_wrong_code(self) -> "Challenge":
        """The challenge after one more wrong code."""
        return self.model_copy(update={"tries": self.tries + 1})


def draw() -> tuple[str, str]:
    """A random code and a random salt."""
    return f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}", secrets.token_hex(16)


def challenge(
    parsed: ParsedNumber, *, via: Literal["call", "sms"], code: str, salt: str, now: datetime, **texts: str | None
) -> Challenge:
    """The challenge for `code`, which expires after `CODE_MINUTES`."""
    return Challenge(
        e164=parsed.e164,
        extension=parsed.extension,
        via=via,
        salt=salt,
        code_hash=_hash(salt, code),
        expires=now + timedelta(minutes=CODE_MINUTES),
        **texts,
    )


def code_digits(typed: str, field: str = "code") -> str:
    """The digits of a typed code, from any script and grouping. Refused: `code_empty`, `code_not_digits`."""
    compact = "".join(c for c in typed if not c.isspace() and c not in "-–—‑.\u200b\u200e\u200f\ufeff")
    if not compact:
        raise Refusal("code_empty", field, digits=CODE_DIGITS)
    if len(compact) != CODE_DIGITS or not compact.isdecimal():
        raise Refusal("code_not_digits", field, digits=CODE_DIGITS)
    return "".join(str(decimal(c)) for c in compact)


def verify(challenge: Challenge, typed: str, now: datetime, field: str = "code") -> None:
    """Return if the typed code is right, else raise Refusal.

    `code_empty`, `code_not_digits`: no code, not to be counted. `code_wrong` (params `left`): to be counted with
    `count_wrong_code`. `code_tries`: this was the last try, or there was none left. `code_expired`: too late.
    """
    if now >= challenge.expires:
        raise Refusal("code_expired", field)
    if challenge.tries >= CODE_TRIES:
        raise Refusal("code_tries", field)
    if not hmac.compare_digest(_hash(challenge.salt, code_digits(typed, field)), challenge.code_hash):
        left = CODE_TRIES - challenge.tries - 1
        raise Refusal("code_wrong", field, left=left) if left else Refusal("code_tries", field)


def _hash(salt: str, code: str) -> str:
    return sha256(f"{salt}{code}".encode()).hexdigest()
