"""A key for each call of a script, under which a repeated call finds the first reply (`engine/once.lua`)."""

import secrets

from store.engine import keys


def attempt_key(tag: str) -> str:
    """A new key for one call, passed as the script's last; a call in doubt is repeated with the same key."""
    return keys.attempt(tag, secrets.token_hex(8))
