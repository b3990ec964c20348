"""Calls through the pretend Twilio: what callers hear, what phones show, and what the bot is told of both legs."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from playground.twilio.errors import TwimlError
from playground.twilio.pretend import PretendTwilio
from playground.twilio.twiml import read
from tests.playground.voice import CALLER, OURS, PHONE, VoiceBot, dial, voice_bot


@pytest.fixture
async def bot(twilio: PretendTwilio) -> AsyncIterator[VoiceBot]:
    async with voice_bot(twilio) as running:
        yield running


async def test_a_call_rings_is_answered_and_both_legs_are_told_of(twilio: PretendTwilio, bot: VoiceBot) -> None:
    bot.says = dial(' answerOnBridge="true"')
    call = await twilio.call(CALLER, OURS)
    assert (call.state, call.dialled, call.caller_id, call.heard) == ("ringing", PHONE, CALLER, "")
    assert call.parent.status == "ringing"
    await call.answer(after=5)
    assert (call.state, call.parent.status) == ("in-progress", "in-progress")
    await call.hang_up(seconds=61)
    parent, child = call.legs
    assert (call.state, parent.status, child.status, parent.seconds, child.seconds) == (
        "completed", "completed", "completed", 61, 61,
    )  # fmt: skip
    assert bot.statuses(child.sid) == ["initiated", "ringing", "in-progress", "completed"]
    assert bot.statuses(parent.sid) == ["completed"]
    path, last = next((p, s) for p, s in bot.told if s["CallSid"] == child.sid and s["CallStatus"] == "completed")
    assert path == "/voice/status?call=1&number=2"
    assert (last["CallDuration"], last["Duration"], last["SequenceNumber"]) == ("61", "2", "3")
    assert (last["ParentCallSid"], last["Direction"], last["To"]) == (parent.sid, "outbound-dial", PHONE)
    asked = bot.asked[0]
    assert (asked["From"], asked["Caller"], asked["To"], asked["CallStatus"]) == (CALLER, CALLER, OURS, "ringing")
    assert (asked["AccountSid"], asked["Direction"], asked["FromCountry"]) == (twilio.account_sid, "inbound", "GB")
    assert len(set(bot.tokens)) == len(bot.tokens)
    assert twilio.troubles == []
    with pytest.raises(LookupError):
        await call.hang_up()


async def test_without_answer_on_bridge_the_caller_pays_for_the_ringing(twilio: PretendTwilio, bot: VoiceBot) -> None:
    bot.says = dial()
    call = await twilio.call(CALLER, OURS)
    assert call.parent.status == "in-progress"
    await call.answer(after=20)
    await call.hang_up(seconds=50)
    assert [leg.seconds for leg in call.legs] == [70, 50]


async def test_declined_unanswered_and_given_up(twilio: PretendTwilio, bot: VoiceBot) -> None:
    bot.says = dial(' answerOnBridge="true" action="/voice/dialled"')
    bot.after = "<Say>Nobody is there.</Say><Hangup/>"
    call = await twilio.call(CALLER, OURS)
    await call.decline()
    assert (call.state, call.ending, call.child and call.child.status) == ("completed", "declined", "busy")
    assert (call.heard, bot.asked[-1]["DialCallStatus"]) == ("Nobody is there.", "busy")
    call = await twilio.call(CALLER, OURS)
    await call.no_answer()
    assert (bot.asked[-1]["DialCallStatus"], call.ending) == ("no-answer", "not answered")
    call = await twilio.call(CALLER, OURS)
    asked = len(bot.asked)
    await call.hang_up()
    assert [leg.status for leg in call.legs] == ["no-answer", "canceled"]
    assert len(bot.asked) == asked
    twilio.unreachable.add(PHONE)
    call = await twilio.call(CALLER, OURS)
    assert (call.state, bot.asked[-1]["DialCallStatus"]) == ("completed", "failed")


async def test_rejected_and_refused(twilio: PretendTwilio, bot: VoiceBot) -> None:
    bot.says = "<Reject/>"
    call = await twilio.call(CALLER, OURS)
    assert (call.state, call.heard) == ("rejected", "The number you have dialled is not in service.")
    assert bot.statuses(call.parent.sid) == ["no-answer"]
    bot.says = '<Reject reason="busy"/>'
    call = await twilio.call("anonymous", OURS)
    assert (call.state, call.heard, bot.asked[-1]["From"]) == ("rejected", "(busy tone)", "anonymous")
    assert bot.statuses(call.parent.sid) == ["busy"]
    bot.says = '<Say language="en-GB">No minutes are left.</Say><Hangup/>'
    call = await twilio.call(CALLER, OURS)
    assert (call.state, call.heard, call.dialled) == ("refused", "No minutes are left.", "")
    call = await twilio.call(CALLER, "+442079460999")
    assert (call.state, call.ending, len(bot.asked)) == ("failed", "not in service", 3)


async def test_what_is_no_twiml_is_an_application_error(twilio: PretendTwilio, bot: VoiceBot) -> None:
    for says, code in (
        ("<Dial>", 12100),
        ("<Play>https://example.com/a.mp3</Play>", 12200),
        ('<Say voise="alice">x</Say>', 12200),
        ("<Say></Say>", 13520),
        ("<Dial>020 7946 0111</Dial>", 13223),
        ('<Dial timeout="soon">+442079460111</Dial>', 13212),
        (dial(caller="+442079460958"), 13214),
        ("<Say>x</Say><Reject/>", 12200),
        ("<Redirect>/voice/inbound</Redirect>", 11215),
    ):
        bot.says = says
        call = await twilio.call(CALLER, OURS)
        assert (call.state, twilio.troubles[-1].code) == ("failed", code), says
        assert "an application error has occurred" in call.heard
    bot.says, bot.content_type = "<Hangup/>", "text/plain"
    assert (await twilio.call(CALLER, OURS)).state == "failed"
    assert twilio.troubles[-1].code == 12300
    twilio.own(OURS, voice_url=f"{bot.url}/nowhere")
    await twilio.call(CALLER, OURS)
    assert twilio.troubles[-1].code == 11200


async def test_people_call_out_and_show_what_they_may(twilio: PretendTwilio, bot: VoiceBot) -> None:
    bot.says = dial(caller=OURS)
    call = await twilio.dial_out("client:acme.ada", PHONE)
    assert (call.state, call.caller_id, bot.asked[0]["From"]) == ("ringing", OURS, "client:acme.ada")
    assert bot.asked[0]["ApplicationSid"] == twilio.application.sid
    bot.says = "<Dial>+442079460111</Dial>"
    assert (await twilio.dial_out("client:acme.ada", PHONE)).state == "failed"
    assert twilio.troubles[-1].code == 13214
    twilio.verify("+442079460958")
    bot.says = dial(caller="+442079460958")
    assert (await twilio.dial_out("client:acme.ada", PHONE)).state == "ringing"


async def test_callbacks_come_late_in_any_order_twice_and_forged(twilio: PretendTwilio, bot: VoiceBot) -> None:
    bot.says = dial()
    call = await twilio.call(CALLER, OURS)
    twilio.hold()
    await call.answer()
    await call.hang_up(seconds=20)
    assert [sent["CallStatus"] for _, sent in bot.told] == ["initiated", "ringing"]
    await twilio.release()
    assert [sent["CallStatus"] for _, sent in bot.told[2:]] == ["completed", "completed", "in-progress"]
    last = twilio.exchange.callbacks[-1]
    assert (await twilio.repeat(last)).status == 204
    assert bot.tokens[-1] == last.id
    assert bot.tokens.count(last.id) == 2
    for how in ("wrong token", "unsigned", "another URL", "changed"):
        assert (await twilio.forge(last, how=how)).status == 403, how


async def test_a_callback_comes_again_as_its_address_asks(twilio: PretendTwilio, bot: VoiceBot) -> None:
    bot.says = dial().replace("number=2", "number=2#rc=3&amp;rp=5xx")
    bot.busy = 2
    call = await twilio.call(CALLER, OURS)
    await call.hang_up()
    first = twilio.exchange.callbacks[0]
    assert [answer.status for webhook, answer in twilio.webhooks if webhook is first] == [503, 503, 204]
    assert bot.told[0][0] == "/voice/status?call=1&number=2"
    assert twilio.troubles == []
    bot.says = dial().replace("number=2", "number=2#retries=3")
    await (await twilio.call(CALLER, OURS)).hang_up()
    assert twilio.troubles[-1].code == 11100
    bot.says, bot.busy = dial(), 1
    await (await twilio.call(CALLER, OURS)).hang_up()
    assert twilio.troubles[-1].code == 11200


async def test_what_is_signed_is_the_public_address(twilio: PretendTwilio, bot: VoiceBot) -> None:
    bot.public = "https://switchboard.example.com"
    twilio.sender.reach[bot.public] = bot.url
    twilio.own(OURS, voice_url=f"{bot.public}/voice/inbound")
    bot.says = "<Reject/>"
    assert (await twilio.call(CALLER, OURS)).state == "rejected"
    assert twilio.troubles == []


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (b"", 12100),
        (b"<?xml version='1.0'?><!DOCTYPE x [<!ENTITY y 'z'>]><Response>&y;</Response>", 12100),
        (b"<response/>", 12102),
        (b"<Response>hello</Response>", 12200),
        (b"<Response><Hangup reason='x'/></Response>", 12200),
        (b"<Response><Dial>+442079460111<Number>+442079460111</Number></Dial></Response>", 13222),
        (b"<Response><Dial/></Response>", 13222),
        (b"<Response><Dial><Number statusCallbackEvent='answered'>+442079460111</Number></Dial></Response>", 12200),
        (b"<Response><Say><Number>1</Number></Say></Response>", 12200),
        (b"<Response><Pause length='0'/></Response>", 13910),
        (b"<Response>" + b" " * 70_000 + b"</Response>", 11750),
    ],
)
def test_documents_are_read_strictly(document: bytes, code: int) -> None:
    with pytest.raises(TwimlError) as wrong:
        read(document, "text/xml")
    assert wrong.value.code == code
