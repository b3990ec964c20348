"""The requests Slack sends when people do something, in Slack's exact shapes.

https://docs.slack.dev/reference/interaction-payloads and .../interactivity/implementing-slash-commands
"""

from __future__ import annotations

import re
from typing import Any, Final

from playground.slack.core import Core
from playground.slack.delivery import AppRequest
from playground.slack.find import Container, Control
from playground.slack.shapes import message_json, person_json, view_json
from playground.slack.world import Channel, Message, User, View, World

Json = dict[str, Any]
TOKEN: Final = "verification"  # noqa: S105 - the deprecated, public verification token, which nobody may rely on
_MENTION: Final = re.compile(r"(?<![\w<@#|/])([@#])([\w.\-]+)")
_LINK: Final = re.compile(r"(?<![\w<|])(https?://[^\s<>|]+)")
_MAIL: Final = re.compile(r"(?<![\w<|:.+@\-])([\w.+\-]+@[\w\-]+\.[\w.\-]+\w)")


def compose(world: World, team: str, typed: str, *, names: bool) -> str:
    """What somebody typed, as Slack passes it on: ``&<>`` escaped, mentions and links in angle brackets.

    With ``names`` a mention carries the handle as well (``<@U1|ada>``), as it does in slash commands.
    """
    text = typed.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")

    def mention(found: re.Match[str]) -> str:
        sign, name = found.groups()
        bare = name.rstrip(".-")
        rest = name[len(bare) :]
        if sign == "@":
            for user in world.users.values():
                if user.team == team and user.name.lower() == bare.lower():
                    return f"<@{user.id}|{user.name}>{rest}" if names else f"<@{user.id}>{rest}"
        else:
            for channel in world.channels.values():
                if channel.team == team and not channel.is_im and channel.name == bare.lower():
                    return f"<#{channel.id}|{channel.name}>{rest}"
        return found.group()

    text = _LINK.sub(r"<\1>", text)
    text = _MAIL.sub(r"<mailto:\1|\1>", text)
    return _MENTION.sub(mention, text)


def command(core: Core, user: User, channel: Channel, word: str, text: str) -> AppRequest:
    """A slash command."""
    workspace = core.world.workspaces[channel.team]
    known = core.manifest.command(word)
    return AppRequest(
        "slash_commands",
        {
            "token": TOKEN,
            "team_id": workspace.id,
            "team_domain": workspace.domain,
            "channel_id": channel.id,
            "channel_name": "directmessage" if channel.is_im else channel.name,
            "user_id": user.id,
            "user_name": user.name,
            "command": word,
            "text": compose(core.world, channel.team, text, names=True) if known and known.should_escape else text,
            "api_app_id": core.world.app_id,
            "is_enterprise_install": "false",
            "response_url": core.hook("commands", channel, user),
            "trigger_id": core.trigger(user),
        },
    )


def _common(core: Core, kind: str, user: User, team: str) -> Json:
    workspace = core.world.workspaces[team]
    return {
        "type": kind,
        "user": person_json(user),
        "api_app_id": core.world.app_id,
        "token": TOKEN,
        "team": {"id": workspace.id, "domain": workspace.domain},
        "enterprise": None,
        "is_enterprise_install": False,
    }


def _channel(channel: Channel) -> Json:
    return {"id": channel.id, "name": "directmessage" if channel.is_im else channel.name}


def _place(core: Core, user: User, shown: Container, *, answerable: bool) -> Json:
    """Where it happened. An ephemeral message is named but not shown, as Slack keeps none."""
    if isinstance(shown, View):
        return {"container": {"type": "view", "view_id": shown.id}, "view": view_json(core.world, shown)}
    channel = core.world.channels[shown.channel]
    where: Json = {
        "container": {
            "type": "message",
            "message_ts": shown.ts,
            "channel_id": channel.id,
            "is_ephemeral": bool(shown.ephemeral_to),
        },
        "channel": _channel(channel),
    }
    if shown.thread_ts:
        where["container"]["thread_ts"] = shown.thread_ts
    if not shown.ephemeral_to:
        where["message"] = message_json(core.world, shown, metadata=True)
    if answerable:
        where["state"] = {"values": shown.state.get(user.id, {})}
        where["response_url"] = core.hook("actions", channel, user, shown.ts)
    return where


def team_of(core: Core, shown: Container) -> str:
    """The workspace in which something is shown."""
    return shown.team if isinstance(shown, View) else core.world.channels[shown.channel].team


def action(core: Core, user: User, shown: Container, control: Control, state: Json | None) -> AppRequest:
    """A press or choice; ``state`` is the element's new state where it keeps one."""
    element = control.element
    done: Json = {
        "type": element["type"],
        "action_id": element["action_id"],
        "block_id": control.block["block_id"],
        "action_ts": core.world.next_ts(core.now()),
    }
    done |= {key: element[key] for key in ("text", "value", "style", "url", "placeholder", "confirm") if key in element}
    done |= {key: value for key, value in element.items() if key.startswith("initial_")}
    if control.option is not None:
        done["selected_option"] = control.option
    done |= state or {}
    payload = {
        **_common(core, "block_actions", user, team_of(core, shown)),
        **_place(core, user, shown, answerable=True),
        "trigger_id": core.trigger(user, shown.id if isinstance(shown, View) and shown.type == "modal" else ""),
        "actions": [done],
    }
    return AppRequest("interactive", payload)


def suggestion(core: Core, user: User, shown: Container, control: Control, query: str) -> AppRequest:
    """What was typed into an external select."""
    payload = {
        **_common(core, "block_suggestion", user, team_of(core, shown)),
        **_place(core, user, shown, answerable=False),
        "action_id": control.element["action_id"],
        "block_id": control.block["block_id"],
        "value": query,
    }
    return AppRequest("interactive", payload)


def submission(core: Core, user: User, view: View) -> AppRequest:
    """A dialog sent."""
    payload = {
        **_common(core, "view_submission", user, view.team),
        "trigger_id": core.trigger(user, view.id),
        "view": view_json(core.world, view),
        "response_urls": [],
    }
    return AppRequest("interactive", payload)


def closed(core: Core, user: User, view: View, *, cleared: bool) -> AppRequest:
    """A dialog closed without sending it."""
    payload = {
        **_common(core, "view_closed", user, view.team),
        "view": view_json(core.world, view),
        "is_cleared": cleared,
    }
    return AppRequest("interactive", payload)


def shortcut(core: Core, user: User, callback_id: str, message: Message | None) -> AppRequest:
    """A shortcut, global or on a message."""
    kind = "message_action" if message else "shortcut"
    payload = {
        **_common(core, kind, user, user.team),
        "callback_id": callback_id,
        "action_ts": core.world.next_ts(core.now()),
        "trigger_id": core.trigger(user),
    }
    if message:
        channel = core.world.channels[message.channel]
        payload |= {
            "channel": _channel(channel),
            "message": message_json(core.world, message, metadata=True),
            "message_ts": message.ts,
            "response_url": core.hook("actions", channel, user, message.ts),
        }
    return AppRequest("interactive", payload)


def home_opened(core: Core, user: User, tab: str) -> Json:
    """The event of somebody opening the app's home or its messages."""
    event: Json = {
        "type": "app_home_opened",
        "user": user.id,
        "channel": core.world.im(user).id,
        "tab": tab,
        "event_ts": core.world.next_ts(core.now()),
    }
    if tab == "home" and user.id in core.world.homes:
        event["view"] = view_json(core.world, core.world.homes[user.id])
    return event
