"""Reads what Teams posts: `understand` turns an activity into an `InboundActivity`.

The token proves that the sender is Microsoft; all the same, what is missing in an activity or of another type raises
`Malformed` with a sentence for whoever configured something wrong. The data of cards and dialogs come from a person's
client: where they are not ours the event is a press of `NO_ACTION`, which the handlers answer in the person's language.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2s
from typing import Any, Final, Literal

import orjson

from bot.chat.inbound import Malformed, object_or_empty, required_object
from bot.chat.types import Json
from bot.teams import forms
from bot.teams.client import is_service_url
from bot.teams.controls import encodable, read_press
from bot.teams.conversations import PLATFORM, ActivityOrigin
from bot.teams.mentions import is_mentioned, plain, split
from bot.teams.reply_references import MessageReference, Seal, pack
from handlers.framework.events import (
    Actor,
    Address,
    ChatMessage,
    File,
    HomeRequest,
    Inbound,
    Mention,
    MessageDeletion,
    MessageEdit,
    OptionsRequest,
    Press,
    Submit,
)

# message: text · execute: a button of a card · fetch: one that opens a dialog · task: a button of a dialog, or its
# submission · search: a choice that asks for options · home: the home card was asked for
Kind = Literal["message", "execute", "fetch", "task", "search", "home"]

HOME: Final = "home"  # the message that asks for the home card
NO_ACTION: Final = ""  # the action of a press whose data are not ours
MOST_ID: Final = 400  # characters of any id
MOST_QUERY: Final = 200
MOST_FILES: Final = 10  # of a message
MOST_URL: Final = 4_000  # characters
_OFFER: Final = re.compile(r"[0-9a-f]{1,64}")  # an effect's id
DROPPED: Final = "application/vnd.microsoft.teams.file.download.info"
_MOBILE: Final = frozenset({"ios", "android"})
# Our own keys in the state of a form.
DIALOG: Final = "~dialog"  # the id of the activity that opened the dialog
MESSAGE: Final = "~way"  # the sealed id of the message it was opened from


@dataclass(frozen=True, slots=True)
class Interaction:
    """What somebody did, and what is needed to answer it in its place."""

    event: Inbound
    kind: Kind
    origin: ActivityOrigin
    conversation: str  # to say something in, below the thread's own message where there is one
    message: str | None = None  # our message that the pressed control is on
    extras: Mapping[str, str] = field(default_factory=dict)  # what a dialog's state must carry on
    data: Mapping[str, Any] = field(default_factory=dict)  # that came out of a dialog


@dataclass(frozen=True, slots=True)
class AppInstalled:
    """The app was added to a chat or team. Teams sends two activities; `home`: the one answered by a home card."""

    origin: ActivityOrigin
    actor: Actor
    id: str
    home: bool


@dataclass(frozen=True, slots=True)
class AppRemoved:
    """The app was removed from a chat or team."""

    origin: ActivityOrigin


@dataclass(frozen=True, slots=True)
class ConversationUpdated:
    """Nothing but where a conversation is."""

    origin: ActivityOrigin


@dataclass(frozen=True, slots=True)
class UploadInfo:
    """An accepted file in the person's OneDrive: where it is uploaded to, and how it is shown from then on."""

    upload_url: str = field(repr=False)
    url: str = field(repr=False)
    id: str
    ending: str
    name: str


@dataclass(frozen=True, slots=True)
class FileConsent:
    """A person accepts a file that was offered, or declines it (`upload` None). `message` is the card that offered it;
    `offer` comes from their client and is untrusted."""

    origin: ActivityOrigin
    actor: Actor
    message: str | None
    offer: str
    upload: UploadInfo | None


@dataclass(frozen=True, slots=True)
class UnhandledActivity:
    """An activity that we don't act on. `kind`: what it is, for the log; `awaited`: the client waits for a body."""

    kind: str
    awaited: bool = False


InboundActivity = Interaction | AppInstalled | AppRemoved | ConversationUpdated | FileConsent | UnhandledActivity


