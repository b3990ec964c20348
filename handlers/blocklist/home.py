"""The blocklist on the home screen: that one can block."""

from collections.abc import Sequence

from domain.people import Right
from handlers.framework.context import Context
from handlers.framework.home import HomeSection
from handlers.framework.routes import Routes

ROUTES = Routes()


def abilities(ctx: Context) -> Sequence[str]:
    return ("block",) if ctx.may(Right.MANAGE_BLOCKLIST) and ctx.account.features.blocklist else ()


ROUTES.home_section("blocklist", HomeSection(20, abilities=abilities))
