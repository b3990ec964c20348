"""Only Microsoft's own requests are believed, and it takes no time to refuse the others."""

import base64
import hmac
import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from store.server.connection import Store
from tests.bot.teams.peer import PretendTeams
from tests.bot.teams.rig import Rig, rig, screen


@pytest.fixture
async def signed(store: Store) -> AsyncIterator[Rig]:
    async with rig(store, signed=True) as both:
        yield both


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def forged(peer: PretendTeams, algorithm: str) -> str:
    """The right claims under another algorithm: none at all, or one that takes what everybody knows for a secret."""
    claims = peer.sign().split(".")[1]
    head = encoded(json.dumps({"alg": algorithm, "kid": peer.kid}).encode())
    public = peer.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    mark = hmac.digest(public, f"{head}.{claims}".encode(), "sha256") if algorithm == "HS256" else b""
    return f"{head}.{claims}.{encoded(mark)}"


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


BAD: dict[str, Callable[[PretendTeams], dict[str, str]]] = {
    "none": lambda peer: {},
    "empty": lambda peer: {"Authorization": "Bearer "},
    "no bearer": lambda peer: {"Authorization": peer.sign()},
    "no token": lambda peer: bearer("nonsense"),
    "three parts of nonsense": lambda peer: bearer("a.b.c"),
    "expired": lambda peer: bearer(peer.sign(exp=int(time.time()) - 3_600)),
    "without an end": lambda peer: bearer(peer.sign(exp=None, iat=None)),
    "of tomorrow": lambda peer: bearer(peer.sign(nbf=int(time.time()) + 86_400)),
    "another audience": lambda peer: bearer(peer.sign(aud="22222222-2222-2222-2222-222222222222")),
    "no audience": lambda peer: bearer(peer.sign(aud=None)),
    "another issuer": lambda peer: bearer(peer.sign(iss="https://example.com")),
    "an issuer of tokens for people": lambda peer: bearer(peer.sign(iss="https://sts.windows.net/x/", tid="x")),
    "another service": lambda peer: bearer(peer.sign(serviceurl="https://example.com/teams")),
    "no service": lambda peer: bearer(peer.sign(serviceurl=None)),
    "another key": lambda peer: bearer(peer.sign(key=rsa.generate_private_key(public_exponent=65537, key_size=2048))),
    "a key that nobody has": lambda peer: bearer(peer.sign(kid="key-2")),
    "no signature": lambda peer: bearer(forged(peer, "none")),
    "the public key as a secret": lambda peer: bearer(forged(peer, "HS256")),
}


@pytest.mark.parametrize("why", BAD)
async def test_a_request_that_is_not_microsofts_changes_nothing(
    why: str, signed: Rig, logged: Callable[[], str]
) -> None:
    peer = signed.peer
    ada = peer.world.user("Ada")
    said = peer.activity("message", ada, peer.world.personal(ada), text="numbers")
    answer = await peer.post(said, headers=BAD[why](peer))
    assert answer.status == 401
    assert set(answer.body) == {"error"}
    assert signed.handler.got == []
    assert "Traceback" not in logged()


async def test_a_request_of_microsofts_is_answered(signed: Rig) -> None:
    signed.handler.answer = screen("hello")
    assert (await signed.peer.say("Ada", "numbers")).status == 200
    await signed.quiet()
    assert "hello" in signed.peer.words("Ada")
    assert signed.peer.refused == []


async def test_its_own_token_is_asked_for_once_and_again_when_it_is_refused(signed: Rig) -> None:
    peer = signed.peer
    for text in ("one", "two", "three"):
        await signed.show(screen(text))
    assert len(peer.tokens) == 1
    peer.tokens.clear()
    peer.tokens.add("of somebody else")
    signed.teams.client._tokens._asked = 0.0  # type: ignore[union-attr]
    await signed.show(screen("four"))
    assert "four" in peer.words("Ada")


async def test_keys_are_fetched_once_however_many_unknown_ones_are_named(signed: Rig) -> None:
    peer = signed.peer
    fetched = peer.key_fetches
    for n in range(20):
        assert (await peer.post({"type": "message"}, headers=bearer(peer.sign(kid=f"new-{n}")))).status == 401
    assert peer.key_fetches - fetched <= 1


async def test_a_new_key_is_found(store: Store) -> None:
    async with rig(store, signed=True) as both:
        both.peer.kid = "key-2"
        keys: Any = both.teams.keys
        keys._asked -= 60  # as if the last look were a minute ago
        assert (await both.peer.say("Ada", "numbers")).status == 200


async def test_without_microsofts_keys_nothing_is_believed_and_the_sender_may_come_again(store: Store) -> None:
    def broken(peer: PretendTeams) -> None:
        peer.keys = lambda: {"keys": "none"}  # type: ignore[method-assign] # as if it were down

    async with rig(store, signed=True, installed=(), before=broken) as both:
        assert ((await both.peer.say("Ada", "numbers")).status, both.handler.got) == (503, [])


async def test_a_token_that_was_good_is_not_for_ever(signed: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not looked at anew each time; at its end it is, and elsewhere too."""
    peer = signed.peer
    ada = peer.world.user("Ada")
    token = bearer(peer.sign(exp=int(time.time()) + 60))
    said = peer.activity("message", ada, peer.world.personal(ada), text="numbers")
    for _ in range(2):
        assert (await peer.post(said, headers=token)).status == 200
    assert (await peer.post({**said, "serviceUrl": "http://127.0.0.1:9/"}, headers=token)).status == 401
    peer.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    signed.teams.keys._fetched = signed.teams.keys._asked = None  # as if a day later
    monkeypatch.setattr("bot.teams.http.BELIEVED", 0.0)
    monkeypatch.setattr("bot.teams.http.time", Later(time, 61))
    assert (await peer.post(said, headers=token)).status == 401


class Later:
    """The time module, some seconds on."""

    def __init__(self, module: Any, seconds: float) -> None:
        self._module, self._seconds = module, seconds
        self.monotonic = module.monotonic

    def time(self) -> float:
        return float(self._module.time()) + self._seconds
