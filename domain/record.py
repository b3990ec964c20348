"""Base class of the records that the store keeps."""

from typing import Self

from pydantic import BaseModel, ConfigDict


class Record(BaseModel):
    """An immutable record. Unknown fields are kept, because during a rollout two versions run side by side and the
    older one must not drop what the newer has written."""

    model_config = ConfigDict(frozen=True, extra="allow", serialize_by_alias=True)

    @classmethod
    def decode(cls, raw: bytes | str) -> Self:
        """From its stored JSON; raises pydantic's ValidationError."""
        return cls.model_validate_json(raw, extra="allow")  # also where it holds parts of the accounts file