def understand(activity: Json, seal: Seal, *, is_local: Callable[[str], bool] | None = None) -> InboundActivity:
    """What an activity says. Raises `Malformed`.

    Args:
        seal: seals the ids of messages that travel through dialogs.
        is_local: where no token proves a service URL: whether it leads to this machine; others are refused.
    """
    kind = _text(activity, "type")
    read = _KINDS.get(kind)
    if read is None:
        return UnhandledActivity(kind[:64])
    reader = _Reader(activity, seal)
    if is_local is not None and not is_local(reader.origin.service):
        raise Malformed('The activity\'s "serviceUrl" must be on this machine, where no token vouches for it.')
    return read(reader)


def _text(source: Mapping[str, Any], key: str, within: str = "activity") -> str:
    value = source.get(key)
    if not isinstance(value, str) or not value or len(value) > MOST_ID or not encodable(value):
        raise Malformed(f'The {within} has no "{key}", or none that can be one.')
    return value


def _maybe(source: Mapping[str, Any], key: str) -> str | None:
    value = source.get(key)
    fits = isinstance(value, str) and 0 < len(value) <= MOST_ID and encodable(value)
    return value if fits else None


def _address(value: Any) -> str | None:
    fits = isinstance(value, str) and 0 < len(value) <= MOST_URL and value.isascii() and value.isprintable()
    return value if fits and " " not in value else None


def _objects(source: Mapping[str, Any], key: str) -> list[Json]:
    value = source.get(key)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


