"""The one exception with which the pretend Slack refuses something."""

from __future__ import annotations

from typing import Any


class SlackError(Exception):
    """A refusal as Slack words it.

    ``error`` is Slack's code (``channel_not_found``); ``extra`` goes into the answer beside it (``needed``,
    ``provided``); ``messages`` become ``response_metadata.messages``; ``status`` is the HTTP status, which
    Slack keeps at 200 for everything but rate limits and its own faults.
    """

    def __init__(
        self,
        error: str,
        *messages: str,
        status: int = 200,
        headers: dict[str, str] | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(error if not messages else f"{error}: {'; '.join(messages)}")
        self.error = error
        self.messages = list(messages)
        self.status = status
        self.headers = headers or {}
        self.extra = extra

    def body(self) -> dict[str, Any]:
        """The JSON object that Slack answers with."""
        body: dict[str, Any] = {"ok": False, "error": self.error, **self.extra}
        if self.messages:
            body["response_metadata"] = {"messages": self.messages}
        return body
