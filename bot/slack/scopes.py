"""What we ask of Slack, and the permission each thing takes: the Web API methods that are called, the events, the
shortcuts. `manifest.yml` and the installation page ask for exactly this; a test holds them together.
"""

from typing import Final, NamedTuple


class Method(NamedTuple):
    """A Web API method: the bot scopes that it takes, and whether it reads JSON (those that only read take forms)."""

    scopes: tuple[str, ...] = ()
    json: bool = True


METHODS: Final = {
    "auth.test": Method(json=False),
    "chat.postMessage": Method(("chat:write",)),
    "conversations.history": Method(("im:history",), json=False),
    "conversations.open": Method(("im:write",)),
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
    "message.im": ("im:history",),
    "tokens_revoked": (),
}
# callback_id of a global shortcut: the command that it is.
SHORTCUTS: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "get_number": ("numbers", ("get",)),
    "register_number": ("numbers", ("register",)),
    "ask_support": ("support", ("ask",)),
}

SCOPES: Final = tuple(
    sorted(
        {"commands"}  # slash commands and shortcuts
        | {scope for method in METHODS.values() for scope in method.scopes}
        | {scope for scopes in EVENTS.values() for scope in scopes}
    )
)
