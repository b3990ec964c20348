"""Asking for help (docs/domain.md 5, 1 and 2) as people do it. No platform in here: every function is run on each."""

from tests import ROOT, present
from tests.scenarios.stage import Cast

ARTICLES = str(ROOT / "playground" / "data" / "articles")
LINKS = {"community_url": "https://community.example.com", "developer_url": "https://developers.example.com"}


async def a_question_gets_the_articles_that_answer_it(cast: Cast) -> None:
    await cast.records(articles=ARTICLES, **LINKS)
    await cast.max.types("support How do I forward my number?")
    await cast.max.sees("“How do I forward my number?”", "1. Forward a number to another phone", "Was this helpful?")
    await cast.max.sees("Calls to a provided number can ring another phone", "Community", "Not solved?")
    await cast.max.presses("Read", near="Forward a number")
    await cast.max.sees("What can't be forwarded to", "premium-rate numbers")


async def what_is_related_is_a_wider_net(cast: Cast) -> None:
    await cast.records(articles=ARTICLES)
    await cast.noor.types("support colour of a number in space")
    await cast.noor.sees("No article answers this", "Not solved?")
    await cast.noor.presses("See related results")
    await cast.noor.sees("See your phone numbers", "Was this helpful?")


async def whether_it_helped_is_counted_once(cast: Cast) -> None:
    await cast.records(articles=ARTICLES)
    await cast.max.types("support my verification code never arrived")
    await cast.max.presses("Yes", near="verification code")
    await cast.max.sees("Good to know")
    await cast.max.repeats()
    await cast.max.presses("No", near="verification code")
    await cast.max.sees("did not help")
    snapshot = present(await cast.stage.app.kept.accounts.get("acme"))
    assert await cast.stage.app.kept.asking.helped(snapshot) == {"en/verification-code": (0, 1)}


async def the_form_asks_too(cast: Cast) -> None:
    await cast.records(articles=ARTICLES)
    await cast.ada.types("support")
    await cast.ada.sees("help articles answer at once", "How do I get another phone number?")
    await cast.ada.presses("Ask", dialog="Support")
    await cast.ada.fills({"Question": "😀"})
    await cast.ada.sends("Ask")
    await cast.ada.sees_error("Question", "Ask in a few words")
    await cast.ada.fills({"Question": "how are minutes counted"})
    await cast.ada.sends("Ask")
    await cast.ada.sees("1. How minutes are counted")


async def a_suggested_question_is_one_press(cast: Cast) -> None:
    await cast.records(articles=ARTICLES)
    await cast.max.types("support")
    await cast.max.presses("See the answer", near="How do I get another phone number?")
    await cast.max.sees("1. Get another phone number")


async def the_reader_s_language_is_answered_and_english_where_it_has_nothing(cast: Cast) -> None:
    await cast.records(articles=ARTICLES)
    await cast.lena.types("support przekierowanie numeru")
    await cast.lena.sees("1. Przekieruj numer na inny telefon", "Czy to pomogło?")
    await cast.lena.types("support who can read my tickets")
    await cast.lena.sees("1. Who sees what I write", "angielski")


async def contact_us_offers_what_is_open_and_says_what_is_not(cast: Cast) -> None:
    await cast.records(articles=ARTICLES)
    await cast.max.types("support I want to talk to a person")
    await cast.max.presses("Contact us", dialog="Contact us")
    await cast.max.sees("Not available to you", "Premium chat, Premium email support", "Bought as an add-on: ask Ada")
    await cast.max.closes()
    await cast.noor.types("support I want to talk to a person")
    await cast.noor.presses("Contact us")
    await cast.noor.sees("None of the ways to people is open to you here", "Needs a core, sales or service seat")


async def free_gets_articles_and_the_reasons(cast: Cast) -> None:
    await cast.records(articles=ARTICLES, subscription={"line": "sales", "tier": "free"})
    await cast.ada.types("support who can read my tickets")
    await cast.ada.sees("1. Who sees what I write")
    await cast.ada.presses("Contact us")
    await cast.ada.sees(
        "None of the ways", "Needs Starter, Professional or Enterprise", "Needs Professional or Enterprise"
    )


async def premium_shows_its_number(cast: Cast) -> None:
    await cast.records(
        premium_support=True, premium_phone="+12125550124", subscription={"line": "both", "tier": "enterprise"}
    )
    await cast.max.types("support contact", dialog="Contact us")
    await cast.max.sees("Premium phone: +1 212-555-0124")
    await cast.max.sees("The account has no number to dial")
    await cast.max.sees_no("Bought as an add-on")


async def a_sentence_to_the_bot_is_a_question(cast: Cast) -> None:
    await cast.records(articles=ARTICLES)
    await cast.max.says("how do I forward my number")
    await cast.max.is_told("1. Forward a number to another phone")
    await cast.max.says("support ask")
    await cast.max.is_told("Support")


async def strange_questions_are_only_text(cast: Cast) -> None:
    await cast.records(articles=ARTICLES)
    for text in ('"forward* NEAR(number', "<!channel> forward", "forward " * 300):
        await cast.max.types(f"support {text}")
        await cast.max.sees("Forward a number to another phone")
    await cast.max.types("support '); DROP TABLE in_en; --")
    await cast.max.sees("No article answers this")
    await cast.max.types("support ???")
    await cast.max.sees("Ask in a few words")


async def home_leads_to_support(cast: Cast) -> None:
    await cast.records(articles=ARTICLES)
    await cast.max.opens_home()
    await cast.max.presses_at_home("Ask", dialog="Support")
