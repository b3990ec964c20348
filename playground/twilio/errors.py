"""The errors with which the pretend Twilio refuses a request, and those it reports about the bot's answers.

Codes and titles: https://www.twilio.com/docs/api/errors, 2026-11.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

MESSAGES: Final = {
    20001: "Unknown parameters",
    20003: "Authenticate",
    20004: "Method not allowed",
    20404: "The requested resource {0} was not found",
    20429: "Too Many Requests",
    20500: "An internal server error has occurred",
    21201: "No 'To' number is specified",
    21205: "Url is not a valid URL: {0}",
    21210: "The source phone number provided, {0}, is not yet verified for your account. You may only make calls from "
    "phone numbers that you've verified or purchased from Twilio.",
    21211: "The 'To' number {0} is not a valid phone number.",
    21212: "The 'From' number {0} is not a valid phone number, shortcode, or alphanumeric sender ID.",
    21213: "A 'From' phone number is required.",
    21220: "Call is not in-progress. Cannot redirect.",
    21401: "Phone number is invalid: {0}",
    21402: "{0} is not valid.",
    21421: "PhoneNumber is invalid: {0}",
    21422: "{0} is not available.",
    21450: "Phone number is already verified for your account: {0}",
    21451: "Invalid area code: {0}",
    21452: "No phone numbers found in area code {0}",
    21602: "Message body is required.",
    21603: "A 'From' phone number is required.",
    21604: "A 'To' phone number is required.",
    21606: "The 'From' phone number provided ({0}) is not a valid, message-capable Twilio phone number",
    21612: "The 'To' phone number {0} is not currently reachable via SMS.",
    21615: "Phone Number Requires a Local Address but the 'AddressSid' parameter was empty or names none.",
    21617: "The concatenated message body exceeds the 1600 character limit.",
    21631: "Phone Number Requires an Address but the 'AddressSid' parameter was empty or names none.",
    21649: "Bundle required: the 'BundleSid' parameter was empty or names none.",
}
STATUSES: Final = {20003: 401, 20004: 405, 20404: 404, 20429: 429, 20500: 500}


class TwilioError(Exception):
    """A refusal: Twilio's code, the message with its `{0}` filled in, the HTTP status (400 where no other is usual)."""

    def __init__(self, code: int, about: str = "", headers: dict[str, str] | None = None) -> None:
        self.code = code
        self.message = MESSAGES[code].format(about)
        self.status = STATUSES.get(code, 400)
        self.headers = headers or {}
        super().__init__(f"{code}: {self.message}")

    def body(self) -> dict[str, Any]:
        """The JSON object that Twilio answers with."""
        more = f"https://www.twilio.com/docs/errors/{self.code}"
        return {"code": self.code, "message": self.message, "more_info": more, "status": self.status}


class TwimlError(Exception):
    """Something in the bot's answer for a call can't be followed: Twilio's error code, and why."""

    def __init__(self, code: int, why: str) -> None:
        self.code = code
        self.why = why
        super().__init__(f"{code}: {why}")


@dataclass(frozen=True, slots=True)
class DebuggerEntry:
    """An entry of Twilio's debugger: what went wrong in which call, at which URL."""

    code: int
    why: str
    call: str
    url: str
