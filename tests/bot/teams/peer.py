"""The pretend Teams, whole: people who write, press and fill in dialogs, and what they see.

Every action posts to the bot what Teams posts and draws what comes back, as strictly as Teams does; what Teams could
not draw is in `refused`. Something that Teams' client would not allow (a button that isn't there) raises
`LookupError`.

    async with pretend_teams() as teams:
        teams.bot_url = "http://127.0.0.1:3000/api/messages"
        await teams.install("Ada")
        await teams.say("Ada", "numbers get GB")
        await teams.press("Ada", "Next")
        await teams.submit("Ada", {"Forwarding number": "020 7946 0900"})
        teams.words("Ada")
"""

import secrets
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from copy import deepcopy
from dataclasses import replace
from typing import Any, Final
from urllib.parse import quote

import aiohttp

from tests.bot.teams.posting import Answer, Posting
from tests.bot.teams.strict import CONSENT, INFO, Refused, check_pressed, check_task
from tests.bot.teams.world import BOT, Conversation, Dialog, Drive, Json, Kind, Message, User, find, inputs, standing
from tests.servers import serving

DROPPED: Final = "application/vnd.microsoft.teams.file.download.info"
PATIENCE: Final = 15.0  # seconds that Teams waits for an answer
TEAM: Final = "19:team@thread.tacv2"
TROUBLE: Final = "Something went wrong. Please try again."


