"""The JSON in which Slack shows users, channels, messages and views to an app."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from bot.playground.world import Channel, Message, User, View, World

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
