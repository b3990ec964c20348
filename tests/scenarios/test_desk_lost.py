"""A desk that can no longer be written to, on the pretend Slack and Teams: who is told, that tickets go on, and that
the cards are where the desk is next."""

import pytest

from bot.doctor import _accounts
from store.engine.accounts import AccountSnapshot
from tests import present
from tests.scenarios import company, tickets
from tests.scenarios.slack import CHANNEL
from tests.scenarios.stage import Stage, stage
from tests.servers import Farm, eventually

HOWS = [
    ("slack", "is_archived"),
    ("slack", "not_in_channel"),
    ("slack", "channel_not_found"),
    ("teams", "403"),
    ("teams", "404"),
    ("teams", "removed"),
]
PLACE = f"19:{company.DESK}@thread.tacv2"
CLOSED = "can't be written to"


async def lose(on: Stage, how: str) -> None:
    """As the platform says it from now on."""
    channel = on.slack.world.channels[company.DESK_ID]
    bot = on.slack.world.workspaces[company.WORKSPACE].bot_user
    place = on.teams.world.conversations.get(PLACE)
    match how:
        case "is_archived":
            channel.is_archived = True
        case "not_in_channel" | "channel_not_found":
            channel.is_private = how == "channel_not_found"
            channel.members = [user for user in channel.members if user != bot]
            install = on.slack.world.workspaces[company.WORKSPACE]
            install.scopes = [scope for scope in install.scopes if scope != "chat:write.public"]
        case "403":
            assert place is not None
            place.installed = False  # and Teams' notice of it did not arrive
        case "404":
            del on.teams.world.conversations[PLACE]
        case "removed":
            await on.teams.uninstall("Robin", company.DESK)


async def found(on: Stage, snapshot: AccountSnapshot) -> list[str]:
    return [
        f.text for f in await _accounts(on.app.kept, sold=True) if f.level == "fail" and snapshot.account.id in f.text
    ]


@pytest.mark.parametrize(("platform", "how"), HOWS)
async def test_a_desk_that_is_lost(farm: Farm, platform: str, how: str) -> None:
    async with stage(farm, (platform,)) as both:
        await _lost_and_moved(both, platform, how)


async def _lost_and_moved(both: Stage, platform: str, how: str) -> None:
    cast, kept = both.cast(platform), both.app.kept
    max_, robin, ada = cast.max, cast.robin, cast.ada
    await both.opens_desk(platform, "Robin")
    await tickets._asks(cast, "Email support")
    await robin.sees(tickets.HEAD)
    await both.settled()
    snapshot = present(await kept.accounts.get("acme"))
    assert await found(both, snapshot) == []
    await lose(both, how)

    # Somebody writes, and somebody answers: neither needs the channel.
    await max_.types("support contact", dialog="Contact us")
    await max_.fills({"How can we help you?": "Email support"})
    await max_.sends("Next")
    await max_.fills({"Overview": "Another thing", "Description": "And another one."})
    await max_.sends("Send message")
    await max_.has_no_dialog()
    await max_.is_told("SB-2 · Another thing")
    await ada.is_told(CLOSED)
    await robin.is_told("SB-2 of Max: Another thing")
    await robin.types("support queue")
    await robin.sees("SB-1 Nobody hears me", "SB-2 Another thing")
    await robin.presses("Open", near="SB-2 Another thing")
    await robin.presses("Reply", dialog="Reply to the person")
    await robin.fills({"Reply": "Here I am"})
    await robin.sends("Reply")
    await robin.has_no_dialog()
    await max_.is_told("Here I am")
    await both.settled()
    assert ada.times_told(CLOSED) == 1
    (said,) = await found(both, snapshot)
    assert CLOSED in said
    assert "name another" in said

    # The account names another channel.
    there = company.desk(platform)
    if platform == "slack":
        there["channel"] = f"C{company.WORKSPACE}"
        both.slack.world.channels[there["channel"]].members.append(
            both.slack.world.workspaces[company.WORKSPACE].bot_user
        )
    else:
        there["channel"] = f"19:{CHANNEL}@thread.tacv2"
        await both.teams.install("Ada", CHANNEL)
    seats = snapshot.account.to_file()["people"]
    await both.records(people=seats, desk=there)
    await eventually(lambda: _cards(both, platform, there["channel"]) == {"SB-1", "SB-2"}, "both cards are there")
    await both.settled()
    snapshot = present(await kept.accounts.get("acme"))
    assert await kept.posts.lost_desk(snapshot) is None
    assert await found(both, snapshot) == []
    both.slack.troubles.clear()
    both.teams.refused.clear()


