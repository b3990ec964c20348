"""The voice routes over real HTTP, signed as Twilio signs, on a real store."""

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import parse_qsl, urlencode
from xml.etree import ElementTree as Xml

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from bot.carriers import voice_http
from bot.carriers.voice_http import RETRIES, VoiceHttp, parse_form
from bot.metrics import Metrics
from bot.web import application, limit_body
from handlers.calls.voice import Voice
from store.server.connection import Store
from tests import present
from tests.bot.carriers.signing import PUBLIC, SID, TOKEN, Twilio, ringing
from tests.handlers.world import NOW, World, company
from tests.servers import Server, free_port, serving, start

OWN, TO = "+442079460900", "+442079460111"


class Desk:
    """A bot's voice routes, served."""

    def __init__(self, world: World, twilio: Twilio, metrics: Metrics) -> None:
        self.world, self.twilio, self.metrics = world, twilio, metrics
        self.validated: list[str] = []

    def counted(self, name: str, **labels: str) -> float:
        return self.metrics.registry.get_sample_value(name, labels) or 0.0

    async def minutes(self) -> int:
        return (await self.world.services().calls.breakdown(await self.world.snapshot(), NOW)).minutes

    async def provide(self, e164: str = OWN, **more: object) -> None:
        await self.world.provide(e164, **more)


async def serve(store: Store, sid: str = SID, token: str = TOKEN, *, itself: bool = False) -> AsyncIterator[Desk]:
    """`itself`: its public address is where it really is."""
    world, metrics = World(store), Metrics("0")
    await world.apply()

    async def well() -> dict[str, str]:
        return {}

    async with aiohttp.ClientSession() as session:
        desk = Desk(world, Twilio(session, ""), metrics)

        async def validated(form: object) -> None:
            desk.validated.append(str(form))

        port = free_port()
        desk.twilio.at = f"http://127.0.0.1:{port}"
        public = desk.twilio.at if itself else PUBLIC
        voice = VoiceHttp(Voice(world.services()), sid, token, public, metrics, lambda: world.now, validated)
        site = application(metrics, well)
        site.add_routes(map(limit_body, voice.routes()))
        async with serving(site, port):
            yield desk
        await voice.close()


@pytest.fixture
async def desk(store: Store) -> AsyncIterator[Desk]:
    async for found in serve(store):
        yield found


def read(document: str) -> Xml.Element:
    return Xml.fromstring(document)  # noqa: S314 - our own document


def number_in(document: str) -> Xml.Element:
    found = read(document).find("./Dial/Number")
    assert found is not None, document
    return found


async def test_a_call_is_answered_with_the_number_that_it_is_forwarded_to(desk: Desk) -> None:
    await desk.provide(forwarding_extension="12")
    document = await desk.twilio.rings()
    dial, number = read(document).find("Dial"), number_in(document)
    assert dial is not None
    assert dial.attrib == {"answerOnBridge": "true", "callerId": "+14155550132"}
    assert (number.text, number.get("sendDigits"), number.get("statusCallbackMethod")) == (TO, "ww12", "POST")
    assert number.get("statusCallbackEvent") == "completed"
    callback = str(number.get("statusCallback"))
    assert callback.startswith(f"{PUBLIC}/voice/status?account=acme&at=1795168800&call=CA1&number=%2B442079460900")
    assert callback.endswith(RETRIES)
    assert await desk.twilio.rings() == document  # a replay
    assert desk.counted("switchboard_calls_total", outcome="dial") == 2


async def test_minutes_of_a_whole_call(desk: Desk) -> None:
    await desk.provide()
    callback = str(number_in(await desk.twilio.rings()).get("statusCallback"))
    child = {"ParentCallSid": "CA1", "Direction": "outbound-dial", "To": TO}
    for _ in range(3):
        assert await desk.twilio.ends("CA2", "59", callback, **child) == 204
        assert await desk.twilio.ends("CA1", "61") == 204
    assert await desk.minutes() == 3
    assert desk.counted("switchboard_call_callbacks_total", outcome="counted") == 2
    assert desk.counted("switchboard_call_callbacks_total", outcome="repeat") == 4


async def test_what_is_not_signed_by_our_account_changes_nothing(desk: Desk) -> None:
    await desk.provide()
    callback = str(number_in(await desk.twilio.rings("CA0")).get("statusCallback"))
    stranger = Twilio(desk.twilio.session, desk.twilio.at, token="another-token")
    other = Twilio(desk.twilio.session, desk.twilio.at, sid="AC" + "1" * 32)
    elsewhere = Twilio(desk.twilio.session, desk.twilio.at, public="https://evil.example.com")
    for path in ("/voice/inbound", "/voice/outbound", "/voice/status", callback):
        form = ringing("CA1", "+14155550132", OWN) | {"CallStatus": "completed", "CallDuration": "60"}
        for signature in ("", "bm9uc2Vuc2U=", "é"):
            if signature.isascii():
                assert (await desk.twilio.post(path, form, signature))[0] == 403
        assert (await stranger.post(path, form))[0] == 403
        assert (await other.post(path, form))[0] == 403
        assert (await desk.twilio.post(path, {**form, "AccountSid": None}))[0] == 403
        assert (await elsewhere.post(path.removeprefix(PUBLIC), form))[0] == 403
    assert await desk.minutes() == 0
    assert desk.counted("switchboard_calls_total", outcome="forged") > 10


