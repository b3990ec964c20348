"""Every document that a call can be answered with: held against Twilio's builders, in Python and, typed, in Node.js."""

from xml.etree import ElementTree as Xml

import pytest
from twilio.twiml.voice_response import Dial, Number, VoiceResponse

from bot.carriers import twiml
from bot.carriers.voice_http import callback_url
from handlers.calls.voice import LegContext
from handlers.wording import LANGUAGES, words_in
from tests.bot.carriers.twiml_check import problems
from tests.handlers.world import NOW

MARK = LegContext("acme", "CA" + "a" * 32, "+442079460900", "slack:UÖ&<>", NOW)
CALLBACK = callback_url("https://voice.example.com", MARK)
SPOKEN = ("voice.pool", "voice.no_forwarding", "voice.no_caller_id_out", "voice.unavailable")
ODD = "Zoë <b>\"quoted\"</b> & 'more' \x00\x1f\ud800\U0001f4de"


def documents() -> dict[str, bytes]:
    made = {"rejected": twiml.reject(), "busy": twiml.reject("busy"), "odd": twiml.say(ODD, "en")}
    for language in (*LANGUAGES, "xx"):
        words = words_in(language, NOW.tzinfo)
        for key in SPOKEN:
            made[f"{key} {language}"] = twiml.say(words(key), language)
        made[f"voice.pool_out {language}"] = twiml.say(words("voice.pool_out", resets=NOW.date()), language)
    made["dial"] = twiml.dial("+442079460111", "+14155550132", None, CALLBACK)
    made["dial, extension"] = twiml.dial("+442079460111", "+14155550132", "123", CALLBACK)
    made["emergency"] = twiml.dial("999", None, None, CALLBACK)
    return made


def test_the_typed_builder_of_node_makes_the_same() -> None:
    assert problems({name: text.decode() for name, text in documents().items()}) == {}


def alike(ours: bytes, theirs: VoiceResponse) -> bool:
    return Xml.canonicalize(ours.decode()) == Xml.canonicalize(str(theirs))


@pytest.mark.parametrize("caller_id", ["+14155550132", None])
@pytest.mark.parametrize("extension", ["123", None])
def test_the_python_builder_makes_the_same_dial(caller_id: str | None, extension: str | None) -> None:
    shown = {"caller_id": caller_id} if caller_id else {}
    digits = {"send_digits": f"ww{extension}"} if extension else {}
    dial = Dial(answer_on_bridge=True, **shown)
    dial.append(
        Number(
            "+442079460111",
            status_callback=CALLBACK,
            status_callback_event="completed",
            status_callback_method="POST",
            **digits,
        )
    )
    response = VoiceResponse()
    response.append(dial)
    assert alike(twiml.dial("+442079460111", caller_id, extension, CALLBACK), response)


def test_the_python_builder_makes_the_same_sentence_and_the_same_no() -> None:
    response = VoiceResponse()
    response.say("Zoë <b> & 'more'", voice="Polly.Ewa", language="pl-PL")
    response.hangup()
    assert alike(twiml.say("Zoë <b> & 'more'", "pl"), response)
    response = VoiceResponse()
    response.reject(reason="busy")
    assert alike(twiml.reject("busy"), response)


def test_whatever_stands_in_a_document_it_stays_one() -> None:
    for document in (twiml.say(ODD, "en"), twiml.dial(ODD, ODD, ODD, ODD)):
        assert len(list(Xml.fromstring(document))) >= 1  # noqa: S314 - our own document