class PretendTeams(Posting):
    """One or more tenants, on loopback. `unauthenticated`: it signs nothing that it posts."""

    def __init__(self, *, secret: str | None = None, unauthenticated: bool = True) -> None:
        super().__init__(secret=secret, unauthenticated=unauthenticated)
        for user in (
            User("29:ada", "Ada", "ada@example.com", "aad-ada"),
            User("29:max", "Max", "max@example.com", "aad-max"),
            User("29:robin", "Robin", "robin@example.com", "aad-robin"),
        ):
            self.world.add_user(user)

    # ── Looking ──

    def messages(self, user: str, where: str = "") -> list[Message]:
        """What the person sees in a conversation (empty: their chat with the bot), oldest first."""
        who = self.world.user(user)
        return self.world.seen(who, self.world.place(who, where))

    def said(self, user: str, where: str = "") -> list[Message]:
        """Those of `messages` that the bot wrote."""
        return [m for m in self.messages(user, where) if m.sender == BOT]

    def last(self, user: str, where: str = "") -> Message:
        """The newest of `said`."""
        found = self.said(user, where)
        if not found:
            raise LookupError("the bot has said nothing")
        return found[-1]

    def words(self, user: str, where: str = "") -> str:
        """What can be read on the newest."""
        return self.last(user, where).words()

    def card_of(self, user: str, where: str = "") -> Json:
        """The newest card."""
        for message in reversed(self.said(user, where)):
            if message.card is not None:
                return message.card
        raise LookupError("the bot has sent no card")

    def dialog(self, user: str) -> Dialog:
        """The dialog before a person."""
        found = self.world.dialogs.get(self.world.user(user).id)
        if found is None:
            raise LookupError(f"no dialog is open before {user}")
        return found

    def has_dialog(self, user: str) -> bool:
        return self.world.user(user).id in self.world.dialogs

    # ── Making ──

    def add_user(self, id: str, name: str, email: str = "", aad: str = "", **more: Any) -> User:
        return self.world.add_user(User(id, name, email, aad, **more))

    def add_place(self, name: str, members: Sequence[str], kind: Kind = "channel") -> Conversation:
        """A channel (of a team) or a group chat, the bot not in it yet."""
        ids = [self.world.user(m).id for m in members]
        suffix = "thread.tacv2" if kind == "channel" else "thread.v2"
        made = Conversation(
            f"19:{name}@{suffix}", kind, ids, name, TEAM if kind == "channel" else None, installed=False
        )
        self.world.conversations[made.id] = made
        return made

    # ── Acting ──

    async def install(self, user: str, where: str = "") -> Answer:
        """Adds the app to a chat or a channel's team: what Teams posts about it, both activities."""
        who = self.world.user(user)
        place = self.world.place(who, where)
        place.installed = True
        added = [{"id": BOT, **({"name": "Switchboard"} if place.kind == "personal" else {})}]
        await self.post(self.activity("conversationUpdate", who, place, membersAdded=added))
        return await self.post(self.activity("installationUpdate", who, place, action="add"))

    async def uninstall(self, user: str, where: str = "") -> Answer:
        who = self.world.user(user)
        place = self.world.place(who, where)
        place.installed = False
        return await self.post(self.activity("installationUpdate", who, place, action="remove"))

    async def say(
        self,
        user: str,
        text: str,
        where: str = "",
        *,
        id: str | None = None,
        targeted: bool = False,
        thread: str | None = None,
        aside: bool = False,
        files: Mapping[str, str | bytes] | None = None,
    ) -> Answer:
        """Writes to the bot. `@Name` in `text` mentions a person, `@Switchboard` the bot; in a group Teams hands on
        nothing that does not mention it, so that is put in front where it lacks. `targeted`: as a slash command.
        `aside`: said to others, in a team that lets the bot read along (ChannelMessage.Read.Group).
        `files`: contents by name, dropped into a chat of two; what a group gets of files never reaches a bot."""
        who = self.world.user(user)
        place = self.world.place(who, where)
        if place.kind != "personal" and not (targeted or aside) and "@Switchboard" not in text:
            text = f"@Switchboard {text}"
        shown, entities = self._mentions(text, place)
        message = Message(id or self.world.next_id(), place.id, who.id, shown, to=who.id if targeted else None)
        self.world.messages.append(message)
        sent = self.activity("message", who, place, id=message.id, text=shown, textFormat="plain", entities=entities)
        sent["attachments"] = [{"contentType": "text/html", "content": f"<div><div>{shown}</div></div>"}]
        if place.kind == "personal":
            sent["attachments"] += [self._dropped(who, *one) for one in (files or {}).items()]
        if targeted:
            sent["recipient"]["isTargeted"] = True
        if thread:
            sent["conversation"]["id"] = f"{place.id};messageid={thread}"
        return await self.post(sent)

    def _dropped(self, who: User, name: str, content: str | bytes) -> Json:
        """A file in the person's OneDrive, as Teams tells a bot of it."""
        raw = content.encode() if isinstance(content, str) else content
        file = self._in_drive(who, name, raw)
        opens = f"{self.url}/drive/download/{file.opens}"
        return {
            "contentType": DROPPED,
            "contentUrl": self._shown_at(file),
            "name": name,
            "content": {"downloadUrl": opens, "uniqueId": file.id, "fileType": file.ending, "etag": '"1"'},
        }

    def _in_drive(self, who: User, name: str, content: bytes = b"", size: int | None = None) -> Drive:
        file = Drive(str(uuid.uuid4()).upper(), who.id, name, secrets.token_urlsafe(16), content, size)
        self.world.drive[file.id] = file
        return file

    @staticmethod
    def _shown_at(file: Drive) -> str:
        return (
            f"https://contoso-my.sharepoint.com/personal/{file.owner.removeprefix('29:')}/Documents/{quote(file.name)}"
        )

    def offers(self, user: str) -> list[Message]:
        """The offers of files before somebody, oldest first."""
        return [m for m in self.said(user) if _file(m, CONSENT)]

    async def decide(self, user: str, accept: bool, offer: Message | None = None, **forged: Any) -> Answer:
        """Answers an offer of a file, the newest one unless it is given. `forged`: other fields of `value`."""
        who = self.world.user(user)
        message = offer or self.offers(user)[-1]
        card = _file(message, CONSENT)
        if card is None:
            raise LookupError("that is no offer of a file")
        content = card["content"]
        value: Json = {"type": "fileUpload", "action": "accept" if accept else "decline"}
        value["context"] = content.get("acceptContext" if accept else "declineContext")
        if accept:
            file = self._in_drive(who, card["name"], size=content["sizeInBytes"])
            value["uploadInfo"] = {
                "contentUrl": self._shown_at(file),
                "name": file.name,
                "uploadUrl": f"{self.url}/drive/upload/{file.opens}",
                "uniqueId": file.id,
                "fileType": file.ending,
            }
        place = self.world.conversations[message.conversation.partition(";")[0]]
        return await self._invoke(who, place, "fileConsent/invoke", value | forged, replyTo=message.id)

    def downloads(self, user: str) -> dict[str, bytes]:
        """The files by name that the bot shows somebody, and that are in their OneDrive; of one name, the latest."""
        who, found = self.world.user(user), {}
        for message in self.said(user):
            card = _file(message, INFO)
            file = self.world.drive.get(card["content"]["uniqueId"]) if card else None
            if file is not None and file.owner == who.id and file.size is None:
                found[file.name] = file.content
        return found

    async def edit(self, user: str, message: Message, text: str, *, thread: str | None = None) -> Answer:
        """Changes a message of one's own."""
        message.text = text
        sent = self._changed("messageUpdate", user, message, "editMessage", thread)
        return await self.post({**sent, "text": text})

    async def take_back(self, user: str, message: Message, *, thread: str | None = None) -> Answer:
        """Deletes a message of one's own."""
        self.world.messages.remove(message)
        return await self.post(self._changed("messageDelete", user, message, "softDeleteMessage", thread))

    def _changed(self, kind: str, user: str, message: Message, event: str, thread: str | None) -> Json:
        who, place = self.world.user(user), self.world.conversations[message.conversation.partition(";")[0]]
        sent = self.activity(kind, who, place, id=message.id)
        sent["channelData"]["eventType"] = event
        if thread:
            sent["conversation"]["id"] = f"{place.id};messageid={thread}"
        return sent

    async def press(
        self, user: str, label: str, where: str = "", *, near: str = "", on: Message | None = None, confirm: bool = True
    ) -> Answer:
        """Presses a control by its title: of the dialog if one is open, else of the newest message that has it.
        `near`: the one closest to that text. `confirm`: what the person answers when asked whether they are sure."""
        who = self.world.user(user)
        dialog = self.world.dialogs.get(who.id)
        if dialog is not None and on is None:
            if dialog.card is None:
                raise LookupError("the dialog has no controls")
            return await self._use(who, find(dialog.card, label, near, toggles=not confirm), dialog=dialog)
        candidates = [on] if on is not None else reversed(self.said(user, where))
        trouble = LookupError("the bot has sent no card")
        for message in candidates:
            try:
                action = find(message.card or {}, label, near, toggles=not confirm)
            except LookupError as error:
                trouble = error
                continue
            return await self._use(who, action, message=message)
        raise trouble

    def enter(self, user: str, values: Mapping[str, str]) -> None:
        """Fills inputs of the open dialog, by label (or id); of a choice, the option's title."""
        dialog = self.dialog(user)
        known = inputs(dialog.card or {})
        for label, value in values.items():
            fitting = [id for id, part in known.items() if label in (id, part.get("label"), part.get("title"))]
            if not fitting:
                raise LookupError(
                    f"no input {label!r} among {[p.get('label') or p.get('title') for p in known.values()]}"
                )
            choices = known[fitting[0]].get("choices", ())
            dialog.values[fitting[0]] = next((c["value"] for c in choices if c["title"] == value), value)

    async def submit(
        self, user: str, values: Mapping[str, str] | None = None, label: str = "", *, force: bool = False
    ) -> Answer:
        """Fills in the open dialog and sends it off by its first button, or the one called `label`. What is required
        and empty stops it, as in Teams' client, unless `force`."""
        self.enter(user, values or {})
        dialog = self.dialog(user)
        card = dialog.card or {}
        buttons = [a for a in card.get("actions", ()) if a.get("type") == "Action.Submit"]
        if label:
            buttons = [find(card, label)]
        if not buttons:
            raise LookupError("the dialog has no button that sends it off")
        return await self._use(self.world.user(user), buttons[0], dialog=dialog, force=force)

    async def close(self, user: str) -> None:
        """Closes the dialog without a word to the bot, as Teams does."""
        self.world.dialogs.pop(self.world.user(user).id, None)

    async def search(self, user: str, dataset: str, text: str) -> list[Json]:
        """Types into a choice that asks the bot; what it offers."""
        who = self.world.user(user)
        dialog = self.dialog(user)
        value = {"queryText": text, "queryOptions": {"skip": 0, "top": 15}, "dataset": dataset, "kind": "search"}
        answer = await self._invoke(who, self.world.conversations[dialog.conversation], "application/search", value)
        results: list[Json] = (answer.body or {}).get("value", {}).get("results", [])
        return results

    async def repeat(self, answer: Answer, times: int = 1) -> list[Answer]:
        """Posts the same activity again, as networks do; the answers change nothing on the screen."""
        return [await self.post(answer.activity) for _ in range(times)]

    # ── What Teams does with a press ──

    async def _use(
        self,
        who: User,
        action: Json,
        *,
        message: Message | None = None,
        dialog: Dialog | None = None,
        force: bool = False,
    ) -> Answer:
        kind, given = action["type"], action.get("data", {})
        if kind == "Action.OpenUrl":
            return Answer(link=action["url"])
        if kind in ("Action.ShowCard", "Action.ToggleVisibility", "Action.Popup"):
            return Answer(200)
        place = self.world.conversations[(message or dialog).conversation.partition(";")[0]]  # type: ignore[union-attr] # one of the two
        data = given if isinstance(given, dict) else {}
        if action.get("associatedInputs", "auto") != "none":
            card = (dialog or message).card or {}  # type: ignore[union-attr] # likewise
            values = dialog.values if dialog else standing(card)
            if dialog and not force and (missing := _missing(card, values)):
                return Answer(errors=missing)
            data = {**values, **data}
        if kind == "Action.Execute":
            shown = {
                "type": kind,
                "id": action.get("id", ""),
                "title": action["title"],
                "verb": action["verb"],
                "data": data,
            }
            value = {"action": shown, "trigger": "manual"}
            return self._pressed(
                who,
                message,
                await self._invoke(who, place, "adaptiveCard/action", value, replyTo=message.id if message else None),
            )
        context = {"theme": "default"}
        if dialog is not None:
            answer = await self._invoke(who, place, "task/submit", {"data": data, "context": context})
            return self._opened(who, place, answer, dialog.message)
        if data.get("msteams", {}).get("type") == "task/fetch":
            value = {"data": data, "context": context}
            answer = await self._invoke(who, place, "task/fetch", value, replyTo=message.id if message else None)
            return self._opened(who, place, answer, message.id if message else None)
        sent = self.activity("message", who, place, value=data, replyToId=message.id if message else None)
        return await self.post(sent)

    def _pressed(self, who: User, message: Message | None, answer: Answer) -> Answer:
        """What an answer to Action.Execute does to the message."""
        if answer.status != 200 or not answer.body:
            return answer
        try:
            card, text = check_pressed(answer.body)
        except Refused as no:
            self.refused.append(f"answer: {no}")
            return replace(answer, notice=TROUBLE)
        if message is not None and card is not None:
            message.card, message.edits = card, message.edits + 1
        elif message is not None:
            said = Message(self.world.next_id(), message.conversation, BOT, text, to=who.id, notice=True)
            self.world.messages.append(said)
        return replace(answer, notice=text)

    def _opened(self, who: User, place: Conversation, answer: Answer, message: str | None) -> Answer:
        """What an answer to task/fetch or task/submit does to the dialog."""
        if answer.status != 200:
            return answer
        task = (answer.body or {}).get("task")
        if task is None:
            self.world.dialogs.pop(who.id, None)
            return answer
        try:
            title, card, text = check_task(task)
        except Refused as no:
            self.refused.append(f"answer: {no}")
            return replace(answer, notice=TROUBLE)
        card = deepcopy(card)
        values = standing(card) if card else {}
        self.world.dialogs[who.id] = Dialog(who.id, place.id, title, card, text, message, values)
        return replace(answer, notice=text)


def _file(message: Message, kind: str) -> Json | None:
    """The card of that kind on a message."""
    return next((a for a in message.activity.get("attachments", ()) if a.get("contentType") == kind), None)


def _missing(card: Json, values: Mapping[str, str]) -> dict[str, str]:
    """Required inputs that are empty: label to the sentence that Teams' client shows."""
    return {
        str(part.get("label") or part.get("title") or id): str(part.get("errorMessage", ""))
        for id, part in inputs(card).items()
        if part.get("isRequired") and not values.get(id)
    }


@asynccontextmanager
async def pretend_teams(
    *,
    secret: str | None = None,
    unauthenticated: bool = True,
    before: Callable[[PretendTeams], Awaitable[None]] | None = None,
) -> AsyncIterator[PretendTeams]:
    """A pretend Teams that listens. The bot's address is to be set as `bot_url`."""
    teams = PretendTeams(secret=secret, unauthenticated=unauthenticated)
    limit = aiohttp.ClientTimeout(total=PATIENCE)
    async with serving(teams.application()) as teams.url, aiohttp.ClientSession(timeout=limit) as teams._http:
        if before is not None:
            await before(teams)
        yield teams
    teams._http = None
