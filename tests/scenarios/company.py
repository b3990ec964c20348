"""The company of the scenarios, and another one next door. Numbers are from the ranges kept free for examples."""

from datetime import UTC, datetime
from typing import Any, Final

from domain.accounts.account import Account
from domain.numbers.number import Number, NumberState
from tests.domain.samples import account

WORKSPACE: Final = "T0WORLD"
TENANT: Final = "00000000-0000-0000-0000-000000000001"
OTHER_WORKSPACE: Final = "T0OTHER"
OTHER_TENANT: Final = "00000000-0000-0000-0000-000000000002"

INVENTORY: Final = tuple(f"+44207946{n:04}" for n in range(900, 940))
GERMAN: Final = ("+4930901820000", "+4930901820001")
OTHERS: Final = "+441214960111"  # a number of the company next door

# name, seat, super admin, language, locale of the client
PEOPLE: Final = (
    ("Ada", "sales", True, "en", "en-GB"),
    ("Robin", "service", True, "en", "en-GB"),
    ("Max", "sales", False, "en", "en-GB"),
    ("Noor", "none", False, "en", "en-GB"),
    ("Lena", "core", True, "pl", "pl-PL"),
)
AT_DESK: Final = ("Robin",)
DESK: Final = "desk"  # the channel that only they are in
DESK_ID: Final = "C0DESK"
STRANGER: Final = "Eve"  # super admin next door


def slack_id(name: str) -> str:
    return f"U{name.upper()}"


def teams_id(name: str) -> str:
    return f"29:{name.lower()}"


def person(name: str, seat: str, admin: bool, language: str, platforms: tuple[str, ...]) -> dict[str, Any]:
    """A person as the accounts file has them, known by their ids on these platforms."""
    made: dict[str, Any] = {"id": name.lower(), "name": name, "email": f"{name.lower()}@example.com", "seat": seat}
    ids = {"slack": slack_id(name), "teams": teams_id(name)}
    return made | {"super_admin": admin, "language": language} | {p: ids[p] for p in platforms}


def desk(platform: str) -> dict[str, str]:
    """Where tickets are answered."""
    if platform == "slack":
        return {"platform": "slack", "workspace": WORKSPACE, "channel": DESK_ID}
    return {"platform": "teams", "workspace": TENANT, "channel": f"19:{DESK}@thread.tacv2"}


def company(platforms: tuple[str, ...], admins: tuple[str, ...] | None = None, **changes: Any) -> Account:
    """The account, with a workspace and a tenant, its people on `platforms`. `admins`: who they are instead."""
    people = [
        person(name, seat, admin if admins is None else name in admins, language, platforms)
        for name, seat, admin, language, _ in PEOPLE
    ]
    data: dict[str, Any] = {
        "name": "Acme",
        "created_on": "2024-06-01",
        "workspaces": [{"platform": "slack", "id": WORKSPACE}, {"platform": "teams", "id": TENANT}],
        "customer_success": {"name": "Kim", "email": "kim@example.com"},
        "people": people,
        "inventory": [*INVENTORY, *GERMAN],
        "pricing_url": "https://example.com/pricing",
    }
    return account(**{**data, **changes})


def next_door() -> Account:
    """Another account in the same bot, which has a number that is none of the company's business."""
    data: dict[str, Any] = {
        "id": "globex",
        "name": "Globex",
        "created_on": "2024-06-01",
        "workspaces": [{"platform": "slack", "id": OTHER_WORKSPACE}, {"platform": "teams", "id": OTHER_TENANT}],
        "people": [person(STRANGER, "sales", True, "en", ("slack", "teams"))],
        "inventory": [OTHERS],
    }
    return account(**data)


def provided(e164: str, owner: str | None = None, state: NumberState = NumberState.ACTIVE) -> Number:
    """A provided number as an import writes it."""
    return Number(e164=e164, source="provided", person=owner, state=state, since=datetime(2026, 1, 5, tzinfo=UTC))
