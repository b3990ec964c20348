"""Whatever happens to tickets, in whatever order and how often: through the router, the store and the outbox no message
is lost, no note gets out, no clock runs on a closed ticket, and inbox, queues and deadlines tell the truth.

`SEQUENCES=2000` tries that many examples, fresh ones.
"""

import asyncio
import os
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from store.server.connection import Store
from tests.handlers.office import POLICY, SPECIALISTS
from tests.handlers.support.sequences import OTHERS, Event, Life
from tests.handlers.world import PEOPLE, WORKSPACE
from tests.servers import Farm

EXAMPLES: Final = int(os.environ.get("SEQUENCES", "40"))

DESK: Final = st.sampled_from(["USAM", "USAM", "USAM", "ULENA", "ULENA", "UMAX", "UADA", "UNOOR", OTHERS])
SPECIALIST: Final = st.sampled_from(["USAM", "USAM", "ULENA"])
AUTHOR: Final = st.sampled_from(["", "", "", "", "UMAX", "USAM", OTHERS])  # "": whoever it was
ANYBODY: Final = st.sampled_from([*["owner"] * 6, "UMAX", "UADA", "UROBIN", "UNOOR", "USAM", OTHERS])
WHICH: Final = st.sampled_from([0, 0, 0, 1, 2])  # a ticket, most often the first
DECOR: Final = st.sampled_from(
    [
        "x",
        "x",
        "x",
        "\U0001f525",
        "<!channel> <@UMAX> *b* <http://a.b|c>",
        "\u202eשלום",
        "two\nlines",
        "5000",
        "40000",
    ]
)
WORDS: Final = st.one_of(DECOR, DECOR, DECOR, st.just(""))
PRESSES: Final = [
    *("claim", "pend", "resume", "close", "close", "reopen", "confirm", "called", "no_answer", "no_answer"),
    *("escalate", "acknowledge", "next"),
]
LOOKS: Final = ["inbox.ticket", "inbox.star", "inbox.unstar", "inbox.show", "ticket.survey", "ticket.reply"]
NEVER: Final[dict[str, list[str]]] = {day: [] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}


def staff(*, sam: bool = True, lena: bool = True, max_: bool = True) -> list[dict[str, Any]]:
    rights = {"sam": sam, "lena": lena}
    everybody: list[Any] = [*PEOPLE]
    people = [person for person in everybody if max_ or person["id"] != "max"]
    return [*people, *({**person, "specialist": rights[person["id"]]} for person in SPECIALISTS)]


POLICIES: Final[list[dict[str, Any]]] = [
    {"promises": {"email": 60, "chat": 1}},
    {"promises": {"email": 6_000}},
    {"hours": {}},
    {"hours": NEVER},
    {"escalation": {}},
    {"escalation": POLICY},
    {"retention_days": 1},
    {"retention_days": None},
    {"premium_specialists": ["lena"]},
    {"premium_support": False},
    {"premium_support": True},
]
SEATS: Final[list[dict[str, Any]]] = [
    {"desk": None},
    {"desk": {"platform": "slack", "workspace": WORKSPACE, "channel": "CNEW"}},
    {"people": staff(sam=False)},
    {"people": staff(lena=False)},
    {"people": staff(max_=False)},
    {"people": staff()},
]


def weighed(*choices: tuple[int, st.SearchStrategy[Any]]) -> st.SearchStrategy[Any]:
    """One of some strategies, as often as its weight says."""
    bag = [index for index, (weight, _) in enumerate(choices) for _ in range(weight)]
    return st.sampled_from(bag).flatmap(lambda index: choices[index][1])


