"""A ticket's life (docs/domain.md 5 to 7) as people go through it. No platform in here: every function is run on each,
and with the person on one and the desk on the other. Robin is at the desk."""

from tests.scenarios.company import desk
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


async def the_home_screen_has_the_inbox(cast: Cast) -> None:
    await cast.stage.opens_desk(cast.robin.platform, "Robin")
    max_, robin = cast.max, cast.robin
    await max_.opens_home()
    await max_.sees_at_home("Support inbox", "No tickets yet")
    await _asks(cast, "Email support")
    await max_.sees_at_home("SB-1 Nobody hears me", "new, waiting for a specialist", "1 open")
    await robin.presses("Claim")
    await max_.sees_at_home("with Robin, waiting for an answer")
    await max_.presses_at_home("Closed tickets")
    await max_.sees_at_home("No closed tickets")
    await max_.presses_at_home("Favorites")
    await max_.sees_at_home("No favorites")
    await max_.presses_at_home("Open tickets")
    await robin.presses("Close this ticket", near="SB-1")
    await max_.sees_no_at_home("SB-1")


async def a_file_sent_to_the_bot_goes_along(cast: Cast) -> None:
    await cast.stage.opens_desk(cast.robin.platform, "Robin")
    await cast.max.drops("trace.har", b"{}")
    await cast.max.repeats()
    await cast.max.sees("trace.har goes along if you contact us within 60 minutes")
    await _asks(cast, "Email support")
    await cast.robin.sees(HEAD, "1 file: trace.har")
    # It went along once.
    await cast.max.types("support contact", dialog="Contact us")
    await cast.max.fills({"How can we help you?": "Email support"})
    await cast.max.sends("Next")
    await cast.max.is_asked("Email support")
    await cast.stage.settled()
    assert cast.max.times_told("goes along if you contact us") == 1


async def an_email_ticket_is_answered_in_dialogs_and_another_follows_it(cast: Cast) -> None:
    await cast.stage.opens_desk(cast.robin.platform, "Robin")
    max_, robin = cast.max, cast.robin
    await _asks(cast, "Email support")
    await robin.sees(HEAD, "Deadline", "First response")
    await robin.presses("Reply", dialog="Reply to the person")
    await robin.fills({"Reply": "<!channel> try *this*"})
    await robin.sends("Reply")
    await robin.has_no_dialog()
    await max_.is_told("<!channel> try")
    await max_.types("support inbox")
    await max_.sees("SB-1 Nobody hears me", "1 open")
    await max_.presses("Open", near="SB-1")
    await max_.sees("Max: Since nine, all of us.", "Robin:")
    await max_.presses("Add to favorites")
    await max_.sees("★ SB-1")
    await max_.presses("Close this ticket")
    await robin.sees("Max closed the ticket")
    await max_.types("support inbox")
    await max_.sees("1 closed", "1 favorites")
    await max_.presses("Closed tickets")
    await max_.sees("SB-1 Nobody hears me")
    await max_.types("support ticket SB-1")
    await max_.presses("Create a new ticket", just_come=True, dialog="Contact us")
    await max_.fills({"How can we help you?": "Email support"})
    await max_.sends("Next")
    await max_.is_asked("Email support", "SB-1")
    await max_.fills({"Overview": "Another thing", "Description": "About the other one."})
    await max_.sends("Send message")
    await max_.has_no_dialog()
    await robin.sees("SB-2 · Another thing", "SB-1")


async def a_callback_is_called_and_blocked_numbers_are_shown(cast: Cast) -> None:
    await cast.stage.opens_desk(cast.robin.platform, "Robin")
    await cast.robin.types("numbers block 0121 496 0777")
    await _asks(cast, "Request a callback", "Submit", **{"Phone number": "0121 496 0777"})
    await cast.robin.sees(HEAD, "0121 496 0777", "this number is on the blocklist", "Callback by")
    await cast.robin.presses("No answer")
    await cast.robin.sees("nobody answered")
    await cast.robin.presses("Called")
    await cast.robin.sees("Robin called")


async def business_critical_is_confirmed_or_downgraded_with_a_reason(cast: Cast) -> None:
    await cast.stage.opens_desk(
        cast.robin.platform,
        "Robin",
        premium_support=True,
        subscription={"line": "sales", "tier": "enterprise"},
        escalation={"levels": [{"channel": desk(cast.robin.platform), "minutes": 10}]},
    )
    ada, robin = cast.ada, cast.robin
    await ada.types("support contact", dialog="Contact us")
    await ada.fills({"How can we help you?": "Premium email support"})
    await ada.sends("Next")
    await ada.is_asked("Premium email support")
    await ada.fills({"Overview": "Nobody hears me", "Description": "All of us."})
    await ada.sends("Send message")
    await ada.has_no_dialog()
    await ada.is_told(HEAD)
    await ada.presses("Escalate", dialog="Escalate")
    await ada.fills({"Impact": "Most or all users can't log in or work"})
    await ada.sends("Escalate")
    await ada.has_no_dialog()
    await robin.sees("BUSINESS CRITICAL, not yet confirmed", "SB-1 is escalated and waits for somebody")
    await robin.presses("I have it")
    await robin.sees("Robin has seen the escalation")
    await robin.presses("Downgrade", dialog="Not business critical")
    await robin.fills({"Reason": "One telephone only"})
    await robin.sends("Downgrade")
    await robin.has_no_dialog()
    await ada.is_told("One telephone only")


async def what_does_not_concern_somebody_is_not_theirs_to_see(cast: Cast) -> None:
    await cast.stage.opens_desk(cast.robin.platform, "Robin")
    await _asks(cast, "Chat with the team")
    await cast.noor.types("support ticket SB-1")
    await cast.noor.sees("There is no ticket")
    await cast.noor.types("support inbox")
    await cast.noor.sees("0 open")
    await cast.ada.types("support inbox")
    await cast.ada.sees("SB-1 Nobody hears me", "Max")