async def test_a_signature_is_for_its_own_path_query_and_fields(desk: Desk) -> None:
    await desk.provide()
    callback = str(number_in(await desk.twilio.rings()).get("statusCallback")).partition("#")[0]
    path = callback.removeprefix(PUBLIC)
    form = {"CallSid": "CA2", "CallStatus": "completed", "CallDuration": "59"}
    signature = RequestValidator(TOKEN).compute_signature(
        callback, {"AccountSid": SID, "ApiVersion": "2010-04-01"} | form
    )
    for wrong_path, wrong_form in (
        (path.replace("acme", "other"), form),
        ("/voice/status", form),
        (path, form | {"CallDuration": "590"}),
        (path, form | {"Extra": ""}),
    ):
        assert (await desk.twilio.post(wrong_path, wrong_form, signature))[0] == 403
    assert (await desk.twilio.post(path, form, signature))[0] == 204
    assert await desk.minutes() == 1


async def test_the_signature_may_be_made_with_the_port_or_the_fragment(desk: Desk) -> None:
    await desk.provide()
    fields = {"AccountSid": SID, "ApiVersion": "2010-04-01"} | ringing("CA1", "+14155550132", OWN)
    for url in ("https://voice.example.com:443/voice/inbound", f"{PUBLIC}/voice/inbound{RETRIES}"):
        signature = RequestValidator(TOKEN).compute_signature(url, fields)
        status, body = await desk.twilio.post("/voice/inbound", ringing("CA1", "+14155550132", OWN), signature)
        assert status == 200
        assert "<Dial" in body


async def test_rejected_and_refused(desk: Desk) -> None:
    assert "<Reject" in await desk.twilio.rings(to="+442079460999")
    await desk.provide(forwarding=None)
    assert [verb.tag for verb in read(await desk.twilio.rings("CA2"))] == ["Say", "Hangup"]
    await desk.world.apply(company(limits={"minutes": 0}, default_person={"language": "pl"}))
    spoken = read(await desk.twilio.rings("CA3"))
    assert spoken[0].get("language") == "pl-PL"
    assert (spoken[0].text or "").startswith("Ten numer nie może")


@pytest.mark.parametrize(
    "frm", ["anonymous", "+266696687", "Restricted", "", "sip:max@example.com;x=1", "client:x", "84433", "Zoë <b>&"]
)
async def test_callers_without_a_number_are_shown_as_the_number_they_called(desk: Desk, frm: str) -> None:
    await desk.provide()
    assert f'callerId="{OWN}"' in await desk.twilio.rings(frm=frm)


