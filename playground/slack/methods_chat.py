"""Web API methods that write, change and delete messages."""

from __future__ import annotations

from typing import Any, Final

import orjson

from playground.slack.api import Args, Caller, method
from playground.slack.core import Core
from playground.slack.errors import SlackError
from playground.slack.methods_people import find_user, has_scope
from playground.slack.shapes import message_json
from playground.slack.world import Channel, Message

Json = dict[str, Any]
MOST_UPDATED_TEXT: Final = 4_000  # chat.update's own bound, below that of posting
MOST_METADATA: Final = 8_000  # bytes of an event payload


def _target(core: Core, caller: Caller, where: str) -> Channel:
    """The conversation that a message goes to: its id, ``#name``, or a person's id for their conversation."""
    if where[:1] in ("U", "W"):
        user = core.world.users.get(where)
        if user is None or user.team != caller.team or user.is_bot:
            raise SlackError("channel_not_found")
        return core.world.im(user)
    try:
        channel = core.world.channel(where, caller.team)
    except LookupError:
        raise SlackError("channel_not_found") from None
    if channel.team != caller.team or (channel.is_private and caller.workspace.bot_user not in channel.members):
        raise SlackError("channel_not_found")
    if channel.is_archived:
        raise SlackError("is_archived")
    return channel


def _joined(caller: Caller, channel: Channel) -> None:
    public = not channel.is_private and has_scope(caller, "chat:write.public")
    if caller.workspace.bot_user not in channel.members and not public:
        raise SlackError("not_in_channel")


def _metadata(args: Args) -> Json | None:
    given = args.given.get("metadata")
    if given in (None, ""):
        return None
    good = isinstance(given, dict) and set(given) == {"event_type", "event_payload"}
    if not good or not isinstance(given["event_type"], str) or not isinstance(given["event_payload"], dict):
        raise SlackError("invalid_metadata_format")
    if len(orjson.dumps(given["event_payload"])) > MOST_METADATA:
        raise SlackError("metadata_too_large")
    return dict(given)


def _thread(core: Core, channel: Channel, args: Args) -> str:
    parent = args.text("thread_ts")
    if not parent:
        return ""
    found = core.world.message(channel.id, parent)
    if found is None or found.ephemeral_to:
        raise SlackError("thread_not_found")
    found.thread_ts = found.thread_ts or found.ts
    return found.thread_ts


@method("chat.postMessage", "chat:write")
def post_message(core: Core, caller: Caller, args: Args) -> Json:
    """Writes a message."""
    channel = _target(core, caller, args.text("channel"))
    _joined(caller, channel)
    if channel.is_im and core.world.users[channel.user].deleted:
        raise SlackError("user_disabled")
    text, blocks = core.checked_content(args.given)
    metadata, thread = _metadata(args), _thread(core, channel, args)
    core.limits.channel(channel.id)
    bot, stamp = caller.workspace, core.world.next_ts(core.now())
    written = core.write(
        Message(channel.id, stamp, bot.bot_user, text, blocks, bot.bot_id, thread_ts=thread, metadata=metadata)
    )
    shown = message_json(core.world, written, metadata=True)
    return {"channel": channel.id, "ts": stamp, "message": shown}


@method("chat.postEphemeral", "chat:write", tier=4)
def post_ephemeral(core: Core, caller: Caller, args: Args) -> Json:
    """Writes a message that one member of the channel sees."""
    channel = _target(core, caller, args.text("channel"))
    user = find_user(core, caller, args.text("user"))
    _joined(caller, channel)
    if user.id not in channel.members:
        raise SlackError("user_not_in_channel")
    text, blocks = core.checked_content(args.given)
    thread = _thread(core, channel, args)
    bot, stamp = caller.workspace, core.world.next_ts(core.now())
    made = Message(channel.id, stamp, bot.bot_user, text, blocks, bot.bot_id, ephemeral_to=user.id, thread_ts=thread)
    core.write(made)
    return {"message_ts": stamp}


def _own(core: Core, caller: Caller, args: Args, refusal: str) -> Message:
    """The bot's own message named by ``channel`` (an id, never a person's) and ``ts``."""
    channel = core.world.channels.get(args.text("channel"))
    if channel is None or channel.team != caller.team:
        raise SlackError("channel_not_found")
    message = core.world.message(channel.id, args.need("ts"))
    if message is None or message.ephemeral_to:  # nobody can reach an ephemeral message by its ts
        raise SlackError("message_not_found")
    if message.bot_id != caller.workspace.bot_id:
        raise SlackError(refusal)
    return message


@method("chat.update", "chat:write", tier=3)
def update(core: Core, caller: Caller, args: Args) -> Json:
    """Changes a message. Text without blocks takes the blocks away; neither is refused."""
    message = _own(core, caller, args, "cant_update_message")
    if len(args.text("text")) > MOST_UPDATED_TEXT:
        raise SlackError("msg_too_long")
    text, blocks = core.checked_content(args.given)
    metadata, before = _metadata(args), message_json(core.world, message)
    message.text, message.blocks = text, blocks
    message.metadata = metadata or message.metadata
    message.edited = core.world.next_ts(core.now())
    core.world.touch()
    core.tell(message, "message_changed", before)
    shown = message_json(core.world, message, metadata=True)
    return {"channel": message.channel, "ts": message.ts, "text": text, "message": shown}


@method("chat.delete", "chat:write", tier=3)
def delete(core: Core, caller: Caller, args: Args) -> Json:
    """Deletes a message."""
    message = _own(core, caller, args, "cant_delete_message")
    core.world.remove(message)
    core.tell(message, "message_deleted", message_json(core.world, message))
    return {"channel": message.channel, "ts": message.ts}


@method("chat.getPermalink", json=False)
def permalink(core: Core, caller: Caller, args: Args) -> Json:
    """The address of a message."""
    channel = core.world.channels.get(args.text("channel"))
    if channel is None or channel.team != caller.team:
        raise SlackError("channel_not_found")
    stamp = args.need("message_ts")
    if core.world.message(channel.id, stamp) is None:
        raise SlackError("message_not_found")
    where = f"https://{caller.workspace.domain}.slack.com/archives/{channel.id}/p{stamp.replace('.', '')}"
    return {"channel": channel.id, "permalink": where}