def kind(name: str, *more: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.tuples(st.just(name), *more)


EVENTS: Final = weighed(
    (8, kind("press", SPECIALIST, WHICH, st.sampled_from(PRESSES))),
    (2, kind("press", DESK, WHICH, st.sampled_from(PRESSES))),
    (3, kind("own", ANYBODY, WHICH, st.sampled_from(["close", "reopen", "press"]))),
    (1, kind("look", ANYBODY, WHICH, st.sampled_from(LOOKS))),
    (2, kind("write", SPECIALIST, WHICH, st.just("desk.reply"), WORDS)),
    (2, kind("write", SPECIALIST, WHICH, st.just("desk.note"), WORDS)),
    (1, kind("write", DESK, WHICH, st.sampled_from(["desk.reply", "desk.note"]), WORDS)),
    (2, kind("write", ANYBODY, WHICH, st.just("ticket.reply"), WORDS)),
    (1, kind("assign", DESK, WHICH, st.sampled_from(["sam", "lena", "lena", "max"]))),
    (1, kind("downgrade", DESK, WHICH)),
    (1, kind("escalate", ANYBODY, WHICH)),
    (1, kind("survey", ANYBODY, WHICH, st.sampled_from(["1", "5", "6"]))),
    (4, kind("say", SPECIALIST, WHICH, st.just("desk"), WORDS, st.booleans())),
    (1, kind("say", DESK, WHICH, st.just("desk"), WORDS, st.booleans())),
    (4, kind("say", st.just("owner"), WHICH, st.just("person"), WORDS, st.booleans())),
    (1, kind("say", ANYBODY, WHICH, st.just("person"), WORDS, st.booleans())),
    (5, kind("edit", AUTHOR, WHICH, WORDS)),
    (2, kind("edit", AUTHOR, WHICH, st.none())),
)
CREATED: Final = kind(
    "create",
    st.sampled_from(["UMAX", "UADA", "UADA"]),
    st.sampled_from(["chat", "chat", "chat", "email", "premium_email", "premium_email", "callback"]),
    st.booleans(),
    DECOR,
)
STEPS: Final = weighed(
    (10, kind("event", EVENTS, st.sampled_from([1, 1, 1, 2, 5]), st.booleans())),
    (5, kind("both", EVENTS, EVENTS, st.integers(0, 2))),
    (1, kind("event", CREATED, st.sampled_from([1, 2]), st.booleans())),
    (3, kind("later", st.sampled_from([1, 7, 16, 31, 61, 300, 1_500, 9_000]), st.booleans())),
    (2, kind("apply", st.sampled_from(POLICIES + SEATS), st.booleans())),
    (1, kind("again", st.integers(0, 30))),
)
LENGTHS: Final = st.sampled_from([0, 15, 30, 30, 45])  # left to itself a list is rarely longer than a few steps
SEQUENCES: Final = st.tuples(CREATED, LENGTHS.flatmap(lambda n: st.lists(STEPS, min_size=n, max_size=n + 10)))


def event(life: Life, given: tuple[Any, ...]) -> Event | None:
    """What comes in; of a ticket there is, or was."""
    kind, user, which, *rest = given
    if kind == "create":
        return life.creation(user, which, *rest)
    if kind == "edit":
        return life.change(user, which, *rest)
    numbers = list(life.seen.tickets) or [1]
    number = numbers[which % len(numbers)]
    if user == "owner":
        ticket = life.seen.tickets.get(number)
        user = f"U{ticket.person.upper()}" if ticket is not None else "UMAX"
    match kind:
        case "press":
            return life.press(user, f"desk.{rest[0]}", number)
        case "own":
            return life.press(user, f"ticket.{rest[0]}", number)
        case "look":
            return life.press(user, rest[0], number)
        case "write":
            form, decor = rest
            field = "note" if form == "desk.note" else "reply"
            return life.submit(user, form, number, {field: life.words("n" if field == "note" else "s", decor)})
        case "assign":
            return life.submit(user, "desk.assign", number, {"person": rest[0]})
        case "downgrade":
            return life.submit(user, "desk.downgrade", number, {"reason": life.mark("r")})
        case "escalate":
            return life.submit(user, "ticket.escalate", number, {"impact": "data", "affected": life.mark("a")})
        case "survey":
            return life.submit(user, "ticket.survey", number, {"rating": rest[0], "comment": life.mark("c")})
        case "say":
            return life.below(user, number, *rest)
    raise AssertionError(kind)


async def run(life: Life, step: tuple[Any, ...]) -> None:
    match step:
        case ("event", one, times, at_once):
            if (first := event(life, one)) is not None:
                await life.do(first, times=times, at_once=at_once)
        case ("both", one, other, work):
            found = [made for given in (one, other) if (made := event(life, given)) is not None]
            await life.do(*found, work=work)
        case ("later", minutes, work):
            await life.later(minutes, work=work)
        case ("apply", changes, work):
            await life.apply(changes)
            if work:
                await life.later(0, work=True)
        case ("again", which):
            if life.accepted:
                await life.again(life.accepted[which % len(life.accepted)])


async def lived(url: str, created: tuple[Any, ...], steps: list[tuple[Any, ...]]) -> None:
    store = await Store.open(url)
    try:
        life = await Life.open(store)
        for step in [("event", created, 1, False), *steps, ("later", 0, True)]:
            await run(life, step)
    finally:
        await store.aclose()


@pytest.mark.timeout(300 + 2 * EXAMPLES)  # what fails is made shorter first
@settings(
    settings.get_profile("ci" if "CI" in os.environ and "SEQUENCES" not in os.environ else "default"),
    max_examples=EXAMPLES,
    deadline=None,
    phases=[Phase.generate, Phase.shrink],  # why it failed takes longer to explain than to see
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(SEQUENCES)
def test_whatever_happens(farm: Farm, sequence: tuple[tuple[Any, ...], list[tuple[Any, ...]]]) -> None:
    asyncio.run(lived(farm.fresh("embedded"), *sequence))
