"""Erases a person from effects that are not sent yet, from dead letters, and from streams of events."""

import re
from collections.abc import Sequence
from typing import Any, Final

import orjson

from domain.erasure import ErasedPerson
from domain.support.ticket import PREFIX
from store.engine import keys
from store.engine.accounts import AccountSnapshot
from store.engine.commit import Cell
from store.engine.keys import attempt_key
from store.server.scripts import script

_TAKE = script("privacy/outbox_erase")
_COPY = script("privacy/stream_copy")

CHUNK: Final = 200  # entries read at once
_SPOKEN: Final = (".screen", ".post", ".file", ".home", "mail", "code")  # kinds with text; orders stay
_TICKET: Final = re.compile(rf"(?:ticket:|{PREFIX})(\d+)")  # a post's key, a number in a sentence
_LOGS: Final = 200  # maximum of numbers, no longer the account's, whose histories are rewritten


class MessageErasure:
    """Raises AccountChanged."""

    def __init__(self, cell: Cell) -> None:
        self._cell = cell

    async def pending(
        self, snapshot: AccountSnapshot, person: ErasedPerson, numbers: Sequence[int]
    ) -> tuple[int, bool]:
        """Remove effects that are to the person, about their tickets (`numbers`) or contain their names. Returns how
        many, and whether one is being sent now, so that it must be tried again."""
        tag, store, taken, busy, at = snapshot.tag, self._cell.store, 0, False, "0"
        homes = {f"{platform}:{w.id}:" for w in snapshot.account.workspaces for platform in (w.platform,)}
        theirs = frozenset(map(str, numbers))
        while True:
            at, flat = await store.call("HSCAN", keys.owners(tag), at, "COUNT", CHUNK)
            for name in flat[::2]:
                conv = name.decode()
                mine = any(conv.removeprefix("home:").startswith(h) for h in homes) and person.named_in(conv)
                count, blocked = await self._conversation(tag, snapshot.account.id, conv, person, theirs, mine=mine)
                taken, busy = taken + count, busy or blocked
            if at == b"0":
                break
        await self._dead(tag, person)
        return taken, busy

    async def _conversation(
        self, tag: str, account: str, conv: str, person: ErasedPerson, theirs: frozenset[str], *, mine: bool
    ) -> tuple[int, bool]:
        store, key, start, taken, busy = self._cell.store, keys.outbox(tag, conv), 0, 0, False
        names = [key, keys.wake(tag), keys.owners(tag)]
        while True:
            entries = await store.call("LRANGE", key, start, start + CHUNK - 1)
            found = [raw for raw in entries if _concerns(raw, account, person, theirs, mine=mine)]
            count = 0
            if found:
                count, blocked = await store.run(_TAKE, names, [conv, *found])
                taken, busy = taken + count, busy or bool(blocked)
            if len(entries) < CHUNK:
                return taken, busy
            start += CHUNK - count

    async def _dead(self, tag: str, person: ErasedPerson) -> None:
        """Delete dead letters that contain the person."""
        store, last = self._cell.store, "-"
        while True:
            rows = await store.call("XRANGE", keys.dead(tag), last, "+", "COUNT", CHUNK)
            ids = [id for id, fields in rows if person.named_in(b" ".join(fields).decode())]
            if ids:
                await store.call("XDEL", keys.dead(tag), *ids)
            if len(rows) < CHUNK:
                return
            last = f"({rows[-1][0].decode()}"

    async def history(
        self, snapshot: AccountSnapshot, person: ErasedPerson, cursor: str, logs: tuple[str, ...]
    ) -> tuple[str, tuple[str, ...], bool]:
        """One step of rewriting the account's audit stream, then its numbers' histories: each is copied without the
        person, and the copy replaces it. Returns the next cursor, numbers found in audit entries that changed, and
        whether all is done."""
        store = self._cell.store
        what, _, last = cursor.partition(" ")
        what = what or "audit"
        key = snapshot.keys.audit if what == "audit" else snapshot.keys.history(what)
        rows = await store.call("XRANGE", key, f"({last}" if last else "-", "+", "COUNT", CHUNK)
        pairs: list[bytes] = []
        occurs = dict.fromkeys(logs)
        for entry, fields in rows:
            event: dict[str, Any] = orjson.loads(fields[1])
            after = person.erase_from(event)
            if after != event and what == "audit" and (number := _number(event)) and len(occurs) < _LOGS:
                occurs[number] = None
            pairs += [entry, orjson.dumps(after)]
        last = rows[-1][0].decode() if rows else last
        if not await store.run(_COPY, [key, keys.copied(key), attempt_key(snapshot.tag)], [last, *pairs]):
            return f"{what} {last}", tuple(occurs), False
        following = await self._after(snapshot, tuple(occurs), what)
        return (f"{following} " if following else "", tuple(occurs), following is None)

    async def _after(self, snapshot: AccountSnapshot, seen: tuple[str, ...], what: str) -> str | None:
        own = await self._cell.read_one(snapshot, "HKEYS", snapshot.keys.numbers)
        every = sorted({*seen, *(number.decode() for number in own)})
        return next((number for number in every if what == "audit" or number > what), None)


def _concerns(raw: bytes, account: str, person: ErasedPerson, theirs: frozenset[str], *, mine: bool) -> bool:
    """Whether an effect concerns the person. Effects of another account in the cell about its tickets do not."""
    text = raw.decode()
    try:
        effect = orjson.loads(text.partition("|")[2] if not text.startswith("{") else text)
        kind, body = str(effect["kind"]), effect["body"]
    except (ValueError, KeyError, TypeError):
        return False
    if not kind.endswith(_SPOKEN):
        return False
    if mine or person.erase_from(body) != body:
        return True
    other = isinstance(body, dict) and body.get("account", account) != account
    return not other and not theirs.isdisjoint(_TICKET.findall(text))


def _number(event: dict[str, Any]) -> str | None:
    number = event.get("number") or (event.get("details") or {}).get("number")
    return number if isinstance(number, str) and number.startswith("+") else None
