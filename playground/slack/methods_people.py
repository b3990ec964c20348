"""Web API methods about the app itself, people and conversations."""

from __future__ import annotations

from typing import Any, Final

from playground.slack.api import Args, Caller, method, open_method
from playground.slack.core import Core
from playground.slack.errors import SlackError
from playground.slack.shapes import channel_json, message_json, user_json
from playground.slack.world import Channel, Message, User

Json = dict[str, Any]
READ: Final = ("channels:read", "groups:read", "im:read", "mpim:read")
HISTORY: Final = ("channels:history", "groups:history", "im:history", "mpim:history")


def has_scope(caller: Caller, scope: str) -> bool:
    """Whether the installation has a scope."""
    return scope in caller.workspace.scopes


def require(caller: Caller, scope: str) -> None:
    """Raises ``missing_scope`` unless the installation has ``scope``."""
    if not has_scope(caller, scope):
        raise SlackError("missing_scope", needed=scope, provided=",".join(caller.workspace.scopes))


def family(channel: Channel) -> str:
    """The scope family of a conversation: ``im``, ``groups`` or ``channels``."""
    return "im" if channel.is_im else "groups" if channel.is_private else "channels"


def find_user(core: Core, caller: Caller, id_: str) -> User:
    """A user of the caller's workspace. Raises ``user_not_found``."""
    user = core.world.users.get(id_)
    if user is None or user.team != caller.team:
        raise SlackError("user_not_found")
    return user


def find_channel(core: Core, caller: Caller, id_: str) -> Channel:
    """A conversation of the caller's workspace that the bot may know of. Raises ``channel_not_found``."""
    channel = core.world.channels.get(id_)
    if channel is None or channel.team != caller.team:
        raise SlackError("channel_not_found")
    if channel.is_private and caller.workspace.bot_user not in channel.members:
        raise SlackError("channel_not_found")
    return channel


@method("auth.test")
def auth_test(core: Core, caller: Caller, _args: Args) -> Json:
    """The workspace and the bot user of the token."""
    workspace = caller.workspace
    return {
        "url": f"https://{workspace.domain}.slack.com/",
        "team": workspace.name,
        "user": core.world.users[workspace.bot_user].name,
        "team_id": workspace.id,
        "user_id": workspace.bot_user,
        "bot_id": workspace.bot_id,
        "is_enterprise_install": False,
    }


@method("auth.revoke", json=False)
def auth_revoke(core: Core, caller: Caller, args: Args) -> Json:
    """Revokes the token, which uninstalls the app."""
    if not args.flag("test"):
        caller.workspace.installed = False
        core.world.touch()
        core.emit(caller.team, {"type": "tokens_revoked", "tokens": {"oauth": [], "bot": [caller.workspace.bot_user]}})
        core.emit(caller.team, {"type": "app_uninstalled"})
    return {"revoked": not args.flag("test")}


@method("bots.info", "users:read", tier=3, json=False)
def bots_info(core: Core, caller: Caller, args: Args) -> Json:
    """The bot."""
    if args.text("bot") not in ("", caller.workspace.bot_id):
        raise SlackError("bot_not_found")
    name = core.world.users[caller.workspace.bot_user].name
    bot = {"id": caller.workspace.bot_id, "deleted": False, "name": name, "app_id": core.world.app_id}
    return {"bot": bot | {"user_id": caller.workspace.bot_user}}


@open_method("apps.connections.open", caller="app", tier=1)
def connections_open(core: Core, _args: Args) -> Json:
    """The URL of a Socket Mode connection."""
    where = core.base_url.replace("http", "ws", 1)
    return {"url": f"{where}/slack-socket/link?ticket={core.sockets.ticket()}&app_id={core.world.app_id}"}


@open_method("oauth.v2.access", caller="nobody", tier=4)
def oauth_access(core: Core, args: Args) -> Json:
    """Exchanges an OAuth code, once, for the bot's token."""
    if args.text("client_id") != core.world.client_id:
        raise SlackError("invalid_client_id")
    if args.text("client_secret") != core.world.client_secret:
        raise SlackError("bad_client_secret")
    team, installer = core.codes.pop(args.text("code"), ("", ""))
    if not team:
        raise SlackError("invalid_code")
    workspace = core.world.workspaces[team]
    workspace.installed = True
    core.world.touch()
    return {
        "access_token": workspace.token,
        "token_type": "bot",
        "scope": ",".join(workspace.scopes),
        "bot_user_id": workspace.bot_user,
        "app_id": core.world.app_id,
        "team": {"id": workspace.id, "name": workspace.name},
        "enterprise": None,
        "authed_user": {"id": installer},
        "is_enterprise_install": False,
    }


@method("users.info", "users:read", tier=4, json=False)
def users_info(core: Core, caller: Caller, args: Args) -> Json:
    """One user."""
    user = find_user(core, caller, args.text("user"))
    email = has_scope(caller, "users:read.email")
    return {"user": user_json(user, email=email, locale=args.flag("include_locale"))}


@method("users.lookupByEmail", "users:read.email", tier=3, json=False)
def users_by_email(core: Core, caller: Caller, args: Args) -> Json:
    """The active user with an address."""
    wanted = args.need("email").lower()
    for user in core.world.users.values():
        if user.team == caller.team and user.email.lower() == wanted and not user.deleted:
            return {"user": user_json(user, email=True)}
    raise SlackError("users_not_found")


