"""The JSON in which Slack shows users, channels, messages and views to an app."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from playground.slack.world import Channel, File, Message, User, View, World

Json = dict[str, Any]


def user_json(user: User, *, email: bool, locale: bool = False) -> Json:
    """A user object; the address is in it only with the scope ``users:read.email``, the locale only on request."""
    offset = datetime.now(ZoneInfo(user.tz)).utcoffset()
    profile: Json = {"real_name": user.real_name, "display_name": user.name, "team": user.home_team or user.team}
    if email and user.email and not user.is_bot:
        profile["email"] = user.email
    shown: Json = {
        "id": user.id,
        "team_id": user.home_team or user.team,
        "name": user.name,
        "real_name": user.real_name,
        "deleted": user.deleted,
        "tz": user.tz,
        "tz_label": user.tz,
        "tz_offset": int(offset.total_seconds()) if offset else 0,
        "profile": profile,
        "is_admin": user.is_admin,
        "is_owner": False,
        "is_restricted": user.is_restricted,
        "is_ultra_restricted": user.is_ultra_restricted,
        "is_stranger": user.is_stranger,
        "is_bot": user.is_bot,
        "is_app_user": False,
        "updated": 1_700_000_000,
    }
    return shown | {"locale": user.locale} if locale else shown


def person_json(user: User) -> Json:
    """The short form in which interactions name who acted."""
    return {
        "id": user.id,
        "username": user.name,
        "name": user.name,
        "team_id": user.home_team or user.team,
    }


def channel_json(channel: Channel) -> Json:
    """A conversation object."""
    common: Json = {
        "id": channel.id,
        "created": 1_700_000_000,
        "is_archived": channel.is_archived,
        "is_im": channel.is_im,
        "is_org_shared": False,
        "context_team_id": channel.team,
    }
    if channel.is_im:
        return {**common, "user": channel.user, "is_user_deleted": False}
    return {
        **common,
        "name": channel.name,
        "name_normalized": channel.name,
        "is_channel": not channel.is_private,
        "is_group": False,
        "is_private": channel.is_private,
        "is_member": True,
        "topic": {"value": channel.topic, "creator": "", "last_set": 0},
        "purpose": {"value": "", "creator": "", "last_set": 0},
        "num_members": len(channel.members),
    }


def file_json(world: World, file: File) -> Json:
    """A file object."""
    ending = file.name.rpartition(".")[2].lower() if "." in file.name else "binary"
    address = f"{world.base_url}/slack-files/files-pri/{file.team}-{file.id}"
    gone = file.id not in world.contents
    common: Json = {"id": file.id, "created": int(file.born), "timestamp": int(file.born), "user": file.user}
    if gone:
        return {**common, "mode": "tombstone", "size": 0}
    channels = [world.channels[id] for id in file.shown if id in world.channels]
    return {
        **common,
        "name": file.name,
        "title": file.title or file.name,
        "mimetype": file.mime,
        "filetype": ending,
        "pretty_type": ending.upper(),
        "user_team": file.team,
        "editable": False,
        "size": len(world.contents[file.id]),
        "mode": "hosted",
        "is_external": False,
        "external_type": "",
        "is_public": any(not c.is_im and not c.is_private for c in channels),
        "url_private": f"{address}/{quote(file.name)}",
        "url_private_download": f"{address}/download/{quote(file.name)}",
        "permalink": f"https://{world.workspaces[file.team].domain}.slack.com/files/{file.user}/{file.id}",
        "channels": [c.id for c in channels if not c.is_im and not c.is_private],
        "groups": [c.id for c in channels if c.is_private],
        "ims": [c.id for c in channels if c.is_im],
        "has_rich_preview": False,
        "file_access": "visible",
    }


def veiled_json(file: File) -> Json:
    """A file object with nothing but its id, as some events have it."""
    return {"id": file.id, "mode": "file_access", "file_access": "check_file_info", "user": file.user}


def message_json(world: World, message: Message, *, metadata: bool = False) -> Json:
    """A message object as history, events and interactions show it."""
    team = world.channels[message.channel].team
    shown: Json = {
        "type": "message",
        "user": message.user,
        "text": message.text,
        "ts": message.ts,
        "team": team,
    }
    if message.blocks:
        shown["blocks"] = message.blocks
    if message.bot_id:
        shown |= {"bot_id": message.bot_id, "app_id": world.app_id}
    kept = [world.files[id] for id in message.files if id in world.files]
    if kept:
        shown |= {"files": [file_json(world, file) for file in kept], "upload": False}
        shown |= {"subtype": "file_share", "display_as_bot": False}
    if message.thread_ts:
        shown["thread_ts"] = message.thread_ts
    if message.edited:
        shown["edited"] = {"user": message.user, "ts": message.edited}
    if metadata and message.metadata:
        shown["metadata"] = message.metadata
    return shown


def view_json(world: World, view: View) -> Json:
    """A view object as ``views.*`` answers it and interactions carry it."""
    workspace = world.workspaces[view.team]
    empty: Json = {
        "callback_id": "",
        "private_metadata": "",
        "external_id": "",
        "clear_on_close": False,
        "notify_on_close": False,
        "title": {"type": "plain_text", "text": "View Title", "emoji": True},
        "submit": None,
        "close": None,
    }
    return {
        **empty,
        **view.body,
        "id": view.id,
        "team_id": view.team,
        "state": {"values": view.state},
        "hash": view.hash,
        "root_view_id": view.root or view.id,
        "previous_view_id": view.previous or None,
        "app_id": world.app_id,
        "app_installed_team_id": view.team,
        "bot_id": workspace.bot_id,
    }
