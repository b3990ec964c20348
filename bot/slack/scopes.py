"""The Web API methods, events and shortcuts that we use, and the scopes that they take. `manifest.yml` and the
installation page ask for exactly these; a test compares them.
"""

from typing import Final, NamedTuple


class Method(NamedTuple):
    """A Web API method: the bot scopes that it takes, and whether it reads JSON (those that only read take forms)."""

    scopes: tuple[str, ...] = ()
    json: bool = True


METHODS: Final = {
    "auth.test": Method(json=False),
    "chat.delete": Method(("chat:write",)),
    "chat.postMessage": Method(("chat:write",)),
    "chat.update": Method(("chat:write",)),
    "conversations.history": Method(("channels:history", "groups:history", "im:history"), json=False),
    "conversations.open": Method(("im:write",)),
    "conversations.replies": Method(("channels:history", "groups:history", "im:history"), json=False),
    "files.completeUploadExternal": Method(("files:write",)),
    "files.getUploadURLExternal": Method(("files:write",), json=False),
    "files.info": Method(("files:read",), json=False),
    "oauth.v2.access": Method(json=False),
    "users.info": Method(("users:read", "users:read.email"), json=False),
    "views.open": Method(),
    "views.publish": Method(),
    "views.update": Method(),
}
EVENTS: Final[dict[str, tuple[str, ...]]] = {
    "app_home_opened": (),
    "app_mention": ("app_mentions:read",),
    "app_uninstalled": (),
    "message.channels": ("channels:history",),
    "message.groups": ("groups:history",),
    "message.im": ("im:history",),
    "tokens_revoked": (),
}
# callback_id of a global shortcut: the command that it is.
SHORTCUTS: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "get_number": ("numbers", ("get",)),
    "register_number": ("numbers", ("register",)),
    "block_number": ("blocklist", ("add",)),
    "ask_support": ("support", ("ask",)),
    "open_inbox": ("support", ("inbox",)),
}

SCOPES: Final = tuple(
    sorted(
        {"commands"}  # slash commands and shortcuts
        | {scope for method in METHODS.values() for scope in method.scopes}
        | {scope for scopes in EVENTS.values() for scope in scopes}
    )
)
