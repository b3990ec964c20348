"""Phone numbers, as people run them: docs/domain.md 2."""

import asyncio

import pytest

from handlers.framework.events import Address, ChatMessage
from handlers.framework.screens import Done, Form, Nothing, Notice
from store.numbers.records import SHORTEST_SEARCH
from tests.handlers.world import WORKSPACE, World, button, company, errors, form, screen, standing, words


async def test_get_by_command_acts_at_once(world: World) -> None:
    assert "020 7946 0900" in words(await world.type("UADA", "get GB"))
    listed = await world.type("UADA", "list")
    assert "1 of 3 numbers" in words(listed)
    assert "Provided · nobody · no forwarding" in words(listed)


async def test_get_without_a_country_opens_the_form_on_the_accounts_own(world: World) -> None:
    asked = form(await world.type("UADA", "get"))
    assert standing(asked)["country"] == "GB"
    assert "2 of 3" in words(asked)
    assert await world.submit("UADA", asked, {"Area code": "020"}) == Done()
    assert "020 7946 0900" in words(await world.type("UADA", ""))
    assert any("020 7946 0900" in line for line in await world.said("UADA"))


async def test_the_country_redraws_the_offers_and_a_chosen_number_is_the_one_got(world: World) -> None:
    asked = form(await world.type("UADA", "get"))
    redrawn = form(
        await world.press_raw("UADA", "country", "DE", form="numbers.get", values={**standing(asked), "country": "DE"})
    )
    assert standing(redrawn)["country"] == "DE"
    assert await world.submit("UADA", redrawn, {"Number": "+4930901820000"}) == Done()
    assert "+49 30 901820000" in words(await world.type("UADA", ""))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("get PL", "No number is on offer in Poland"),
        ("get Atlantis", "I don't know a country called “Atlantis”"),
        ("get GB 161", "area code 161"),
        ("get 🙂", "I don't know a country"),
        ("assign", "/numbers assign NUMBER @PERSON"),
        ("assign 02079460900", "/numbers assign NUMBER @PERSON"),
        ("assign 02079460900 <@UMAX>", "not one of this account's numbers"),
        ("forward 02079460900", "/numbers forward NUMBER NUMBER"),
        ("forward 020 7946 0900", "/numbers forward NUMBER NUMBER"),
        ("forward 020 7946 0900 999", "emergency"),
        ("forward 020 7946 0900 hello", "no phone number"),
        ("delete", "/numbers delete NUMBER"),
        ("delete 999", "emergency"),
        ("history", "/numbers history NUMBER"),
        ("undo", "No number was deleted in the last 7 days"),
        ("asign 02079460900 <@UMAX>", "Did you mean assign?"),
        ("frobnicate", "I don't know “frobnicate”"),
        ("help", "/numbers forward NUMBER NUMBER"),
    ],
)
async def test_what_cannot_be_done_says_why_and_changes_nothing(world: World, text: str, says: str) -> None:
    assert says in words(await world.type("UADA", text))
    assert "0 of 3 numbers" in words(await world.type("UADA", "usage"))
    assert await world.effects() == []


async def test_only_super_admins_manage_on_every_path(world: World) -> None:
    await world.type("UADA", "get GB")
    listed = await world.type("UADA", "")
    for text in (
        "get GB",
        "get",
        "assign 02079460900 <@UMAX>",
        "forward 02079460900 off",
        "delete 02079460900",
        "undo",
    ):
        assert "Only super admins" in words(await world.type("UMAX", text))
    # A press on somebody else's message, and a dialog opened before the right was taken away.
    for label in ("Edit", "Delete"):
        assert "Only super admins" in words(await world.press("UMAX", button(listed, label)))
    opened = form(await world.press("UADA", button(listed, "Edit")))
    people = [{**p.model_dump(exclude_defaults=True), "super_admin": p.id == "robin"} for p in company().people]
    await world.apply(company(people=people))
    assert "Only super admins" in errors(await world.submit("UADA", opened, {"Forwarding number": "020 7946 0111"}))[""]
    assert await world.effects() == []


async def test_assign_tells_the_new_holder_and_the_old_one(world: World) -> None:
    await world.type("UADA", "get GB")
    shown = await world.type("UADA", "assign 020 7946 0900 <@UMAX>")
    assert "020 7946 0900 now belongs to Max Miller" in words(shown)
    assert [line for line in await world.said("UMAX") if "Ada gave you the number 020 7946 0900" in line]
    await world.type("UADA", "assign +442079460900 noor")
    effects = await world.effects()
    assert {e.body["to"]["user"] for e in effects if e.kind == "slack.screen"} == {"UMAX", "UNOOR"}
    assert "nobody" in words(await world.type("UADA", "assign 02079460900 nobody"))


