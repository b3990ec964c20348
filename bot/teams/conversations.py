"""Where people and channels are reached: one hash a tenant, at `keys.places`, of JSON by field.

- `u|USER`: a person's chat with the bot, `{"c": conversation, "s": service URL, "a": AAD object id, "l": locale}`; or
  `{"gone": true}` once they removed the app; or, under an AAD object id, `{"as": USER}`.
- `c|CONVERSATION`: a channel or group chat, `{"s": service URL, "t": team}`; or `{"gone": true}`.
- `t|TEAM`: `{"gone": true}` once a team removed the app.
- `h|USER`: the activity that is the person's home card.
- `s`: the service URL that Teams named last, and the bot's own id there, `{"s": …, "b": …}`.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import orjson

from bot.chat.recent import Recent
from bot.chat.types import Json
from store.engine import keys
from store.server.connection import Store

PLATFORM: Final = "teams"
REMEMBERED: Final = 20_000  # fields that this process has lately written or seen written
LIFE: Final = 60.0  # seconds that it does not write them again: another process may note that the app is gone


@dataclass(frozen=True, slots=True)
class Conversation:
    """A chat or channel to post to. `user`: the person's id, where it is their chat. `gone`: the app was removed."""

    conversation: str
    service: str
    user: str | None = None
    aad: str | None = None
    locale: str | None = None
    gone: bool = False

    @property
    def field(self) -> str:
        """The conversation's field in the hash."""
        return f"u|{self.user}" if self.user else f"c|{_root(self.conversation)}"


@dataclass(frozen=True, slots=True)
class ActivityOrigin:
    """Where an activity came from."""

    tenant: str
    service: str
    conversation: str  # without the message that a thread hangs on
    user: str
    bot: str
    personal: bool
    aad: str | None = None
    locale: str | None = None
    team: str | None = None


class Conversations:
    """Every call may raise `StoreUnavailable`."""

    def __init__(self, store: Store, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._clock = clock
        self._noted: Recent[tuple[str, str], tuple[float, bytes]] = Recent(REMEMBERED)

    async def note(self, origin: ActivityOrigin, *, installed: bool = False) -> None:
        """Keeps an origin unless it was written lately. `installed`: the app has just been added there."""
        fields = {"s": _json({"s": origin.service, "b": origin.bot})}
        if origin.personal:
            chat = {"c": origin.conversation, "s": origin.service, "a": origin.aad, "l": origin.locale}
            fields[f"u|{origin.user}"] = _json({name: value for name, value in chat.items() if value})
            if origin.aad:
                fields[f"u|{origin.aad}"] = _json({"as": origin.user})
        else:
            team = {"t": origin.team} if origin.team else {}
            fields[f"c|{origin.conversation}"] = _json({"s": origin.service, **team})
        now = self._clock()
        news = (
            [*fields.items()]
            if installed
            else [(f, v) for f, v in fields.items() if self._news(origin.tenant, f, v, now)]
        )
        if installed and origin.team:
            await self._store.call("HDEL", self._key(origin.tenant), f"t|{origin.team}")
        if news:
            await self._write(origin.tenant, dict(news))

    async def mark_removed(self, origin: ActivityOrigin) -> None:
        """Keeps that the app was removed there."""
        gone = _json({"gone": True})
        if not origin.personal:
            more = {f"t|{origin.team}": gone} if origin.team else {}
            await self._write(origin.tenant, {f"c|{origin.conversation}": gone, **more})
            return
        await self._write(origin.tenant, {f"u|{origin.user}": gone})
        await self._store.call("HDEL", self._key(origin.tenant), f"h|{origin.user}")

    async def mark_refused(self, tenant: str, known: Conversation) -> None:
        """Keeps that Teams refuses a conversation: the app is no longer there."""
        await self._write(tenant, {known.field: _json({"gone": True})})

    async def set_service(self, tenant: str, known: Conversation, service: str) -> None:
        """Keeps the service URL at which a conversation was reached."""
        found = await self._read(tenant, known.field)
        await self._write(tenant, {known.field: _json({**found, "s": service})})

    async def add_chat(self, tenant: str, user: str, conversation: str, service: str) -> Conversation:
        """Keeps a chat that we opened."""
        await self._write(tenant, {f"u|{user}": _json({"c": conversation, "s": service})})
        return Conversation(conversation, service, user)

    async def person(self, tenant: str, user: str) -> Conversation | None:
        """A person's chat, by their Teams id or their AAD object id."""
        found = await self._read(tenant, f"u|{user}")
        if isinstance(found.get("as"), str):
            user = found["as"]
            found = await self._read(tenant, f"u|{user}")
        if found.get("gone"):
            return Conversation("", "", user, gone=True)
        if not found:
            return None
        return Conversation(found["c"], found["s"], user, found.get("a"), found.get("l"))

    async def channel(self, tenant: str, conversation: str) -> Conversation | None:
        """A channel or group chat; `conversation` may end with a thread's `;messageid=…`."""
        found = await self._read(tenant, f"c|{_root(conversation)}")
        if not found:
            return None
        gone = bool(found.get("gone"))
        if not gone and isinstance(found.get("t"), str):
            gone = bool(await self._read(tenant, f"t|{found['t']}"))
        return Conversation(conversation, str(found.get("s", "")), gone=gone)

    async def latest(self, tenant: str) -> tuple[str, str] | None:
        """The service URL that Teams named last for a tenant, and the bot's id there."""
        found = await self._read(tenant, "s")
        return (found["s"], found["b"]) if found else None

    async def is_account_tenant(self, tenant: str) -> bool:
        """Whether the tenant belongs to an account."""
        return bool(await self._store.call("EXISTS", keys.dir_workspace(PLATFORM, tenant)))

    async def home(self, tenant: str, user: str) -> str | None:
        """The activity id of a person's home card."""
        raw = await self._store.call("HGET", self._key(tenant), f"h|{user}")
        return raw.decode() if raw else None

    async def keep_home(self, tenant: str, user: str, activity: str | None) -> None:
        """Keeps the activity id of a person's home card; None deletes it."""
        if activity is None:
            await self._store.call("HDEL", self._key(tenant), f"h|{user}")
        else:
            await self._store.call("HSET", self._key(tenant), f"h|{user}", activity)

    @staticmethod
    def _key(tenant: str) -> str:
        # The workspace's own cell: an account may not know it yet.
        return keys.places(keys.cell_of(f"{PLATFORM}:{tenant}"), PLATFORM, tenant)

    async def _read(self, tenant: str, field: str) -> Json:
        raw = await self._store.call("HGET", self._key(tenant), field)
        found = orjson.loads(raw) if raw else {}
        return found if isinstance(found, dict) else {}

    async def _write(self, tenant: str, fields: dict[str, bytes]) -> None:
        pairs = [part for pair in fields.items() for part in pair]
        await self._store.call("HSET", self._key(tenant), *pairs)
        until = self._clock() + LIFE
        for field, value in fields.items():
            self._noted[tenant, field] = (until, value)

    def _news(self, tenant: str, field: str, value: bytes, now: float) -> bool:
        known = self._noted.get((tenant, field))
        return known is None or known[0] < now or known[1] != value


def _root(conversation: str) -> str:
    return conversation.partition(";")[0]


def _json(data: Json) -> bytes:
    return orjson.dumps(data, option=orjson.OPT_SORT_KEYS)
