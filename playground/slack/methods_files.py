"""Files: the Web API methods, and the addresses that take uploads and serve contents.

An upload is announced, posted to the address that was given for it, and completed; before that nobody sees it.
https://docs.slack.dev/messaging/working-with-files
"""

from __future__ import annotations

import mimetypes
import secrets
import time
from typing import Any, Final

import orjson
from aiohttp import web

from playground.slack.api import Args, Caller, method
from playground.slack.core import Core
from playground.slack.errors import SlackError
from playground.slack.faults import Call
from playground.slack.methods_people import find_channel
from playground.slack.shapes import file_json
from playground.slack.world import File, Message

Json = dict[str, Any]
MOST_UPLOAD: Final = 100 * 1024**2  # bytes; Slack takes 1 GB, this computer need not
MOST_NAME: Final = 255
TICKET_SECONDS: Final = 600.0
MOST_AT_ONCE: Final = 10
READ: Final = "files:read"
WRITE: Final = "files:write"
SIGN_IN: Final = "<!doctype html><title>Slack</title><h1>Sign in to your workspace</h1>"


def mime_of(name: str) -> str:
    """The MIME type of a file by its extension."""
    return "text/csv" if name.lower().endswith(".csv") else mimetypes.guess_type(name)[0] or "application/octet-stream"


def new_id() -> str:
    """An id for a file."""
    return f"F{secrets.token_hex(5).upper()}"


@method("files.getUploadURLExternal", WRITE, tier=4, json=False)
def announce(core: Core, caller: Caller, args: Args) -> Json:
    """Announces an upload; the answer has the address that accepts it once, for a limited time."""
    name, length = args.need("filename"), args.need("length")
    if len(name) > MOST_NAME or "/" in name or not length.isdigit() or not 0 < int(length) <= MOST_UPLOAD:
        raise SlackError("invalid_arguments")
    ticket = secrets.token_urlsafe(24)
    made = File(
        new_id(), caller.team, caller.workspace.bot_user, name, mime=mime_of(name), length=int(length), ticket=ticket
    )
    made.born, made.state = core.now(), "announced"
    core.world.files[made.id] = made
    return {"upload_url": f"{core.base_url}/slack-files/upload/v1/{ticket}", "file_id": made.id}


def _own(core: Core, caller: Caller, id: Any) -> File:
    file = core.world.files.get(str(id))
    if file is None or file.team != caller.team:
        raise SlackError("file_not_found")
    return file


def _wanted(args: Args) -> list[Json]:
    given = args.given.get("files")
    if isinstance(given, str):
        try:
            given = orjson.loads(given)
        except orjson.JSONDecodeError:
            raise SlackError("invalid_arguments", "[ERROR] must be JSON [json-pointer:/files]") from None
    if not isinstance(given, list) or not 0 < len(given) <= MOST_AT_ONCE:
        raise SlackError("invalid_arguments", "[ERROR] missing required field: files [json-pointer:/files]")
    if not all(isinstance(one, dict) and isinstance(one.get("id"), str) for one in given):
        raise SlackError("invalid_arguments", "[ERROR] missing required field: id [json-pointer:/files]")
    return given


@method("files.completeUploadExternal", WRITE, tier=4)
def complete(core: Core, caller: Caller, args: Args) -> Json:
    """Shows what was uploaded in a conversation; its id, never a person's or a name."""
    wanted = _wanted(args)
    files = [_own(core, caller, one["id"]) for one in wanted]
    if any(file.state != "uploaded" for file in files):
        raise SlackError("file_not_found")
    where = args.text("channel_id")
    if where[:1] not in ("C", "D", "G"):
        raise SlackError("invalid_channel")
    channel = find_channel(core, caller, where)
    if caller.workspace.bot_user not in channel.members:
        raise SlackError("not_in_channel")
    core.limits.channel(channel.id)
    for one, file in zip(wanted, files, strict=True):
        file.state, file.title = "hosted", str(one.get("title") or file.name)
        file.shown.append(channel.id)
    bot, text = caller.workspace, args.text("initial_comment")
    stamp = core.world.next_ts(core.now())
    core.write(Message(channel.id, stamp, bot.bot_user, text, bot_id=bot.bot_id, files=[file.id for file in files]))
    return {"files": [{"id": file.id, "title": file.title} for file in files]}


