"""The parts of the process, each for itself."""

import asyncio

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from bot import loops
from bot.loops import Loops, Ticker, measure
from bot.metrics import Metrics, ack_times, count_deliveries, time_handler
from bot.platforms import Platforms
from bot.settings import Settings
from bot.web import MAX_BODY, application, limit_body
from handlers.framework.events import Actor, Address, Command, Press
from handlers.framework.events import Inbound as Event
from handlers.framework.ports import Unavailable
from handlers.framework.screens import Nothing, Response
from store.engine.effects import Drop, Effect, Retry
from store.engine.effects import SendResult as Delivered
from store.engine.outbox import OutboxStats

ACTOR = Actor("slack", "T1", "U1")
WHERE = Address("slack", "T1", "U1")


@pytest.fixture
def metrics() -> Metrics:
    return Metrics("1")


# Loops


async def test_a_loop_that_fails_starts_again_and_is_named_meanwhile(
    metrics: Metrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loops, "_AGAIN", (0.02,))
    runs = 0
    well = asyncio.Event()

    async def fails_twice() -> None:
        nonlocal runs
        runs += 1
        if runs < 3:
            raise RuntimeError
        well.set()

    kept = Loops(metrics)
    kept.start("sweep", fails_twice)
    await asyncio.sleep(0.01)
    assert kept.failing() == ["sweep"]
    await asyncio.wait_for(well.wait(), 2)
    assert kept.failing() == []
    assert b'switchboard_loop_restarts_total{loop="sweep"} 2.0' in metrics.text()
    await kept.stop()


async def test_stopping_waits_for_no_loop_for_ever(metrics: Metrics) -> None:
    begun, free = asyncio.Event(), asyncio.Event()

    async def stubborn() -> None:
        begun.set()
        try:
            await free.wait()
        except asyncio.CancelledError:
            await free.wait()

    kept = Loops(metrics)
    kept.start("stubborn", stubborn)
    await begun.wait()
    async with asyncio.timeout(5):
        await kept.stop(timeout=0.05)
    free.set()
    await asyncio.sleep(0)


async def test_the_clock_ticks_while_the_loop_is_free(metrics: Metrics, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loops, "_TICK", 0.01)
    monkeypatch.setattr(loops, "_LATE", 0.1)
    ticker = Ticker(metrics)
    ticking = asyncio.create_task(ticker.run())
    await asyncio.sleep(0.15)
    assert ticker.alive
    ticking.cancel()
    await asyncio.gather(ticking, return_exceptions=True)
    await asyncio.sleep(0.15)
    assert not ticker.alive


async def test_the_outbox_is_measured(metrics: Metrics) -> None:
    seen = asyncio.Event()

    async def stats() -> OutboxStats:
        seen.set()
        return OutboxStats(3, 4.5, 2)

    measuring = asyncio.create_task(measure(stats, metrics))
    await seen.wait()
    await asyncio.sleep(0)
    measuring.cancel()
    await asyncio.gather(measuring, return_exceptions=True)
    for line in ("outbox_depth 3.0", "outbox_oldest_age_seconds 4.5", "outbox_given_up 2.0"):
        assert f"switchboard_{line}" in metrics.text().decode()


# What is counted


async def test_names_that_anybody_can_make_up_are_one_label(metrics: Metrics) -> None:
    async def nothing(_event: Event) -> Response:
        return Nothing()

    handle = time_handler(nothing, metrics)
    for name in ("numbers", "x1", "x2"):
        await handle(Command(ACTOR, "1", name, (), WHERE))
        await handle(Press(ACTOR, "1", name, "", WHERE))
        ack_times(metrics)("command", name, 0.1)
    text = metrics.text().decode()
    assert 'switchboard_handler_seconds_count{handler="command numbers",outcome="nothing"} 1.0' in text
    assert 'switchboard_handler_seconds_count{handler="command other",outcome="nothing"} 2.0' in text
    assert 'switchboard_handler_seconds_count{handler="press other",outcome="nothing"} 3.0' in text
    assert 'switchboard_ack_seconds_count{handler="command other"} 2.0' in text
    assert "x1" not in text


async def test_a_handler_that_fails_is_counted_and_fails_all_the_same(metrics: Metrics) -> None:
    async def broken(_event: Event) -> Response:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await time_handler(broken, metrics)(Command(ACTOR, "1", "numbers", (), WHERE))
    assert 'outcome="failed"} 1.0' in metrics.text().decode()


async def test_sends_are_counted_by_what_came_of_them(metrics: Metrics) -> None:
    outcomes: list[Delivered | None] = [Drop("no"), Retry(None, "later"), None]

    async def sender(_effect: Effect, _in_doubt: bool) -> Delivered:
        outcome = outcomes.pop(0)
        if outcome is None:
            raise RuntimeError
        return outcome

    send = count_deliveries({"mail": sender}, metrics)["mail"]
    effect = Effect("c", "mail", {}, "1")
    assert await send(effect, False) == Drop("no")
    assert await send(effect, False) == Retry(None, "later")
    with pytest.raises(RuntimeError):
        await send(effect, False)
    for result in ("drop", "retry", "unknown"):
        assert f'switchboard_effects_total{{kind="mail",result="{result}"}} 1.0' in metrics.text().decode()


# Platforms


async def test_with_no_platform_on_nobody_is_known_and_nothing_is_sent() -> None:
    none = Platforms(Settings(), None, lambda *_: None)  # type: ignore[arg-type] # no platform needs a store
    assert (none.names, none.senders) == ((), {})
    with pytest.raises(Unavailable):
        await none.profile("slack", "T1", "U1")
    await none.start()
    await none.drain(1)
    await none.close()


# The server


async def test_bodies_are_bounded_and_faults_are_kept_inside(metrics: Metrics) -> None:
    async def well() -> dict[str, str]:
        return {}

    async def length(request: web.Request) -> web.Response:
        return web.Response(text=str(len(await request.read())))

    async def broken(_request: web.Request) -> web.Response:
        raise RuntimeError("not for everybody's eyes")

    app = application(metrics, well)
    app.add_routes([limit_body(web.post("/length", length)), web.get("/broken", broken)])
    async with TestClient(TestServer(app)) as client:
        for size, status in ((MAX_BODY, 200), (MAX_BODY + 1, 413)):
            answer = await client.post("/length", data=b"x" * size)
            assert answer.status == status
        answer = await client.get("/broken")
        assert answer.status == 500
        text = await answer.text()
        assert text.startswith("Something went wrong here; its number is ")
        assert "eyes" not in text
        assert (await client.get("/nowhere")).status == 404


async def test_a_body_that_does_not_come_is_not_waited_for(metrics: Metrics, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.web.BODY_TIMEOUT", 0.05)

    async def well() -> dict[str, str]:
        return {}

    async def read(request: web.Request) -> web.Response:
        return web.Response(text="read")

    app = application(metrics, well)
    app.add_routes([limit_body(web.post("/read", read))])
    async with TestServer(app) as server:
        reader, writer = await asyncio.open_connection(server.host, server.port)
        writer.write(b"POST /read HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n")
        assert b"408" in await asyncio.wait_for(reader.readline(), 2)
        writer.close()
        await writer.wait_closed()
