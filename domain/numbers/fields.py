"""The texts that a number carries. The dialogs, the import, the list, the search, the history, the comparison of an
import and an erasure read this table: a new one is a row here, an attribute of `Number`, and its sentences."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from domain.policy import LABEL_LENGTH
from domain.refusal import Refusal

Source = Literal["provided", "registered"]


@dataclass(frozen=True, slots=True)
class NumberField:
    """A text of up to `max_length` characters.

    Attributes:
        name: of the attribute of `Number`, the field of a dialog, the column of an import and the key in the history;
            in the catalogues `field.NAME`, `field.NAME.hint` and `refusal.NAME_too_long`.
        columns: what else the column of an import may be called.
        edited: in the dialogs of which numbers it stands.
        recorded: whether the history says what it became.
    """

    name: str
    max_length: int
    columns: tuple[str, ...] = ()
    edited: frozenset[Source] = frozenset()
    recorded: bool = False

    def parse(self, text: str) -> str | None:
        """As typed, spaces evened out; None for a blank one. Refused: `NAME_too_long`."""
        read = " ".join(text.split())
        if len(read) > self.max_length:
            raise Refusal(f"{self.name}_too_long", self.name, limit=self.max_length)
        return read or None


FIELDS: Final = (NumberField("label", LABEL_LENGTH, ("name", "description", "note"), edited=frozenset({"registered"})),)
NAMES: Final = tuple(field.name for field in FIELDS)


def edited_fields(source: Source) -> tuple[NumberField, ...]:
    """Those that stand in the dialogs of such a number."""
    return tuple(field for field in FIELDS if source in field.edited)


def parse_fields(fields: tuple[NumberField, ...], typed: Mapping[str, str]) -> dict[str, str | None]:
    """What was typed into them, by name. Raises Refusal."""
    return {field.name: field.parse(typed.get(field.name, "")) for field in fields}


def texts_of(record: object) -> dict[str, str | None]:
    """What a number carries, or a code that is under way for one."""
    return {field.name: getattr(record, field.name, None) for field in FIELDS}