@pytest.mark.parametrize(
    ("who", "says"),
    [
        ("<@UBOT>", "Helper is an app"),
        ("<@UGUEST>", "Guest is a guest"),
        ("<@UGONE>", "deactivated"),
        ("<@UNOWHERE>", "Nobody called"),
        ("@someone", "Nobody called “@someone”"),
    ],
)
async def test_numbers_go_to_people_of_the_account_only(world: World, who: str, says: str) -> None:
    await world.type("UADA", "get GB")
    assert says in words(await world.type("UADA", f"assign 02079460900 {who}"))


async def test_oneself_and_a_colleague_who_is_not_listed_can_have_a_number(world: World) -> None:
    await world.type("UADA", "get GB")
    assert "belongs to you" in words(await world.type("UADA", "assign 02079460900 <@UADA>"))
    assert "Newcomer" in words(await world.type("UADA", "assign 02079460900 <@UNEW>"))
    assert "020 7946 0900" in words(await world.type("UNEW", ""))


@pytest.mark.parametrize(
    ("to", "says"),
    [
        ("020 7946 0900", "can't forward to itself"),
        ("0909 8790001", "premium-rate"),
        ("999", "emergency"),
        ("1", "can't be a phone number"),
        ("hello", "no phone number"),
        ("02079460111 02079460112", "where one number ends"),
        ("0207946011102079460112", "two phone numbers"),
    ],
)
async def test_forwarding_refuses_what_cannot_ring(world: World, to: str, says: str) -> None:
    await world.type("UADA", "get GB")
    edit = form(await world.press("UADA", button(await world.type("UADA", ""), "Edit")))
    outcome = await world.submit("UADA", edit, {"Forwarding number": to})
    assert "forwarding" in errors(outcome), outcome
    assert "no forwarding" in words(await world.type("UADA", ""))


async def test_forward_by_command_and_off_again(world: World) -> None:
    await world.type("UADA", "get GB")
    assert "now ring 020 7946 0111" in words(await world.type("UADA", "forward 020 7946 0900 020 7946 0111"))
    assert "forwards to 020 7946 0111" in words(await world.type("UADA", ""))
    assert "no longer forwarded" in words(await world.type("UADA", "forward 020 7946 0900 off"))


async def test_a_number_that_is_in_no_plan_is_warned_about_and_may_be_insisted_on(world: World) -> None:
    await world.type("UADA", "get GB")
    warned = form(await world.type("UADA", "forward 020 7946 0900 +44 7700 900123"))
    assert "in no numbering plan" in words(warned)
    assert await world.submit("UADA", warned, {}) == Done()
    assert "+44 7700 900123" in words(await world.type("UADA", ""))


async def test_the_second_of_two_admins_is_told_what_changed_with_their_input_kept(world: World) -> None:
    await world.type("UADA", "get GB")
    listed = await world.type("UADA", "")
    adas = form(await world.press("UADA", button(listed, "Edit")))
    robins = form(await world.press("UROBIN", button(listed, "Edit")))
    assert await world.submit("UADA", adas, {"Assigned to": "max", "Forwarding number": "020 7946 0111"}) == Done()
    again = form(await world.submit("UROBIN", robins, {"Forwarding number": "020 7946 0222"}, router=world.another()))
    assert "Ada changed this number meanwhile" in words(again)
    assert "Max Miller" in words(again)
    assert standing(again)["forwarding"] == "020 7946 0222"
    assert await world.submit("UROBIN", again, {}) == Done()
    assert "forwards to 020 7946 0222" in words(await world.type("UADA", ""))


async def test_delete_wants_the_number_typed_and_can_be_undone_for_seven_days(world: World) -> None:
    await world.type("UADA", "get GB")
    await world.type("UADA", "assign 02079460900 max")
    asked = form(await world.type("UADA", "delete 020 7946 0900"))
    assert "27 Nov" in words(asked)
    assert "Max Miller can no longer" in words(asked)
    assert "confirm" in errors(await world.submit("UADA", asked, {"Type the number to confirm": "020 7946 0901"}))
    assert await world.submit("UADA", asked, {"Type the number to confirm": "(020) 7946-0900"}) == Done()
    listed = await world.type("UADA", "")
    assert "can be undone until" in words(listed)
    assert "0 of 3" in words(listed)
    world.later(days=6, hours=23)
    back = await world.press("UADA", button(listed, "Undo"))
    assert "Provided · Max Miller" in words(back)
    assert "1 of 3" in words(back)


