"""Addresses, caller ids, messages, calls made by the API, and the records of usage."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from playground.twilio import fields
from playground.twilio.errors import TwilioError
from playground.twilio.world import API, Json, World, new_sid, rfc2822

_ADDRESS: Final = ("CustomerName", "Street", "City", "Region", "PostalCode", "IsoCountry")
_SENDER: Final = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11}")
MOST_BODY: Final = 1600
DESCRIPTIONS: Final = {
    "calls": "Voice Minutes",
    "calls-inbound": "Inbound Voice Minutes",
    "calls-outbound": "Outbound Voice Minutes",
    "phonenumbers": "Phone Numbers",
    "sms": "SMS",
    "sms-outbound": "Outbound SMS",
}


def new_address(account: str, world: World, args: Mapping[str, str], now: float) -> Json:
    """Creates an Address. Raises TwilioError."""
    optional = ("FriendlyName", "EmergencyEnabled", "AutoCorrectAddress", "StreetSecondary")
    fields.known(args, *_ADDRESS, *optional)
    for name in _ADDRESS:
        if not args.get(name, "").strip():
            raise TwilioError(21402, name)
    if not (len(args["IsoCountry"]) == 2 and args["IsoCountry"].isalpha() and args["IsoCountry"].isupper()):
        raise TwilioError(21402, "IsoCountry")
    fields.boolean(args, "AutoCorrectAddress")
    sid = new_sid("AD")
    made: Json = {
        "account_sid": account,
        "city": args["City"],
        "customer_name": args["CustomerName"],
        "date_created": rfc2822(now),
        "date_updated": rfc2822(now),
        "emergency_enabled": fields.boolean(args, "EmergencyEnabled", default=False),
        "friendly_name": args.get("FriendlyName"),
        "iso_country": args["IsoCountry"],
        "postal_code": args["PostalCode"],
        "region": args["Region"],
        "sid": sid,
        "street": args["Street"],
        "street_secondary": args.get("StreetSecondary"),
        "uri": f"/{API}/Accounts/{account}/Addresses/{sid}.json",
        "validated": False,
        "verified": False,
    }
    world.addresses[sid] = made
    return made


def new_caller_id(account: str, world: World, number: str, name: str, now: float) -> Json:
    """An OutgoingCallerId: somebody typed the right code at that phone."""
    sid = new_sid("PN")
    made: Json = {
        "sid": sid,
        "date_created": rfc2822(now),
        "date_updated": rfc2822(now),
        "friendly_name": name or number,
        "account_sid": account,
        "phone_number": number,
        "uri": f"/{API}/Accounts/{account}/OutgoingCallerIds/{sid}.json",
    }
    world.caller_ids[sid] = made
    return made


def new_message(account: str, world: World, args: Mapping[str, str], now: float) -> Json:
    """Creates a Message, which arrives at once. Raises TwilioError."""
    fields.known(args, "To", "From", "Body", "StatusCallback", "ValidityPeriod", "SmartEncoded", "RiskCheck")
    to = fields.e164(args, "To", 21604, 21211)
    frm = args.get("From", "")
    named = _SENDER.fullmatch(frm) is not None and not to.startswith("+1")  # a sender's name, where networks show it
    if not named:
        frm = fields.e164(args, "From", 21603, 21212)
    body = args.get("Body", "")
    if not body:
        raise TwilioError(21602)
    if len(body) > MOST_BODY:
        raise TwilioError(21617)
    owned = world.owned(frm)
    if not named and (owned is None or not owned["capabilities"]["sms"]):
        raise TwilioError(21606, frm)
    fields.web_address(args, "StatusCallback")
    sid = new_sid("SM")
    uri = f"/{API}/Accounts/{account}/Messages/{sid}"
    made: Json = {
        "body": body,
        "num_segments": str(math.ceil(len(body) / 153) if len(body) > 160 else 1),
        "direction": "outbound-api",
        "from": frm,
        "to": to,
        "date_updated": rfc2822(now),
        "price": None,
        "error_message": None,
        "uri": f"{uri}.json",
        "account_sid": account,
        "num_media": "0",
        "status": "queued",
        "messaging_service_sid": None,
        "sid": sid,
        "date_sent": None,
        "date_created": rfc2822(now),
        "error_code": None,
        "price_unit": "USD",
        "api_version": API,
        "subresource_uris": {"media": f"{uri}/Media.json"},
    }
    world.messages[sid] = made | {"status": "delivered", "date_sent": rfc2822(now)}
    world.trim()
    return made


def usage(account: str, world: World, args: Mapping[str, str], now: float, month: bool) -> list[Json]:
    """The usage records: of this month, or of all time. Raises TwilioError."""
    fields.known(args, "Category", "StartDate", "EndDate", "IncludeSubaccounts", *fields.PAGING)
    if args.get("Category", "calls") not in DESCRIPTIONS:
        raise TwilioError(21402, "Category")
    today = datetime.fromtimestamp(now, UTC)
    first = today.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    start = _day(args, "StartDate", first if month else datetime(2010, 4, 1, tzinfo=UTC))
    end = _day(args, "EndDate", today).replace(hour=23, minute=59, second=59)
    base = f"/{API}/Accounts/{account}/Usage/Records{'/ThisMonth' if month else ''}.json"

    def record(category: str, count: int, amount: int, unit: str) -> Json:
        return {
            "account_sid": account,
            "api_version": API,
            "as_of": today.replace(microsecond=0).isoformat(),
            "category": category,
            "count": str(count),
            "count_unit": "calls" if category.startswith("calls") else unit,
            "description": DESCRIPTIONS[category],
            "end_date": end.date().isoformat(),
            "price": 0,
            "price_unit": "usd",
            "start_date": start.date().isoformat(),
            "subresource_uris": {},
            "uri": f"{base}?Category={category}",
            "usage": str(amount),
            "usage_unit": unit,
        }

    legs = [c for c in world.calls.values() if start <= parsedate_to_datetime(c["date_created"]) <= end]
    made = []
    for category, chosen in (
        ("calls", legs),
        ("calls-inbound", [c for c in legs if c["direction"] == "inbound"]),
        ("calls-outbound", [c for c in legs if c["direction"] != "inbound"]),
    ):
        minutes = sum(math.ceil(int(c["duration"] or 0) / 60) for c in chosen)
        made.append(record(category, len(chosen), minutes, "minutes"))
    sent = [m for m in world.messages.values() if start <= parsedate_to_datetime(m["date_created"]) <= end]
    made.append(record("phonenumbers", len(world.numbers), len(world.numbers), "numbers"))
    made += [record(category, len(sent), len(sent), "messages") for category in ("sms", "sms-outbound")]
    return [one for one in made if args.get("Category", one["category"]) == one["category"]]


def _day(args: Mapping[str, str], name: str, default: datetime) -> datetime:
    if not args.get(name):
        return default
    try:
        return datetime.strptime(args[name], "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise TwilioError(21402, name) from None
