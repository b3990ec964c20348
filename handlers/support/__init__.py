"""Support (DOMAIN.md 4 to 7): the form, the desk, the threads, the inbox, and the clock that keeps the promises."""

from handlers.routes import merge
from handlers.support import desk, form, inbox, own, threads

ROUTES = merge(m.ROUTES for m in (form, desk, own, threads, inbox))

__all__ = ["ROUTES"]
