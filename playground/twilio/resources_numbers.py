"""AvailablePhoneNumbers and IncomingPhoneNumbers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from playground.twilio import fields
from playground.twilio.errors import TwilioError
from playground.twilio.world import API, Json, StockNumber, World, country_of, new_sid, rfc2822

COUNTRIES: Final = {"GB": "United Kingdom", "US": "United States", "DE": "Germany", "FR": "France"}
KINDS: Final = ("Local", "Mobile", "TollFree")
_URLS: Final = ("VoiceUrl", "VoiceFallbackUrl", "SmsUrl", "SmsFallbackUrl", "StatusCallback")
_METHODS: Final = tuple(
    name.replace("Url", "Method") if name.endswith("Url") else f"{name}Method" for name in _URLS
)  # each URL with the method beside it
_SIDS: Final = {
    "SmsApplicationSid": "AP",
    "VoiceApplicationSid": "AP",
    "EmergencyAddressSid": "AD",
    "TrunkSid": "TK",
    "IdentitySid": "RI",
    "AddressSid": "AD",
    "BundleSid": "BU",
}
SETTINGS: Final = (
    *_URLS,
    *_METHODS,
    *_SIDS,
    "ApiVersion",
    "FriendlyName",
    "VoiceCallerIdLookup",
    "EmergencyStatus",
    "VoiceReceiveMode",
)
FILTERS: Final = (
    "AreaCode",
    "Contains",
    "SmsEnabled",
    "MmsEnabled",
    "VoiceEnabled",
    "FaxEnabled",
    "ExcludeAllAddressRequired",
    "ExcludeLocalAddressRequired",
    "ExcludeForeignAddressRequired",
    "Beta",
    "InRegion",
    "InLocality",
)


def snake(name: str) -> str:
    """The field of the answer that belongs to a parameter."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def _capabilities(kind: str, country: str) -> Json:
    texts = kind == "Mobile" or (kind == "Local" and country in ("GB", "US"))
    return {"voice": True, "sms": texts, "mms": False, "fax": False}


# ── What can be bought ──────────────────────────────────────────────────────────────────────────────────────────────


def countries(account: str, world: World) -> list[Json]:
    """The AvailablePhoneNumberCountry resources."""
    found = []
    for code in sorted({one.country for one in world.stock}):
        base = f"/{API}/Accounts/{account}/AvailablePhoneNumbers/{code}"
        kinds = [kind for kind in KINDS if any((one.country, one.kind) == (code, kind) for one in world.stock)]
        found.append(
            {
                "country_code": code,
                "country": COUNTRIES.get(code, code),
                "uri": f"{base}.json",
                "beta": False,
                "subresource_uris": {
                    ("toll_free" if k == "TollFree" else k.lower()): f"{base}/{k}.json" for k in kinds
                },
            }
        )
    return found


def _pattern(text: str) -> re.Pattern[str]:
    """`Contains` and `PhoneNumber` filters: digits, with `*` for any one of them."""
    if not re.fullmatch(r"\+?[0-9*]+", text):
        raise TwilioError(21421, text)
    return re.compile(re.escape(text).replace(r"\*", r"\d"))


def search(world: World, country: str, kind: str, args: Mapping[str, str]) -> list[Json]:
    """The numbers for sale that fit the filters, as AvailablePhoneNumber resources. Raises TwilioError."""
    fields.known(args, *FILTERS, *fields.PAGING)
    area = args.get("AreaCode", "")
    if area and (country not in ("US", "CA") or not re.fullmatch(r"[2-9]\d\d", area)):
        raise TwilioError(21451, area)
    contains = _pattern(args["Contains"]) if args.get("Contains") else None
    flags = {name: fields.boolean(args, f"{name.title()}Enabled") for name in ("sms", "mms", "voice", "fax")}
    shut = {
        need
        for name, needs in (("All", ("any", "local", "foreign")), ("Local", ("local",)), ("Foreign", ("foreign",)))
        if fields.boolean(args, f"Exclude{name}AddressRequired")
        for need in needs
    }

    def fits(one: StockNumber) -> bool:
        able = _capabilities(one.kind, one.country)
        return (
            (one.country, one.kind) == (country, kind)
            and one.needs not in shut
            and (not area or one.number.startswith(f"+1{area}"))
            and (contains is None or contains.search(one.number) is not None)
            and all(wanted is None or able[name] == wanted for name, wanted in flags.items())
            and args.get("InRegion", one.region).lower() == one.region.lower()
            and args.get("InLocality", one.locality).lower() == one.locality.lower()
        )

    return [_for_sale(one) for one in world.for_sale() if fits(one)]


def _for_sale(one: StockNumber) -> Json:
    shown: Json = {
        "friendly_name": one.number,
        "phone_number": one.number,
        "lata": None,
        "locality": one.locality or None,
        "rate_center": None,
        "latitude": None,
        "longitude": None,
        "region": one.region or None,
        "postal_code": None,
        "iso_country": one.country,
        "address_requirements": one.needs,
        "beta": False,
        "capabilities": _capabilities(one.kind, one.country),
    }
    return shown


# ── What is the account's ───────────────────────────────────────────────────────────────────────────────────────────