async def test_after_seven_days_the_number_is_gone_and_can_be_had_anew(world: World) -> None:
    await world.type("UADA", "get GB")
    await world.submit(
        "UADA", form(await world.type("UADA", "delete 02079460900")), {"Type the number to confirm": "+442079460900"}
    )
    undo = button(await world.type("UADA", ""), "Undo")
    assert "020 7946 0901" in words(await world.type("UADA", "get GB"))  # the deleted one is not handed out yet
    world.later(days=7)
    assert "not one of this account's numbers" in words(await world.press("UADA", undo))
    assert "020 7946 0900" in words(await world.type("UADA", "get GB"))


async def test_undo_needs_room(world: World) -> None:
    for _ in range(3):
        await world.type("UADA", "get GB")
    await world.submit(
        "UADA", form(await world.type("UADA", "delete 02079460900")), {"Type the number to confirm": "+442079460900"}
    )
    await world.type("UADA", "get GB")
    assert "no room" in words(await world.type("UADA", "undo"))


async def test_sixty_at_once_against_a_limit_of_three_give_three(world: World) -> None:
    answers = await asyncio.gather(*(world.type("UADA", "get GB") for _ in range(60)))
    got = [a for a in answers if "is yours to use" in words(a)]
    assert len(got) == 3
    assert all("All 3 numbers" in words(a) for a in answers if a not in got)
    assert "3 of 3 numbers" in words(await world.type("UADA", ""))


async def test_the_same_request_five_times_acts_once_and_answers_the_same(world: World) -> None:
    first, *others = [await world.type("UADA", "get GB", id="one") for _ in range(5)]
    assert all(words(o) == words(first) for o in others)
    edit = form(await world.press("UADA", button(await world.type("UADA", ""), "Edit")))
    await world.effects()
    for _ in range(5):
        assert await world.submit("UADA", edit, {"Assigned to": "max"}, id="two") == Done()
    assert len(await world.said("UMAX")) == 1
    asked = form(await world.type("UADA", "delete 02079460900"))
    for _ in range(5):
        assert await world.submit("UADA", asked, {"Type the number to confirm": "+442079460900"}, id="three") == Done()
    undo = button(await world.type("UADA", ""), "Undo")
    shown = [words(await world.press_raw("UADA", "numbers.undo", undo.value, id="four")) for _ in range(5)]
    assert len(set(shown)) == 1
    assert "1 of 3 numbers" in words(await world.type("UADA", "usage"))


async def test_a_registered_number_is_kept_only_once_its_code_is_right(world: World) -> None:
    asked = form(await world.type("UMAX", "register 020 7946 0958"))
    code = form(await world.submit("UMAX", asked, {"Label": "desk"}))
    (sent,) = [e for e in await world.effects() if e.kind == "code"]
    assert sent.body["to"] == "+442079460958"
    assert "no number yet" in words(await world.type("UMAX", ""))
    assert "4 tries" in errors(await world.submit("UMAX", code, {"Verification code": "000000"}))["code"]
    assert "6 digits" in errors(await world.submit("UMAX", code, {"Verification code": "12"}))["code"]
    for _ in range(5):
        assert await world.submit("UMAX", code, {"Verification code": "123 456"}, id="proof") == Done()
    assert "020 7946 0958\nRegistered · you · desk · default caller ID" in words(await world.type("UMAX", ""))
    # Nobody else sees or changes it, a super admin neither.
    assert "020 7946 0958" not in words(await world.type("UADA", ""))
    edit = button(await world.type("UMAX", ""), "Edit")
    assert "no such number" in words(await world.press("UADA", edit))
    change = form(await world.press("UMAX", edit))
    assert await world.submit("UMAX", change, {"Label": "front desk", "Extension": "12"}) == Done()
    assert "020 7946 0958 ext. 12" in words(await world.type("UMAX", ""))
    drop = form(await world.press("UMAX", button(await world.type("UMAX", ""), "Delete")))
    assert await world.submit("UMAX", drop, {}) == Done()
    assert "no number yet" in words(await world.type("UMAX", ""))


