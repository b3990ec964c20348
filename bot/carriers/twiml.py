"""The few documents that a call is answered with, as TwiML. Written by hand, because they are written while somebody
waits; tests hold them against Twilio's own builders."""

import re
from functools import lru_cache
from typing import Final
from xml.sax.saxutils import escape

TYPE: Final = "text/xml"

# Voices of Amazon Polly that every Twilio account has, by the languages of the catalogues (2026-11).
_VOICES: Final = {
    "en": ("Polly.Amy", "en-GB"),
    "fr": ("Polly.Lea", "fr-FR"),
    "de": ("Polly.Vicki", "de-DE"),
    "ja": ("Polly.Mizuki", "ja-JP"),
    "pt": ("Polly.Camila", "pt-BR"),
    "es": ("Polly.Lucia", "es-ES"),
    "pl": ("Polly.Ewa", "pl-PL"),
}
_PAUSE: Final = "ww"  # before an extension's digits: a second, so that the other side listens
_UNFIT: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # what XML has no place for
_HEAD: Final = '<?xml version="1.0" encoding="UTF-8"?><Response>'
_FOOT: Final = "</Response>"


@lru_cache(maxsize=8)
def reject(reason: str = "rejected") -> bytes:
    """The call is not answered at all; whoever calls pays nothing. `reason`: rejected or busy."""
    return _document(f'<Reject reason="{_attribute(reason)}"/>')


@lru_cache(maxsize=1_024)
def say(text: str, language: str) -> bytes:
    """A sentence, then the call ends. `language`: of the catalogues; others are spoken as English."""
    voice, tag = _VOICES.get(language, _VOICES["en"])
    return _document(f'<Say voice="{voice}" language="{tag}">{escape(_UNFIT.sub("", text))}</Say><Hangup/>')


def dial(to: str, caller_id: str | None, extension: str | None, callback: str) -> bytes:
    """Connects to a number; its leg's end is told to `callback`. The caller hears it ring, and the first leg counts as
    answered, and costs, only from when the other side does."""
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
