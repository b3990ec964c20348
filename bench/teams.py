"""Teams' side of the benchmarks: activities as Teams posts them, and a connector that accepts what the bot sends."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from aiohttp import web

TENANT = "00000000-0000-0000-0000-000000000001"
PEOPLE = 10  # as many as there are connections

Json = dict[str, Any]

_serial = count(1)


@dataclass
class Connector:
    """Accepts messages and edits of `people` conversations; `arrived` waits for the next of one."""

    people: int = PEOPLE
    url: str = ""
    last: dict[int, Json] = field(default_factory=dict)  # the last activity of each conversation
    _arrived: list[asyncio.Event] = field(default_factory=list)
    _runner: web.AppRunner | None = None

    async def __aenter__(self) -> "Connector":
        self._arrived = [asyncio.Event() for _ in range(self.people)]
        site = web.Application()
        site.router.add_route("*", "/{path:.*}", self._take)
        self._runner = web.AppRunner(site, access_log=None)
        await self._runner.setup()
        listener = web.TCPSite(self._runner, "127.0.0.1", 0)
        await listener.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner:
            await self._runner.cleanup()

    async def arrived(self, person: int) -> None:
        """Return when a message has come to the person's conversation since the last call."""
        await self._arrived[person].wait()
        self._arrived[person].clear()

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.json() if request.can_read_body else {}
        parts = request.path.split("/")
        if body.get("type") == "message" and "conversations" in parts:
            person = int(parts[parts.index("conversations") + 1].rpartition("-")[2])
            self.last[person] = body
            self._arrived[person].set()
        return web.json_response({"id": f"sent-{next(_serial)}"})

    def message(self, person: int, text: str, port: int) -> bytes:
        """A message to the bot in a personal chat, as a whole HTTP request."""
        return self._request(
            person,
            port,
            {
                "type": "message",
                "text": text,
                "textFormat": "plain",
                "attachments": [{"contentType": "text/html", "content": f"<p>{text}</p>"}],
            },
        )

    def press(self, person: int, action: Json, port: int) -> bytes:
        """An Action.Execute of the last card, `action` being the card's own."""
        pressed = {"type": "Action.Execute", "verb": action["verb"], "data": action["data"]}
        value = {"action": pressed, "trigger": "manual"}
        reply = {"type": "invoke", "name": "adaptiveCard/action", "value": value, "replyToId": f"sent-{person}"}
        return self._request(person, port, reply)

    def _request(self, person: int, port: int, activity: Json) -> bytes:
        common = {
            "id": f"bench-{next(_serial)}",
            "timestamp": "2026-01-01T09:00:00.000Z",
            "localTimestamp": "2026-01-01T09:00:00.000Z",
            "localTimezone": "Europe/London",
            "locale": "en-GB",
            "channelId": "msteams",
            "serviceUrl": self.url,
            "from": {
                "id": f"29:p{person}",
                "name": f"P{person}",
                "aadObjectId": f"00000000-0000-0000-0000-{person:012}",
            },
            "recipient": {"id": "28:bench", "name": "Switchboard"},
            "conversation": {"conversationType": "personal", "tenantId": TENANT, "id": f"a:bench-{person}"},
            "channelData": {"tenant": {"id": TENANT}},
            "entities": [
                {
                    "type": "clientInfo",
                    "locale": "en-GB",
                    "country": "GB",
                    "platform": "Web",
                    "timezone": "Europe/London",
                }
            ],
        }
        body = json.dumps(common | activity).encode()
        head = (
            f"POST /api/messages HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUser-Agent: Microsoft-SkypeBotApi\r\n"
            f"Content-Type: application/json; charset=utf-8\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


def executes(card: Any) -> Iterator[Json]:
    """Every Action.Execute of a card, wherever it stands."""
    if isinstance(card, dict):
        if card.get("type") == "Action.Execute":
            yield card
        for value in card.values():
            yield from executes(value)
    elif isinstance(card, list):
        for value in card:
            yield from executes(value)
