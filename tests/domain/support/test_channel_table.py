"""The channel decision against the articles read anew (`channel_table`), in all combinations."""

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from itertools import product

import pytest

from domain.accounts.account import Account
from domain.support.channels import Decision, Surface, decide, expected_text
from tests.domain.samples import account, person
from tests.domain.support import channel_table as table

TIER, SEAT, CLIENT = table.grid(table.TIER), table.grid(table.SEAT), table.grid(table.CLIENT)
PREMIUM, NUMBER, GUARANTEE = table.grid(table.PREMIUM), table.grid(table.NUMBER), table.grid(table.GUARANTEE)
LANGUAGES = table.languages()

DAYS = {"02": datetime(2024, 9, 2, 22, 59, tzinfo=UTC), "03": datetime(2024, 9, 2, 23, 0, tzinfo=UTC)}  # London's
CREATED = {"04": "2024-03-04", "05": "2024-03-05"}
PHONES = {"support_phone": "020 7946 0900", "premium_phone": "020 7946 0901"}
NUMBERS: dict[str, dict[str, str]] = {
    "neither": {},
    "support": {"support_phone": PHONES["support_phone"]},
    "premium": {"premium_phone": PHONES["premium_phone"]},
    "both": PHONES,
}
ROLES: dict[str, tuple[bool, list[str]]] = {  # super admin, whom the account names
    "colleague": (False, []),
    "super_admin": (True, []),
    "super_admin_named": (True, ["ada"]),
    "super_admin_not_named": (True, ["robin"]),
    "colleague_named": (False, ["ada"]),
}
PEOPLE = [{"id": "ada", "name": "Ada"}, {"id": "robin", "name": "Robin"}]


def accounts(roles: dict[str, tuple[bool, list[str]]]) -> Iterator[tuple[tuple[str, str, str, str, str], Account]]:
    """Every account with the columns that it stands in."""
    for tier, day, bought, numbers, role in product(
        next(iter(TIER.values())), CREATED, ("bought", "not"), NUMBERS, roles
    ):
        yield (
            (tier, day, bought, numbers, role),
            account(
                tier,
                created_on=CREATED[day],
                premium_support=bought == "bought",
                people=PEOPLE,
                premium_contacts=roles[role][1],
                **NUMBERS[numbers],
            ),
        )


def said(found: Decision) -> tuple[object, ...]:
    """What the decision says of a channel."""
    reasons = tuple(reason.value for reason in found.reasons)
    return found.allowed, reasons, found.opens, found.language, found.told, found.guaranteed_minutes


@cache
def read(name: str, cells: tuple[str, ...], promised: str) -> tuple[object, ...]:
    """What the grids say of a channel, by its cells in the order of `table.OPENS`."""
    closed = tuple(reason for reason, cell in zip(table.OPENS, cells, strict=True) if cell == "-")
    opens = tuple(way if isinstance(way := table.OPENS[reason], str) else way[name] for reason in closed)
    language = cells[3]
    told = language.endswith("!") and not closed
    served = "en" if language == "-" else language.rstrip("!")
    guaranteed = None if closed or promised == "-" or name != "premium_email" else int(promised)
    return not closed, closed, opens, served, told, guaranteed


@pytest.mark.slow
@pytest.mark.parametrize("tier", list(next(iter(TIER.values()))))
def test_every_combination_is_decided_as_the_articles_have_it(tier: str) -> None:
    seats = ("none", "view", "core", "sales", "service")
    clients: tuple[tuple[Surface, str], ...] = tuple(product(("desktop", "mobile"), DAYS))
    roles = {role: ROLES[role] for role in ("colleague", "super_admin")}
    decided = 0
    for (of, day, bought, numbers, role), acme in accounts(roles):
        if of != tier:
            continue
        for seat, (asked, own) in product(seats, LANGUAGES):
            ada = person("ada", seat, super_admin=ROLES[role][0], language=own)
            for surface, on in clients:
                found = decide(acme, ada, surface=surface, language=asked, at=DAYS[on])
                assert [channel.value for channel in found] == list(TIER)
                columns = (of, f"{seat}/{day}", f"{surface}/{on}", (asked, own), bought, numbers)
                for name, decision in found.items():
                    cells = (
                        TIER[name][of],
                        SEAT[name][columns[1]],
                        CLIENT[name][columns[2]],
                        LANGUAGES[asked, own][name],
                        PREMIUM[name][bought],
                        NUMBER[name][numbers],
                    )
                    assert said(decision) == read(name, cells, GUARANTEE["ordinary"][role]), (columns, name)
                decided += 1
    assert decided == 2 * 2 * 4 * 2 * 5 * 16 * 4


def test_every_role_is_promised_what_the_articles_promise() -> None:
    for (tier, day, bought, numbers, role), acme in accounts(ROLES):
        ada = person("ada", "core", super_admin=ROLES[role][0])
        for critical in (False, True):
            found = decide(acme, ada, critical=critical, at=DAYS["03"])
            for channel, decision in found.items():
                cell = GUARANTEE["critical" if critical else "ordinary"][role]
                open_ = channel == "premium_email" and bought == "bought"
                minutes = int(cell) if open_ and cell != "-" else None
                text = f"guaranteed within {minutes} minutes" if minutes else table.EXPECTED[channel]
                assert (decision.guaranteed_minutes, expected_text(decision, channel)) == (minutes, text), (
                    tier,
                    day,
                    numbers,
                    role,
                    channel,
                )
