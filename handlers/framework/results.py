"""The result of a change, stored under the change's id for a day: a repeat of the request is answered from it, and so
is the press that draws a list with the result on top.

A workflow has one class for each thing that can be done. The stored form must not change: processes of another version
read and write it too.
"""

from dataclasses import dataclass, fields
from types import NoneType
from typing import Any, ClassVar, TypeVar, dataclass_transform, get_args

_T = TypeVar("_T", bound="Result")


@dataclass_transform(frozen_default=True)
@dataclass(frozen=True)
class Result:
    """A frozen dataclass, as are its subclasses; the fields are text, whole numbers or None. `SHOW`: the action of the
    press that draws the list with this on top; its value is the packed result."""

    WORD: ClassVar[str] = ""
    SHOW: ClassVar[str] = ""

    def __init_subclass__(cls, word: str = "") -> None:
        cls.WORD = word
        dataclass(frozen=True)(cls)

    def pack(self) -> str:
        """The word and the fields in their order, joined by "|"; None is "". Up to 120 bytes."""
        values = (getattr(self, each.name) for each in fields(self))
        return "|".join((self.WORD, *("" if value is None else str(value) for value in values)))

    @classmethod
    def parse(cls: type[_T], text: str) -> _T:
        """Inverse of `pack`; the last field may contain "|". Raises ValueError if the text is something else."""
        kinds = [each.type for each in fields(cls)]
        word, *values = text.split("|", len(kinds))
        if word != cls.WORD or len(values) != len(kinds):
            raise ValueError(f"not a result of {cls.WORD}")
        return cls(*map(_read, kinds, values))

    @property
    def redraw(self) -> dict[str, str]:
        """The press that draws the list with this on top, as `screen_effect` takes it."""
        return {"action": self.SHOW, "value": self.pack()}

    def as_first(self: _T, first: str | None) -> _T:
        """The stored result of an earlier request with the same id; this one if `first` is None."""
        return self if first is None else self.parse(first)


def _read(kind: Any, text: str) -> Any:
    kinds = get_args(kind) or (kind,)
    if not text and NoneType in kinds:
        return None
    return int(text) if int in kinds else text
