"""Reads what Slack sends: `parse` a request's body into a payload, and `understand` it as an `InboundEvent`.

Payloads are signed, so they come from Slack; all the same, what is missing in one or of another type raises
`Malformed` with a sentence for whoever configured something wrong.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final, Literal
from urllib.parse import unquote_plus

import orjson

from bot.chat.inbound import Malformed, object_or_empty, required_object, text_or_none
from bot.chat.types import Json
from bot.slack.controls import OPENS, unpack_action, unpack_option
from bot.slack.forms import read_files, read_values, unpack_metadata
from bot.slack.mentions import plain, split
from bot.slack.scopes import SHORTCUTS
from handlers.framework.events import (
    Actor,
    Address,
    ChatMessage,
    Command,
    File,
    HomeRequest,
    Inbound,
    MessageDeletion,
    MessageEdit,
    OptionsRequest,
    Press,
    Submit,
)

Surface = Literal["command", "shortcut", "message", "modal", "home", "im", "mention"]

PLATFORM: Final = "slack"
MOST_FIELDS: Final = 100
MOST_FILES: Final = 10  # of a message; Slack takes as many at once
MENTIONS_OF_US: Final = "app_mention"


@dataclass(frozen=True, slots=True)
class Interaction:
    """What somebody did, and what is needed to answer it in its place."""

    event: Inbound
    surface: Surface
    trigger: str | None = None  # opens a dialog within 3 s
    view: Mapping[str, Any] | None = None  # the dialog or home screen it happened in, as Slack sent it
    channel: str | None = None  # the id of where it happened
    thread: str | None = None  # `ts` of the message to answer below, in a channel
    org: str | None = None  # the Enterprise Grid organisation that has installed the app for all its workspaces
    repeated: bool = False  # Slack says that it sent this before


@dataclass(frozen=True, slots=True)
class AppUninstalled:
    """The app was uninstalled, or its bot token revoked. `at`: seconds since 1970; None: unknown."""

    workspaces: tuple[str, ...]
    at: float | None


@dataclass(frozen=True, slots=True)
class UrlVerification:
    """Slack checks that the endpoint is ours: `text` is sent back."""

    text: str


@dataclass(frozen=True, slots=True)
class UnhandledPayload:
    """A payload that we don't act on. `kind`: what it is, for the log."""

    kind: str


InboundEvent = Interaction | AppUninstalled | UrlVerification | UnhandledPayload


