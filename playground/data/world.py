"""The pretend Slack of the demo: one workspace, the people of accounts.yaml, two channels and the desk."""

from pathlib import Path
from typing import Final, NamedTuple

from playground.slack.world import Channel, User, World

TEAM: Final = "T0WORLD"
NAME: Final = "Acme"
INSTALLER: Final = "UADA"
DESK: Final = "CDESK"
AT_DESK: Final = ("USAM", "UADA")


class _Person(NamedTuple):
    id: str
    name: str
    role: str
    locale: str = "en-GB"
    zone: str = "Europe/London"


# Who one can be. What each may do comes from accounts.yaml alone.
PEOPLE: Final = (
    _Person("UADA", "Ada", "Super admin"),
    _Person("UMAX", "Max", "Colleague with a sales seat"),
    _Person("UNOOR", "Noor", "Colleague without a seat"),
    _Person("USAM", "Sam", "Specialist"),
    _Person("ULENA", "Lena", "Super admin, in Polish", "pl-PL", "Europe/Warsaw"),
)


def world(path: Path, scopes: tuple[str, ...]) -> World:
    """The world as the last run left it in `path`, or a new one. `scopes`: what the app asks for in this version."""
    try:
        kept = World.load(path)
        kept.workspaces[TEAM].scopes = list(scopes)  # what this version asks for
        _add_desk(kept)
    except (OSError, ValueError, LookupError, TypeError):
        return _new(scopes)
    return kept


def _new(scopes: tuple[str, ...]) -> World:
    made = World()
    made.add_workspace(TEAM, NAME, scopes=scopes, bot_name="Switchboard")
    for person in PEOPLE:
        made.add_user(
            User(
                person.id,
                TEAM,
                person.name.lower(),
                person.name,
                email=f"{person.name.lower()}@example.com",
                locale=person.locale,
                tz=person.zone,
                is_admin=person.id == INSTALLER,
                role=person.role,
            )
        )
    for id, name in (("CGENERAL", "general"), ("CSALES", "sales")):
        made.add_channel(Channel(id, TEAM, name, [person.id for person in PEOPLE]))
    _add_desk(made)
    return made


def _add_desk(world: World) -> None:
    """Adds the desk's channel, which a world of an earlier version has not."""
    if DESK not in world.channels:
        world.add_channel(Channel(DESK, TEAM, "support-desk", [*AT_DESK]))
