"""What Teams posts to a bot: activities, signed or not."""

import io
import itertools
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import orjson

from tests.bot.teams.connector import Connector
from tests.bot.teams.world import BOT, Conversation, Json, User, World


@dataclass(frozen=True)
class Answer:
    """How an action went. `status` 0: no answer in time, or nothing was sent. `notice`: the sentence that the person
    reads beside what is there. `errors`: inputs that Teams' client itself finds missing, by label. `link`: a page that
    opened."""

    status: int = 0
    body: Any = None
    notice: str = ""
    errors: Mapping[str, str] = field(default_factory=dict)
    link: str = ""
    seconds: float = 0.0
    activity: Json = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        return (200 <= self.status < 300 or bool(self.link)) and not self.errors


class Posting(Connector):
    """The side that posts. `unauthenticated`: it signs nothing."""

    def __init__(self, *, secret: str | None, unauthenticated: bool) -> None:
        super().__init__(World(), secret=secret)
        self.unauthenticated = unauthenticated
        self.bot_url = ""
        self._http: aiohttp.ClientSession | None = None
        self._invokes = itertools.count(1)

    def activity(self, kind: str, who: User, place: Conversation, **more: Any) -> Json:
        """As Teams makes it; `more` adds or replaces fields, None leaves one out."""
        conversation: Json = {"conversationType": place.kind, "tenantId": place.tenant, "id": place.id}
        channel: Json = {"tenant": {"id": place.tenant}}
        if place.kind != "personal":
            conversation["isGroup"] = True
        if place.team:
            channel |= {"team": {"id": place.team}, "channel": {"id": place.id}}
        client = {
            "type": "clientInfo",
            "locale": who.locale,
            "country": who.locale[-2:],
            "platform": who.platform,
            "timezone": "Europe/London",
        }
        entities = [*more.pop("entities", ()), client]
        made = {
            "type": kind,
            "id": self.world.next_id(),
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime()),
            "serviceUrl": self.url,
            "channelId": "msteams",
            "from": who.account(),
            "conversation": conversation,
            "recipient": {"id": BOT, "name": "Switchboard"},
            "entities": entities,
            "channelData": channel,
            "locale": who.locale,
            **more,
        }
        return {name: value for name, value in made.items() if value is not None}

    async def _invoke(
        self,
        who: User,
        place: Conversation,
        name: str,
        value: Json,
        *,
        replyTo: str | None = None,  # noqa: N803 - Teams' name
    ) -> Answer:
        id = f"f:{next(self._invokes):08}"
        return await self.post(self.activity("invoke", who, place, id=id, name=name, value=value, replyToId=replyTo))

    async def post(self, activity: Json, *, headers: Mapping[str, str] | None = None) -> Answer:
        """Posts an activity; `headers` instead of the right ones."""
        return await self.post_raw(orjson.dumps(activity), headers=headers, activity=activity)

    async def post_raw(
        self, body: bytes, *, headers: Mapping[str, str] | None = None, activity: Json | None = None
    ) -> Answer:
        """Posts any bytes."""
        if self._http is None:
            raise RuntimeError("the pretend Teams is not open")
        signed = {} if self.unauthenticated else {"Authorization": f"Bearer {self.sign()}"}
        given = {"Content-Type": "application/json; charset=utf-8", **(signed if headers is None else headers)}
        began = time.monotonic()
        try:
            async with self._http.post(self.bot_url, data=io.BytesIO(body), headers=given) as answer:
                raw = await answer.read()
                status = answer.status
        except TimeoutError:
            return Answer(0, seconds=time.monotonic() - began, activity=activity or {})
        try:
            found = orjson.loads(raw) if raw else None
        except orjson.JSONDecodeError:
            found = raw.decode()
        return Answer(status, found, seconds=time.monotonic() - began, activity=activity or {})

    def _mentions(self, text: str, place: Conversation) -> tuple[str, list[Json]]:
        entities: list[Json] = []
        people = {"Switchboard": BOT, **{u.name: u.id for u in self.world.users.values()}}
        for name in sorted(people, key=len, reverse=True):
            if f"@{name}" in text:
                marked = f"<at>{name}</at>"
                text = text.replace(f"@{name}", marked)
                entities.append({"type": "mention", "mentioned": {"id": people[name], "name": name}, "text": marked})
        return text, entities
