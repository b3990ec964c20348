"""The key module: cells that spread, keys that stay in their cell, a table that tells of each."""

import inspect
import re
from binascii import crc_hqx

from store.engine import keys
from store.engine.keys import AccountKeys

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
    assert len({keys.cell_of(f"account-{n}") for n in range(2_000)}) > 250


def test_every_key_is_in_the_table_and_every_row_is_a_key() -> None:
    rows = [row.strip("| `") for row in re.findall(r"^\| `[^`]+`", keys.__doc__ or "", re.MULTILINE)]
    assert len(rows) == len(set(rows))
    shapes = {name: _shape(built) for name, built in _built().items()}
    for name, shape in shapes.items():
        assert any(_same_shape(shape, row) for row in rows), (name, shape)
    for row in rows:
        assert any(_same_shape(shape, row) for shape in shapes.values()), row


def _built() -> dict[str, str]:
    """Each key by the name of what builds it, its parts in capitals."""
    module = {
        name: function
        for name, function in inspect.getmembers(keys, inspect.isfunction)
        if not name.startswith("_") and function.__module__ == keys.__name__ and name not in ("cell_of", "attempt_key")
    }
    own = AccountKeys("TAG", "ID")
    members = {name: getattr(own, name) for name in dir(own) if not name.startswith("_")}
    return {
        name: made if isinstance(made, str) else made(*[p.upper() for p in inspect.signature(made).parameters])
        for name, made in (module | members).items()
    }


def _shape(built: str) -> str:
    shape = built.removeprefix(keys.PREFIX).replace("{TAG}", "{cell}")
    return re.sub(r"(?<=:)(ACCOUNT|ID)(?=:|$)", "ID", shape)


def _same_shape(shape: str, row: str) -> bool:
    """Capital words stand for anything."""
    ours, theirs = shape.split(":"), row.split(":")
    return len(ours) == len(theirs) and all(
        a == b or (a.isupper() and b.isupper()) for a, b in zip(ours, theirs, strict=True)
    )
