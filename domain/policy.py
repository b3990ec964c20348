"""Business values that may change without the rules changing.

Each names its source (docs/domain.md): S an article of the help centre, P a public page, D our default, with the date
on which it was taken. Deployments that differ edit this file; no other module of `domain` holds such values.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final

# ---- tiers and what they include

TIER_NUMBERS: Final[Mapping[str, int]] = {  # provided numbers
    "free": 0,  # S 2024-03-29: calling starts with starter
    "starter": 1,  # D 2026-06
    "professional": 3,  # P 2026-06, catalogue of products and services
    "enterprise": 5,  # D 2026-06
}
TIER_MINUTES: Final[Mapping[str, int]] = {  # minutes a month, one pool for the account
    "free": 0,  # S 2024-03-29
    "starter": 500,  # D 2026-06
    "professional": 3_000,  # P 2026-06, catalogue of products and services
    "enterprise": 12_000,  # P 2026-06, the same
}
CALLING_TIER: Final = "starter"  # S 2024-03-29: the lowest tier with calling
ADDON_TIER: Final = "professional"  # S 2024-03-29: the lowest tier that may buy more numbers or minutes
PREMIUM_TIER: Final = "enterprise"  # P 2025-07-28: premium support is sold with it; otherwise only a warning
ALERT_MINUTES_LEFT: Final = 100  # P 2026-06: when the pool runs low
BILLING_SECONDS: Final = 60  # D 2026-06: each leg is rounded up to these

# ---- calls

ALERT_PERCENT: Final = 80  # D 2026-11: of the month's minutes
PROJECTION_DAYS: Final = 3  # D 2026-11: of this month, before the end of the pool is predicted
CALL_HOURS: Final = 48  # D 2026-11: how long a call's decision is kept; P 2026-11: no call lasts longer than 24 hours
EMERGENCY_ANYWHERE: Final = frozenset({"112", "911", "999"})  # D 2026-11: connected whoever calls
STORE_SECONDS: Final = 1.0  # D 2026-11: for a decision; after that `Account.calls_without_store` decides
# P 2026-11, the carrier's page on anonymous callers: ANONYMOUS, RESTRICTED, BLOCKED, UNKNOWN and UNAVAILABLE, spelt on
# a keypad.
WITHHELD_NUMBERS: Final = frozenset({"+266696687", "+7378742833", "+2562533", "+8656696", "+86282452253"})

# ---- numbers

UNDO_DAYS: Final = 7  # D 2026-06: before a deleted number is returned to the carrier
CODE_DIGITS: Final = 6  # P 2026-06
CODE_MINUTES: Final = 10  # D 2026-06: until a verification code expires
CODE_TRIES: Final = 5  # D 2026-06
CODE_SENDS_PER_HOUR: Final = 3  # D 2026-06
LABEL_LENGTH: Final = 40  # D 2026-11: a label of a registered number, in characters
TYPED_NUMBER_LENGTH: Final = 80  # D 2026-11: 15 digits, generous spacing and an extension
EXTENSION_DIGITS: Final = 12  # D 2026-11
# P 2026-06 that there is a review; D 2026-11 where: regulators there require documents before a number is provided.
REVIEW_COUNTRIES: Final = frozenset({"AU", "SG", "ZA"})

# ---- buying from a carrier

ORDER_ANSWER_SECONDS: Final = 1.5  # D 2026-11: that a request waits for its order; platforms need an answer within 3 s
ORDER_RETRY_SECONDS: Final = 2.0  # D 2026-11: before the second try; doubles with each
ORDER_RETRY_MOST: Final = 300.0  # D 2026-11: the longest such delay
ORDER_DOUBT_SECONDS: Final = 5.0  # D 2026-11: that an order without an answer may still arrive
NEEDS_RETRY_MINUTES: Final = 60  # D 2026-11: for numbers that wait for an address or documents
REVIEW_POLL_MINUTES: Final = 60  # D 2026-11: for numbers under review by their country
STRAY_LOOKS: Final = (
    timedelta(hours=1),
    timedelta(days=1),
)  # D 2026-11: looks for an order refused after a try in doubt
CLAIM_SECONDS: Final = 120  # D 2026-11: that a number is reserved for an account before it is bought

# ---- blocklist

BLOCK_START_DIGITS: Final = 4  # D 2026-06: the fewest digits of a prefix
BLOCK_REASON_LENGTH: Final = 200  # D 2026-11, in characters
BLOCK_YEARS: Final = 10  # D 2026-11: the latest expiry, from now; beyond it there is "never"

IMPORT_DETAILED: Final = 5_000  # D 2026-11: lines of a file up to which each entry records who, when and why
IMPORT_LINES: Final = 2_000_000  # D 2026-11: lines of one file
IMPORT_DAYS: Final = 7  # D 2026-11: that a preview can be confirmed, and an import be looked at

# ---- support channels

SEAT_FROM: Final = date(2024, 3, 5)  # S: accounts created on this day or later need a seat for support
PAID_SEATS: Final = frozenset({"core", "sales", "service"})  # S
CHAT_TIER: Final = "starter"  # S: chat and email
PHONE_TIER: Final = "professional"  # S: callback and dialling in
MOBILE_CALLBACK_ENDS: Final = date(2024, 9, 3)  # S: from this day on, no callback from the mobile client
SUPPORT_LANGUAGES: Final = ("en", "fr", "de", "ja", "pt", "es")  # S: chat, email and callback
FALLBACK_LANGUAGE: Final = "en"  # S: dialling in and premium; D: every other language of chat, email and callback
GUARANTEED_MINUTES: Final = 60  # S 2025-08-21, P 2025-07-28: premium email, designated super admins
GUARANTEED_MINUTES_CRITICAL: Final = 30  # S 2025-08-21, P 2025-07-28: the same, business critical
CONTACT_TIER: Final = "professional"  # S: from here on, subscription questions go to the customer-success contact

# ---- promised responses, and warnings before they are due

BUSINESS_DAYS_EMAIL: Final = 1  # S: "usually within one business day", also the aim without a guarantee (S 2025-08-21)
CHAT_MINUTES: Final = 5  # S: "in real time"; D 2026-11: the minutes
CALLBACK_MINUTES: Final = 5  # S: "usually within five minutes"
STAGES: Final = (("half", 50), ("warning", 80), ("breach", 100))  # D 2026-06, per cent of the promised time
CALLBACK_TRIES: Final = 3  # D 2026-11: unanswered calls before the ticket is pending
CALLBACK_AGAIN_MINUTES: Final = 30  # D 2026-11: until the next call, or at the next opening if that is later
PAUSES_AT_MOST: Final = 50  # D 2026-11: of one clock; older ones are merged
DAYS_SHOWN: Final = 5  # D 2026-11: holidays and exceptions named in "why this deadline"

# ---- tickets

OVERVIEW_LENGTH: Final = 200  # D 2026-11, characters
DESCRIPTION_LENGTH: Final = 40_000  # D 2026-11: the longest message of the platforms
MESSAGE_LENGTH: Final = 40_000  # D 2026-11: of replies and notes, the same
COMMENT_LENGTH: Final = 2_000  # D 2026-11: of surveys, reasons and who is affected
LINKS_AT_MOST: Final = 20  # D 2026-11
FILES_AT_MOST: Final = 20  # D 2026-11
CLOCKS_KEPT: Final = 20  # D 2026-11: ended ones of a ticket, the latest

# ---- default business hours

WORKDAYS: Final = ("mon", "tue", "wed", "thu", "fri")  # D 2026-06
WORKDAY_HOURS: Final = "09:00-17:00"  # D 2026-06, in the account's zone

# ---- asking

QUESTION_LENGTH: Final = 1_000  # D 2026-11: characters of a question; the rest is cut
DRAFT_DAYS: Final = 7  # D 2026-11: that an unsent form is kept
SENT_FILES_MINUTES: Final = 60  # D 2026-11: that a file sent to the bot can be attached to a ticket
SENT_FILES: Final = 5  # D 2026-11: how many of those, the latest
ASKED_HOURS: Final = 24  # D 2026-11: that a question is added to a ticket
GAP_LENGTH: Final = 120  # D 2026-11: characters of an unanswered question that are kept
GAPS_PER_WEEK: Final = 500  # D 2026-11: different ones of an account; the rarest are dropped
GAP_WEEKS: Final = 13  # D 2026-11: a quarter, that they are kept
