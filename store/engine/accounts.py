"""Accounts, the directory that leads to them, and each process's cache of both.

A cached account may be outdated: every script in its cell compares the revision first (`Cell.run`, `Cell.commit`).
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

import orjson

from domain.accounts.account import Account
from store.engine import keys
from store.engine.deadlines import TICKETS, deadline_member
from store.engine.keys import AccountKeys
from store.engine.values import from_ms, to_ms
from store.server.connection import Store
from store.server.scripts import script

_PUT = script("engine/account_put")
_CLAIM = script("engine/claim")
_RELEASE = script("engine/release")
_LAPSE = script("engine/claim_lapse")

_K = TypeVar("_K")
_V = TypeVar("_V")

CACHED_AT_MOST = 10_000
SCHEMA = 1


class AccountChanged(Exception):
    """The account's record has another revision than the one decided on: read it and decide again."""


class AccountConflict(Exception):
    """Two accounts claim the same workspace or number; the message says which."""


@dataclass(frozen=True, slots=True)
class AccountSnapshot:
    """An account at revision `rev`, and the tag of its cell. `applied`: when that revision was written, by the bot's
    clock; None if an older release wrote it."""

    account: Account
    rev: int
    tag: str
    applied: datetime | None = None
    rights: dict[tuple[str, str], bool] = field(default_factory=dict, compare=False, repr=False)  # cache of decisions
    keys: AccountKeys = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "keys", AccountKeys(self.tag, self.account.id))


