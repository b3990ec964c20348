"""`switchboard export`: everything of an account as JSON lines (docs/export.md)."""

import asyncio
import sys
from collections import Counter
from pathlib import Path
from typing import BinaryIO

import click
import orjson

from bot.cli.accounts import get_account
from bot.errors import InputError, OperationError
from bot.settings import Settings
from bot.wiring import Repositories, clock, open_repositories
from store.engine.accounts import AccountChanged, AccountSnapshot


def export(settings: Settings, account: str, file: str) -> None:
    """Writes the account's lines to a file; "-" is standard output. Raises Wrong."""

    async def run() -> None:
        async with open_repositories(settings) as kept:
            snapshot = await get_account(kept, account)
            if file == "-":
                await _write(settings, kept, snapshot, sys.stdout.buffer)
                return
            path = Path(file)
            half = path.with_name(f"{path.name}.part")  # whoever reads FILE finds all of it, or what was there before
            try:
                with half.open("wb") as out:
                    count = await _write(settings, kept, snapshot, out)
                half.replace(path)
            except OSError as error:
                raise InputError(f"{path}: can't be written: {error.strerror or error}") from None
            finally:
                half.unlink(missing_ok=True)
            click.echo(f"{account}: {count:,} lines exported to {path}", err=True)

    asyncio.run(run())


async def _write(settings: Settings, kept: Repositories, snapshot: AccountSnapshot, out: BinaryIO) -> int:
    counts = Counter[str]()
    try:
        async for line in kept.exporting.lines(snapshot, clock(settings)()):
            counts[line["kind"]] += 1
            out.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
    except AccountChanged:
        raise OperationError(f"{snapshot.account.id} was changed by somebody else meanwhile: export it again") from None
    # A file without this line is not whole.
    out.write(orjson.dumps({"kind": "end", "lines": counts}, option=orjson.OPT_APPEND_NEWLINE))
    out.flush()
    return counts.total() + 1
