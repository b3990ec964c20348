"""Every value that a rule needs and that may change without the rule changing.

Each carries its source: S a source article, P a public page, D our default where no source gives a value, with the date
on which it was taken. A deployment that differs edits this file; no other module of `domain` holds such a value.
"""

from collections.abc import Mapping
from datetime import date
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
PREMIUM_TIER: Final = "enterprise"  # P 2025-07-28: what premium support is sold with; only a warning hangs on it
ALERT_MINUTES_LEFT: Final = 100  # P 2026-06: when the pool runs low
BILLING_SECONDS: Final = 60  # D 2026-06: of each leg, a minute begun counts

# ---- numbers

UNDO_DAYS: Final = 7  # D 2026-06: before a deleted number goes back to the carrier
CODE_DIGITS: Final = 6  # P 2026-06
CODE_MINUTES: Final = 10  # D 2026-06: how long a verification code is good
CODE_TRIES: Final = 5  # D 2026-06
CODE_SENDS_PER_HOUR: Final = 3  # D 2026-06
LABEL_LENGTH: Final = 40  # D 2026-11: a label of a registered number, in characters
TYPED_NUMBER_LENGTH: Final = 80  # D 2026-11: 15 digits, generous spacing and an extension
EXTENSION_DIGITS: Final = 12  # D 2026-11
# P 2026-06 that a review exists; D 2026-11 which: regulators there want papers before a number is handed out.
REVIEW_COUNTRIES: Final = frozenset({"AU", "SG", "ZA"})

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

# ---- business hours, where an account names none

WORKDAYS: Final = ("mon", "tue", "wed", "thu", "fri")  # D 2026-06
WORKDAY_HOURS: Final = "09:00-17:00"  # D 2026-06, in the account's zone

# ---- asking

QUESTION_LENGTH: Final = 1_000  # D 2026-11: characters of a question that are looked at
ASKED_HOURS: Final = 24  # D 2026-11: how long a question goes along into a ticket
GAP_LENGTH: Final = 120  # D 2026-11: characters of an unanswered question that are kept
GAPS_PER_WEEK: Final = 500  # D 2026-11: different ones kept of an account; the rarest give way
GAP_WEEKS: Final = 13  # D 2026-11: how long they are kept, a quarter