@pytest.mark.parametrize(("platform", "how"), [("slack", "is_archived"), ("teams", "403")])
async def test_a_desk_that_comes_back_gets_what_it_missed(farm: Farm, platform: str, how: str) -> None:
    async with stage(farm, (platform,)) as both:
        await _lost_and_back(both, platform, how)


async def _lost_and_back(both: Stage, platform: str, how: str) -> None:
    cast = both.cast(platform)
    await both.opens_desk(platform, "Robin")
    await lose(both, how)
    await tickets._asks(cast, "Email support")
    await cast.ada.is_told(CLOSED)
    await both.settled()
    where = company.desk(platform)["channel"]
    assert _cards(both, platform, where) == set()
    if platform == "slack":
        both.slack.world.channels[company.DESK_ID].is_archived = False
    else:
        await both.teams.install("Robin", company.DESK)
    await cast.max.types("support contact", dialog="Contact us")
    await cast.max.fills({"How can we help you?": "Email support"})
    await cast.max.sends("Next")
    await cast.max.fills({"Overview": "Another thing", "Description": "And another one."})
    await cast.max.sends("Send message")
    await eventually(lambda: _cards(both, platform, where) == {"SB-1", "SB-2"}, "both cards are there")
    both.slack.troubles.clear()
    both.teams.refused.clear()


@pytest.mark.parametrize(("here", "there"), [("slack", "teams"), ("teams", "slack")])
@pytest.mark.parametrize("how", ["", "thrown out"])
async def test_a_desk_that_moves_to_the_other_platform_takes_its_cards_along(
    farm: Farm, here: str, there: str, how: str
) -> None:
    async with stage(farm, ("slack", "teams")) as both:
        await both.opens_desk(here, "Robin")
        await tickets._asks(both.cast(here), "Email support")
        await eventually(lambda: _cards(both, here) == {"SB-1"}, "the card is there")
        if how:
            await lose(both, "not_in_channel" if here == "slack" else "removed")
            await both.settled()
        await both.opens_desk(there, "Robin")
        await eventually(lambda: _cards(both, there) == {"SB-1"}, "it is at the new desk")
        if not how:
            await eventually(lambda: _cards(both, here) == set(), "and no longer at the old one")
        await both.settled()
        snapshot = present(await both.app.kept.accounts.get("acme"))
        assert await both.app.kept.posts.lost_desk(snapshot) is None
        assert both.cast(there).ada.times_told(CLOSED) == 0
        # The new one is kept up to date.
        robin = both.person("Robin", there)
        await robin.presses("Claim")
        await eventually(lambda: _cards(both, there, words="Robin has it") == {"SB-1"}, "it says who has it")
        both.slack.troubles.clear()
        both.teams.refused.clear()


def _cards(on: Stage, platform: str, channel: str = "", words: str = "") -> set[str]:
    """The tickets that have a card in a channel, by default the desk's, with these words on it."""
    channel = channel or company.desk(platform)["channel"]
    if platform == "slack":
        there = on.slack.world.messages.get(channel, [])
        said = [str(m.blocks) for m in there if m.thread_ts in ("", None, m.ts)]
    else:
        said = [m.words() for m in on.teams.world.messages if m.conversation == channel]
    return {f"SB-{n}" for n in (1, 2) for text in said if f"SB-{n} ·" in text and words in text}