class _Reader:
    def __init__(self, activity: Json, seal: Seal) -> None:
        self._activity = activity
        self._seal = seal
        sender, conversation = (required_object(activity, key, "activity") for key in ("from", "conversation"))
        channel = object_or_empty(activity, "channelData")
        self._entities = _objects(activity, "entities")
        self._client = next((e for e in self._entities if e.get("type") == "clientInfo"), {})
        user = _text(sender, "id", "activity's sender")
        self.conversation = _text(conversation, "id", "activity's conversation")
        named = _maybe(object_or_empty(channel, "tenant"), "id")
        tenant = _maybe(conversation, "tenantId") or named
        if tenant is None:
            raise Malformed('The activity has no tenant: neither "channelData.tenant.id" nor "conversation.tenantId".')
        service = _text(activity, "serviceUrl")
        if not is_service_url(service):
            raise Malformed('The activity\'s "serviceUrl" is no address.')
        locale = _maybe(activity, "locale") or _maybe(self._client, "locale")
        aad = _maybe(sender, "aadObjectId")
        home = _maybe(sender, "tenantId") or named
        self.bot = _text(required_object(activity, "recipient", "activity"), "id", "activity's recipient")
        self.origin = ActivityOrigin(
            tenant=tenant,
            service=service,
            conversation=self.conversation.partition(";")[0],
            user=user,
            bot=self.bot,
            personal=_maybe(conversation, "conversationType") in {None, "personal"}
            and conversation.get("isGroup") is not True,
            aad=aad,
            locale=locale,
            team=_maybe(object_or_empty(channel, "team"), "id"),
        )
        self.actor = Actor(
            PLATFORM,
            tenant,
            user,
            _maybe(sender, "name"),
            locale,
            "mobile" if str(self._client.get("platform", "")).lower() in _MOBILE else "desktop",
            outsider=home not in {None, tenant},
            other_ids=(aad,) if aad else (),
        )

    @property
    def id(self) -> str:
        """The same when Teams sends it again. Teams' own ids are unique only in a conversation."""
        given = _text(self._activity, "id")
        return blake2s(orjson.dumps([self.origin.conversation, given]), digest_size=16).hexdigest()

    def _where(self, activity: str | None = None) -> Address:
        origin = self.origin
        reply = pack(MessageReference(self.conversation, activity, not origin.personal)) if activity else None
        return Address(PLATFORM, origin.tenant, origin.user, None if origin.personal else self.conversation, reply)

    def message(self) -> InboundActivity:
        if self.origin.user.startswith("28:") or self.origin.user == self.bot:
            return UnhandledActivity("what a bot said")
        if _maybe(object_or_empty(self._activity, "channelData"), "eventType") in {"editMessage", "undeleteMessage"}:
            return self.edited()
        value = self._activity.get("value")
        text = self._activity.get("text")
        if text is None and isinstance(value, dict):  # a client that knows no Action.Execute
            return self._press("message", value, _maybe(self._activity, "replyToId"))
        if not isinstance(text, str | None) or not encodable(text or ""):
            raise Malformed('"text" must be a string.')
        words, files = split(text or "", self._entities, without=self.bot), self._files()
        if self.origin.personal and not files and len(words) == 1 and _word(words[0]) == HOME:
            return self._interaction(HomeRequest(self.actor, self._where()), "home")
        targeted = object_or_empty(self._activity, "recipient").get("isTargeted") is True  # a slash command
        overheard = not (self.origin.personal or targeted or is_mentioned(self._entities, self.bot))
        thread = self._thread()
        if overheard and thread is None:
            return UnhandledActivity("a message in a channel")
        message = ChatMessage(
            self.actor,
            self.id,
            words,
            self._where(),
            files,
            text=plain(text or ""),
            message=self._name(_text(self._activity, "id")),
            # Who mentions us below a post speaks to us, not below it.
            thread=thread if overheard else None,
            overheard=overheard,
            unthreaded=self.origin.personal,
        )
        return self._interaction(message, "message")

    def edited(self) -> InboundActivity:
        text = self._activity.get("text")
        if not isinstance(text, str) or not encodable(text):
            return UnhandledActivity("a change that is not of the text")
        id, name = self._changed("edited")
        return self._interaction(
            MessageEdit(self.actor, id, name, plain(text), self._where(), self._thread()), "message"
        )

    def removed(self) -> InboundActivity:
        id, name = self._changed("removed")
        return self._interaction(MessageDeletion(self.actor, id, name, self._where(), self._thread()), "message")

    def _changed(self, how: str) -> tuple[str, str]:
        """The id of an edit or a deletion, and the name of its message, whose id the activity bears."""
        when = _maybe(self._activity, "timestamp") or ""
        return f"{self.id}:{how}:{when}", self._name(_text(self._activity, "id"))

    def _name(self, activity: str) -> str:
        return message_name(self.conversation, activity)

    def _thread(self) -> str | None:
        """The name of the message that this one hangs below."""
        root = self.conversation.partition(";messageid=")[2]
        return self._name(root) if root and root != self._activity.get("id") else None

    def _files(self) -> tuple[File, ...]:
        """The files dropped into the chat. Each is read from a URL that needs no token."""
        found = []
        for one in _objects(self._activity, "attachments")[: MOST_FILES + 1]:  # one is the text once more
            content = object_or_empty(one, "content")
            url, id = _address(content.get("downloadUrl")), _maybe(content, "uniqueId")
            if one.get("contentType") == DROPPED and url and id:
                name, ending = _maybe(one, "name") or "", _maybe(content, "fileType") or ""
                page = _address(_maybe(one, "contentUrl")) or ""
                found.append(File(id, name or (f"file.{ending}" if ending else ""), None, "", url, page))
        return tuple(found[:MOST_FILES])

    def _interaction(self, event: Inbound, kind: Kind, **more: Any) -> Interaction:
        return Interaction(event, kind, self.origin, self.conversation, **more)

    def invoke(self) -> InboundActivity:
        name = _text(self._activity, "name")
        value = object_or_empty(self._activity, "value")
        message = _maybe(self._activity, "replyToId")
        match name:
            case "adaptiveCard/action":
                return self._press("execute", object_or_empty(value, "action").get("data"), message)
            case "task/fetch":
                return self._press("fetch", value.get("data"), message)
            case "task/submit":
                return self._task(value.get("data"))
            case "application/search":
                return self._search(value)
            case "fileConsent/invoke":
                return self._file_consent(value, message)
        return UnhandledActivity(f"invoke {name}"[:64], awaited=True)

    def _press(self, kind: Kind, data: Any, message: str | None) -> Interaction:
        try:
            action, given = read_press(data)
        except ValueError:
            action, given = NO_ACTION, ""
        press = Press(self.actor, self.id, action, given, self._where(message))
        extras = {DIALOG: self.id}
        if message:
            extras[MESSAGE] = self._seal.close(message, *self._owner())
        return self._interaction(press, kind, message=message, extras=extras)

    def _task(self, data: Any) -> Interaction:
        if isinstance(data, dict) and "form" not in data:  # a button of a screen that a dialog shows, of a search say
            return self._press("task", data, None)
        try:
            form, state, values = forms.read_submission(data)
            button = forms.button(data)
        except ValueError:
            return self._interaction(Press(self.actor, self.id, NO_ACTION, "", self._where()), "task")
        extras: dict[str, str] = {name: state.pop(name) for name in (DIALOG, MESSAGE) if name in state}
        message = self._seal.open(extras.get(MESSAGE, ""), *self._owner())
        where = self._where(message)
        event: Inbound
        if button is not None:
            event = Press(self.actor, self.id, *button, where, form, state, values)
        else:
            event = Submit(self.actor, self._submission(form, state, values, extras), form, state, values, where)
        return self._interaction(event, "task", message=message, extras=extras, data=data)

    def _submission(self, form: str, state: Json, values: Json, extras: Mapping[str, str]) -> str:
        """The id of a submission: the same for two clicks in one dialog, another for other values (a new code, say)."""
        dialog = extras.get(DIALOG) or self.id
        content = orjson.dumps([self.origin.user, dialog, form, state, values], option=orjson.OPT_SORT_KEYS)
        return blake2s(content, digest_size=16).hexdigest()

    def _search(self, value: Json) -> Interaction:
        text, dataset = value.get("queryText", ""), value.get("dataset")
        if not isinstance(text, str) or not isinstance(dataset, str) or not encodable(text + dataset):
            raise Malformed('The search has no "queryText" or no "dataset".')
        return self._interaction(OptionsRequest(self.actor, dataset[:MOST_ID], text[:MOST_QUERY]), "search")

    def _file_consent(self, value: Json, message: str | None) -> InboundActivity:
        """An answer to the offer of a file."""
        offer, action = _maybe(object_or_empty(value, "context"), "offer"), value.get("action")
        ours = value.get("type") == "fileUpload" and offer is not None and _OFFER.fullmatch(offer)
        if offer is None or not ours or action not in {"accept", "decline"}:
            return UnhandledActivity("answer to no offer of ours")
        upload = None
        if action == "accept":
            info = object_or_empty(value, "uploadInfo")
            to, url, id = _address(info.get("uploadUrl")), _address(info.get("contentUrl")), _maybe(info, "uniqueId")
            if not (to and url and id):
                raise Malformed('The answer to a file has no "uploadInfo".')
            upload = UploadInfo(to, url, id, _maybe(info, "fileType") or "", _maybe(info, "name") or "")
        return FileConsent(self.origin, self.actor, message, offer, upload)

    def _owner(self) -> tuple[str, str, str]:
        return self.origin.tenant, self.origin.user, self.origin.conversation

    def installed(self) -> InboundActivity:
        match self._activity.get("action"):
            case "add" | "add-upgrade":
                return AppInstalled(self.origin, self.actor, self.id, home=True)
            case "remove" | "remove-upgrade":
                return AppRemoved(self.origin)
        raise Malformed('The activity has no "action" that we know.')

    def changed(self) -> InboundActivity:
        event = _maybe(object_or_empty(self._activity, "channelData"), "eventType")
        if self._is_among("membersRemoved") or event == "channelDeleted":
            return AppRemoved(self.origin)
        if self._is_among("membersAdded"):
            return AppInstalled(self.origin, self.actor, self.id, home=False)
        return ConversationUpdated(self.origin)

    def _is_among(self, key: str) -> bool:
        return any(member.get("id") == self.bot for member in _objects(self._activity, key))


def message_name(conversation: str, activity: str) -> str:
    """A message's name in its tenant: the conversation without the thread, and the activity."""
    return f"{conversation.partition(';')[0]}/{activity}"


def _word(word: str | Mention) -> str:
    return word.lower().removeprefix("/") if isinstance(word, str) else ""


_KINDS: Final[dict[str, Callable[[_Reader], InboundActivity]]] = {
    "message": _Reader.message,
    "messageUpdate": _Reader.edited,
    "messageDelete": _Reader.removed,
    "invoke": _Reader.invoke,
    "installationUpdate": _Reader.installed,
    "conversationUpdate": _Reader.changed,
}
