"""What Switchboard is compared with, each a process of its own: `python -m bench.peers NAME PORT [REDIS_URL]`.

| name | is |
|---|---|
| `bolt` | a slack-bolt command that only acknowledges, `process_before_response=True` |
| `bolt-default` | the same without the flag |
| `bare` | an aiohttp handler that checks the same signature and does one GET with redis-py |
| `bare-twilio` | an aiohttp handler that checks Twilio's signature with its validator and does one GET with redis-py |
| `teams` | a message handler of Microsoft's SDK that does nothing, on aiohttp as ours is |
| `teams-card` | the same, answering with a card that never changes |

`slack-api PORT [SECONDS]` is compared with nothing: it is a Slack that accepts every call and lists at `/told` when
they came; given seconds, it asks to wait so long instead.
"""

import hmac
import re
import sys
import time
from collections import defaultdict
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import orjson
import uvloop
from aiohttp import web

SECRET = "bench-signing-secret"
TWILIO_SID = "AC" + "0" * 32
TWILIO_TOKEN = "bench-auth-token"
TWILIO_PUBLIC = "https://voice.example.com"
CARD = {
    "type": "AdaptiveCard",
    "version": "1.5",
    "body": [
        {"type": "TextBlock", "text": "Your numbers", "size": "large", "weight": "bolder", "wrap": True},
        {
            "type": "FactSet",
            "facts": [{"title": f"020 7000 000{n}", "value": "provided · Ada · no forwarding"} for n in range(3)],
        },
    ],
    "actions": [
        {"type": "Action.Execute", "title": title, "verb": title, "data": {"action": title, "value": ""}}
        for title in ("Get a number", "Register a number", "Usage")
    ],
}


def bolt(flag: bool) -> web.Application:
    from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
    from slack_bolt.async_app import AsyncAck, AsyncApp
    from slack_bolt.authorization import AuthorizeResult

    async def authorize() -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=None, team_id="T0WORLD", bot_token="xoxb-bench")

    app = AsyncApp(signing_secret=SECRET, authorize=authorize, process_before_response=flag)

    @app.command("/numbers")
    async def numbers(ack: AsyncAck) -> None:
        await ack()

    @app.action(re.compile(""))
    async def pressed(ack: AsyncAck) -> None:
        await ack()

    @app.view(re.compile(""))
    async def sent(ack: AsyncAck) -> None:
        await ack()

    async def events(request: web.Request) -> web.Response:
        return await to_aiohttp_response(await app.async_dispatch(await to_bolt_request(request)))

    site = web.Application()
    site.add_routes([web.post("/slack/events", events)])
    return site


def bare(url: str) -> web.Application:
    from redis.asyncio import BlockingConnectionPool, Redis

    redis = Redis(connection_pool=BlockingConnectionPool.from_url(url, max_connections=20))

    async def events(request: web.Request) -> web.Response:
        body = await request.read()
        signed = b"v0:" + request.headers["X-Slack-Request-Timestamp"].encode() + b":" + body
        wanted = "v0=" + hmac.new(SECRET.encode(), signed, sha256).hexdigest()
        if not hmac.compare_digest(wanted, request.headers["X-Slack-Signature"]):
            return web.Response(status=401)
        await redis.get("bench")
        return web.Response()

    site = web.Application()
    site.add_routes([web.post("/slack/events", events)])
    return site


def bare_twilio(url: str) -> web.Application:
    from redis.asyncio import BlockingConnectionPool, Redis
    from twilio.request_validator import RequestValidator

    redis = Redis(connection_pool=BlockingConnectionPool.from_url(url, max_connections=20))
    validator = RequestValidator(TWILIO_TOKEN)

    async def inbound(request: web.Request) -> web.Response:
        form = await request.post()
        signature = request.headers["X-Twilio-Signature"]
        if not validator.validate(TWILIO_PUBLIC + request.path_qs, form, signature):
            return web.Response(status=403)
        await redis.get("bench")
        return web.Response(text="<Response/>", content_type="text/xml")

    site = web.Application()
    site.add_routes([web.post("/voice/inbound", inbound)])
    return site