def _settings(args: Mapping[str, str]) -> Json:
    """The fields that were given, checked. Raises TwilioError."""
    set_: Json = {}
    for name in _URLS:
        if name in args:
            set_[snake(name)] = fields.web_address(args, name)
    for name in _METHODS:
        if name in args:
            set_[snake(name)] = fields.method(args, name)
    for name, prefix in _SIDS.items():
        if name in args:
            set_[snake(name)] = fields.sid(args, name, prefix) or None
    if "FriendlyName" in args:
        if not 0 < len(args["FriendlyName"]) <= 64:
            raise TwilioError(21402, "FriendlyName")
        set_["friendly_name"] = args["FriendlyName"]
    if "VoiceCallerIdLookup" in args:
        set_["voice_caller_id_lookup"] = fields.boolean(args, "VoiceCallerIdLookup", default=False)
    for name, values in (("EmergencyStatus", ("Active", "Inactive")), ("VoiceReceiveMode", ("voice", "fax"))):
        if name in args:
            if args[name] not in values:
                raise TwilioError(21402, name)
            set_[snake(name)] = args[name]
    if args.get("ApiVersion", API) != API:
        raise TwilioError(21402, "ApiVersion")
    return set_


def _supported(world: World, one: StockNumber, set_: Mapping[str, Any]) -> None:
    """Checks that the address and the bundle that a number requires are given. Raises TwilioError."""
    if one.bundle and not set_.get("bundle_sid"):
        raise TwilioError(21649)
    address = world.addresses.get(set_.get("address_sid") or "")
    if one.needs == "any" and address is None:
        raise TwilioError(21631)
    if one.needs == "local" and (address is None or address["iso_country"] != one.country):
        raise TwilioError(21615)
    if one.needs == "foreign" and (address is None or address["iso_country"] == one.country):
        raise TwilioError(21631)


def new_number(account: str, number: str, now: float, set_: Json, kind: str = "Local", needs: str = "none") -> Json:
    """An IncomingPhoneNumber resource."""
    sid = new_sid("PN")
    return {
        "account_sid": account,
        "address_sid": None,
        "address_requirements": needs,
        "api_version": API,
        "beta": False,
        "capabilities": _capabilities(kind, country_of(number)),
        "date_created": rfc2822(now),
        "date_updated": rfc2822(now),
        "friendly_name": number,
        "identity_sid": None,
        "phone_number": number,
        "origin": "twilio",
        "sid": sid,
        "sms_application_sid": None,
        "sms_fallback_method": "POST",
        "sms_fallback_url": "",
        "sms_method": "POST",
        "sms_url": "",
        "status_callback": "",
        "status_callback_method": "POST",
        "trunk_sid": None,
        "uri": f"/{API}/Accounts/{account}/IncomingPhoneNumbers/{sid}.json",
        "voice_receive_mode": "voice",
        "voice_application_sid": None,
        "voice_caller_id_lookup": False,
        "voice_fallback_method": "POST",
        "voice_fallback_url": "",
        "voice_method": "POST",
        "voice_url": "",
        "emergency_status": "Active",
        "emergency_address_sid": None,
        "emergency_address_status": "unregistered",
        "bundle_sid": None,
        "status": "in-use",
        "type": None,
        **set_,
    }


def buy(account: str, world: World, args: Mapping[str, str], now: float) -> Json:
    """Creates an IncomingPhoneNumber. Raises TwilioError."""
    fields.known(args, *SETTINGS, "PhoneNumber", "AreaCode")
    set_ = _settings(args)
    if args.get("AreaCode"):
        found = search(world, "US", "Local", {"AreaCode": args["AreaCode"]})
        if args.get("PhoneNumber"):
            raise TwilioError(20001)
        if not found:
            raise TwilioError(21452, args["AreaCode"])
        number = str(found[0]["phone_number"])
    else:
        number = fields.e164(args, "PhoneNumber", 21421, 21421)
    one = next((one for one in world.for_sale() if one.number == number), None)
    if one is None:
        raise TwilioError(21422, number)
    _supported(world, one, set_)
    made = new_number(account, number, now, set_, one.kind, one.needs)
    world.numbers[made["sid"]] = made
    return made


def list_numbers(world: World, args: Mapping[str, str]) -> list[Json]:
    """The IncomingPhoneNumbers that fit, newest first. Raises TwilioError."""
    fields.known(args, "Beta", "FriendlyName", "PhoneNumber", "Origin", *fields.PAGING)
    wanted = _pattern(args["PhoneNumber"]) if args.get("PhoneNumber") else None
    found = reversed(world.numbers.values())
    return [
        one
        for one in found
        if (wanted is None or wanted.search(one["phone_number"]))
        and args.get("FriendlyName", one["friendly_name"]) == one["friendly_name"]
        and args.get("Origin", "twilio") == "twilio"
        and not fields.boolean(args, "Beta", default=False)
    ]


def change(world: World, sid: str, args: Mapping[str, str], now: float) -> Json:
    """Updates one. Raises TwilioError."""
    fields.known(args, *SETTINGS, "AccountSid")
    found = world.numbers[sid]
    if args.get("AccountSid", found["account_sid"]) != found["account_sid"]:
        raise TwilioError(20404, "Account")  # there are no subaccounts to move it to
    world.numbers[sid] = found | _settings(args) | {"date_updated": rfc2822(now)}
    return world.numbers[sid]
