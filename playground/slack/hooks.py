"""Response URLs: five uses within thirty minutes, to answer, replace or delete.

https://docs.slack.dev/interactivity/handling-user-interaction#message_responses
"""

from __future__ import annotations

import time
from typing import Any

import orjson
from aiohttp import web

from playground.slack.core import HOOK_SECONDS, HOOK_USES, Core
from playground.slack.errors import SlackError
from playground.slack.faults import Call
from playground.slack.shapes import message_json
from playground.slack.world import Hook

Json = dict[str, Any]


def _said(value: Any) -> bool:
    return value is True or value == "true"


def _content(raw: bytes) -> Json:
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise SlackError("invalid_payload", status=400) from None
    if not isinstance(body, dict):
        raise SlackError("invalid_payload", status=400)
    return body


def _use(core: Core, id_: str) -> Hook:
    hook = core.world.hooks.get(id_)
    if hook is None or not core.world.workspaces[hook.team].installed:
        raise SlackError("no_active_hooks", status=404)
    if core.now() - hook.born > HOOK_SECONDS:
        raise SlackError("expired_url", status=404)
    if hook.uses >= HOOK_USES:
        raise SlackError("used_url", status=404)
    return hook


def apply(core: Core, hook: Hook, body: Json) -> None:
    """Answers, replaces or deletes the message, as the post to a response URL says. Raises ``SlackError``."""
    channel = core.world.channels[hook.channel]
    original = core.world.message(hook.channel, hook.message_ts) if hook.message_ts else None
    if _said(body.get("delete_original")):
        if original is None:
            raise SlackError("message_not_found", status=404)
        core.world.remove(original)
        if not original.ephemeral_to:
            core.tell(original, "message_deleted", message_json(core.world, original))
    elif _said(body.get("replace_original")) and original is not None:
        before = message_json(core.world, original)
        original.text, original.blocks = core.checked_content(body)
        core.world.touch()
        if not original.ephemeral_to:
            original.edited = core.world.next_ts(core.now())
            core.tell(original, "message_changed", before)
    else:
        kind = body.get("response_type", "ephemeral")
        if kind not in ("ephemeral", "in_channel"):
            raise SlackError("invalid_payload", f"[ERROR] unknown response_type {kind}", status=400)
        core.answer_as_bot(channel, body, only_for=hook.user if kind == "ephemeral" else "")
    hook.uses += 1


async def handle(core: Core, request: web.Request) -> web.StreamResponse:
    """The endpoint of all response URLs."""
    with core.working():
        return await _handle(core, request)


async def _handle(core: Core, request: web.Request) -> web.StreamResponse:
    began, fault = time.monotonic(), core.faults.take("hooks")
    body: Json = {}
    error, lost, answer = "", fault is not None and fault.kind == "lost", web.Response(text="ok")
    try:
        content = await request.read()  # Slack has it, whether or not its sender waits for the answer
        if fault:
            await fault.strike()
        body = _content(content)
        apply(core, _use(core, request.match_info["hook"]), body)
    except SlackError as refusal:
        error = refusal.error
        status = refusal.status if refusal.status != 200 else 400
        answer = web.Response(status=status, body=orjson.dumps(refusal.body()), headers=refusal.headers)
        answer.content_type = "application/json"
    took = time.monotonic() - began
    core.journal.calls.append(
        Call("hooks", body, request.match_info["team"], error, core.now(), took, answered=not lost)
    )
    if lost and request.transport:
        request.transport.abort()
    return answer
