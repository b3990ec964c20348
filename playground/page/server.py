"""The page that shows the pretend Slack: its files, the state of one person's screen, live updates, actions.

``GET /play/events?user=U…`` streams the state as server-sent events, whole after each change: it is small, and a page
that lost its connection needs nothing else. Actions are JSON posts; their answer is what the person reads.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Awaitable, Callable
from functools import partial
from importlib.resources import files
from typing import Any, Final
from urllib.parse import quote

import orjson
from aiohttp import BodyPartReader, web

from playground.clock import JumpRefused
from playground.page.actions import SLACK_ACTIONS
from playground.page.outside import OUTSIDE_ACTIONS, Outside
from playground.slack.methods_files import MOST_UPLOAD
from playground.slack.people import ActionResult
from playground.slack.picking import pick
from playground.slack.pretend import PretendSlack
from playground.slack.world import Message, User, View

Json = dict[str, Any]
TYPES: Final = {"html": "text/html", "js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}
POLICY: Final = "default-src 'self'; img-src 'self' https: data:; frame-ancestors 'none'; base-uri 'none'"
GATHER: Final = 0.03  # seconds: changes in a row become one update
PING: Final = 15.0  # seconds between signs of life
SHOWN_MESSAGES: Final = 200


def _person(user: User) -> Json:
    keys = ("id", "name", "real_name", "role", "locale", "tz", "is_bot", "is_restricted", "deleted", "is_stranger")
    return {key: getattr(user, key) for key in keys}


def _message(message: Message, viewer: str, files: list[Json]) -> Json:
    return {
        "ts": message.ts,
        "user": message.user,
        "text": message.text,
        "files": files,
        "blocks": message.blocks,
        "bot": bool(message.bot_id),
        "ephemeral": bool(message.ephemeral_to),
        "thread_ts": message.thread_ts,
        "edited": bool(message.edited),
        "state": message.state.get(viewer, {}),
    }


def _files(slack: PretendSlack, message: Message) -> list[Json]:
    kept = [slack.world.files[id] for id in message.files if id in slack.world.files]
    contents = slack.world.contents
    return [{"id": f.id, "name": f.name, "title": f.title, "size": len(contents.get(f.id, b""))} for f in kept]


def _view(view: View) -> Json:
    return {"id": view.id, "hash": view.hash, "body": view.body, "state": view.state, "root": view.root}


def state_of(slack: PretendSlack, beside: Outside, viewer: User) -> Json:
    """Everything that ``viewer``'s screen shows."""
    world, workspace = slack.world, slack.world.workspaces[viewer.team]
    world.im(viewer)
    channels = []
    for channel in world.channels.values():
        if viewer.id not in channel.members:
            continue
        messages = world.visible(channel.id, viewer.id)[-SHOWN_MESSAGES:]
        read = world.read.get(viewer.id, {}).get(channel.id, "")
        unread = sum(m.ts > read and m.user != viewer.id for m in messages)
        shown = {"id": channel.id, "name": channel.name, "im": channel.is_im, "topic": channel.topic}
        count = len(channel.members)
        rows = [_message(m, viewer.id, _files(slack, m)) for m in messages]
        channels.append({**shown, "private": channel.is_private, "members": count, "unread": unread, "messages": rows})
    home = world.homes.get(viewer.id)
    people = [u for u in world.users.values() if u.team == viewer.team]
    manifest = slack.manifest
    return {
        "me": viewer.id,
        "workspace": {"id": workspace.id, "name": workspace.name, "installed": workspace.installed},
        "app": {
            "name": manifest.bot_name,
            "description": manifest.description,
            "bot_user": workspace.bot_user,
            "home_tab": manifest.home_tab,
            "can_write": manifest.messages_tab and not manifest.messages_read_only,
        },
        "commands": [
            {"command": c.command, "description": c.description, "usage_hint": c.usage_hint} for c in manifest.commands
        ],
        "shortcuts": [{"name": s.name, "kind": s.kind, "id": s.callback_id} for s in manifest.shortcuts],
        "people": [_person(user) for user in people],
        "names": {u.id: u.real_name or u.name for u in world.users.values()},
        "channel_names": {c.id: c.name for c in world.channels.values() if not c.is_im},
        "channels": channels,
        "home": _view(home) if home else None,
        "dialogs": [_view(view) for view in world.dialogs(viewer.id)],
        "phone": [{"number": r.number, "text": r.text, "kind": r.kind, "at": r.at} for r in world.phone],
        "mail": [{"to": m.to, "subject": m.subject, "text": m.text, "at": m.at} for m in world.mail],
        "now": slack.now(),
        **beside.state(),
    }