def page(rows: list[Any], args: Args, default: int, most: int) -> tuple[list[Any], Json]:
    """A page of rows from the cursor, and the ``response_metadata`` with the next cursor."""
    cursor, limit = args.text("cursor"), args.limit(default, most)
    if cursor and not cursor.isdigit():
        raise SlackError("invalid_cursor")
    start = int(cursor or 0)
    rest = start + limit < len(rows)
    return rows[start : start + limit], {"response_metadata": {"next_cursor": str(start + limit) if rest else ""}}


@method("users.list", "users:read", tier=2, json=False)
def users_list(core: Core, caller: Caller, args: Args) -> Json:
    """All users, paged."""
    everyone = [u for u in core.world.users.values() if u.team == caller.team]
    rows, rest = page(everyone, args, 1_000, 1_000)
    email, locale = has_scope(caller, "users:read.email"), args.flag("include_locale")
    shown = [user_json(user, email=email, locale=locale) for user in rows]
    return {"members": shown, "cache_ts": int(core.now()), **rest}


@method("conversations.open", "channels:manage", "groups:write", "im:write", "mpim:write", tier=3)
def conversations_open(core: Core, caller: Caller, args: Args) -> Json:
    """Opens the conversation with one person."""
    users = [part for part in args.text("users").split(",") if part]
    if args.has("channel"):
        channel = find_channel(core, caller, args.text("channel"))
    elif len(users) == 1:
        user = find_user(core, caller, users[0])
        if user.deleted:
            raise SlackError("user_disabled")
        if user.is_bot:
            raise SlackError("cannot_dm_bot")
        channel = core.world.im(user)
    else:
        raise SlackError("users_list_not_supplied" if not users else "not_enough_users")
    shown = channel_json(channel) if args.flag("return_im") else {"id": channel.id}
    return {"channel": shown}


@method("conversations.info", *READ, tier=3, json=False)
def conversations_info(core: Core, caller: Caller, args: Args) -> Json:
    """One conversation."""
    channel = find_channel(core, caller, args.text("channel"))
    require(caller, f"{family(channel)}:read")
    return {"channel": channel_json(channel) | {"is_member": caller.workspace.bot_user in channel.members}}


@method("conversations.list", *READ, tier=2, json=False)
def conversations_list(core: Core, caller: Caller, args: Args) -> Json:
    """The conversations of the kinds asked for, paged."""
    kinds = set(args.text("types", "public_channel").split(","))
    names = {"channels": "public_channel", "groups": "private_channel", "im": "im"}
    found = [c for c in core.world.channels.values() if c.team == caller.team and names[family(c)] in kinds]
    bot = caller.workspace.bot_user
    rows, rest = page([c for c in found if not c.is_private or bot in c.members], args, 100, 1_000)
    return {"channels": [channel_json(c) | {"is_member": bot in c.members} for c in rows], **rest}


@method("conversations.members", *READ, tier=4, json=False)
def conversations_members(core: Core, caller: Caller, args: Args) -> Json:
    """Who is in a conversation, paged."""
    channel = find_channel(core, caller, args.text("channel"))
    require(caller, f"{family(channel)}:read")
    rows, rest = page(channel.members, args, 100, 1_000)
    return {"members": rows, **rest}


def _readable(core: Core, caller: Caller, args: Args) -> list[Message]:
    channel = find_channel(core, caller, args.text("channel"))
    require(caller, f"{family(channel)}:history")
    if caller.workspace.bot_user not in channel.members:
        raise SlackError("not_in_channel")
    oldest, latest = args.text("oldest", "0"), args.text("latest", "9999999999.999999")
    inclusive = args.flag("inclusive")
    found = [m for m in core.world.messages.get(channel.id, ()) if not m.ephemeral_to]
    return [m for m in found if oldest < m.ts < latest or (inclusive and m.ts in (oldest, latest))]


def _shown(core: Core, rows: list[Message], args: Args) -> list[Json]:
    return [message_json(core.world, m, metadata=args.flag("include_all_metadata")) for m in rows]


@method("conversations.history", *HISTORY, tier=3, json=False)
def conversations_history(core: Core, caller: Caller, args: Args) -> Json:
    """The messages of a conversation, newest first, without replies in threads."""
    found = [m for m in _readable(core, caller, args) if m.thread_ts in ("", m.ts)]
    rows, rest = page(found[::-1], args, 100, 999)
    more = bool(rest["response_metadata"]["next_cursor"])
    return {"messages": _shown(core, rows, args), "has_more": more, **(rest if more else {})}


@method("conversations.replies", *HISTORY, tier=3, json=False)
def conversations_replies(core: Core, caller: Caller, args: Args) -> Json:
    """A message and its thread, oldest first."""
    parent = args.need("ts")
    found = [m for m in _readable(core, caller, args) if parent in (m.ts, m.thread_ts)]
    if not found:
        raise SlackError("thread_not_found")
    rows, rest = page(found, args, 1_000, 1_000)
    more = bool(rest["response_metadata"]["next_cursor"])
    return {"messages": _shown(core, rows, args), "has_more": more, **(rest if more else {})}
