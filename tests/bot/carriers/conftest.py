"""What the carrier's tests share."""

from tests.bot.carriers.prism import described

__all__ = ["described"]  # pytest finds fixtures here
