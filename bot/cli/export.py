"""`switchboard export`: everything of an account as JSON lines (docs/export.md)."""

import asyncio
from collections import Counter
from typing import BinaryIO

import orjson

from bot.cli.common import account_must_stay, export_to, get_account
from bot.settings import Settings
from bot.wiring import Repositories, clock, open_repositories
from store.engine.accounts import AccountSnapshot


def export(settings: Settings, account: str, file: str) -> None:
    """Write the account's lines to a file; "-" is standard output. Raises InputError, OperationError."""

    async def run() -> None:
        async with open_repositories(settings) as kept:
            snapshot = await get_account(kept, account)
            await export_to(file, account, lambda out: _write(settings, kept, snapshot, out), "lines ")

    asyncio.run(run())


async def _write(settings: Settings, kept: Repositories, snapshot: AccountSnapshot, out: BinaryIO) -> int:
    counts = Counter[str]()
    with account_must_stay(snapshot.account.id, "export it again"):
        async for line in kept.exporting.lines(snapshot, clock(settings)()):
            counts[line["kind"]] += 1
            out.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
    # A file without this line is not whole.
    out.write(orjson.dumps({"kind": "end", "lines": counts}, option=orjson.OPT_APPEND_NEWLINE))
    out.flush()
    return counts.total() + 1
