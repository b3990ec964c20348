"""Questions: what a person asked last (it is added to their ticket), which articles helped, and which questions had no
answer, counted anonymously."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import orjson

from domain import policy
from store.engine.accounts import AccountSnapshot
from store.engine.commit import Cell, GuardFailed, Plan
from store.engine.values import from_ms, pairs, to_ms

READ_AT_MOST: Final = 20  # articles added to a ticket, the latest read
_READ: Final = "r:"
_KEPT_S: Final = int(timedelta(hours=policy.ASKED_HOURS).total_seconds())
_COUNTED_S: Final = int(timedelta(weeks=policy.GAP_WEEKS).total_seconds())


@dataclass(frozen=True, slots=True)
class LastQuestion:
    """What a person asked last; "" if they only read articles. `found`: ids of the articles shown; `read`: of those
    opened or rated since, in order."""

    question: str
    language: str
    at: datetime | None
    found: tuple[str, ...]
    read: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class QuestionWeek:
    """The questions of a week: how many, how many without an answer, and which those were, the most frequent first."""

    week: str
    asked: int
    unanswered: int
    questions: tuple[tuple[str, int], ...]


class Questions:
    """Every method takes one round trip unless it says two, and raises AccountChanged."""

    def __init__(self, cell: Cell) -> None:
        self._cell = cell

    async def record_question(
        self,
        snapshot: AccountSnapshot,
        person: str,
        id: str,
        *,
        question: str,
        language: str,
        found: Sequence[str],
        at: datetime,
        week: str | None,
        gap: str | None,
    ) -> None:
        """Record a question, once under its id. `week`: that it is counted in; None: not counted. `gap`: its anonymous
        form, if it had no answer."""
        mine = snapshot.keys.asked(person)
        plan = Plan(snapshot, id, "asked")
        plan.write("HSET", mine, "q", question, "l", language, "at", to_ms(at), "found", orjson.dumps(list(found)))
        plan.write("EXPIRE", mine, _KEPT_S)
        if week is not None:
            counts = snapshot.keys.asks(week)
            plan.write("HINCRBY", counts, "asked", 1)
            if gap is not None:
                plan.write("HINCRBY", counts, "open", 1)
            plan.write("EXPIRE", counts, _COUNTED_S)
            if gap:
                rows = snapshot.keys.gaps(week)
                # Make room before adding, so that it is not the new question that is dropped.
                plan.write("ZREMRANGEBYRANK", rows, 0, -policy.GAPS_PER_WEEK)
                plan.write("ZINCRBY", rows, 1, gap)
                plan.write("EXPIRE", rows, _COUNTED_S)
        await self._cell.commit(plan)

    async def record_read(self, snapshot: AccountSnapshot, person: str, article: str, at: datetime) -> None:
        """Record that a person opened an article."""
        await self._cell.commit(self._reading(Plan(snapshot), person, article, at))

    async def vote(self, snapshot: AccountSnapshot, person: str, article: str, helped: bool, at: datetime) -> bool:
        """Record whether an article helped. Counts once a person; a changed vote replaces the first. False: they had
        voted so before. Two round trips."""
        mine, counts, said = snapshot.keys.voted(person), snapshot.keys.helpful, "yes" if helped else "no"
        while True:
            before = await self._cell.read_one(snapshot, "HGET", mine, article)
            if before == said.encode():
                return False
            plan = Plan(snapshot).guard_field("voted", mine, article, before)
            plan.write("HSET", mine, article, said).write("HINCRBY", counts, f"{said}|{article}", 1)
            if before is not None:
                plan.write("HINCRBY", counts, f"{before.decode()}|{article}", -1)
            try:
                await self._cell.commit(self._reading(plan, person, article, at))
            except GuardFailed:
                continue  # pressed twice at once: one succeeds, so this ends
            return True

    async def current(self, snapshot: AccountSnapshot, person: str) -> LastQuestion | None:
        """What is added to a ticket; None if the person has neither asked nor read anything lately."""
        flat = await self._cell.read_one(snapshot, "HGETALL", snapshot.keys.asked(person))
        fields = {name.decode(): value for name, value in pairs(flat)}
        if not fields:
            return None
        read = sorted((int(at), name[len(_READ) :]) for name, at in fields.items() if name.startswith(_READ))
        return LastQuestion(
            fields.get("q", b"").decode(),
            fields.get("l", b"").decode(),
            from_ms(int(fields["at"])) if "at" in fields else None,
            tuple(orjson.loads(fields.get("found", b"[]"))),
            tuple(article for _, article in read[-READ_AT_MOST:]),
        )

    async def helped(self, snapshot: AccountSnapshot) -> dict[str, tuple[int, int]]:
        """Votes by article: helped, did not help."""
        found: dict[str, list[int]] = {}
        for name, count in pairs(await self._cell.read_one(snapshot, "HGETALL", snapshot.keys.helpful)):
            said, _, article = name.decode().partition("|")
            found.setdefault(article, [0, 0])[said == "no"] = int(count)
        return {article: (yes, no) for article, (yes, no) in sorted(found.items())}

    async def weeks(self, snapshot: AccountSnapshot, weeks: Sequence[str]) -> list[QuestionWeek]:
        """The questions of each of the weeks."""
        reads = [
            read
            for week in weeks
            for read in (
                ("HMGET", snapshot.keys.asks(week), "asked", "open"),
                ("ZRANGE", snapshot.keys.gaps(week), 0, -1, "REV", "WITHSCORES"),
            )
        ]
        replies = await self._cell.read(snapshot, *reads)
        return [
            QuestionWeek(
                week,
                int(asked or 0),
                int(unanswered or 0),
                tuple((text.decode(), int(float(n))) for text, n in pairs(flat)),
            )
            for week, (asked, unanswered), flat in zip(weeks, replies[::2], replies[1::2], strict=True)
        ]

    @staticmethod
    def _reading(plan: Plan, person: str, article: str, at: datetime) -> Plan:
        mine = plan.keys.asked(person)
        return plan.write("HSET", mine, f"{_READ}{article}", to_ms(at)).write("EXPIRE", mine, _KEPT_S)
