"""The doctor's look at the carrier: what only one side has, each with the mend, and never more than fits."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.carriers.check import NUMBERS_SHOWN, carrier, carrier_findings
from bot.settings import Settings, Twilio
from bot.wiring import open_repositories
from domain.numbers.number import Number, NumberState
from handlers.framework.ports import CarrierNumber
from playground.twilio.server import serve_twilio
from store.engine.commit import Change
from tests import present
from tests.handlers.world import company

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)


def number(e164: str, carrier_id: str | None = None, **more: object) -> tuple[str, Number]:
    return "acme", Number(e164=e164, source="provided", since=NOW, carrier_id=carrier_id).model_copy(update=more)


def test_books_that_agree_say_nothing() -> None:
    assert (
        carrier_findings({"+1": number("+1", "PN1"), "+2": number("+2")}, {"+1": CarrierNumber("+1", "PN1", "acme")})
        == []
    )


def test_what_only_one_side_has_is_named_with_the_mend() -> None:
    ours = {
        "+1": number("+1", "PN1"),
        "+2": number("+2", "PN2"),
        "+5": number("+5"),
        "+6": number("+6", state=NumberState.PENDING, needs="papers"),
        "+7": number("+7", state=NumberState.ORDERED),
    }
    theirs = {
        "+2": CarrierNumber("+2", "PN2", "acme", routed_here=False, routed_to="voice_url https://old.example.com"),
        "+3": CarrierNumber("+3", "PN3", "acme"),
        "+4": CarrierNumber("+4", "PN4", None),
        "+5": CarrierNumber("+5", "PN5", None),
    }
    found = carrier_findings(ours, theirs)
    assert [(f.level, f.names) for f in found] == [
        ("fail", ("+1 (acme)",)),
        ("fail", ("+3 (acme)",)),
        ("warn", ("+4",)),
        ("warn", ("+5 (acme)",)),
        ("fail", ("+2 (voice_url https://old.example.com)",)),
        ("warn", ("+6 (acme: papers)",)),
        ("warn", ("+7 (acme)",)),
    ]
    assert all(":" in f.text for f in found)


def test_a_long_list_is_cut_with_how_many_more() -> None:
    theirs = {f"+{n}": CarrierNumber(f"+{n}", f"PN{n}", None) for n in range(1000, 1100)}
    (found,) = carrier_findings({}, theirs)
    assert len(found.names) == NUMBERS_SHOWN + 1
    assert found.names[-1] == "and 90 more"
    assert found.text.startswith("100 ×")


async def test_it_reads_all_accounts_and_twilio(tmp_path: Path) -> None:
    async with serve_twilio() as twilio:
        settings = Settings(
            data_dir=tmp_path / "data",
            public_url="https://bot.example.com",
            twilio=Twilio(twilio.account_sid, twilio.auth_token, twilio.base_url),
        )
        here = "https://bot.example.com/voice/"
        twilio.own("+442079460920", voice_url=f"{here}inbound", status_callback=f"{here}status")
        twilio.own("+442079460921")
        async with open_repositories(settings) as kept:
            await kept.accounts.apply([company(), company(id="globex", workspaces=[], inventory=[])], NOW)
            for id, e164, sid in (("acme", "+442079460920", "PN1"), ("globex", "+442079460930", "PN2")):
                snapshot = present(await kept.accounts.get(id))
                await kept.numbers.add(snapshot, number(e164, sid)[1], None, 5, Change(None, "test", NOW))
        found = await carrier(settings)
        assert [(f.level, f.names) for f in found] == [
            ("ok", ()),
            ("fail", ("+442079460930 (globex)",)),
            ("warn", ("+442079460921",)),
        ]
        twilio.faults.next("*", "error", times=9)
        (silent,) = await carrier(settings)
        assert (silent.level, "Twilio console" in silent.text) == ("fail", True)
        twilio.faults.clear()
        wrong = replace(settings, twilio=Twilio(twilio.account_sid, "wrong", twilio.base_url), public_url=None)
        off, refused = await carrier(wrong)
        assert "PUBLIC_URL" in off.text
        assert "refuses our account and token" in refused.text


async def test_off_it_says_what_switches_it_on(tmp_path: Path) -> None:
    (found,) = await carrier(Settings(data_dir=tmp_path))
    assert (found.level, "TWILIO_ACCOUNT_SID" in found.text) == ("ok", True)


@pytest.mark.parametrize("state", [NumberState.DELETED])
def test_a_deleted_number_is_still_ours_until_it_is_released(state: NumberState) -> None:
    ours = {"+1": number("+1", "PN1", state=state, undo_until=NOW)}
    assert carrier_findings(ours, {"+1": CarrierNumber("+1", "PN1", "acme")}) == []
