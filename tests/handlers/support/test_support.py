"""Asking on real stores: what is kept of it, what is counted, and what bad input comes to."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from bot.articles.cache import ArticleCache
from domain.support.questions import anonymize_question, parse_question, week
from handlers.framework.events import Address, Command, Press
from handlers.framework.ports import Article, NoArticles, SearchHit, Unavailable
from handlers.framework.screens import Choice, Form, Screen
from store.engine.commit import Cell
from store.support.questions import LastQuestion, Questions
from tests import ROOT, instance_of
from tests.domain.samples import refusal
from tests.handlers.world import NOW, World, button, buttons, company, form, screen, words

DEMO = str(ROOT / "playground" / "data" / "articles")


@pytest.fixture
async def world(world: World) -> AsyncIterator[World]:
    shelves = ArticleCache()
    world.articles = shelves
    world.router = world.another()
    await world.apply(company(articles=DEMO))
    yield world
    await shelves.aclose()


def asking(world: World) -> Questions:
    return Questions(Cell(world.store, "test", 15_000, lambda _tag, _conv: None))


async def ask(world: World, text: str, user: str = "UMAX", id: str | None = None) -> Screen:
    return screen(await world.type(user, text, id, name="support"))


async def test_the_question_and_what_was_read_are_kept_for_the_ticket(world: World) -> None:
    shown = await ask(world, "How do I forward my number?")
    await world.press("UMAX", button(shown, "Read", near="Forward a number"))
    await world.press("UMAX", button(shown, "No", near="See your phone numbers"))
    kept = await asking(world).current(await world.snapshot(), "max")
    found = ("en/forward-number", "en/see-numbers", "en/minutes")
    assert kept == LastQuestion("How do I forward my number?", "en", NOW, found, kept.read if kept else ())
    assert set(kept.read) == {"en/forward-number", "en/see-numbers"}
    assert await asking(world).current(await world.snapshot(), "ada") is None


async def test_the_same_request_again_counts_once(world: World) -> None:
    for _ in range(3):
        await ask(world, "moon landing", id="same")
    [seen] = await asking(world).weeks(await world.snapshot(), [week(company(), NOW)])
    assert (seen.asked, seen.unanswered, seen.questions) == (1, 1, (("moon landing", 1),))


async def test_what_had_no_answer_is_counted_without_whose_it_was(world: World) -> None:
    for text in ("Moon landing?", "moon  LANDING", "Robin's moon landing for ada@example.com +44 20 7946 0958 <@UMAX>"):
        await ask(world, text)
    await ask(world, "How do I forward my number?")
    [seen] = await asking(world).weeks(await world.snapshot(), [week(company(), NOW)])
    assert (seen.asked, seen.unanswered) == (4, 3)
    assert dict(seen.questions) == {"moon landing": 2, "moon landing for": 1}


async def test_the_rarest_gaps_give_way(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("domain.policy.GAPS_PER_WEEK", 3)
    for text in ("moon", "moon", "xenon", "yttrium", "zircon", "argon"):
        await ask(world, text)
    [seen] = await asking(world).weeks(await world.snapshot(), [week(company(), NOW)])
    assert len(seen.questions) == 3
    assert seen.questions[0] == ("moon", 2)
    assert ("argon", 1) in seen.questions


async def test_a_judgement_counts_once_and_can_change(world: World) -> None:
    shown = await ask(world, "verification code")
    yes, no = button(shown, "Yes", near="verification"), button(shown, "No", near="verification")
    for pressed in (yes, yes, no, no):
        await world.press("UMAX", pressed)
    await world.press("UADA", yes)
    assert await asking(world).helped(await world.snapshot()) == {"en/verification-code": (1, 1)}


@pytest.mark.parametrize("value", ["yes|nothing/here", "maybe|en/minutes", "yes|", "", "yes|../../etc/passwd"])
async def test_an_article_that_is_not_there_is_not_counted(world: World, value: str) -> None:
    assert "no longer there" in words(await world.press_raw("UMAX", "support.helped", value))
    assert await asking(world).helped(await world.snapshot()) == {}
    assert "no longer there" in words(await world.press_raw("UMAX", "support.read", value))


@pytest.mark.parametrize("text", ["???", "😀 😀", "\u202e\u200f", "*", "\x00"])
async def test_what_has_no_word_in_it_is_no_question(world: World, text: str) -> None:
    assert "Ask in a few words" in words(await ask(world, text))
    sent = await world.submit_raw("UMAX", "support.ask", {}, {"question": text})
    assert "Ask in a few words" in words(sent)
    assert "Ask in a few words" in words(await world.press_raw("UMAX", "support.related", text))


async def test_a_question_of_40_000_characters_is_cut(world: World) -> None:
    shown = await ask(world, "forward number " * 2_700)
    assert "Forward a number to another phone" in words(shown)
    assert len(words(shown)) < 3_000
    assert "Forward a number" in words(await world.press("UMAX", button(shown, "See related results")))
    assert all(len(b.value) <= 100 for b in buttons(shown))


async def test_words_that_are_commands_may_begin_a_question(world: World) -> None:
    assert "Forward a number" in words(await ask(world, "help me forward a number"))
    assert "Ways to reach support" in words(await ask(world, "contact a person on the phone"))
    assert "/support QUESTION" in words(await ask(world, "help"))
    assert form(await world.type("UMAX", "ask", name="support")).id == "support.ask"
    assert "Forward a number" in words(await world.type("UMAX", "support forward my number", name="switchboard"))
    assert "Support" in words(await ask(world, ""))


async def test_a_message_that_asks_for_a_form_gets_its_button(world: World) -> None:
    await world.say("UMAX", "support ask")
    effect = next(e for e in await world.effects() if e.kind == "slack.screen")
    [opens] = [b for block in effect.body["screen"]["blocks"] if block["kind"] == "buttons" for b in block["buttons"]]
    assert form(await world.press_raw("UMAX", opens["action"], opens["value"])).id == "support.ask"


async def test_an_account_without_articles_still_leads_to_people(world: World) -> None:
    await world.apply(company())
    shown = await ask(world, "How do I forward my number?")
    assert "No article answers this" in words(shown)
    assert form(await world.press("UMAX", button(shown, "Contact us"))).id == "support.contact"


class Silent(NoArticles):
    """A search that does not come back."""

    async def search(self, *given: object) -> list[SearchHit]:
        raise Unavailable

    async def get(self, *given: object) -> Article | None:
        raise Unavailable

    async def suggested(self, *given: object) -> list[str]:
        raise Unavailable


async def test_a_search_that_does_not_come_back_leads_to_people(world: World) -> None:
    world.articles = Silent()
    world.router = world.another()
    shown = await ask(world, "How do I forward my number?")
    assert "can't be searched at the moment" in words(shown)
    assert button(shown, "Contact us").form
    assert "Support" in words(await ask(world, ""))
    [seen] = await asking(world).weeks(await world.snapshot(), [week(company(), NOW)])
    assert (seen.asked, seen.unanswered) == (0, 0)


async def offered(world: World, user: str, client: str = "desktop") -> Form | Screen:
    where = Address("slack", "T0WORLD", user=user)
    event = Press(world.actor(user, client=client), world.id(), "support.contact", "", where)
    outcome = await world.router.handle(event)
    assert isinstance(outcome, Form | Screen)
    return outcome


async def test_the_choice_has_what_is_open_and_names_the_rest(world: World) -> None:
    shown = instance_of(Form, await offered(world, "UMAX"))
    [choice] = [part for part in shown.parts if isinstance(part, Choice)]
    assert [(option.value, option.label) for option in choice.options] == [
        ("chat", "Chat with the team"),
        ("email", "Email support"),
        ("callback", "Request a callback"),
    ]
    assert choice.options[2].note == "usually within five minutes, in English"
    said = words(shown)
    assert "Premium chat, Premium email support, Premium callback" in said
    assert "Bought as an add-on: ask Ada and Robin." in said
    assert "Questions about the subscription: Kim, kim@example.com" in said


async def test_premium_is_offered_with_its_guarantee_and_its_number(world: World) -> None:
    await world.apply(company(premium_support=True, premium_phone="+12125550124"))
    shown = instance_of(Form, await offered(world, "UADA"))
    [choice] = [part for part in shown.parts if isinstance(part, Choice)]
    notes = {option.value: option.note for option in choice.options}
    assert notes["premium_email"] == "guaranteed within 60 minutes, in English"
    assert "Premium phone: +1 212-555-0124, in English" in words(shown)


async def test_what_is_premium_says_that_it_is_in_english_to_who_reads_english_too(world: World) -> None:
    ada = {"id": "ada", "name": "Ada", "slack": "UADA", "seat": "sales", "super_admin": True, "language": "en"}
    await world.apply(company(premium_support=True, people=[ada]))
    shown = instance_of(Form, await offered(world, "UADA"))
    [choice] = [part for part in shown.parts if isinstance(part, Choice)]
    notes = {option.value: option.note for option in choice.options}
    assert notes["premium_email"] == "guaranteed within 60 minutes, in English"
    assert notes["premium_callback"] == "usually within five minutes, in English"
    assert notes["email"] == "usually within one business day", "where English is no surprise, nothing is said"


async def test_the_mobile_client_sells_nothing(world: World) -> None:
    for tier in ("free", "starter", "professional"):
        await world.apply(company(subscription={"line": "sales", "tier": tier}))
        for user in ("UADA", "UNOOR"):
            said = words(await offered(world, user, "mobile"))
            asks = tier != "free" and user == "UNOOR"  # who has no seat, which a computer would not change
            assert ("Ask Ada and Robin for access." if asks else "Not available here; open it on a computer.") in said
            for word in ("Starter", "Professional", "Enterprise", "add-on", "seat", "subscription"):
                assert word not in said, (tier, user, word)


async def test_free_gets_the_reasons_and_no_form(world: World) -> None:
    await world.apply(company(subscription={"line": "sales", "tier": "free"}))
    shown = instance_of(Screen, await offered(world, "UADA"))
    assert "Bought as an add-on." in words(shown)
    assert "ask Ada" not in words(shown), "nobody is sent to themselves"
    assert "Needs Starter, Professional or Enterprise." in words(shown)
    assert not button(screen(await ask(world, "xenon", "UADA")), "Contact us").form
    assert button(shown, "See plans").url


async def test_a_german_reader_gets_german_articles(world: World) -> None:
    where = Address("slack", "T0WORLD", user="UMAX")
    event = Command(world.actor("UMAX", locale="de-DE"), world.id(), "support", ("Nummer", "umgeleitet"), where)
    assert "Eine Nummer auf ein anderes Telefon umleiten" in words(await world.router.handle(event))


@pytest.mark.parametrize(
    ("asked", "kept"),
    [
        ("Where is Ada's +44 20 7946 0958?", "where is"),
        ("mail bob@example.com or https://x.example/y?z=1", "mail or"),
        ("code 482913 and 12 minutes", "code and 12 minutes"),
        ("<@U123> @max what now", "what now"),
        ("Ｍａｘ MILLER asks", "asks"),
        ("x" * 400, "x" * 120),
    ],
)
def test_nothing_of_a_person_is_counted(asked: str, kept: str) -> None:
    assert anonymize_question(company(), asked) == kept


def test_a_question_is_one_line_of_what_can_be_seen() -> None:
    assert parse_question("  a\u202eb\n\tc\u0000  ") == "ab c"
    assert len(parse_question("word " * 9_000)) == 1_000
    assert refusal(parse_question, "\u200f…").code == "question_empty"


def test_weeks_are_of_the_accounts_zone() -> None:
    sunday = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)
    assert (week(company(), sunday), week(company(timezone="Europe/Warsaw"), sunday)) == ("2026-W47", "2026-W48")
    assert week(company(), datetime(2027, 1, 2, tzinfo=UTC)) == "2026-W53"
