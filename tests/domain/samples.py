"""Accounts and people as tests need them: everything a rule may ask for has a harmless value unless named."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from domain.accounts.account import Account, Person
from domain.accounts.subscription import Seat
from domain.refusal import Refusal

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def file_form(**changes: Any) -> dict[str, Any]:
    """An account as the accounts file would give it."""
    return {
        "id": "acme",
        "name": "Acme GmbH",
        "created_on": "2024-03-05",
        "country": "GB",
        "timezone": "Europe/London",
        "subscription": {"line": "sales", "tier": "professional"},
        **changes,
    }


def account(tier: str = "professional", **changes: Any) -> Account:
    return Account.model_validate(file_form(**{"subscription": {"line": "sales", "tier": tier}, **changes}))


def refusal(rule: Callable[..., object], *given: Any, **named: Any) -> Refusal:
    """What a rule refuses with; fails where it does not refuse."""
    with pytest.raises(Refusal) as caught:
        rule(*given, **named)
    return caught.value


def person(id: str = "ada", seat: str = "core", **changes: Any) -> Person:
    return Person(**{"id": id, "name": id.title(), "seat": Seat(seat), **changes})


def crew() -> list[dict[str, Any]]:
    """Two super admins and two colleagues, in the file's form."""
    return [
        {"id": "ada", "name": "Ada", "slack": "UADA", "email": "Ada@example.com", "seat": "sales", "super_admin": True},
        {"id": "robin", "name": "Robin", "seat": "none", "super_admin": True},
        {"id": "max", "name": "Max Müller", "slack": "UMAX", "teams": "29:max", "seat": "core"},
        {"id": "lena", "name": "Lena", "email": "lena@example.com", "seat": "view"},
    ]
