"""The key module: cells that spread, keys that stay in their cell, a table that tells of each."""

import inspect
import re
from binascii import crc_hqx

from store.engine import keys

SLOTS = 16_384


def test_each_cell_has_a_slot_range_of_its_own() -> None:
    slots = [crc_hqx(tag.encode(), 0) % SLOTS for tag in keys.CELLS]
    assert [slot // 64 for slot in slots] == list(range(256))


def test_cells_divide_evenly_over_any_number_of_primaries() -> None:
    for primaries in (3, 6, 12):
        counts = [0] * primaries
        for tag in keys.CELLS:
            counts[crc_hqx(tag.encode(), 0) % SLOTS * primaries // SLOTS] += 1
        assert max(counts) - min(counts) <= 2, (primaries, counts)


def test_accounts_spread_over_cells() -> None:
    used = {keys.cell_of(f"account-{n}") for n in range(2_000)}
    assert len(used) > 250


def test_every_key_is_in_the_table() -> None:
    told = keys.__doc__ or ""
    functions = {
        name: function
        for name, function in inspect.getmembers(keys, inspect.isfunction)
        if not name.startswith("_") and function.__module__ == keys.__name__ and name != "cell_of"
    }
    for name, function in functions.items():
        built = function(*[p.upper() for p in inspect.signature(function).parameters])
        shape = built.removeprefix(keys.PREFIX).replace("{TAG}", "{cell}")
        shape = re.sub(r"(?<=:)(ACCOUNT|ID)(?=:|$)", "ID", shape)
        names = {row.strip("| `") for row in re.findall(r"^\| `[^`]+`", told, re.MULTILINE)}
        assert any(_same_shape(shape, row) for row in names), (name, shape)


def _same_shape(shape: str, row: str) -> bool:
    """Capital words stand for anything."""
    ours, theirs = shape.split(":"), row.split(":")
    return len(ours) == len(theirs) and all(
        a == b or (a.isupper() and b.isupper()) for a, b in zip(ours, theirs, strict=True)
    )
