"""The Web API's endpoint: finds the method by name and checks token, scopes, body, limits and faults before it runs.

A method is a function registered with ``@method``. Refusals are ``SlackError`` and answer with HTTP 200, as Slack's.
https://docs.slack.dev/apis/web-api
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal

import orjson
from aiohttp import web

from playground.slack.core import Core
from playground.slack.errors import SlackError
from playground.slack.faults import Call
from playground.slack.world import Workspace

Json = dict[str, Any]
STRUCTURED: Final = ("blocks", "view", "metadata", "attachments")  # JSON inside a form field


@dataclass(frozen=True, slots=True)
class Args:
    """The arguments of a call. Its methods read one each and raise ``SlackError`` as Slack refuses it."""

    given: Json

    def has(self, name: str) -> bool:
        """Whether the argument is there and not empty."""
        return self.given.get(name) not in (None, "")

    def text(self, name: str, default: str = "") -> str:
        """The argument as a string; a number counts as one, as in a form."""
        value = self.given.get(name)
        if value is None:
            return default
        if isinstance(value, dict | list):
            raise SlackError("invalid_arguments", f"[ERROR] must be a string [json-pointer:/{name}]")
        return str(value)

    def need(self, name: str) -> str:
        """The argument as a string. Raises ``SlackError`` where it is missing."""
        if not self.has(name):
            raise SlackError("invalid_arguments", f"[ERROR] missing required field: {name} [json-pointer:/{name}]")
        return self.text(name)

    def flag(self, name: str, default: bool = False) -> bool:
        """The argument as a boolean, in any of the forms that Slack accepts."""
        value = self.given.get(name)
        return default if value is None else str(value).lower() in ("1", "true")

    def limit(self, default: int, most: int) -> int:
        """The page size. Raises ``SlackError`` unless it is within 1 to ``most``."""
        raw = self.text("limit", str(default))
        if not raw.isdigit() or not 1 <= int(raw) <= most:
            raise SlackError("invalid_limit")
        return int(raw)


@dataclass(frozen=True, slots=True)
class Caller:
    """The workspace whose bot token came with the call. App-level tokens belong to none."""

    workspace: Workspace

    @property
    def team(self) -> str:
        """The workspace's id."""
        return self.workspace.id


Handler = Callable[[Core, Caller, Args], Json]
Open = Callable[[Core, Args], Json]


@dataclass(frozen=True, slots=True)
class Method:
    """A Web API method: whose token it takes, tier, whether it reads a JSON body, and any of which scopes it needs."""

    name: str
    run: Handler | None
    run_open: Open | None
    scopes: tuple[str, ...]
    tier: int
    json: bool
    caller: Literal["bot", "app", "nobody"]


METHODS: Final[dict[str, Method]] = {}


def method(name: str, *scopes: str, tier: int = 0, json: bool = True) -> Callable[[Handler], Handler]:
    """Registers a method of a bot's token; ``json=False`` for those that read forms and queries only."""

    def register(run: Handler) -> Handler:
        METHODS[name] = Method(name, run, None, scopes, tier, json, "bot")
        return run

    return register


def open_method(name: str, *, caller: Literal["app", "nobody"], tier: int = 0) -> Callable[[Open], Open]:
    """Registers a method that no workspace's bot calls."""

    def register(run: Open) -> Open:
        METHODS[name] = Method(name, None, run, (), tier, True, caller)
        return run

    return register


async def _arguments(request: web.Request, *, json: bool) -> Json:
    given: Json = dict(request.query)
    kind = request.content_type
    if kind == "application/json" and request.body_exists:
        body = await _json(request)
        given |= body if json else {}
        given.pop("token", None)  # a token in a JSON body is not looked at
        return given
    if request.body_exists:
        if kind not in ("application/x-www-form-urlencoded", "multipart/form-data"):
            raise SlackError("invalid_post_type")
        given |= {key: value for key, value in (await request.post()).items() if isinstance(value, str)}
    for name in STRUCTURED:
        if isinstance(given.get(name), str) and given[name]:
            try:
                given[name] = orjson.loads(given[name])
            except orjson.JSONDecodeError:
                wrong = "invalid_blocks_format" if name == "blocks" else "invalid_arguments"
                raise SlackError(wrong, f"[ERROR] failed to match all allowed schemas [json-pointer:/{name}]") from None
    return given


async def _json(request: web.Request) -> Json:
    try:
        body = orjson.loads(await request.read())
    except orjson.JSONDecodeError:
        raise SlackError("invalid_json") from None
    if not isinstance(body, dict):
        raise SlackError("json_not_object")
    return body


def _token(request: web.Request, given: Json) -> str:
    header = request.headers.get("Authorization", "")
    shown = header[7:] if header.startswith("Bearer ") else given.pop("token", "")
    if not shown:
        raise SlackError("not_authed")
    return str(shown)


def _caller(core: Core, token: str, wanted: Method) -> Caller:
    workspace = core.world.workspace_of(token)
    if workspace is None:
        wrong = token == core.world.app_token
        raise SlackError("not_allowed_token_type" if wrong else "invalid_auth")
    if not workspace.installed:
        raise SlackError("token_revoked")
    if wanted.scopes and not set(wanted.scopes) & set(workspace.scopes):
        needed, provided = ",".join(wanted.scopes), ",".join(workspace.scopes)
        raise SlackError("missing_scope", needed=needed, provided=provided)
    return Caller(workspace)


def _method(name: str) -> Method:
    if name not in METHODS:
        raise SlackError("unknown_method", req_method=name)
    return METHODS[name]


def _run(core: Core, wanted: Method, given: Json, token: str) -> tuple[Json, str]:
    """Runs a method; its answer and the id of the workspace that called."""
    if wanted.run_open is not None:
        if wanted.caller == "app" and token != core.world.app_token:
            raise SlackError("not_allowed_token_type" if token.startswith("xoxb-") else "invalid_auth")
        return wanted.run_open(core, Args(given)), ""
    assert wanted.run is not None  # noqa: S101 - a method has one of the two
    caller = _caller(core, token, wanted)
    core.limits.method(wanted.name, caller.team, wanted.tier)
    return wanted.run(core, caller, Args(given)), caller.team


async def handle(core: Core, request: web.Request) -> web.StreamResponse:
    """The endpoint of all methods."""
    with core.working():
        return await _handle(core, request)


async def _handle(core: Core, request: web.Request) -> web.StreamResponse:
    name = request.match_info["method"]
    began, given, team, error = time.monotonic(), Json(), "", ""
    fault = core.faults.take(name)
    lost = fault is not None and fault.kind == "lost"
    status, headers = 200, dict[str, str]()
    try:
        await request.read()  # Slack has the request, whether or not its sender waits for the answer
        if fault is not None:
            await fault.strike()
        wanted = _method(name)
        given = await _arguments(request, json=wanted.json)
        token = "" if wanted.caller == "nobody" else _token(request, given)
        answer, team = _run(core, wanted, given, token)
        answer = {"ok": True, **answer}
    except SlackError as refusal:
        error, status, headers = refusal.error, refusal.status, refusal.headers
        answer = refusal.body()
    took = time.monotonic() - began
    core.journal.calls.append(Call(name, given, team, error, core.now(), took, answered=not lost))
    if lost and request.transport:
        request.transport.abort()
    headers = {"Content-Type": "application/json; charset=utf-8", **headers}
    return web.Response(status=status, body=orjson.dumps(answer), headers=headers)
