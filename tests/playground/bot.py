"""A small bot against which the pretend Slack is tried: real HTTP, real signatures, one dialog, one list, one home."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import aiohttp
import orjson
from aiohttp import web

Json = dict[str, Any]
SECRET = "pretend-signing-secret"


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def button(text: str, action_id: str, **more: Any) -> Json:
    return {"type": "button", "text": plain(text), "action_id": action_id, **more}


def field_block(label: str, name: str, **element: Any) -> Json:
    return {
        "type": "input",
        "block_id": name,
        "label": plain(label),
        "element": {"type": "plain_text_input", "action_id": name, **element},
    }


def dialog(*blocks: Json, title: str = "Forward a number", **more: Any) -> Json:
    inputs = any(block["type"] == "input" for block in blocks)
    submit: Json = {"submit": plain("Save")} if inputs else {}
    return {"type": "modal", "title": plain(title), "blocks": list(blocks), "callback_id": "forward", **submit, **more}


FORWARD = dialog(field_block("Forwarding number", "to", min_length=3), field_block("Reason", "why"))
LIST: list[Json] = [
    {"type": "section", "text": {"type": "mrkdwn", "text": "*020 7946 0900*"}, "accessory": {
        "type": "overflow", "action_id": "more", "options": [
            {"text": plain("Edit"), "value": "edit:1"}, {"text": plain("Delete"), "value": "delete:1"}]}},
    {"type": "section", "text": {"type": "mrkdwn", "text": "*020 7946 0901*"}, "accessory": {
        "type": "overflow", "action_id": "more", "options": [
            {"text": plain("Edit"), "value": "edit:2"}, {"text": plain("Delete"), "value": "delete:2"}]}},
    {"type": "actions", "elements": [
        button("Get a number", "get", style="primary"),
        button("Forget it", "forget", confirm={
            "title": plain("Sure?"), "text": plain("It is gone then."), "confirm": plain("Yes"), "deny": plain("No")}),
    ]},
]  # fmt: skip


@dataclass
class Bot:
    """What it was sent is in ``got``; ``slow`` seconds are waited before each answer, ``status`` answers it."""

    token: str
    url: str = ""
    api: str = ""
    slow: float = 0.0
    status: int = 200
    got: list[Json] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    submitted: Json | None = None
    client: aiohttp.ClientSession | None = None

    async def call(self, method: str, token: str | None = None, **args: Any) -> Json:
        """A Web API call with a JSON body, or a form where Slack reads no JSON."""
        assert self.client is not None
        headers = {"Authorization": f"Bearer {self.token if token is None else token}"}
        as_form = (
            method.startswith(("users.", "conversations.", "bots.", "chat.get")) and method != "conversations.open"
        )
        sent = {"data": args} if as_form else {"json": args}
        async with self.client.post(self.api + method, headers=headers, **sent) as response:  # type: ignore[arg-type]  # either of two
            found: Json = await response.json()
            return found

    async def answer_at(self, url: str, **body: Any) -> tuple[int, str]:
        """Posts to a response URL."""
        assert self.client is not None
        async with self.client.post(url, json=body) as response:
            return response.status, await response.text()

    async def events(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        stamp = request.headers["X-Slack-Request-Timestamp"]
        base = f"v0:{stamp}:".encode() + raw
        wanted = "v0=" + hmac.new(SECRET.encode(), base, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(wanted, request.headers["X-Slack-Signature"]):
            raise web.HTTPUnauthorized
        self.headers.append(dict(request.headers))
        if self.slow:
            await asyncio.sleep(self.slow)
        if self.status != 200:
            return web.Response(status=self.status)
        if request.content_type == "application/json":
            return self.answered(await self.event(orjson.loads(raw)))
        form = dict(parse_qsl(raw.decode(), keep_blank_values=True))
        payload = orjson.loads(form["payload"]) if "payload" in form else form
        return self.answered(await self.interaction(payload))

    @staticmethod
    def answered(body: Json | str | None) -> web.Response:
        if isinstance(body, dict):
            return web.json_response(body)
        return web.Response(text=body or "")

    async def event(self, body: Json) -> Json | None:
        self.got.append(body)
        if body["type"] == "url_verification":
            return {"challenge": body["challenge"]}
        event = body["event"]
        if event["type"] == "app_home_opened" and event["tab"] == "home":
            home = {"type": "home", "blocks": [{"type": "header", "text": plain("Your numbers")}, *LIST]}
            await self.call("views.publish", user_id=event["user"], view=home)
        return None

    async def interaction(self, body: Json) -> Json | str | None:
        self.got.append(body)
        if "command" in body:
            return await self.command(body)
        if body["type"] == "view_submission":
            return self.submission(body)
        if body["type"] == "block_suggestion":
            names = [n for n in ("Berlin", "Bergen", "London") if n.lower().startswith(body["value"].lower())]
            return {"options": [{"text": plain(n), "value": n.lower()} for n in names]}
        if body["type"] == "block_actions" and body["actions"][0]["action_id"] == "get":
            method = "views.push" if body.get("view", {}).get("type") == "modal" else "views.open"
            await self.call(method, trigger_id=body["trigger_id"], view=FORWARD)
        return None

    async def command(self, body: Json) -> Json | str | None:
        word, _, rest = body["text"].partition(" ")
        if word == "forward":
            await self.call("views.open", trigger_id=body["trigger_id"], view=FORWARD)
            return None
        if word == "list":
            return {"text": "Two numbers", "blocks": LIST}
        if word == "wrong":
            return {"blocks": [{"type": "section"}]}
        return f"You said {rest or word or 'nothing'}"

    def submission(self, body: Json) -> Json | None:
        values = body["view"]["state"]["values"]
        number = values["to"]["to"]["value"]
        if number == "wrong":
            return {"response_action": "errors", "errors": {"to": "That is no number."}}
        if number == "sure?":
            return {"response_action": "push", "view": dialog(field_block("Type yes", "to"), title="Sure?")}
        if number == "again":
            return {"response_action": "update", "view": dialog(field_block("Why", "why"), *FORWARD["blocks"][:1])}
        if number == "all":
            return {"response_action": "clear"}
        if number == "bad answer":
            return {"response_action": "errors", "errors": {"nothing": "x"}}
        self.submitted = values
        return None