class Accounts:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._snapshots: OrderedDict[str, AccountSnapshot] = OrderedDict()
        self._workspaces: OrderedDict[tuple[str, str], str] = OrderedDict()
        self._numbers: OrderedDict[str, str] = OrderedDict()

    async def at(self, platform: str, workspace: str) -> AccountSnapshot | None:
        """The account that a workspace belongs to, or None."""
        snapshot = self._snapshots.get(self._workspaces.get((platform, workspace), ""))
        if snapshot is not None and snapshot.account.serves(platform, workspace):
            return snapshot
        id = await self._entry(keys.dir_workspace(platform, workspace))
        if id is None:
            return None
        snapshot = await self.get(id)
        # Between two steps of `apply` a claim may name an account that does not serve the workspace.
        if snapshot is None or not snapshot.account.serves(platform, workspace):
            return None
        _remember(self._workspaces, (platform, workspace), id)
        return snapshot

    async def get(self, id: str) -> AccountSnapshot | None:
        """The account as it is stored now; None if there is none."""
        tag = await self._entry(keys.dir_account(id))
        if tag is None:
            self._snapshots.pop(id, None)
            return None
        rev, doc, at = await self._store.call("HMGET", AccountKeys(tag, id).account, "rev", "doc", "at")
        if rev is None or doc is None:
            self._snapshots.pop(id, None)
            return None
        before = self._snapshots.get(id)
        if before is not None and before.rev == int(rev) and before.tag == tag:
            return before
        snapshot = AccountSnapshot(_decode(doc), int(rev), tag, from_ms(int(at)) if at is not None else None)
        _remember(self._snapshots, id, snapshot)
        return snapshot

    def cached(self, id: str) -> AccountSnapshot | None:
        """The cached account, if any: for when the store is not available."""
        return self._snapshots.get(id)

    async def recent(self, id: str) -> AccountSnapshot | None:
        """The cached account, else the stored one: for a step in its cell, which compares the revision."""
        return self._snapshots.get(id) or await self.get(id)

    async def by_number(self, e164: str) -> AccountSnapshot | None:
        """The account that owns a number, as `recent` returns it. Call `forget_number` if its cell contradicts."""
        if (snapshot := self._snapshots.get(self._numbers.get(e164, ""))) is not None:
            return snapshot
        id = await self.number_owner(e164)
        if id is None:
            return None
        _remember(self._numbers, e164, id)
        return await self.recent(id)

    def forget_number(self, e164: str) -> bool:
        """Read the number's owner anew next time. False: it was not cached."""
        return self._numbers.pop(e164, None) is not None

    def forget(self, id: str) -> None:
        """Read the account anew next time; call it after `AccountChanged`."""
        self._snapshots.pop(id, None)

    async def run_on_current(
        self, id: str, step: Callable[[AccountSnapshot], Awaitable[_V]], tries: int = 4, *, fresh: bool = True
    ) -> _V | None:
        """Run `step` on the account, again each time its record changes meanwhile, and return its result; None if there
        is no such account. Raises AccountChanged after `tries`.

        Args:
            fresh: read the record first. Not needed if the step begins with a read or a commit in the account's cell.
        """
        for left in reversed(range(tries)):
            snapshot = await (self.get(id) if fresh else self.recent(id))
            if snapshot is None:
                return None
            try:
                return await step(snapshot)
            except AccountChanged:
                self.forget(id)
                if not left:
                    raise
        return None

    async def ids(self) -> list[str]:
        """Ids of all accounts, sorted."""
        return sorted(str(id, "utf-8") for id in await self._store.call("SMEMBERS", keys.dir_accounts()))

    async def check(self, accounts: Sequence[Account]) -> None:
        """Raise AccountConflict if one of these claims what another account has. Writes nothing."""
        claims: dict[str, tuple[str, str]] = {}
        for account in accounts:
            for key, what in _claims(account).items():
                claimant, _ = claims.setdefault(key, (account.id, what))
                if claimant != account.id:
                    raise AccountConflict(_conflict(what, claimant, account.id))
        holders = await asyncio.gather(*map(self._entry, claims))
        # A claim that a listed account gives up in the same file is free for the next one.
        listed = {account.id for account in accounts}
        for (claimant, what), holder in zip(claims.values(), holders, strict=True):
            if holder is not None and holder != claimant and holder not in listed:
                raise AccountConflict(_conflict(what, holder, claimant))

    async def apply(self, accounts: Sequence[Account], now: datetime) -> list[tuple[str, list[str]]]:
        """Write these accounts; others stay. Returns for each its id and the changes, a line each. Raises
        AccountConflict before anything is written."""
        await self.check(accounts)
        before = {account.id: await self.get(account.id) for account in accounts}
        # Releases first, so that a workspace can move from one account to another in one file.
        for account in accounts:
            if (snapshot := before[account.id]) is not None:
                await self._release(account.id, _claims(snapshot.account).keys() - _claims(account).keys(), snapshot)
        report = []
        for account in accounts:
            snapshot = before[account.id]
            changes = _differences(snapshot.account if snapshot else None, account)
            await self._claim(account)
            if changes:
                await self._put(account, snapshot, now)
            report.append((account.id, changes))
        return report

    async def claim_number(self, id: str, e164: str, life: int | None = None) -> bool:
        """Claim the number for an account. False: another account owns it. `life`: the claim's TTL in seconds unless it
        is made permanent; a permanent claim stays permanent."""
        return bool(await self._store.run(_CLAIM, [keys.dir_number(e164)], [id, "" if life is None else life]))

    async def lapse_number(self, id: str, e164: str, life: int) -> None:
        """Let the account's claim end in `life` seconds unless it is renewed. Call it before the step that gives the
        number up, so that a crash in between leaves no permanent claim."""
        await self._store.run(_LAPSE, [keys.dir_number(e164)], [id, life])

    async def number_owner(self, e164: str) -> str | None:
        """The id of the account that has a number, in any state; None: nobody."""
        return await self._entry(keys.dir_number(e164))

    async def release_number(self, id: str, e164: str) -> None:
        await self._store.run(_RELEASE, [keys.dir_number(e164)], [id])

    async def _entry(self, key: str) -> str | None:
        """The value of a key of the directory."""
        value = await self._store.call("GET", key)
        return None if value is None else str(value, "utf-8")

    async def _claim(self, account: Account) -> None:
        taken: list[str] = []
        for key, what in _claims(account).items():
            if not await self._store.run(_CLAIM, [key], [account.id]):
                for other in taken:
                    await self._store.run(_RELEASE, [other], [account.id])
                holder = await self._entry(key) or "another account"
                raise AccountConflict(_conflict(what, holder, account.id))
            taken.append(key)

    async def _release(self, id: str, names: set[str], snapshot: AccountSnapshot) -> None:
        for key in names:
            # A number in use stays the account's even if the inventory does not list it any more.
            if key.startswith(keys.dir_number("")):
                e164 = key.removeprefix(keys.dir_number(""))
                if await self._store.call("HEXISTS", snapshot.keys.numbers, e164):
                    continue
            await self._store.run(_RELEASE, [key], [id])

    async def _put(self, account: Account, snapshot: AccountSnapshot | None, now: datetime) -> None:
        tag = snapshot.tag if snapshot else keys.cell_of(account.id)
        own = AccountKeys(tag, account.id)
        doc = orjson.dumps({"schema": SCHEMA, "account": account.to_file()})
        entry = orjson.dumps({"what": "account.applied", "at": now.isoformat()})
        deadlines = [deadline_member(TICKETS, account.id, "all")]
        if account.desk is not None and (snapshot is None or snapshot.account.desk != account.desk):
            deadlines.append(deadline_member(TICKETS, account.id, "desk:1"))
        rev = await self._store.run(
            _PUT,
            [own.account, own.audit, keys.due(tag), own.tickets_seq],
            [snapshot.rev if snapshot else 0, doc, entry, to_ms(now), *deadlines],
        )
        if not rev:
            raise AccountConflict(f"{account.id} was changed by somebody else just now: apply the file again")
        await self._store.call("SET", keys.dir_account(account.id), tag)
        await self._store.call("SADD", keys.dir_accounts(), account.id)
        _remember(self._snapshots, account.id, AccountSnapshot(account, int(rev), tag, now))