@method("files.info", READ, tier=4, json=False)
def info(core: Core, caller: Caller, args: Args) -> Json:
    """One file."""
    file = _own(core, caller, args.need("file"))
    if file.state != "hosted":
        raise SlackError("file_not_found")
    if file.id not in core.world.contents:
        raise SlackError("file_deleted")
    return {"file": file_json(core.world, file), "comments": [], "response_metadata": {"next_cursor": ""}}


async def upload(core: Core, request: web.Request) -> web.StreamResponse:
    """Accepts the content of an announced upload: exactly as many bytes, once."""
    with core.working():
        began, fault, error = time.monotonic(), core.faults.take("files.upload"), ""
        file = next((f for f in core.world.files.values() if f.ticket == request.match_info["ticket"]), None)
        team = file.team if file else ""
        try:
            content = await _body(request, file.length if file else 0)
            if fault is not None:
                await fault.strike()
            _take(core, file, content)
        except SlackError as refusal:
            error = refusal.error
        core.journal.calls.append(
            Call("files.upload", {}, team, error, core.now(), time.monotonic() - began, answered=True)
        )
    if error:
        return web.Response(status={"not_found": 404, "length_mismatch": 400}.get(error, 500), text=error)
    return web.Response(text=f"OK - {file.length}" if file else "")


def _take(core: Core, file: File | None, content: bytes) -> None:
    if file is None or file.state != "announced" or core.now() - file.born > TICKET_SECONDS:
        raise SlackError("not_found", status=404)
    if len(content) != file.length:
        raise SlackError("length_mismatch", status=400)
    file.state = "uploaded"
    core.world.keep(file, content)


async def _body(request: web.Request, most: int) -> bytes:
    """The uploaded bytes, past the server's own limit on bodies; reading stops one byte above the announced length."""
    content = bytearray()
    async for chunk in request.content.iter_any():
        if len(content) <= most:
            content += chunk
    return bytes(content)


async def content(core: Core, request: web.Request) -> web.StreamResponse:
    """The content of a file, for the bot's own token; every other request is redirected to the sign-in page."""
    began, fault = time.monotonic(), core.faults.take("files.content")
    token = request.headers.get("Authorization", "").removeprefix("Bearer ")
    workspace = core.world.workspace_of(token) if token else None
    file = core.world.files.get(request.match_info["id"])
    allowed = workspace is not None and workspace.installed and READ in workspace.scopes
    theirs = file is not None and workspace is not None and file.team == workspace.id == request.match_info["team"]
    with core.working():
        if fault is not None:
            try:
                await fault.strike()
            except SlackError as refusal:
                return web.Response(status=refusal.status if refusal.status != 200 else 500, headers=refusal.headers)
    error = "" if allowed and theirs else "not_signed_in"
    team = workspace.id if workspace else ""
    core.journal.calls.append(Call("files.content", {}, team, error, core.now(), time.monotonic() - began))
    if error or file is None:
        raise web.HTTPFound("/slack-files/sign-in")
    kept = core.world.contents.get(file.id)
    if kept is None or file.state != "hosted":
        raise web.HTTPNotFound
    if fault is not None and fault.kind == "lost":
        return await _cut_off(request, kept)
    return web.Response(body=kept, headers={"Content-Type": file.mime})


async def _cut_off(request: web.Request, kept: bytes) -> web.StreamResponse:
    """Sends half of the content, then drops the connection."""
    response = web.StreamResponse(headers={"Content-Length": str(len(kept) + 1)})
    await response.prepare(request)
    await response.write(kept[: len(kept) // 2])
    if request.transport:
        request.transport.abort()
    return response


def routes(core: Core) -> list[web.RouteDef]:
    """The routes of uploads and contents."""

    async def sign_in(_request: web.Request) -> web.StreamResponse:
        return web.Response(text=SIGN_IN, content_type="text/html")

    async def take(request: web.Request) -> web.StreamResponse:
        return await upload(core, request)

    async def give(request: web.Request) -> web.StreamResponse:
        return await content(core, request)

    return [
        web.post("/slack-files/upload/v1/{ticket}", take),
        web.get("/slack-files/files-pri/{team}-{id}/download/{name}", give),
        web.get("/slack-files/files-pri/{team}-{id}/{name}", give),
        web.get("/slack-files/sign-in", sign_in),
    ]
