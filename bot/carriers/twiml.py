"""The TwiML documents that a call is answered with. Formatted by hand, which is faster than Twilio's builders while
somebody waits; tests compare the two."""

import re
from functools import lru_cache
from typing import Final
from xml.sax.saxutils import escape

TYPE: Final = "text/xml"

# Voices of Amazon Polly that every Twilio account has, with the tag of <Say>, by the languages of the catalogues
# (https://www.twilio.com/docs/voice/twiml/say, 2026-11).
_VOICES: Final = {
    "en": ("Polly.Amy", "en-GB"),
    "fr": ("Polly.Lea", "fr-FR"),
    "de": ("Polly.Vicki", "de-DE"),
    "ja": ("Polly.Mizuki", "ja-JP"),
    "pt": ("Polly.Camila", "pt-BR"),
    "es": ("Polly.Lucia", "es-ES"),
    "pl": ("Polly.Ewa", "pl-PL"),
}
_PAUSE: Final = "ww"  # a second before an extension's digits, so that the other side listens
_UNFIT: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # what XML can't hold
_HEAD: Final = '<?xml version="1.0" encoding="UTF-8"?><Response>'
_FOOT: Final = "</Response>"


def voice_of(language: str) -> tuple[str, str]:
    """Voice and language tag for <Say>; English for a language that no catalogue has."""
    return _VOICES.get(language, _VOICES["en"])


@lru_cache(maxsize=8)
def reject(reason: str = "rejected") -> bytes:
    """Leave the call unanswered, which costs the caller nothing. `reason`: rejected or busy."""
    return _document(f'<Reject reason="{_attribute(reason)}"/>')


@lru_cache(maxsize=1_024)
def say(text: str, language: str) -> bytes:
    """Say a sentence and hang up. `language` is one of the catalogues'; others are spoken as English."""
    voice, tag = voice_of(language)
    return _document(f'<Say voice="{voice}" language="{tag}">{escape(_UNFIT.sub("", text))}</Say><Hangup/>')


def dial(to: str, caller_id: str | None, extension: str | None, callback: str) -> bytes:
    """Connect to a number; the end of its leg is reported to `callback`.

    The caller hears it ring. The caller's own leg is answered, and costs, only once the other side answers.
    """
    shown = f' callerId="{_attribute(caller_id)}"' if caller_id else ""
    digits = f' sendDigits="{_PAUSE}{_attribute(extension)}"' if extension else ""
    return _document(
        f'<Dial answerOnBridge="true"{shown}>'
        f'<Number statusCallback="{_attribute(callback)}" statusCallbackEvent="completed" statusCallbackMethod="POST"'
        f"{digits}>{escape(_UNFIT.sub('', to))}</Number></Dial>"
    )


def _document(inside: str) -> bytes:
    return f"{_HEAD}{inside}{_FOOT}".encode()


def _attribute(text: str) -> str:
    return escape(_UNFIT.sub("", text), {'"': "&quot;", "\n": "&#10;", "\r": "&#13;", "\t": "&#9;"})