async def test_codes_end_by_time_by_tries_and_by_number_an_hour(world: World) -> None:
    asked = form(await world.type("UMAX", "register"))
    code = form(await world.submit("UMAX", asked, {"Phone number": "020 7946 0958"}))
    for left in (4, 3, 2, 1):
        assert f"{left} tr" in errors(await world.submit("UMAX", code, {"Verification code": "000000"}))["code"]
    assert "too often" in errors(await world.submit("UMAX", code, {"Verification code": "000000"}))["code"]
    assert "too often" in errors(await world.submit("UMAX", code, {"Verification code": "123456"}))["code"]
    again = form(await world.press_raw("UMAX", "own.resend", "", form="own.code", state=code.state))
    assert "new code" in words(again)
    world.later(minutes=10)
    assert "no longer good" in errors(await world.submit("UMAX", again, {"Verification code": "123457"}))["code.again"]
    assert isinstance(await world.submit("UMAX", asked, {"Phone number": "020 7946 0958"}), Form)
    assert "3 codes an hour" in errors(await world.submit("UMAX", asked, {"Phone number": "020 7946 0958"}))[""]


@pytest.mark.parametrize(
    ("number", "says"),
    [
        ("0800 123 4567", "toll-free"),
        ("0909 8790001", "premium-rate"),
        ("112", "emergency"),
        ("", "Type a phone number"),
        ("٠", "can't be a phone number"),
        ("🙂", "no phone number"),
        ("x" * 60, "no phone number"),
    ],
)
async def test_what_cannot_be_registered(world: World, number: str, says: str) -> None:
    asked = form(await world.type("UMAX", "register"))
    assert says in errors(await world.submit("UMAX", asked, {"Phone number": number}))["number"]


async def test_registering_needs_a_seat_a_tier_and_a_way_to_send(world: World) -> None:
    assert "seat" in words(await world.type("UNOOR", "register"))
    world.carrier.ways = ()
    assert "TWILIO_ACCOUNT_SID" in words(await world.type("UMAX", "register"))
    await world.apply(company(subscription={"line": "sales", "tier": "free"}))
    for text in ("", "get GB", "register", "usage", "list"):
        assert "Calling comes with Starter" in words(await world.type("UADA", text))


async def test_the_request_for_more_goes_to_customer_success_once(world: World) -> None:
    usage = await world.type("UADA", "usage")
    assert "0 of 3 numbers" in words(usage)
    assert "0 of 3,000 minutes" in words(usage)
    asked = form(await world.press("UADA", button(usage, "Request more")))
    assert "amount" in errors(await world.submit("UADA", asked, {"How many": "lots"}))
    for _ in range(3):
        assert await world.submit("UADA", asked, {"How many": "2"}, id="ask") == Done()
    (mail,) = [e for e in await world.effects() if e.kind == "mail"]
    assert mail.body["to"] == "kim@example.com"
    assert "2 more phone numbers" in mail.body["subject"]
    assert "Ada can ask" in words(await world.type("UMAX", "usage")) or "Ada and Robin can ask" in words(
        await world.type("UMAX", "usage")
    )


async def test_history_is_for_those_whose_number_it_is(world: World) -> None:
    await world.type("UADA", "get GB")
    await world.type("UADA", "assign 02079460900 max")
    told = words(await world.type("UMAX", "history 020 7946 0900"))
    assert "assigned · to you" in told
    assert "acquired" in told
    assert "not one of this account's numbers" in words(await world.type("UNOOR", "history 020 7946 0900"))


async def test_ten_thousand_numbers_page_and_are_found(world: World) -> None:
    many = company(limits={"numbers": 10_000}, inventory=[f"+4420794{n:05}" for n in range(300)])
    await world.apply(many)
    for _ in range(25):
        await world.type("UADA", "get GB")
    await world.type("UADA", "assign +442079400017 max")
    first = await world.type("UADA", "")
    assert "1–10 of 25" in words(first)
    second = await world.press("UADA", button(first, "Next"))
    third = await world.press("UADA", button(second, "Next"))
    assert "21–25 of 25" in words(third)
    assert "11–20 of 25" in words(await world.press("UADA", button(third, "Previous")))
    assert "020 7940 0017" in words(await world.type("UADA", "list 40 0017"))
    assert "1 number fits" in words(await world.type("UADA", "list miller"))
    assert "25 numbers fit" in words(await world.type("UADA", "list 020 7940"))
    assert "No number fits" in words(await world.type("UADA", "list 99999"))
    assert "020 7940 0017" in words(await world.type("UMAX", ""))
    assert "No number fits" in words(await world.type("UMAX", "list 400016"))
    assert SHORTEST_SEARCH == 3


async def test_people_are_found_by_email_and_others_have_the_default(world: World) -> None:
    assert "no number yet" in words(await world.type("UMIA", ""))
    assert isinstance(await world.type("UMIA", "register"), Form)  # her service seat
    assert "seat" in words(await world.type("UNEW", "register"))
    assert "Apps can't" in words(await world.type("UBOT", ""))
    assert "Guests" in words(await world.type("UGUEST", ""))
    assert "can't find you" in words(await world.type("UNOWHERE", ""))
    world.members.silent = True
    world.later(minutes=11)
    assert "couldn't find out who that is" in words(await world.type("UNEW", ""))