def _claims(account: Account) -> dict[str, str]:
    """What only one account can have: directory key to its name in messages."""
    claims = {keys.dir_workspace(w.platform, w.id): f"{w.platform} workspace {w.id}" for w in account.workspaces}
    claims.update({keys.dir_number(e164): f"number {e164}" for e164 in account.inventory})
    return claims


def _conflict(what: str, one: str, other: str) -> str:
    return f"{what} is claimed by two accounts, {one} and {other}: it can belong to one only"


def _decode(doc: bytes) -> Account:
    data: dict[str, Any] = orjson.loads(doc)
    return Account.model_validate(data["account"], extra="ignore")  # a newer version may have applied it


def _differences(before: Account | None, after: Account) -> list[str]:
    """One line for each field that changed; lists by what was added and removed."""
    if before is None:
        return [f"created, {len(after.people)} people, {len(after.inventory)} numbers in the inventory"]
    old, new = before.to_file(), after.to_file()
    lines = []
    for key in [*new, *(k for k in old if k not in new)]:
        was, is_ = old.get(key), new.get(key)
        if was == is_:
            continue
        if isinstance(was or is_, list):
            lines += _list_changes(key, was or [], is_ or [])  # type: ignore[arg-type] # both are lists by the file's form
        else:
            lines.append(f"{key}: {_brief(was)} → {_brief(is_)}")
    return lines


def _list_changes(key: str, was: list[Any], is_: list[Any]) -> list[str]:
    def name(item: Any) -> str:
        return str(item.get("id", item)) if isinstance(item, dict) else str(item)

    old, new = {name(i): i for i in was}, {name(i): i for i in is_}
    lines = [f"{key}: added {n}" for n in new if n not in old]
    lines += [f"{key}: removed {n}" for n in old if n not in new]
    lines += [f"{key}: {n}: {_dict_change(old[n], new[n])}" for n in new if n in old and old[n] != new[n]]
    return lines or [f"{key}: order changed"]


def _dict_change(was: Any, is_: Any) -> str:
    if not isinstance(was, dict) or not isinstance(is_, dict):
        return f"{_brief(was)} → {_brief(is_)}"
    changed = [k for k in {**was, **is_} if was.get(k) != is_.get(k)]
    return ", ".join(f"{k} {_brief(was.get(k))} → {_brief(is_.get(k))}" for k in changed)


def _brief(value: Any) -> str:
    if value is None:
        return "default"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k}: {v}" for k, v in value.items()) + "}"
    return str(value)


def _remember(cache: OrderedDict[_K, _V], key: _K, value: _V) -> None:
    cache[key] = value
    cache.move_to_end(key)
    while len(cache) > CACHED_AT_MOST:
        cache.popitem(last=False)
