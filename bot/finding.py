"""What the doctor finds: a line each."""

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Finding:
    level: Level
    part: str
    text: str
    names: tuple[str, ...] = ()  # numbers that the line is about, for whoever runs it: not masked
