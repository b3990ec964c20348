"""What makes one call of a script once done however often it is sent: a key of its own (`engine/once.lua`)."""

import secrets

from store.engine import keys


def attempt_key(tag: str) -> str:
    """A fresh key for one call, to be passed as the script's last; a call in doubt is repeated with the same."""
    return keys.attempt(tag, secrets.token_hex(8))
