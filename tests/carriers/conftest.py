"""What the carrier's tests share."""

from tests.carriers.prism import described

__all__ = ["described"]