async def test_lengths_that_can_not_be_are_told_of_and_not_counted(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    await desk.provide()
    callback = str(number_in(await desk.twilio.rings()).get("statusCallback"))
    for seconds in ("-5", "99999999", None, "", "soon", "86401"):
        assert await desk.twilio.ends("CA2", seconds, callback, To=TO) == 204
    assert await desk.minutes() == 0
    assert desk.counted("switchboard_call_callbacks_total", outcome="bad") == 6


async def test_calls_that_end_otherwise_and_calls_of_nobody(desk: Desk) -> None:
    await desk.provide()
    for state in ("busy", "no-answer", "failed", "canceled", "in-progress", "ringing", ""):
        assert await desk.twilio.ends("CA2", "60", CallStatus=state) == 204
    assert await desk.twilio.ends("CA3", "60", To="+442079460999") == 204
    assert await desk.twilio.ends("", "60") == 204
    for query in ("account=acme", "account=acme&call=CA1", "account=acme&call=CA1&at=soon&number=", "call=CA1&at=1"):
        assert await desk.twilio.ends("CA4", "60", f"/voice/status?{query}", To="") == 204
    assert await desk.minutes() == 0
    assert desk.counted("switchboard_call_callbacks_total", outcome="ignored") >= 2


async def test_a_validated_caller_id_is_handed_on(desk: Desk) -> None:
    form = {"VerificationStatus": "success", "OutgoingCallerIdSid": "PN1", "To": TO, "CallSid": "CA1"}
    assert (await desk.twilio.post("/voice/status", form))[0] == 204
    assert len(desk.validated) == 1
    assert "PN1" in desk.validated[0]


async def test_calling_out(desk: Desk) -> None:
    await desk.provide()
    document = await desk.twilio.calls("020 7946 0958")
    assert (number_in(document).text, 'callerId="+442079460900"' in document) == ("+442079460958", True)
    sip = await desk.twilio.calls(
        "sip:020@acme.example.com", frm="sip:max@acme.example.com", call="CA2", SipDomain="other.example.com"
    )
    assert "<Reject" in sip


async def test_what_is_no_form_is_no_request(desk: Desk) -> None:
    for body in (b"\xff\xfe", b"a=1" * 100, b"&".join(b"a%d=1" % n for n in range(500)), b"", b"{}"):
        async with desk.twilio.session.post(f"{desk.twilio.at}/voice/inbound", data=body) as response:
            assert response.status == 403
    async with desk.twilio.session.get(f"{desk.twilio.at}/voice/inbound") as response:
        assert response.status == 405


@given(st.lists(st.tuples(st.text(min_size=1), st.text()), max_size=20))
def test_forms_are_read_as_the_library_reads_them(pairs: list[tuple[str, str]]) -> None:
    body = urlencode(pairs, errors="replace")
    found = present(parse_form(body.encode()))
    wanted: dict[str, list[str]] = {}
    for name, value in parse_qsl(body, keep_blank_values=True):
        wanted.setdefault(name, []).append(value)
    assert found == wanted


# ── Without the store ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    running = start(tmp_path)
    yield running
    if running.process.poll() is None:
        running.process.send_signal(signal.SIGCONT)
    running.stop()


@pytest.fixture
async def stoppable(server: Server) -> AsyncIterator[Desk]:
    store = await Store.open(server.url)
    async for found in serve(store):
        yield found
    await store.aclose()


async def test_a_store_that_hangs_lets_known_calls_through_and_their_minutes_count_later(
    stoppable: Desk, server: Server
) -> None:
    desk = stoppable
    await desk.provide()
    await desk.twilio.rings("CA0")
    server.process.send_signal(signal.SIGSTOP)
    began = asyncio.get_running_loop().time()
    document = await desk.twilio.rings("CA1")
    unknown = await desk.twilio.rings("CA2", to="+442079460999")
    assert asyncio.get_running_loop().time() - began < 2.5  # a second each
    callback = str(number_in(document).get("statusCallback"))
    assert "<Say" in unknown
    assert "can't be connected" in unknown
    assert desk.counted("switchboard_calls_without_store_total") == 2
    assert desk.counted("switchboard_calls_total", outcome="let_through") == 1
    server.process.send_signal(signal.SIGCONT)
    assert await desk.twilio.ends("CA1", "61") == 204
    assert await desk.twilio.ends("CA1-2", "59", callback, To=TO) == 204
    assert await desk.minutes() == 3
    assert "let_through" not in await desk.twilio.rings("CA3")
    assert desk.counted("switchboard_calls_total", outcome="dial") == 2


async def test_an_account_may_refuse_instead_and_emergency_calls_go_through_all_the_same(
    stoppable: Desk, server: Server
) -> None:
    desk = stoppable
    await desk.world.apply(company(calls_without_store="refuse"))
    await desk.provide()
    await desk.twilio.rings("CA0")
    await desk.twilio.calls("+442079460958", call="CA1")
    server.process.send_signal(signal.SIGSTOP)
    inbound, outbound, emergency = await asyncio.gather(
        desk.twilio.rings("CA2"), desk.twilio.calls("+442079460958", call="CA3"), desk.twilio.calls("999", call="CA4")
    )
    assert "<Say" in inbound
    assert "<Say" in outbound
    assert number_in(emergency).text == "999"
    for number, frm in enumerate(("client:acme.ola", "client:acme.nobody", "client:gone.max")):  # never seen here
        assert number_in(await desk.twilio.calls("112", frm=frm, call=f"CB{number}")).text == "112"


async def test_an_end_outlasts_an_outage_that_the_carrier_does_not(
    stoppable: Desk, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = stoppable
    monkeypatch.setattr(voice_http, "_PAUSES", (0.1,))
    await desk.provide()
    callback = str(number_in(await desk.twilio.rings()).get("statusCallback"))
    server.process.send_signal(signal.SIGSTOP)
    assert await desk.twilio.ends("CA2", "59", callback, To=TO) == 503
    server.process.send_signal(signal.SIGCONT)
    for _ in range(100):
        if await desk.minutes():
            break
        await asyncio.sleep(0.1)
    assert await desk.minutes() == 1
    assert await desk.twilio.ends("CA2", "59", callback, To=TO) == 204  # the carrier's own next try
    assert await desk.minutes() == 1


async def test_an_end_that_the_store_does_not_take_is_asked_for_again(stoppable: Desk, server: Server) -> None:
    desk = stoppable
    await desk.provide()
    callback = str(number_in(await desk.twilio.rings()).get("statusCallback"))
    server.process.send_signal(signal.SIGSTOP)
    ends = asyncio.create_task(desk.twilio.ends("CA2", "59", callback, To=TO))
    await asyncio.sleep(3)
    server.process.send_signal(signal.SIGCONT)
    assert await ends == 204
    assert await desk.minutes() == 1
