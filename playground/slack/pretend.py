"""The whole pretend Slack: everything people do in it, and the phone and the mailbox outside it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from playground.slack import methods_chat, methods_files, methods_people, methods_views, payloads
from playground.slack.delivery import AppRequest
from playground.slack.dialogs import Dialogs
from playground.slack.people import TROUBLE, ActionResult
from playground.slack.shapes import message_json
from playground.slack.world import Channel, File, Mail, Message, Ring, User

REGISTERED = (
    methods_chat,
    methods_files,
    methods_people,
    methods_views,
)  # importing them registers the Web API's methods


class PretendSlack(Dialogs):
    """A server that behaves toward the app as Slack does. See ``Core`` for its arguments, ``server`` for its routes."""

    async def say(
        self,
        user: str,
        where: str,
        text: str,
        *,
        thread_ts: str = "",
        files: Mapping[str, str | bytes] | None = None,
        veiled: bool = False,
    ) -> Message:
        """Writes a message to a channel, or (empty) to the app itself.

        ``files`` are contents by name; ``veiled``: the app is told only their ids, and must ask for the rest.
        """
        who, channel = self.world.user(user), self.place(user, where)
        if channel.is_im and (self.manifest.messages_read_only or not self.manifest.messages_tab):
            raise LookupError("Sending messages to this app has been turned off.")
        body = payloads.compose(self.world, channel.team, text, names=False)
        stamp = self.world.next_ts(self.now())
        kept = [self._drop(who, channel, *one) for one in (files or {}).items()]
        message = Message(channel.id, stamp, who.id, body, thread_ts=thread_ts, files=[file.id for file in kept])
        return self.write(message, veiled=veiled)

    def _drop(self, who: User, channel: Channel, name: str, content: str | bytes) -> File:
        raw = content.encode() if isinstance(content, str) else content
        file = File(methods_files.new_id(), who.team, who.id, name, mime=methods_files.mime_of(name), length=len(raw))
        file.born, file.shown = self.now(), [channel.id]
        return self.world.keep(file, raw)

    def downloads(self, user: str, where: str = "") -> dict[str, bytes]:
        """The contents, by name, of the files that the app posted where the person sees them; the latest of a name."""
        found = [self.world.files[id] for m in self.messages(user, where) if m.bot_id for id in m.files]
        return {file.name: self.world.contents[file.id] for file in found if file.id in self.world.contents}

    async def repeat_event(self, message: Message, times: int = 1) -> None:
        """Sends the event of a message again, as Slack does after an answer that got lost."""
        for _ in range(times):
            self.tell(message)
        await self.settled()

    async def change(self, user: str, message: Message, text: str) -> None:
        """Edits a message of the person."""
        who = self._author(user, message)
        before = message_json(self.world, message)
        message.text = payloads.compose(self.world, who.team, text, names=False)
        message.edited = self.world.next_ts(self.now())
        self.world.touch()
        self.tell(message, "message_changed", before)

    async def take_back(self, user: str, message: Message) -> None:
        """Deletes a message of the person."""
        self._author(user, message)
        self.world.remove(message)
        self.tell(message, "message_deleted", message_json(self.world, message))

    def _author(self, user: str, message: Message) -> User:
        who = self.world.user(user)
        if message.user != who.id or self.world.message(message.channel, message.ts) is None:
            raise LookupError(f"{who.name} did not write this message, or it is gone")
        return who

    async def open_home(self, user: str, tab: str = "home") -> None:
        """Opens the app's home, or its ``messages``, and waits until the app has done with it."""
        self.look_home(user, tab)
        await self.settled()

    def look_home(self, user: str, tab: str = "home") -> None:
        """The same without waiting."""
        who = self.world.user(user)
        self.emit(who.team, payloads.home_opened(self, who, tab))

    async def shortcut(self, user: str, callback_id: str, message: Message | None = None) -> ActionResult:
        """Uses a shortcut, on a message where one is given."""
        who, kind = self.world.user(user), "message" if message else "global"
        if not any((s.callback_id, s.kind) == (callback_id, kind) for s in self.manifest.shortcuts):
            raise LookupError(f"no {kind} shortcut {callback_id!r} in the manifest")
        sent = payloads.shortcut(self, who, callback_id, message)
        reply = await self.deliver(sent)
        return ActionResult(reply.error, notice=TROUBLE if reply.error else "", sent=sent, reply=reply)

    async def repeat(self, outcome: ActionResult) -> ActionResult:
        """Sends the same bytes again; the answer changes nothing on the screen."""
        if outcome.sent is None:
            raise LookupError("nothing was sent")
        reply = await self.deliver(outcome.sent)
        return ActionResult(reply.error, sent=outcome.sent, reply=reply)

    def install(self, user: str) -> str:
        """A person allows the app; the OAuth ``code`` that Slack sends to the redirect URL. The app is installed
        once ``oauth.v2.access`` exchanges it."""
        who = self.world.user(user)
        code = secrets.token_hex(16)
        self.codes[code] = (who.team, who.id)
        return code

    def uninstall(self, team: str) -> None:
        """Removes the app from a workspace: its token is refused at once, and both events are sent."""
        workspace = self.world.workspaces[team]
        workspace.installed = False
        self.world.touch()
        self.emit(team, {"type": "tokens_revoked", "tokens": {"oauth": [], "bot": [workspace.bot_user]}})
        self.emit(team, {"type": "app_uninstalled"})

    async def verify_url(self) -> bool:
        """Sends a ``url_verification``, as Slack does when the events URL is entered; whether the app answered it."""
        challenge = secrets.token_urlsafe(24)
        body = {"token": payloads.TOKEN, "challenge": challenge, "type": "url_verification"}
        reply = await self.deliver(AppRequest("events_api", body))
        answer = reply.answer.get("challenge") if isinstance(reply.answer, dict) else reply.answer
        return not reply.error and answer == challenge

    def phone_ring(self, number: str, text: str, kind: str = "sms") -> None:
        """Lets a phone outside Slack ring (``call``) or buzz (``sms``)."""
        self.world.ring(Ring(number, text, kind, self.now()))

    def mail(self, to: str, subject: str, text: str) -> None:
        """Puts a mail into the mailbox outside Slack."""
        self.world.deliver_mail(Mail(to, subject, text, self.now()))
