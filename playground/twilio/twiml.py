"""TwiML, read strictly: well-formed, known verbs and nouns with known attributes alone, values that Twilio takes.

https://www.twilio.com/docs/voice/twiml, 2026-11. Where Twilio would warn and go on, this refuses: what the bot writes
is either right or found. Verbs that the bot has no use for are not known here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urljoin, urlsplit
from xml.etree import ElementTree as ET

from playground.twilio.errors import TwimlError

MOST_BYTES: Final = 64 * 1024  # error 11750
MOST_SAID: Final = 4096  # characters of one Say
EVENTS: Final = ("initiated", "ringing", "answered", "completed")
Check = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Verb:
    """An element: its name, attributes as written, text without the space around, and what is nested."""

    name: str
    attributes: dict[str, str] = field(default_factory=dict)
    text: str = ""
    nested: tuple[Verb, ...] = ()

    def flag(self, name: str) -> bool:
        """A boolean attribute, false where it is left out."""
        return self.attributes.get(name) == "true"

    def count(self, name: str, default: int) -> int:
        """A numeric attribute."""
        return int(self.attributes.get(name, default))


def _one_of(*values: str) -> Check:
    return lambda text: text in values


def _within(lowest: int, highest: int) -> Check:
    return lambda text: text.isascii() and text.isdigit() and lowest <= int(text) <= highest


def _like(pattern: str) -> Check:
    return lambda text: re.fullmatch(pattern, text) is not None


def _url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return False
    if any(c.isspace() for c in text) or not text:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) if parts.scheme else True


def _events(text: str) -> bool:
    named = text.split(" ")
    return all(event in EVENTS for event in named) and len(set(named)) == len(named)


_METHOD: Final = _one_of("GET", "POST")
_BOOLEAN: Final = _one_of("true", "false")
_NUMBER: Final = _like(r"\+[1-9]\d{6,14}")
_RECORD: Final = _one_of(
    "do-not-record", "record-from-answer", "record-from-ringing", "record-from-answer-dual", "record-from-ringing-dual"
)


@dataclass(frozen=True, slots=True)
class _Rule:
    attributes: dict[str, Check]
    codes: dict[str, int] = field(default_factory=dict)  # where the attribute has an error of its own
    text: bool = False
    nouns: tuple[str, ...] = ()


_RULES: Final = {
    "Say": _Rule(
        {
            "voice": _like(r"man|woman|alice|(Polly|Google)\.[A-Za-z0-9-]+"),
            "language": _like(r"[a-z]{2,3}(-[A-Za-z]{2,4})*(-\d{3})?"),
            "loop": _within(0, 1000),
        },
        {"voice": 13511, "language": 13512, "loop": 13510},
        text=True,
    ),
    "Dial": _Rule(
        {
            "action": _url,
            "method": _METHOD,
            "timeout": _within(1, 600),
            "timeLimit": _within(1, 14_400),
            "hangupOnStar": _BOOLEAN,
            "answerOnBridge": _BOOLEAN,
            "callerId": _like(r"\S+"),
            "record": _RECORD,
            "ringTone": _like(r"[a-z]{2}(-old)?|automatic"),
        },
        {
            "action": 13220,
            "method": 13221,
            "timeout": 13212,
            "hangupOnStar": 13213,
            "callerId": 13214,
            "timeLimit": 13216,
        },
        text=True,
        nouns=("Number",),
    ),
    "Number": _Rule(
        {
            "sendDigits": _like(r"[0-9wW#*]+"),
            "url": _url,
            "method": _METHOD,
            "statusCallback": _url,
            "statusCallbackEvent": _events,
            "statusCallbackMethod": _METHOD,
        },
        text=True,
    ),
    "Reject": _Rule({"reason": _one_of("rejected", "busy")}),
    "Hangup": _Rule({}),
    "Pause": _Rule({"length": _within(1, 600)}, {"length": 13910}),
    "Redirect": _Rule({"method": _METHOD}, {"method": 13410}, text=True),
}
VERBS: Final = ("Say", "Dial", "Reject", "Hangup", "Pause", "Redirect")


def read(document: bytes, content_type: str) -> tuple[Verb, ...]:
    """The verbs of a TwiML document. Raises TwimlError."""
    if content_type.partition(";")[0].strip().lower() not in ("text/xml", "application/xml"):
        raise TwimlError(12300, f"Content-Type {content_type or 'none'} is not TwiML's text/xml or application/xml")
    if len(document) > MOST_BYTES:
        raise TwimlError(11750, f"{len(document)} bytes are more than 64 kB")
    if b"<!DOCTYPE" in document or b"<!ENTITY" in document:
        raise TwimlError(12100, "a document type is declared")
    try:
        root = ET.fromstring(document)  # noqa: S314 # our own bot's answer, without a document type: nothing to expand
    except (ET.ParseError, LookupError, ValueError) as error:
        raise TwimlError(12100, f"not well-formed: {error}") from None
    if root.tag != "Response":
        raise TwimlError(12102, f"the root is <{root.tag}>, not <Response>")
    if root.attrib:
        raise TwimlError(12200, f"<Response> has no attribute {next(iter(root.attrib))}")
    _no_text("Response", root.text)
    return tuple(_element(child, VERBS, "Response") for child in root)


def _no_text(where: str, text: str | None) -> None:
    if text and text.strip():
        raise TwimlError(12200, f'"{text.strip()[:40]}" stands in <{where}>, where no text belongs')


def _element(found: ET.Element, allowed: tuple[str, ...], parent: str) -> Verb:
    name = found.tag
    if name not in allowed:
        raise TwimlError(12200, f"<{name}> does not belong in <{parent}>")
    rule = _RULES[name]
    for attribute, value in found.attrib.items():
        check = rule.attributes.get(attribute)
        if check is None:
            raise TwimlError(12200, f"<{name}> has no attribute {attribute}")
        if not check(value):
            raise TwimlError(rule.codes.get(attribute, 12200), f'<{name} {attribute}="{value}"> is no value for it')
    _no_text(parent, found.tail)
    if not rule.text:
        _no_text(name, found.text)
    nested = tuple(_element(child, rule.nouns, name) for child in found)
    verb = Verb(name, dict(found.attrib), (found.text or "").strip(), nested)
    _content(verb)
    return verb


def _content(verb: Verb) -> None:
    """What an element may contain."""
    if verb.name == "Say" and not 0 < len(verb.text) <= MOST_SAID:
        raise TwimlError(13520, "<Say> needs 1 to 4,096 characters")
    if verb.name == "Dial":
        if bool(verb.text) == bool(verb.nested):
            raise TwimlError(13222, "<Dial> needs a number: either as its text or in <Number>")
        if len(verb.nested) > 1:
            raise TwimlError(12200, "one <Dial> rings one phone here")
    if verb.name == "Redirect" and not _url(verb.text):
        raise TwimlError(11100, f"<Redirect> to {verb.text or 'nothing'}")
    if (verb.name == "Number" or (verb.name == "Dial" and verb.text)) and not _NUMBER(verb.text):
        raise TwimlError(13223, f"{verb.text or 'nothing'} can't be dialled: a number in E.164 is needed")
    events, callback = verb.attributes.get("statusCallbackEvent"), verb.attributes.get("statusCallback")
    if verb.name == "Number" and events and not callback:
        raise TwimlError(12200, "statusCallbackEvent without statusCallback tells nobody")


def absolute(base: str, url: str) -> str:
    """A URL of a document, against the URL that the document came from."""
    return urljoin(base, url)
