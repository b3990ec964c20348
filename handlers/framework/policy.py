"""Values of the workflows that no rule of the domain needs, each with where it comes from."""

from typing import Final

# S 000 refers to the carrier's documentation of hosted SMS; the page as of 2026-11.
HOSTED_SMS_URL: Final = "https://www.twilio.com/docs/messaging/hosted-sms"
