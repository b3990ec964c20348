"""The routes of the pretend Slack and its page, to be added to another server or served alone.

``/slack-api/<method>`` the Web API, ``/slack-hooks/…`` response URLs, ``/slack-files/…`` what files hold,
``/slack-socket/link`` Socket Mode, ``/`` and ``/play/…`` the page. Loopback only: there is no sign-in, whoever reaches
the page may act as anyone.
"""

from __future__ import annotations

import ipaddress
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from playground.page import server as page
from playground.page.outside import Outside
from playground.slack import api, hooks, methods_files
from playground.slack.pretend import PretendSlack


def routes(slack: PretendSlack, outside: Outside | None = None) -> list[web.RouteDef]:
    """All routes of the pretend Slack; `outside`: what its page shows beside it."""

    async def method(request: web.Request) -> web.StreamResponse:
        return await api.handle(slack, request)

    async def hook(request: web.Request) -> web.StreamResponse:
        return await hooks.handle(slack, request)

    return [
        web.post("/slack-api/{method}", method),
        web.get("/slack-api/{method}", method),
        web.post("/slack-hooks/{kind:commands|actions}/{team}/{hook}", hook),
        web.get("/slack-socket/link", slack.sockets.link),
        *methods_files.routes(slack),
        *page.routes(slack, outside or Outside()),
    ]


def mount(slack: PretendSlack, app: web.Application, outside: Outside | None = None) -> None:
    """Adds the routes to a server, whose end closes the streams of open pages."""

    async def close(_app: web.Application) -> None:
        await slack.close()

    app.add_routes(routes(slack, outside))
    app.on_shutdown.append(close)


@asynccontextmanager
async def serve(
    slack: PretendSlack, host: str = "127.0.0.1", port: int = 0, *, outside: Outside | None = None
) -> AsyncIterator[PretendSlack]:
    """Serves ``slack`` alone (port 0: any free one) and sets its ``base_url``. Raises ``ValueError`` off loopback."""
    if host != "localhost" and not ipaddress.ip_address(host).is_loopback:
        raise ValueError(f"the pretend Slack listens on loopback only, not on {host}")
    app = web.Application(client_max_size=2 * 1024**2)
    mount(slack, app, outside)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        bound = runner.addresses[0][1]
        slack.base_url = f"http://{host}:{bound}"
        yield slack
    finally:
        await runner.cleanup()