def _local(request: web.Request) -> None:
    """Refuses requests under a host name that is not loopback (DNS rebinding) and requests of other sites' pages."""
    name = request.url.host or ""
    try:
        good = name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        good = False
    origin = request.headers.get("Origin")
    if not good or (origin is not None and origin != f"{request.scheme}://{request.host}"):
        raise web.HTTPForbidden(text="The pretend Slack answers its own page on this machine only.")


class Page:
    """The endpoints below ``/play``."""

    def __init__(self, slack: PretendSlack, beside: Outside) -> None:
        self.slack = slack
        self._outside = beside
        self._streams: set[asyncio.Event] = set()
        slack.world.listeners.append(self._changed)
        beside.listen(self._changed)

    def _changed(self) -> None:
        for stream in self._streams:
            stream.set()

    def _viewer(self, id_: Any) -> User:
        user = self.slack.world.users.get(str(id_))
        if user is None or user.is_bot:
            raise web.HTTPNotFound(text="Nobody has that id.")
        return user

    async def index(self, request: web.Request) -> web.StreamResponse:
        """The page itself."""
        _local(request)
        return _file("index.html")

    async def static(self, request: web.Request) -> web.StreamResponse:
        """The page's scripts and styles."""
        _local(request)
        return _file(request.match_info["name"])

    async def people(self, request: web.Request) -> web.StreamResponse:
        """The people whom one can be."""
        _local(request)
        shown = [_person(u) for u in self.slack.world.users.values() if not u.is_bot and not u.deleted]
        return _json(shown)

    async def events(self, request: web.Request) -> web.StreamResponse:
        """Streams the state of one person's screen."""
        _local(request)
        viewer = self._viewer(request.query.get("user"))
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        await response.prepare(request)
        changed = asyncio.Event()
        self._streams.add(changed)
        try:
            await response.write(b"retry: 500\n\n")
            while not self.slack.closing and request.transport and not request.transport.is_closing():
                changed.clear()
                state = orjson.dumps(state_of(self.slack, self._outside, viewer))
                await response.write(b"data: " + state + b"\n\n")
                await self._wait(changed, response)
                await asyncio.sleep(GATHER)
        except ConnectionError:
            pass
        finally:
            self._streams.discard(changed)
        return response

    async def _wait(self, changed: asyncio.Event, response: web.StreamResponse) -> None:
        while not changed.is_set():
            try:
                async with asyncio.timeout(PING):
                    await changed.wait()
            except TimeoutError:
                await response.write(b": still here\n\n")

    async def drop(self, request: web.Request) -> web.StreamResponse:
        """Posts a message with files; a form with ``user``, ``channel``, ``text``, ``thread_ts``, and the files."""
        viewer, fields, dropped = await self._form(request)
        try:
            where, thread = fields.get("channel", ""), fields.get("thread_ts", "")
            await self.slack.say(viewer.id, where, fields.get("text", "").strip(), thread_ts=thread, files=dropped)
            outcome = ActionResult()
        except LookupError as wrong:
            outcome = ActionResult("stale", notice=str(wrong))
        return _json({"ok": outcome.ok, "error": outcome.error, "notice": outcome.notice})

    async def pick(self, request: web.Request) -> web.StreamResponse:
        """Uploads files for a dialog; a form with ``user`` and the files. Answers with their ids, names and sizes."""
        viewer, _, dropped = await self._form(request)
        try:
            files = [pick(self.slack, viewer, name, content) for name, content in dropped.items()]
        except LookupError as wrong:
            return _json({"ok": False, "error": "too_large", "notice": str(wrong)})
        shown = [{"id": file.id, "name": file.name, "size": file.length} for file in files]
        return _json({"ok": True, "error": "", "notice": "", "files": shown})

    async def _form(self, request: web.Request) -> tuple[User, dict[str, str], dict[str, bytes]]:
        """The person, the fields and the files (name → content) of a form."""
        _local(request)
        if request.content_type != "multipart/form-data":
            raise web.HTTPUnsupportedMediaType
        fields: dict[str, str] = {}
        dropped: dict[str, bytes] = {}
        async for part in await request.multipart():  # not bound by what the server takes as a body
            if not isinstance(part, BodyPartReader):
                raise web.HTTPBadRequest(text="Not a message.")
            content = bytearray()
            while chunk := await part.read_chunk():
                content += chunk
                if len(content) > MOST_UPLOAD:
                    raise web.HTTPRequestEntityTooLarge(MOST_UPLOAD, len(content))
            if part.filename:
                dropped[part.filename] = bytes(content)
            else:
                fields[part.name or ""] = content.decode(errors="replace")
        return self._viewer(fields.get("user")), fields, dropped

    async def file(self, request: web.Request) -> web.StreamResponse:
        """The content of a file that the person sees, as a download."""
        _local(request)
        viewer = self._viewer(request.query.get("user"))
        file = self.slack.world.files.get(request.match_info["id"])
        content = self.slack.world.contents.get(request.match_info["id"])
        seen = file and any(viewer.id in self.slack.world.channels[id].members for id in file.shown)
        if file is None or content is None or not seen:
            raise web.HTTPNotFound(text="That file is not there any more.")
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(file.name, safe='')}",
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "no-store",
        }
        return web.Response(body=content, headers=headers)

    async def act(self, request: web.Request) -> web.StreamResponse:
        """Carries out an action of the page."""
        _local(request)
        if request.content_type != "application/json":
            raise web.HTTPUnsupportedMediaType
        try:
            body = orjson.loads(await request.read())
            viewer = self._viewer(body["user"])
            run = self._action(request.match_info["action"], viewer)
        except (orjson.JSONDecodeError, KeyError, TypeError):
            raise web.HTTPBadRequest(text="Not an action.") from None
        try:
            outcome = await run(body)
        except (LookupError, TypeError, ValueError) as wrong:
            ours = type(wrong) in {LookupError, JumpRefused}  # worded for people, unlike a KeyError
            outcome = ActionResult("stale", notice=str(wrong) if ours else "That is not there any more.")
        return _json(
            {"ok": outcome.ok, "error": outcome.error, "errors": outcome.errors, "notice": outcome.notice}
            | {"options": outcome.options}
        )

    def _action(self, name: str, viewer: User) -> Callable[[Json], Awaitable[ActionResult]]:
        """The action of that name, to be called with its fields. Raises KeyError where there is none."""
        if name in OUTSIDE_ACTIONS:
            return partial(OUTSIDE_ACTIONS[name], self._outside)
        return partial(SLACK_ACTIONS[name], self.slack, viewer)


def _json(value: Any) -> web.Response:
    return web.Response(body=orjson.dumps(value), content_type="application/json")


def _file(name: str) -> web.Response:
    kind = TYPES.get(name.rpartition(".")[2])
    found = files("playground.page") / "static" / name
    if kind is None or "/" in name or not found.is_file():
        raise web.HTTPNotFound
    headers = {
        "Content-Type": f"{kind}; charset=utf-8",
        "Cache-Control": "no-cache",
        "Content-Security-Policy": POLICY,
        "X-Content-Type-Options": "nosniff",
    }
    return web.Response(body=found.read_bytes(), headers=headers)


def routes(slack: PretendSlack, beside: Outside) -> list[web.RouteDef]:
    """The page's routes."""
    page = Page(slack, beside)
    return [
        web.get("/", page.index),
        web.get("/play/static/{name}", page.static),
        web.get("/play/people", page.people),
        web.get("/play/events", page.events),
        web.get("/play/file/{id}", page.file),
        web.post("/play/drop", page.drop),
        web.post("/play/pick", page.pick),
        web.post("/play/{action}", page.act),
    ]
