"""The state of the pretend Slack: world, clock, rate limits, faults, deliveries to the app and background tasks."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from playground.slack.blocks import check_blocks, finish_blocks
from playground.slack.delivery import AppRequest, AppResponse, Delivery
from playground.slack.errors import SlackError
from playground.slack.faults import Faults, Journal, Limits
from playground.slack.manifest import Manifest, read_manifest
from playground.slack.shapes import message_json, veiled_json
from playground.slack.socket_mode import SocketModeConnections
from playground.slack.world import Channel, Hook, Message, User, World

Json = dict[str, Any]
TRIGGER_SECONDS: Final = 3.0
HOOK_SECONDS: Final = 30 * 60.0
HOOK_USES: Final = 5
MOST_TEXT: Final = 40_000
KEPT_TRIGGERS: Final = 5_000
KEPT_HOOKS: Final = 5_000
SAVE_AFTER: Final = 0.25  # seconds: a burst of changes is written once
RETRY_DELAYS: Final = (0.5, 60.0, 300.0)  # "nearly immediately", after one minute, after five


@dataclass(slots=True)
class Trigger:
    """What a ``trigger_id`` stands for; ``view`` is the id of the dialog in which it was made, or empty."""

    user: str
    team: str
    born: float
    view: str = ""
    used: bool = False


class Core:
    """Slack's side of one app. ``now`` is the clock of messages, triggers and response URLs (seconds since 1970);
    ``wall`` the one for signatures, which the app checks with its own. ``base_url`` is where our routes are served,
    ``events_url`` where the app listens. ``limited=False`` lifts the rate limits, for load tests."""

    def __init__(
        self,
        world: World,
        manifest: Mapping[str, Any] | Manifest,
        *,
        events_url: str,
        signing_secret: str,
        base_url: str = "",
        now: Callable[[], float] = time.time,
        wall: Callable[[], float] = time.time,
        ack_seconds: float = 3.0,
        retry_delays: tuple[float, ...] = RETRY_DELAYS,
        limited: bool = True,
        path: Path | None = None,
    ) -> None:
        self.world = world
        self.manifest = manifest if isinstance(manifest, Manifest) else read_manifest(manifest)
        self.base_url = base_url
        self.now = now
        self.retry_delays = retry_delays
        self.faults = Faults()
        self.journal = Journal()
        self.limits = Limits(on=limited)
        self.sockets = SocketModeConnections(world.app_id)
        self.delivery = Delivery(
            url=events_url, secret=signing_secret, ack_seconds=ack_seconds, wall=wall, socket=self.sockets
        )
        self.path = path
        self.codes: dict[str, tuple[str, str]] = {}  # OAuth codes not yet exchanged → workspace and installer
        self.closing = False
        self.troubles: list[str] = []  # answers of the app that Slack would refuse, in words
        self.elsewhere: Callable[[], bool] = lambda: False  # whether an app in this very process is still at work
        self._triggers: dict[str, Trigger] = {}
        self._busy = 0
        self._last = time.monotonic()
        self._tasks: set[asyncio.Task[None]] = set()
        self._saving: asyncio.TimerHandle | None = None
        if path:
            world.listeners.append(self._save_soon)

    @property
    def base_url(self) -> str:
        """Where our routes are served."""
        return self.world.base_url

    @base_url.setter
    def base_url(self, url: str) -> None:
        self.world.base_url = url

    @property
    def api_url(self) -> str:
        """The base of the Web API, with a slash at its end: what ``SLACK_API_URL`` is set to."""
        return f"{self.base_url}/slack-api/"

    # -- life

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _t: type[BaseException] | None, _e: BaseException | None, _b: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Cancels deliveries and retries, ends the streams of open pages, closes connections and saves the world."""
        self.closing = True
        self.world.touch()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.sockets.close()
        await self.delivery.close()
        if self._saving:
            self._saving.cancel()
            self._save()

    def _save_soon(self) -> None:
        if self._saving is None:
            with suppress(RuntimeError):  # no loop yet: the caller is still building the world
                self._saving = asyncio.get_running_loop().call_later(SAVE_AFTER, self._save)

    def _save(self) -> None:
        self._saving = None
        if self.path:
            self.world.save(self.path)

    @contextmanager
    def working(self) -> Iterator[None]:
        """While it is entered, ``settled`` waits."""
        self._busy += 1
        try:
            yield
        finally:
            self._busy -= 1
            self._last = time.monotonic()

    async def settled(self, quiet: float = 0.05, timeout: float = 5.0) -> None:
        """Waits until nothing has been under way in either direction for ``quiet`` seconds. Retries still to come don't
        count. Raises ``TimeoutError`` after ``timeout`` seconds."""
        async with asyncio.timeout(timeout):
            while self._busy or self.elsewhere() or time.monotonic() - self._last < quiet:  # noqa: ASYNC110 - quiet is the lack of events
                await asyncio.sleep(0.005)

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Runs something in the background until ``close``."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # -- deliveries

    async def deliver(self, sent: AppRequest, retry: tuple[int, str] | None = None) -> AppResponse:
        """Sends to the app and waits for its answer."""
        with self.working():
            return await self.delivery.send(sent, retry)

    def emit(self, team: str, event: Json) -> None:
        """Delivers an event in the background, with retries, if the app subscribed to it and is installed."""
        name = event["type"]
        if name == "message":
            name = {"im": "message.im", "group": "message.groups"}.get(event["channel_type"], "message.channels")
        leaving = name in ("app_uninstalled", "tokens_revoked")
        if name not in self.manifest.events or not (leaving or self.world.workspaces[team].installed):
            return
        self._busy += 1  # from this moment: settled() must not return before the task has begun
        self.spawn(self._deliver_event(self.wrap_event(team, event)))

    def wrap_event(self, team: str, event: Json) -> AppRequest:
        """The ``event_callback`` that carries an event."""
        bot = self.world.workspaces[team].bot_user
        who = {"enterprise_id": None, "team_id": team, "user_id": bot, "is_bot": True, "is_enterprise_install": False}
        payload = {
            "token": "verification",
            "team_id": team,
            "api_app_id": self.world.app_id,
            "event": event,
            "type": "event_callback",
            "event_id": f"Ev{secrets.token_hex(5).upper()}",
            "event_time": int(self.now()),
            "authorizations": [who],
            "is_ext_shared_channel": False,
            "event_context": f"4-{secrets.token_hex(12)}",
        }
        return AppRequest("events_api", payload)

    async def _deliver_event(self, sent: AppRequest) -> None:
        try:
            reply = await self.delivery.send(sent)
        finally:
            self._busy -= 1
            self._last = time.monotonic()
        for number, delay in enumerate(self.retry_delays, start=1):
            if not reply.error or reply.headers.get("x-slack-no-retry") == "1":
                return
            await asyncio.sleep(delay)
            reason = "http_timeout" if reply.error == "operation_timeout" else "http_error"
            reply = await self.deliver(sent, (number, reason))

    # -- triggers and response URLs

    def trigger(self, user: User, view: str = "") -> str:
        """A new ``trigger_id``, good for three seconds and one use."""
        id_ = f"{secrets.randbelow(10**13)}.{secrets.randbelow(10**12)}.{secrets.token_hex(16)}"
        self._triggers[id_] = Trigger(user.id, user.team, self.now(), view)
        while len(self._triggers) > KEPT_TRIGGERS:
            del self._triggers[next(iter(self._triggers))]
        return id_

    def spend_trigger(self, id_: str, team: str) -> Trigger:
        """Marks a trigger as used. Raises ``SlackError`` when it is unknown, expired or already used."""
        found = self._triggers.get(id_)
        if found is None or found.team != team:
            raise SlackError("invalid_trigger_id")
        if self.now() - found.born > TRIGGER_SECONDS:
            raise SlackError("expired_trigger_id")
        if found.used:
            raise SlackError("exchanged_trigger_id")
        found.used = True
        return found

    def hook(self, kind: str, channel: Channel, user: User, message_ts: str = "") -> str:
        """A new response URL; ``kind`` is ``commands`` or ``actions``."""
        made = Hook(secrets.token_urlsafe(18), channel.team, channel.id, user.id, self.now(), 0, message_ts)
        self.world.hooks[made.id] = made
        while len(self.world.hooks) > KEPT_HOOKS:
            del self.world.hooks[next(iter(self.world.hooks))]
        return f"{self.base_url}/slack-hooks/{kind}/{channel.team}/{made.id}"

    # -- messages

    def checked_content(self, source: Mapping[str, Any]) -> tuple[str, list[Json]]:
        """Text and blocks of an API call, a response URL's post or an answer. Raises ``SlackError`` as Slack does."""
        text, blocks = source.get("text") or "", source.get("blocks") or []
        if not isinstance(text, str):
            raise SlackError("invalid_arguments", "[ERROR] must be a string [json-pointer:/text]")
        if source.get("attachments"):
            raise SlackError("invalid_attachments", "[ERROR] legacy attachments are not shown here: use blocks")
        if not isinstance(blocks, list):
            raise SlackError("invalid_blocks_format")
        if wrong := check_blocks(blocks):
            raise SlackError("invalid_blocks", *wrong)
        if not text and not blocks:
            raise SlackError("no_text")
        if len(text) > MOST_TEXT:
            raise SlackError("msg_too_long")
        return text, finish_blocks(blocks)

    def write(self, message: Message, *, veiled: bool = False) -> Message:
        """Posts a message that everyone in its channel sees and tells the app of it; ``veiled``: of its files only
        their ids, as Slack does where the app must ask for them."""
        self.world.post(message)
        if not message.ephemeral_to:
            self.tell(message, veiled=veiled)
        return message

    def tell(self, message: Message, change: str = "", before: Json | None = None, *, veiled: bool = False) -> None:
        """Sends the event of a message; ``change`` is a subtype, ``before`` what the message was."""
        channel = self.world.channels[message.channel]
        kind = "im" if channel.is_im else "group" if channel.is_private else "channel"
        where = {"channel": channel.id, "channel_type": kind}
        if not change:
            event = {**message_json(self.world, message, metadata=True), **where, "event_ts": message.ts}
            if veiled:
                event["files"] = [veiled_json(self.world.files[id]) for id in message.files]
            self.emit(channel.team, event)
            if f"<@{self.world.workspaces[channel.team].bot_user}>" in message.text and not channel.is_im:
                self.emit(channel.team, {**event, "type": "app_mention"})
            return
        stamp = self.world.next_ts(self.now())
        event = {"type": "message", "subtype": change, "hidden": True, "ts": stamp, "event_ts": stamp, **where}
        if change == "message_changed":
            event |= {"message": message_json(self.world, message), "previous_message": before}
        else:
            event |= {"deleted_ts": message.ts, "previous_message": before}
        self.emit(channel.team, event)

    def answer_as_bot(self, channel: Channel, source: Mapping[str, Any], *, only_for: str = "") -> Message:
        """Posts what the app answered, to a command or at a response URL, as a message of its bot."""
        text, blocks = self.checked_content(source)
        bot = self.world.workspaces[channel.team]
        thread = str(source.get("thread_ts") or "")
        stamp = self.world.next_ts(self.now())
        return self.write(
            Message(channel.id, stamp, bot.bot_user, text, blocks, bot.bot_id, ephemeral_to=only_for, thread_ts=thread)
        )
