"""The check by Twilio's typed builder lets right documents through and no others."""

from tests.bot.carriers.twiml_check import problems

RIGHT = {
    "dial": (
        '<?xml version="1.0" encoding="UTF-8"?><Response>'
        '<Dial answerOnBridge="true" callerId="+441214960199" timeout="25" timeLimit="14400">'
        '<Number statusCallback="https://example.com/voice/status?call=1&amp;number=2" '
        'statusCallbackEvent="initiated answered completed">+442079460111</Number></Dial></Response>'
    ),
    "plain dial": "<Response><Dial>+442079460111</Dial></Response>",
    "reject": '<Response><Reject reason="busy"/></Response>',
    "say": (
        '<Response><Say language="pl-PL">Brak minut &amp; &lt;koniec&gt;. “ąę”</Say><Pause length="1"/>'
        "<Hangup/></Response>"
    ),
    "redirect": '<Response><Redirect method="POST">https://example.com/voice</Redirect></Response>',
    "empty": "<Response/>",
}
WRONG = {
    "not xml": "<Response><Dial></Response>",
    "another root": "<Answer/>",
    "no such verb": "<Response><Forward>+442079460111</Forward></Response>",
    "misspelt attribute": '<Response><Dial callerID="+441214960199">+442079460111</Dial></Response>',
    "attribute of a verb that has none": '<Response><Hangup reason="busy"/></Response>',
    "no such reason": '<Response><Reject reason="blocked"/></Response>',
    "no such event": (
        '<Response><Dial><Number statusCallback="https://example.com/" statusCallbackEvent="ended">'
        "+442079460111</Number></Dial></Response>"
    ),
    "no number": '<Response><Dial timeout="soon">+442079460111</Dial></Response>',
    "no boolean": '<Response><Dial answerOnBridge="yes">+442079460111</Dial></Response>',
    "a noun among the verbs": "<Response><Number>+442079460111</Number></Response>",
    "text where none belongs": "<Response>hello</Response>",
}


def test_right_documents_pass() -> None:
    assert problems(RIGHT) == {}


def test_each_wrong_one_is_found_among_the_right_ones() -> None:
    assert set(problems(RIGHT | WRONG)) == set(WRONG)
