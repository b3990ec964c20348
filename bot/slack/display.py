"""Shows something at once where somebody acted. What must arrive is sent through the outbox instead."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from bot.chat.api import STORE_UNAVAILABLE, ApiResult, retry
from bot.chat.inbound import object_or_empty, text_or_none
from bot.chat.types import Json
from bot.slack import render
from bot.slack.client import Client
from bot.slack.forms import view as dialog
from bot.slack.installs import Installs
from bot.slack.payloads import Interaction
from bot.telemetry import logger
from handlers.framework.events import Press, Submit
from handlers.framework.screens import Form, Screen
from store.server.connection import StoreUnavailable

_log = logger(__name__)

EVENT_TYPE: Final = "switchboard_effect"  # of the metadata that every posted message carries
# The dialog is there already: the same request came twice.
_OPEN_ALREADY: Final = frozenset({"exchanged_trigger_id", "trigger_exchanged"})
# Somebody was quicker, or closed it: there is nothing to redraw.
_OVERTAKEN: Final = frozenset({"hash_conflict", "not_found"})


def post_arguments(screen: Screen, id: str, channel: str, thread: str | None = None) -> Json:
    """The arguments of `chat.postMessage`: the message carries `id`, by which it can be found again."""
    arguments: Json = {
        "channel": channel,
        **render.message(screen),
        "metadata": {"event_type": EVENT_TYPE, "event_payload": {"id": id}},
        "unfurl_links": False,
        "unfurl_media": False,
    }
    if thread:
        arguments["thread_ts"] = thread
    return arguments


class LookupFailed(Exception):
    """Slack did not answer a question; `str()` is its error code."""


class Display:
    """The calls that show something. Each returns whether it was shown, and logs why not."""

    def __init__(self, client: Client, installs: Installs) -> None:
        self._client = client
        self._installs = installs

    async def call(
        self, workspace: str, method: str, arguments: Mapping[str, Any], *, timeout: float | None = None
    ) -> ApiResult:
        """One call with the workspace's own token."""
        try:
            token = await self._installs.token(workspace)
        except StoreUnavailable:
            return STORE_UNAVAILABLE
        return await self._client.call(method, token, arguments, timeout=timeout)

    async def token(self, workspace: str) -> str | None:
        """The workspace's token, for what is no method of the Web API. Raises `StoreUnavailable`."""
        return await self._installs.token(workspace)

    async def open(self, interaction: Interaction, view: Json, timeout: float) -> bool:
        """Opens a dialog, in one try while the trigger is valid."""
        arguments = {"trigger_id": interaction.trigger or "", "view": view}
        reply = await self.call(interaction.event.actor.workspace, "views.open", arguments, timeout=timeout)
        return reply.error in _OPEN_ALREADY or self._shown("views.open", reply)

    async def update(self, interaction: Interaction, view: Json, *, whatever_is_there: bool = False) -> bool:
        """Replaces the dialog that somebody acted in, if it is still as they saw it or `whatever_is_there`."""
        shown = interaction.view or {}
        arguments: Json = {"view_id": shown.get("id", ""), "view": view}
        if shown.get("hash") and not whatever_is_there:
            arguments["hash"] = shown["hash"]
        reply = await retry(
            lambda: self.call(interaction.event.actor.workspace, "views.update", arguments), repeatable=True
        )
        return reply.error in _OVERTAKEN or self._shown("views.update", reply)

    async def publish(self, workspace: str, user: str, screen: Screen) -> bool:
        """Updates a person's home screen."""
        arguments = {"user_id": user, "view": render.home(screen)}
        reply = await retry(lambda: self.call(workspace, "views.publish", arguments), repeatable=True)
        return self._shown("views.publish", reply)

    async def respond(self, url: str, screen: Screen, *, replace: bool) -> bool:
        """Posts to a response URL: replaces its message, or adds one below that only the person who acted sees."""
        body = response_body(screen, replace=replace)
        reply = await retry(lambda: self._client.respond(url, body), repeatable=replace)
        return self._shown("response_url", reply)

    async def post(self, workspace: str, channel: str, screen: Screen, id: str, thread: str | None = None) -> bool:
        """Posts a message; `channel` may be a user's id."""
        arguments = post_arguments(screen, id, channel, thread)
        reply = await retry(lambda: self.call(workspace, "chat.postMessage", arguments), repeatable=False)
        return self._shown("chat.postMessage", reply)

    async def find_message(
        self, workspace: str, channel: str, id: str, thread: str | None = None
    ) -> tuple[str, str] | None:
        """The channel and `ts` of the message with this id among the latest 100 of a conversation or a thread; None: it
        is not there. `channel` may be a user's id. Raises `LookupFailed`."""
        if channel[:1] in {"U", "W"}:
            opened = await self.open_chat(workspace, channel)
            if isinstance(opened, ApiResult):
                raise LookupFailed(opened.error)
            channel = opened
        arguments = {"channel": channel, "limit": "100", "include_all_metadata": "true"}
        method = "conversations.replies" if thread else "conversations.history"
        reply = await self.call(workspace, method, {**arguments, **({"ts": thread} if thread else {})})
        messages = reply.data.get("messages")
        if not reply.ok or not isinstance(messages, list):
            raise LookupFailed(reply.error)
        return next(((channel, str(message["ts"])) for message in messages if _carries(message, id)), None)

    async def has_message(self, workspace: str, channel: str, id: str) -> bool | None:
        """Whether a direct message with this id is among the latest ones; None: Slack did not say. `channel` may be the
        user's id."""
        try:
            return await self.find_message(workspace, channel, id) is not None
        except LookupFailed:
            return None

    async def open_chat(self, workspace: str, user: str) -> str | ApiResult:
        """The channel of the direct messages with a user, or why it is not known."""
        opened = await self.call(workspace, "conversations.open", {"users": user})
        id = text_or_none(object_or_empty(opened.data, "channel"), "id")
        return id if opened.ok and id is not None else opened

    @staticmethod
    def _shown(what: str, reply: ApiResult) -> bool:
        if not reply.ok:
            note = _log.error if reply.error.startswith("invalid_") else _log.warning
            note("Slack did not show it", call=what, error=reply.error, details=reply.data.get("response_metadata"))
        return reply.ok


def response_body(screen: Screen, *, replace: bool) -> Json:
    """What is posted to a response URL."""
    shown = render.message(screen)
    return {**shown, "replace_original": True} if replace else {**shown, **EPHEMERAL}


EPHEMERAL: Final[Json] = {"replace_original": False, "response_type": "ephemeral"}


def draw_dialog(interaction: Interaction, form: Form, errors: Sequence[str] = ()) -> Json:
    """A form's dialog, which keeps the response URL of the message it was opened from."""
    event = interaction.event
    # Only a message that was pressed can be redrawn; the response URL of a typed command has no message yet.
    return dialog(form, reply=event.where.reply if isinstance(event, Press | Submit) else None, errors=errors)


def _carries(message: Any, id: str) -> bool:
    metadata = object_or_empty(message, "metadata") if isinstance(message, dict) else {}
    return object_or_empty(metadata, "event_payload").get("id") == id
