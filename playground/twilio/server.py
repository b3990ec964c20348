"""The pretend Twilio over HTTP: its API below a prefix of somebody's server, or alone."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from playground.twilio import api
from playground.twilio.account import ACCOUNT_SID, AUTH_TOKEN
from playground.twilio.pretend import PretendTwilio


def routes(twilio: PretendTwilio, prefix: str = "/twilio") -> list[web.RouteDef]:
    """The API below `prefix`."""

    async def handle(request: web.Request) -> web.StreamResponse:
        return await api.handle(twilio, request)

    return [web.route("*", f"{prefix}/{{path:.*}}", handle)]


@asynccontextmanager
async def serve_twilio(
    account_sid: str = ACCOUNT_SID, auth_token: str = AUTH_TOKEN, **options: Any
) -> AsyncIterator[PretendTwilio]:
    """A pretend Twilio alone on a free loopback port, its `base_url` set; `options`: those of `PretendTwilio`."""
    twilio = PretendTwilio(account_sid, auth_token, **options)
    app = web.Application()
    app.add_routes(routes(twilio, ""))
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        twilio.base_url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield twilio
    finally:
        await twilio.close()
        await runner.cleanup()
