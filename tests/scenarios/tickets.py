"""A ticket's life (DOMAIN.md 5 to 7) as people go through it. No platform in here: every function is run on each, and
with the person on one and the desk on the other. Robin is at the desk."""

from tests.scenarios.stage import Cast

HEAD = "SB-1 · Nobody hears me"


async def _asks(cast: Cast, channel: str, send: str = "Send message", **more: str) -> None:
    """Max fills in the form of a channel."""
    await cast.max.types("support contact", dialog="Contact us")
    await cast.max.fills({"How can we help you?": channel})
    await cast.max.sends("Next")
    await cast.max.is_asked(channel)
    await cast.max.fills({"Overview": "Nobody hears me", "Description": "Since nine, all of us.", **more})
    await cast.max.sends(send)
    await cast.max.has_no_dialog()
    await cast.max.is_told(HEAD)


async def a_chat_from_the_question_to_its_reopening(cast: Cast) -> None:
    await cast.stage.opens_desk(cast.robin.platform, "Robin")
    max_, robin = cast.max, cast.robin
    await max_.types("support Why does nobody hear me?")
    await max_.presses("Contact us", dialog="Contact us")
    await max_.fills({"How can we help you?": "Chat with the team"})
    await max_.sends("Next")
    await max_.is_asked("Chat with the team", "Why does nobody hear me?")
    await max_.fills({"Overview": " ", "Description": "Since nine, all of us."})
    await max_.sends("Send message")
    await max_.sees_error("Overview", "")
    await max_.fills({"Overview": "Nobody hears me"})
    await max_.sends("Send message")
    await max_.repeats()
    await max_.has_no_dialog()
    await max_.is_told(HEAD, "what you write here goes to the team")
    await robin.sees(
        HEAD, "Since nine, all of us.", "Max · Acme · Professional", "goes to Max", "Why does nobody hear me?"
    )
    await robin.presses("Claim")
    await robin.repeats()
    await robin.sees("Robin")
    await max_.is_told("Robin")
    # Both ways, below the card and below the head of the person's own thread.
    await robin.writes_below(HEAD, "What do you hear?")
    await max_.is_told("Robin: What do you hear?")
    await max_.writes_below(HEAD, "A white noise")
    await robin.sees("Max: A white noise")
    await max_.changes("A white noise", "A pink noise")
    await robin.sees("Max: A pink noise")
    await max_.takes_back("A pink noise")
    await robin.loses("A pink noise")
    # A note stays at the desk.
    await robin.presses("Note", dialog="Internal note")
    await robin.fills({"Note": "canary"})
    await robin.sends("Save the note")
    await robin.has_no_dialog()
    await robin.sees("canary")
    await robin.presses("Wait for the person", near="SB-1")
    await robin.sees("waiting")
    await max_.writes_below(HEAD, "It is gone now")
    await robin.sees("Max: It is gone now")
    await robin.presses("Close this ticket", near="SB-1")
    await max_.is_told("closed")
    await max_.presses("Rate this ticket", dialog="How was it?")
    await max_.fills({"Rating": "5: very good"})
    await max_.sends("Submit")
    await max_.has_no_dialog()
    await max_.presses("Reopen this ticket")
    await robin.sees("Max opened the ticket again")
    await cast.stage.settled()
    assert max_.times_told("canary") == 0
