"""`switchboard export`: everything of an account as JSON lines (docs/export.md)."""

import asyncio
import sys
from collections import Counter
from pathlib import Path
from typing import BinaryIO

import click
import orjson

from bot.cli.accounts import found
from bot.settings import Settings
from bot.wiring import Kept, clock, records
from bot.wrong import Failed, Wrong
from store.engine.accounts import AccountChanged, Held


def export(settings: Settings, account: str, file: str) -> None:
    """Writes the account's lines to a file; "-" is standard output. Raises Wrong."""

    async def run() -> None:
        async with records(settings) as kept:
            held = await found(kept, account)
            if file == "-":
                await _write(settings, kept, held, sys.stdout.buffer)
                return
            path = Path(file)
            half = path.with_name(f"{path.name}.part")  # whoever reads FILE finds all of it, or what was there before
            try:
                with half.open("wb") as out:
                    count = await _write(settings, kept, held, out)
                half.replace(path)
            except OSError as error:
                raise Wrong(f"{path}: can't be written: {error.strerror or error}") from None
            finally:
                half.unlink(missing_ok=True)
            click.echo(f"{account}: {count:,} lines exported to {path}", err=True)

    asyncio.run(run())


async def _write(settings: Settings, kept: Kept, held: Held, out: BinaryIO) -> int:
    counts = Counter[str]()
    try:
        async for line in kept.exporting.lines(held, clock(settings)()):
            counts[line["kind"]] += 1
            out.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
    except AccountChanged:
        raise Failed(f"{held.account.id} was changed by somebody else meanwhile: export it again") from None
    # A file without this line is not whole.
    out.write(orjson.dumps({"kind": "end", "lines": counts}, option=orjson.OPT_APPEND_NEWLINE))
    out.flush()
    return counts.total() + 1