async def test_another_workspace_has_no_account_and_an_outsider_no_rights(world: World) -> None:
    from handlers.framework.events import Actor, Address, Command

    where = Address("slack", "TELSE", user="UADA")
    elsewhere = Command(Actor("slack", "TELSE", "UADA"), "x", "numbers", (), where)
    assert "belongs to no account" in words(await world.router.handle(elsewhere))
    guest = Command(world.actor("UADA", outsider=True), "x", "numbers", (), where)
    assert "another company" in words(await world.router.handle(guest))


async def test_home_shows_what_is_mine_and_is_drawn_anew_after_a_change(world: World) -> None:
    assert "0 of 3 numbers" in words(await world.home("UADA"))
    await world.home("UMAX")
    await world.type("UADA", "get GB")
    await world.type("UADA", "assign 02079460900 max")
    homes = {e.body["to"]["user"] for e in await world.effects() if e.kind == "slack.home"}
    assert homes == {"UADA", "UMAX"}
    assert "020 7946 0900" in words(await world.home("UMAX"))


async def test_polish_people_read_polish(world: World) -> None:
    assert "You have no number yet" not in words(await world.type("UOLA", ""))


async def test_own_name_and_messages_do_the_same(world: World) -> None:
    assert "020 7946 0900" in words(await world.type("UADA", "numbers get GB", name="switchboard"))
    assert "What I can do" in words(await world.type("UADA", "", name="switchboard"))
    await world.effects()
    for text, answer in (("numbers", "1 of 3"), ("list", "1 of 3"), ("hi", "What I can do"), ("get", "dialog")):
        assert await world.say("UADA", text) == Nothing()
        assert answer in await world.told("UADA")
    form(await world.press_raw("UADA", "open.form", "numbers get"))


async def test_a_mention_in_a_channel_is_answered_to_the_person_alone(world: World) -> None:
    await world.type("UADA", "get GB")
    await world.effects()
    where = Address("slack", WORKSPACE, channel="CGENERAL")
    shown = await world.router.handle(ChatMessage(world.actor("UADA"), "CGENERAL:1.1", ("numbers",), where))
    assert "020 7946 0900" not in words(shown)
    (effect,) = await world.effects()
    assert effect.body["to"]["user"] == "UADA"
    assert effect.body["to"]["channel"] is None
    assert "020 7946 0900" in str(effect.body["screen"])


async def test_a_message_that_is_heard_twice_is_answered_once(world: World) -> None:
    for _ in range(5):
        await world.say("UADA", "numbers get GB", id="CDM:1.2")
    assert len(await world.said("UADA")) == 1
    assert "1 of 3" in words(await world.type("UADA", "usage"))


async def test_a_dialog_from_a_list_draws_that_list_anew_with_the_news(world: World) -> None:
    await world.type("UADA", "get GB")
    edit = form(await world.press("UADA", button(await world.type("UADA", ""), "Edit")))
    await world.effects()
    await world.submit("UADA", edit, {"Assigned to": "max"})
    (mine,) = [e for e in await world.effects() if e.kind == "slack.screen" and e.body["to"]["user"] == "UADA"]
    again = await world.press_raw("UADA", mine.body["redraw"]["action"], mine.body["redraw"]["value"])
    assert "belongs to Max Miller and forwards nowhere" in words(again)
    assert "1 of 3 numbers" in words(again)
    for nonsense in ("", "deleted", "deleted|x|y", "nothing|at all", "more_asked|numbers|many"):
        assert "1 of 3 numbers" in words(await world.press_raw("UADA", "numbers.news", nonsense))


async def test_presses_with_made_up_values_find_nothing(world: World) -> None:
    for action in ("numbers.edit", "numbers.delete", "numbers.history", "numbers.undo", "own.edit", "own.delete"):
        for value in ("", "+1", "x" * 100, "+442079460900", "+442079460900|list"):
            outcome = await world.press_raw("UADA", action, value)
            assert isinstance(outcome, Notice), (action, value)
            assert words(outcome)
    for offset in ("", "-5", "99999999", "9" * 50, "٣"):
        screen(await world.press_raw("UADA", "numbers.next", offset))
    for form_id in ("numbers.edit", "numbers.delete", "own.edit", "own.delete", "own.code", "nonsense"):
        outcome = await world.submit_raw("UADA", form_id, {}, {})
        assert words(outcome)