def slack_api(wait: str) -> web.Application:
    told: list[tuple[float, str, str]] = []  # when (since 1970), where, below which message
    rooms: dict[str, list[dict[str, object]]] = defaultdict(list)  # what was posted, by channel and by thread

    def posted(asked: Mapping[str, Any], channel: str) -> dict[str, object]:
        told.append((time.time(), channel, asked.get("thread_ts", "")))
        stamp = f"{len(told)}.000000"
        rooms[asked.get("thread_ts") or channel].append({"ts": stamp, "metadata": asked.get("metadata")})
        return {"channel": channel, "ts": stamp}

    async def call(request: web.Request) -> web.Response:
        if wait:
            return web.json_response({"ok": False, "error": "ratelimited"}, status=429, headers={"Retry-After": wait})
        json = request.content_type == "application/json"
        asked: dict[str, Any] = orjson.loads(await request.read()) if json else dict(await request.post())
        channel = str(asked.get("channel", ""))
        match request.match_info["method"]:
            case "chat.postMessage":
                answer = posted(asked, channel)
            case "conversations.open":
                answer = {"channel": {"id": asked["users"]}}
            case "conversations.history" | "conversations.replies":
                answer = {"messages": rooms[asked.get("ts") or channel][-100:]}
            case _:
                answer = {"channel": channel, "ts": asked.get("ts", ""), "team_id": "T0WORLD"}
        return web.Response(body=orjson.dumps({"ok": True, **answer}), content_type="application/json")

    async def read(request: web.Request) -> web.Response:
        start = int(request.query.get("from", "0"))
        return web.Response(body=orjson.dumps(told[start:]), content_type="application/json")

    site = web.Application()
    site.add_routes([web.post("/api/{method}", call), web.get("/told", read)])
    return site


def teams(answering: bool) -> web.Application:
    from opentelemetry import metrics

    metrics.set_meter_provider(metrics.NoOpMeterProvider())  # before the SDK is imported: what it counts it never frees
    from microsoft_teams.api.activities.message.message import MessageActivity
    from microsoft_teams.apps import ActivityContext, App
    from microsoft_teams.apps.http.adapter import HttpMethod, HttpRequest, HttpRouteHandler
    from microsoft_teams.cards import AdaptiveCard

    class Adapter:
        def register_route(self, method: HttpMethod, path: str, handler: HttpRouteHandler) -> None:
            async def handle(request: web.Request) -> web.Response:
                asked = HttpRequest(body=orjson.loads(await request.read()), headers=dict(request.headers))
                answer = await handler(asked)
                body = None if answer["body"] is None else orjson.dumps(answer["body"])
                return web.Response(status=answer["status"], body=body, content_type="application/json")

            site.router.add_route(method, path, handle)

        def serve_static(self, path: str, directory: str) -> None:
            """There are none."""

        async def start(self, port: int) -> None:
            """aiohttp runs by itself."""

        async def stop(self) -> None:
            """Likewise."""

    site = web.Application()
    app = App(http_server_adapter=Adapter(), dangerously_allow_unauthenticated_requests=True)

    @app.on_message
    async def numbers(ctx: ActivityContext[MessageActivity]) -> None:
        if answering:
            await ctx.send(AdaptiveCard.model_validate(CARD))

    async def initialize(_: web.Application) -> None:
        await app.initialize()

    site.on_startup.append(initialize)
    return site


def main(name: str, port: str, url: str = "") -> None:
    kinds = {
        "bolt": lambda: bolt(True),
        "bolt-default": lambda: bolt(False),
        "bare": lambda: bare(url),
        "bare-twilio": lambda: bare_twilio(url),
        "slack-api": lambda: slack_api(url),
        "teams": lambda: teams(False),
        "teams-card": lambda: teams(True),
    }
    site = kinds[name]()
    loop = uvloop.new_event_loop()
    web.run_app(site, host="127.0.0.1", port=int(port), print=None, access_log=None, loop=loop)


if __name__ == "__main__":
    main(*sys.argv[1:])
