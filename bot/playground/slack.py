"""The pretend Slack whole: everything people do, and the phones and the mailbox beside it."""

from __future__ import annotations

import secrets

from bot.playground import methods_chat, methods_people, methods_views, payloads
from bot.playground.delivery import Sent
from bot.playground.dialogs import Dialogs
from bot.playground.people import TROUBLE, Outcome
from bot.playground.shapes import message_json
from bot.playground.world import Mail, Message, Ring, User

REGISTERED = (methods_chat, methods_people, methods_views)  # importing them registers the Web API's methods


class PretendSlack(Dialogs):
    """A server that behaves toward the app as Slack does. See ``Core`` for its arguments, ``server`` for its routes."""

    async def say(self, user: str, where: str, text: str, *, thread_ts: str = "") -> Message:
        """Writes a message to a channel, or (empty) to the app itself."""
        who, channel = self.world.user(user), self.place(user, where)
        if channel.is_im and (self.manifest.messages_read_only or not self.manifest.messages_tab):
            raise LookupError("Sending messages to this app has been turned off.")
        body = payloads.compose(self.world, channel.team, text, names=False)
        stamp = self.world.next_ts(self.now())
        return self.write(Message(channel.id, stamp, who.id, body, thread_ts=thread_ts))

    async def change(self, user: str, message: Message, text: str) -> None:
        """Changes what the person had said."""
        who = self._author(user, message)
        before = message_json(self.world, message)
        message.text = payloads.compose(self.world, who.team, text, names=False)
        message.edited = self.world.next_ts(self.now())
        self.world.touch()
        self.tell(message, "message_changed", before)

    async def take_back(self, user: str, message: Message) -> None:
        """Deletes what the person had said."""
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

    async def shortcut(self, user: str, callback_id: str, message: Message | None = None) -> Outcome:
        """Uses a shortcut, on a message where one is given."""
        who, kind = self.world.user(user), "message" if message else "global"
        if not any((s.callback_id, s.kind) == (callback_id, kind) for s in self.manifest.shortcuts):
            raise LookupError(f"no {kind} shortcut {callback_id!r} in the manifest")
        sent = payloads.shortcut(self, who, callback_id, message)
        reply = await self.deliver(sent)
        return Outcome(reply.error, notice=TROUBLE if reply.error else "", sent=sent, reply=reply)

    async def repeat(self, outcome: Outcome) -> Outcome:
        """Sends the same bytes again, as networks do; the answer changes nothing on the screen."""
        if outcome.sent is None:
            raise LookupError("nothing was sent")
        reply = await self.deliver(outcome.sent)
        return Outcome(reply.error, sent=outcome.sent, reply=reply)

    def install(self, user: str) -> str:
        """Lets somebody allow the app: the OAuth ``code`` that Slack sends to the redirect URL. The app is installed
        once ``oauth.v2.access`` exchanges it."""
        who = self.world.user(user)
        code = secrets.token_hex(16)
        self.codes[code] = (who.team, who.id)
        return code

    def uninstall(self, team: str) -> None:
        """Removes the app from a workspace: its token is dead at once, and both events go out."""
        workspace = self.world.workspaces[team]
        workspace.installed = False
        self.world.touch()
        self.emit(team, {"type": "tokens_revoked", "tokens": {"oauth": [], "bot": [workspace.bot_user]}})
        self.emit(team, {"type": "app_uninstalled"})

    async def verify_url(self) -> bool:
        """Asks the app to prove its events URL, as Slack does when the URL is entered."""
        challenge = secrets.token_urlsafe(24)
        body = {"token": payloads.TOKEN, "challenge": challenge, "type": "url_verification"}
        reply = await self.deliver(Sent("events_api", body))
        answer = reply.answer.get("challenge") if isinstance(reply.answer, dict) else reply.answer
        return not reply.error and answer == challenge

    def phone_ring(self, number: str, text: str, kind: str = "sms") -> None:
        """Lets a phone outside Slack ring (``call``) or buzz (``sms``)."""
        self.world.ring(Ring(number, text, kind, self.now()))

    def mail(self, to: str, subject: str, text: str) -> None:
        """Puts a mail into the mailbox outside Slack."""
        self.world.deliver_mail(Mail(to, subject, text, self.now()))