def parse(body: str, content_type: str) -> Json:
    """The payload in a request's body. Raises `Malformed`."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/json":
        return _json(body)
    if kind == "application/x-www-form-urlencoded":
        fields = _form(body)
        return _json(fields["payload"]) if "payload" in fields else fields
    raise Malformed("The body must be a form or JSON, and its Content-Type must say so.")


def _json(text: str) -> Json:
    try:
        data = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise Malformed("The body is not JSON, or nested too deeply.") from None
    if not isinstance(data, dict):
        raise Malformed("The body must be a JSON object.")
    return data


def _form(text: str) -> Json:
    if text.count("&") >= MOST_FIELDS:
        raise Malformed("The form has too many fields.")
    fields: Json = {}
    for pair in text.split("&"):
        name, _, value = pair.partition("=")
        fields[name] = unquote_plus(value) if "%" in value or "+" in value else value
    return fields


def understand(
    payload: Json, is_response_url: Callable[[str], bool], find_locale: Callable[[str, str], str | None]
) -> InboundEvent:
    """What a payload says. Raises `Malformed`.

    Args:
        is_response_url: whether a response URL is Slack's; any other one is left out.
        find_locale: the language of a user of a workspace, where it is known.
    """
    reader = _Reader(payload, is_response_url, find_locale)
    if "command" in payload:
        return reader.command()
    kind = payload.get("type")
    if kind == "event_callback":
        return reader.callback()
    if isinstance(kind, str):
        read = _KINDS.get(kind)
        return read(reader) if read else UnhandledPayload(kind[:64])
    if payload.get("ssl_check") == "1":
        return UnhandledPayload("ssl_check")
    raise Malformed("The body is no payload of Slack's: it has neither a command nor a type.")


def _text(source: Mapping[str, Any], key: str) -> str:
    value = source.get(key)
    if not isinstance(value, str) or not value:
        raise Malformed(f'The payload has no "{key}".')
    return value


class _Reader:
    def __init__(
        self, payload: Json, is_response_url: Callable[[str], bool], find_locale: Callable[[str, str], str | None]
    ) -> None:
        self._payload = payload
        self._is_response_url = is_response_url
        self._find_locale = find_locale

    def command(self) -> Interaction:
        payload = self._payload
        team, user = _text(payload, "team_id"), _text(payload, "user_id")
        name, trigger = _text(payload, "command"), _text(payload, "trigger_id")
        text = payload.get("text", "")
        if not isinstance(text, str):
            raise Malformed('"text" must be a string.')
        actor = Actor(PLATFORM, team, user, text_or_none(payload, "user_name"), self._find_locale(team, user))
        where = Address(PLATFORM, team, user, text_or_none(payload, "channel_id"), self._response_url())
        org = text_or_none(payload, "enterprise_id") if payload.get("is_enterprise_install") == "true" else None
        event = Command(actor, trigger, name.removeprefix("/").lower(), split(text), where)
        return Interaction(event, "command", trigger, org=org)

    def shortcut(self) -> InboundEvent:
        found = SHORTCUTS.get(_text(self._payload, "callback_id"))
        if found is None:
            return UnhandledPayload("shortcut")
        actor, org = self._actor({})
        trigger = _text(self._payload, "trigger_id")
        where = Address(PLATFORM, actor.workspace, actor.user)
        return Interaction(Command(actor, trigger, found[0], found[1], where), "shortcut", trigger, org=org)

    def pressed(self) -> InboundEvent:
        actions = self._payload.get("actions")
        action = actions[0] if isinstance(actions, list) and actions else None
        if not isinstance(action, dict):
            raise Malformed('The payload has no "actions".')
        view = object_or_empty(self._payload, "view")
        name, value = self._action(action)
        if name == OPENS:
            return UnhandledPayload("a button that opens a page")
        actor, org = self._actor(view)
        trigger = _text(self._payload, "trigger_id")
        state, reply = unpack_metadata(text_or_none(view, "private_metadata") or "")
        where = Address(
            PLATFORM,
            actor.workspace,
            actor.user,
            text_or_none(object_or_empty(self._payload, "channel"), "id"),
            self._response_url(reply),
        )
        event = Press(
            actor=actor,
            id=f"{trigger}:{action.get('action_ts', '')}",
            action=name,
            value=value,
            where=where,
            form=text_or_none(view, "callback_id"),
            state=state,
            values=read_values(view.get("state") if view else self._payload.get("state")),
            stamp=text_or_none(action, "action_ts") or "",
        )
        place: Surface = "message" if not view else "home" if view.get("type") == "home" else "modal"
        if place == "modal":
            _check_view(view)
        return Interaction(event, place, trigger, view or None, org=org)

    @staticmethod
    def _action(action: Json) -> tuple[str, str]:
        """Action and value of a button or menu; of a live field, its name and value."""
        kind, chosen = action.get("type"), action.get("selected_option")
        picked = chosen.get("value") if isinstance(chosen, dict) else None
        if kind == "overflow":
            return unpack_option(picked if isinstance(picked, str) else "")
        if kind == "button":
            return unpack_action(_text(action, "action_id")), text_or_none(action, "value") or ""
        return _text(action, "block_id"), read_values({"values": {"it": {"": action}}})["it"]

    def submitted(self) -> Interaction:
        view = required_object(self._payload, "view", "payload")
        actor, org = self._actor(view)
        form, view_id = _text(view, "callback_id"), _text(view, "id")
        _check_view(view)
        state, reply = unpack_metadata(text_or_none(view, "private_metadata") or "")
        values = read_values(view.get("state"))
        files = {name: _files(given) for name, given in read_files(view.get("state")).items()}
        # The same dialog may be sent off several times with other values (a wrong code, say); each is its own request.
        whole = [state, values, *({name: [file.id for file in given] for name, given in files.items()},) * bool(files)]
        digest = blake2b(orjson.dumps(whole, option=orjson.OPT_SORT_KEYS), digest_size=8).hexdigest()
        where = Address(PLATFORM, actor.workspace, actor.user, reply=self._response_url(reply))
        event = Submit(actor, f"{view_id}:{form}:{digest}", form, state, values, where, files)
        return Interaction(event, "modal", text_or_none(self._payload, "trigger_id"), view, org=org)

    def suggested(self) -> Interaction:
        view = object_or_empty(self._payload, "view")
        actor, org = self._actor(view)
        text = self._payload.get("value")
        if not isinstance(text, str):
            raise Malformed('The payload has no "value".')
        state, _ = unpack_metadata(text_or_none(view, "private_metadata") or "")
        event = OptionsRequest(actor, _text(self._payload, "block_id"), text, text_or_none(view, "callback_id"), state)
        return Interaction(event, "modal", view=view or None, org=org)

    def callback(self) -> InboundEvent:
        event = required_object(self._payload, "event", "payload")
        kind = _text(event, "type")
        match kind:
            case "app_home_opened":
                return self._home_opened(event)
            case "message" | "app_mention":
                return self._message(event, kind)
            case "app_uninstalled" | "tokens_revoked":
                return self._uninstalled(event, kind)
        return UnhandledPayload(kind[:64])

    def _home_opened(self, event: Json) -> InboundEvent:
        if event.get("tab", "home") != "home":
            return UnhandledPayload("app_home_opened, another tab")
        actor, org = self._event_actor(event)
        return Interaction(HomeRequest(actor, Address(PLATFORM, actor.workspace, actor.user)), "home", org=org)

    def _message(self, event: Json, kind: str) -> InboundEvent:
        match event.get("subtype"):
            case "message_changed" | "message_deleted" as change:
                return self._changed(event, change)
            case None | "file_share" | "thread_broadcast" if not event.get("bot_id"):
                pass
            case _:  # joins and what bots write (we are one) are not said to us
                return UnhandledPayload("a message that nobody said to us")
        channel, stamp = _text(event, "channel"), _text(event, "ts")
        thread_ts = text_or_none(event, "thread_ts")
        overheard = kind == "message" and event.get("channel_type") != "im"
        if overheard and thread_ts in {None, stamp}:
            return UnhandledPayload("a message in a channel")
        actor, org = self._event_actor(event)
        files = _files(event.get("files"))
        text = event.get("text", "" if files else None)
        if not isinstance(text, str):
            raise Malformed('The event has no "text".')
        bot_user = text_or_none(self._authorization(), "user_id")
        if actor.user == bot_user:
            return UnhandledPayload("our own message")
        if overheard and bot_user is not None and f"<@{bot_user}" in text:
            return UnhandledPayload("a mention, which comes as one too")
        mention = kind == MENTIONS_OF_US
        in_channel = mention or overheard
        name = f"{channel}:{stamp}"
        message = ChatMessage(
            actor,
            name,
            split(text, without=bot_user),
            Address(PLATFORM, actor.workspace, channel=channel) if in_channel else self._private(actor),
            files,
            text=plain(text),
            message=name,
            # Who mentions us below a post speaks to us, not below it.
            thread=f"{channel}:{thread_ts}" if thread_ts and not mention else None,
            overheard=overheard,
        )
        thread = thread_ts or (stamp if mention else None)
        return Interaction(message, "mention" if in_channel else "im", channel=channel, thread=thread, org=org)

    def _changed(self, event: Json, change: str) -> InboundEvent:
        """A reply in a thread was edited or deleted."""
        channel, before = _text(event, "channel"), object_or_empty(event, "previous_message")
        now = object_or_empty(event, "message")
        thread_ts = text_or_none(before, "thread_ts")
        stamp = text_or_none(before, "ts") or text_or_none(event, "deleted_ts")
        if thread_ts in {None, stamp} or stamp is None or before.get("bot_id") or text_or_none(before, "user") is None:
            return UnhandledPayload("a change of a message that hangs below none")
        actor, org = self._event_actor({**event, "user": before["user"], "user_team": before.get("user_team")})
        private = event.get("channel_type") == "im"
        where = self._private(actor) if private else Address(PLATFORM, actor.workspace, channel=channel)
        name, thread = f"{channel}:{stamp}", f"{channel}:{thread_ts}"
        id = f"{name}:{text_or_none(event, 'event_ts') or _text(event, 'ts')}"
        found: MessageEdit | MessageDeletion
        # Slack leaves a tombstone where a message had answers of its own.
        if change == "message_deleted" or now.get("subtype") == "tombstone":
            found = MessageDeletion(actor, id, name, where, thread)
        else:
            text = now.get("text")
            if not isinstance(text, str) or text == before.get("text"):  # a link was unfurled, say
                return UnhandledPayload("a change that is not of the text")
            found = MessageEdit(actor, id, name, plain(text), where, thread)
        return Interaction(found, "im" if private else "mention", channel=channel, thread=thread_ts, org=org)

    @staticmethod
    def _private(actor: Actor) -> Address:
        return Address(PLATFORM, actor.workspace, actor.user)

    def _uninstalled(self, event: Json, kind: str) -> InboundEvent:
        if kind == "tokens_revoked" and not object_or_empty(event, "tokens").get("bot"):
            return UnhandledPayload("tokens_revoked, none of the bot's")
        authorization = self._authorization()
        org = text_or_none(authorization, "enterprise_id") or text_or_none(self._payload, "enterprise_id")
        team = text_or_none(authorization, "team_id") or text_or_none(self._payload, "team_id")
        everywhere = authorization.get("is_enterprise_install") is True or team is None
        affected = tuple(filter(None, (team, org if everywhere else None)))
        if not affected:
            raise Malformed("The event names no workspace.")
        at = self._payload.get("event_time")
        return AppUninstalled(affected, float(at) if isinstance(at, int | float) else None)

    def challenge(self) -> UrlVerification:
        return UrlVerification(_text(self._payload, "challenge"))

    def _authorization(self) -> Json:
        given = self._payload.get("authorizations")
        first = given[0] if isinstance(given, list) and given else None
        return first if isinstance(first, dict) else {}

    def _event_actor(self, event: Json) -> tuple[Actor, str | None]:
        """The person of an event, in a shared channel perhaps of another company, and the organisation that installed
        the app."""
        authorization = self._authorization()
        team = text_or_none(authorization, "team_id") or _text(self._payload, "team_id")
        org = text_or_none(authorization, "enterprise_id") or text_or_none(self._payload, "enterprise_id")
        user = _text(event, "user")
        theirs = text_or_none(event, "user_team") or text_or_none(event, "source_team") or text_or_none(event, "team")
        outsider = theirs is not None and theirs not in {team, org}
        installed_by = org if authorization.get("is_enterprise_install") is True else None
        return Actor(PLATFORM, team, user, None, self._find_locale(team, user), outsider=outsider), installed_by

    def _actor(self, view: Json) -> tuple[Actor, str | None]:
        """The person of an interaction, and the organisation that installed the app: then Slack sends no `team`."""
        user = required_object(self._payload, "user", "payload")
        home = text_or_none(user, "team_id")
        team = (
            text_or_none(view, "app_installed_team_id")
            or text_or_none(object_or_empty(self._payload, "team"), "id")
            or home
        )
        if team is None:
            raise Malformed("The payload names no workspace.")
        whole = self._payload.get("is_enterprise_install") in (True, "true")
        org = text_or_none(object_or_empty(self._payload, "enterprise"), "id") if whole else None
        if org is not None and team == org:
            team = home or team
        who = _text(user, "id")
        name = text_or_none(user, "username") or text_or_none(user, "name")
        outsider = home is not None and home not in {team, org}
        return Actor(PLATFORM, team, who, name, self._find_locale(team, who), outsider=outsider), org

    def _response_url(self, from_state: str | None = None) -> str | None:
        url = text_or_none(self._payload, "response_url") or from_state
        return url if url is not None and self._is_response_url(url) else None


def _files(given: Any) -> tuple[File, ...]:
    """The files of a message. Slack names some by their id alone ("file_access": "check_file_info")."""
    found = []
    for item in given[:MOST_FILES] if isinstance(given, list) else ():
        id = text_or_none(item, "id") if isinstance(item, dict) else None
        if id is not None and item.get("mode") != "tombstone":
            found.append(file_of(id, item))
    return tuple(found)


def file_of(id: str, details: Mapping[str, Any]) -> File:
    """A file as Slack describes it. It is read by its id: its address is asked for when it is read."""
    size = details.get("size")
    known = size if isinstance(size, int) and not isinstance(size, bool) and size >= 0 else None
    page = text_or_none(details, "permalink") or ""
    return File(id, text_or_none(details, "name") or "", known, text_or_none(details, "mimetype") or "", id, page)


def _check_view(view: Json) -> None:
    """Checks what `forms.redraw` relies on. Raises `Malformed`."""
    blocks = view.get("blocks")
    if not isinstance(view.get("title"), dict) or not isinstance(view.get("id"), str):
        raise Malformed("The payload's view has no title or no id.")
    if not isinstance(blocks, list) or not all(isinstance(block, dict) for block in blocks):
        raise Malformed("The payload's view has no blocks.")


_KINDS: Final[dict[str, Callable[[_Reader], InboundEvent]]] = {
    "block_actions": _Reader.pressed,
    "view_submission": _Reader.submitted,
    "block_suggestion": _Reader.suggested,
    "shortcut": _Reader.shortcut,
    "url_verification": _Reader.challenge,
}
