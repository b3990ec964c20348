"""What the records that the store keeps have in common."""

from typing import Self

from pydantic import BaseModel, ConfigDict


class Record(BaseModel):
    """A record that can't be changed. What a newer version has written into it is kept along, as two versions run side
    by side while one is rolled out."""

    model_config = ConfigDict(frozen=True, extra="allow", serialize_by_alias=True)

    @classmethod
    def decode(cls, raw: bytes | str) -> Self:
        """From the JSON it was kept as; raises pydantic's `ValidationError`."""
        return cls.model_validate_json(raw, extra="allow")  # also where it holds parts of the accounts file
