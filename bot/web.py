"""The one HTTP server: what the platforms post, and what an operator asks."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import Final

import orjson
from aiohttp import web

from bot.errors import InputError
from bot.metrics import Metrics
from bot.telemetry import correlation, logger, new_correlation

_LOG = logger(__name__)
MAX_BODY: Final = 1_000_000  # bytes; no platform posts a tenth of it
BODY_TIMEOUT: Final = 10.0  # seconds for a body to arrive
_PROBE_TIMEOUT: Final = 1.0
_EXPOSITION: Final = "text/plain; version=0.0.4; charset=utf-8"

# What is not well, by part, each with a sentence; empty if the process is ready.
Probe = Callable[[], Awaitable[dict[str, str]]]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def bind(host: str, port: int) -> socket.socket:
    """The socket to serve on, bound before anything else starts, so that a taken port is found. Raises InputError."""
    try:
        infos = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise InputError(f'HOST "{host}" is no address of this machine: {error.strerror}') from None
    # "localhost" is an address of IPv4 and of IPv6; most clients try IPv4 first.
    family, kind, protocol, _, address = min(infos, key=lambda info: info[0] is not socket.AF_INET)
    made = socket.socket(family, kind, protocol)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
        # Linux reports a taken port to the second of two processes only when it listens.
        made.listen(128)
        made.setblocking(False)
    except OSError as error:
        made.close()
        raise InputError(f"port {port} on {host} can't be used ({error.strerror}): set another PORT") from None
    return made


def application(metrics: Metrics, probe: Probe) -> web.Application:
    """An application with the routes of every installation: `/healthz`, `/readyz`, `/metrics`."""
    app = web.Application(client_max_size=MAX_BODY, middlewares=[_guarded])

    async def healthz(_request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def readyz(_request: web.Request) -> web.Response:
        try:
            async with asyncio.timeout(_PROBE_TIMEOUT):
                unwell = await probe()
        except TimeoutError:
            unwell = {"store": f"no answer within {_PROBE_TIMEOUT:g} s"}
        body = {"status": "unready" if unwell else "ready", "unwell": unwell}
        return web.Response(body=orjson.dumps(body), status=503 if unwell else 200, content_type="application/json")

    async def exposition(_request: web.Request) -> web.Response:
        return web.Response(body=metrics.text(), headers={"Content-Type": _EXPOSITION})

    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
    app.router.add_get("/metrics", exposition)
    return app


def answer_disabled(part: str) -> Handler:
    """A handler whose 404 says that `part` is off, so that nobody looks for the mistake in the URL."""

    async def answer(_request: web.Request) -> web.Response:
        return web.Response(status=404, text=f"{part} is off here: it is not configured.\n")

    return answer


def limit_body(route: web.RouteDef) -> web.RouteDef:
    """The same route with bodies bounded to `MAX_BODY` bytes and `BODY_TIMEOUT` seconds."""
    handler: Handler = route.handler

    async def read_first(request: web.Request) -> web.StreamResponse:
        if request.body_exists:
            if (request.content_length or 0) > MAX_BODY:
                return _too_large()
            if request.content.is_eof():  # the body came with the head
                return await handler(request)
            try:
                async with asyncio.timeout(BODY_TIMEOUT):
                    await request.read()  # cached by the request for the handler
            except web.HTTPRequestEntityTooLarge:
                return _too_large()
            except TimeoutError:
                return web.Response(status=408, text="The request did not arrive in time.\n")
        return await handler(request)

    return web.RouteDef(route.method, route.path, read_first, route.kwargs)


@web.middleware
async def _guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer an unexpected error with a 500 that names the correlation id, and log it."""
    try:
        return await handler(request)
    except (web.HTTPException, ConnectionError):
        raise
    except Exception:  # noqa: BLE001 - the last place that can log an error of ours
        if not correlation():
            new_correlation()
        _LOG.exception("a request failed", method=request.method, path=request.path)
        return web.Response(status=500, text=f"Something went wrong here; its number is {correlation()}.\n")


def _too_large() -> web.Response:
    return web.Response(status=413, text=f"The request is larger than {MAX_BODY} bytes.\n")


class Server:
    """Serves an application on a bound socket."""

    def __init__(self, app: web.Application, bound: socket.socket, grace: float) -> None:
        """`grace`: seconds that requests in flight get to end when the server stops."""
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=grace)
        self._bound = bound

    @property
    def url(self) -> str:
        """The server's address for this machine."""
        host, port = self._bound.getsockname()[:2]
        return f"http://{f'[{host}]' if ':' in host else host}:{port}"

    async def start(self) -> None:
        await self._runner.setup()
        await web.SockSite(self._runner, self._bound, backlog=1024).start()

    async def stop(self) -> None:
        """Take no more connections, let requests in flight end, close."""
        await self._runner.cleanup()
        self._bound.close()
