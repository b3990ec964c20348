"""The API's operations: each resource with its methods, and the page of a list."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode

from playground.twilio import fields
from playground.twilio import resources_numbers as numbers
from playground.twilio import resources_other as other
from playground.twilio.errors import TwilioError
from playground.twilio.world import API, Json, rfc2822

if TYPE_CHECKING:
    from playground.twilio.pretend import PretendTwilio

Args = Mapping[str, str]
Result = tuple[int, Any]  # the status and the JSON, or None where there is no body
PREFIX: Final = f"/{API}/Accounts/"


Operation = Callable[["PretendTwilio", tuple[str, ...], Args], Result | Awaitable[Result]]


def paged(twilio: PretendTwilio, resource: str, key: str, items: list[Json], args: Args) -> Result:
    """One page of a list, with the addresses of the others."""
    size = fields.whole(args, "PageSize", fields.DEFAULT_PAGE, 1, 10**6)
    size = min(size, fields.MOST_PAGE)
    page = fields.whole(args, "Page", 0, 0, 10**6)
    start = page * size
    if page and not args.get("PageToken"):
        raise TwilioError(21402, "PageToken")
    shown = items[start : start + size]
    base = f"{PREFIX}{twilio.account_sid}/{resource}.json"
    kept = {name: value for name, value in args.items() if name not in fields.PAGING}

    def address(number: int) -> str:
        query: dict[str, str] = {**kept, "PageSize": str(size), "Page": str(number)}
        if number:
            at = items[min(number * size, len(items)) - 1] if items else {}
            query["PageToken"] = f"PA{at.get('sid') or at.get('phone_number') or number}"
        return f"{base}?{urlencode(query, quote_via=quote)}"

    return 200, {
        key: shown,
        "first_page_uri": address(0),
        "next_page_uri": address(page + 1) if start + size < len(items) else None,
        "previous_page_uri": address(page - 1) if page else None,
        "page": page,
        "page_size": size,
        "start": start,
        "end": max(start, start + len(shown) - 1),
        "uri": address(page),
    }


# ── The operations ──────────────────────────────────────────────────────────────────────────────────────────────────


def _account(twilio: PretendTwilio, _ids: tuple[str, ...], _args: Args) -> Result:
    return 200, {
        "auth_token": twilio.auth_token,
        "date_created": rfc2822(0),
        "date_updated": rfc2822(0),
        "friendly_name": "A pretend account",
        "owner_account_sid": twilio.account_sid,
        "sid": twilio.account_sid,
        "status": "active",
        "subresource_uris": {},
        "type": "Full",
        "uri": f"{PREFIX}{twilio.account_sid}.json",
    }


def _countries(twilio: PretendTwilio, _ids: tuple[str, ...], args: Args) -> Result:
    fields.known(args, *fields.PAGING)
    found = numbers.countries(twilio.account_sid, twilio.world)
    return 200, {"countries": found, "uri": f"{PREFIX}{twilio.account_sid}/AvailablePhoneNumbers.json"}


def _country(twilio: PretendTwilio, ids: tuple[str, ...], args: Args) -> Result:
    fields.known(args)
    found = {one["country_code"]: one for one in numbers.countries(twilio.account_sid, twilio.world)}
    return 200, found[ids[0]]


def _search(twilio: PretendTwilio, ids: tuple[str, ...], args: Args) -> Result:
    country, kind = ids
    if not any((one.country, one.kind) == (country, kind) for one in twilio.world.stock):
        raise KeyError(country)  # Twilio has no such list there
    found = numbers.search(twilio.world, country, kind, args)
    return paged(twilio, f"AvailablePhoneNumbers/{country}/{kind}", "available_phone_numbers", found, args)


def _numbers(twilio: PretendTwilio, _ids: tuple[str, ...], args: Args) -> Result:
    found = numbers.list_numbers(twilio.world, args)
    return paged(twilio, "IncomingPhoneNumbers", "incoming_phone_numbers", found, args)


def _buy(twilio: PretendTwilio, _ids: tuple[str, ...], args: Args) -> Result:
    return 201, numbers.buy(twilio.account_sid, twilio.world, args, twilio.now())


def _change(twilio: PretendTwilio, ids: tuple[str, ...], args: Args) -> Result:
    return 200, numbers.change(twilio.world, ids[0], args, twilio.now())


def _addresses(twilio: PretendTwilio, _ids: tuple[str, ...], args: Args) -> Result:
    fields.known(args, "CustomerName", "FriendlyName", "IsoCountry", "EmergencyEnabled", *fields.PAGING)
    filters = {"CustomerName": "customer_name", "FriendlyName": "friendly_name", "IsoCountry": "iso_country"}
    found = [
        one
        for one in twilio.world.addresses.values()
        if all(args.get(name, one[key]) == one[key] for name, key in filters.items())
    ]
    return paged(twilio, "Addresses", "addresses", found, args)


def _new_address(twilio: PretendTwilio, _ids: tuple[str, ...], args: Args) -> Result:
    return 201, other.new_address(twilio.account_sid, twilio.world, args, twilio.now())


def _caller_ids(twilio: PretendTwilio, _ids: tuple[str, ...], args: Args) -> Result:
    fields.known(args, "PhoneNumber", "FriendlyName", *fields.PAGING)
    found = [
        one
        for one in reversed(twilio.world.caller_ids.values())
        if args.get("PhoneNumber", one["phone_number"]) == one["phone_number"]
        and args.get("FriendlyName", one["friendly_name"]) == one["friendly_name"]
    ]
    return paged(twilio, "OutgoingCallerIds", "outgoing_caller_ids", found, args)


def _validate(twilio: PretendTwilio, _ids: tuple[str, ...], args: Args) -> Result:
    return 200, twilio.ask_validation(args)


def _rename_caller_id(twilio: PretendTwilio, ids: tuple[str, ...], args: Args) -> Result:
    fields.known(args, "FriendlyName")
    found = twilio.world.caller_ids[ids[0]]
    found["friendly_name"] = args.get("FriendlyName", found["friendly_name"])
    return 200, found


async def _send_message(twilio: PretendTwilio, _ids: tuple[str, ...], args: Args) -> Result:
    return 201, twilio.send_message(args)


def _messages(twilio: PretendTwilio, _ids: tuple[str, ...], args: Args) -> Result:
    fields.known(args, "To", "From", *fields.PAGING)
    found = [m for m in reversed(twilio.world.messages.values()) if _same(m, args, To="to", From="from")]
    return paged(twilio, "Messages", "messages", found, args)


def _calls(twilio: PretendTwilio, _ids: tuple[str, ...], args: Args) -> Result:
    fields.known(args, "To", "From", "ParentCallSid", "Status", *fields.PAGING)
    by = {"To": "to", "From": "from", "ParentCallSid": "parent_call_sid", "Status": "status"}
    found = [c for c in reversed(twilio.all_calls()) if _same(c, args, **by)]
    return paged(twilio, "Calls", "calls", found, args)


def _same(one: Json, args: Args, **by: str) -> bool:
    return all(args.get(name, one[key]) == one[key] for name, key in by.items())


def _call_out(twilio: PretendTwilio, _ids: tuple[str, ...], args: Args) -> Result:
    return 201, twilio.call_by_api(args)


def _one_call(twilio: PretendTwilio, ids: tuple[str, ...], args: Args) -> Result:
    fields.known(args)
    return 200, {one["sid"]: one for one in twilio.all_calls()}[ids[0]]


async def _change_call(twilio: PretendTwilio, ids: tuple[str, ...], args: Args) -> Result:
    fields.known(args, "Status")
    if args.get("Status") not in ("completed", "canceled"):
        raise TwilioError(21402, "Status")
    call = next((call for call in twilio.going if ids[0] in [leg.sid for leg in call.legs]), None)
    if call is None:
        _ = twilio.world.calls[ids[0]]
        raise TwilioError(21220)
    await call.hang_up()
    return _one_call(twilio, ids, {})


def _records(month: bool) -> Operation:
    def run(twilio: PretendTwilio, _ids: tuple[str, ...], args: Args) -> Result:
        found = other.usage(twilio.account_sid, twilio.world, args, twilio.now(), month)
        return paged(twilio, f"Usage/Records{'/ThisMonth' if month else ''}", "usage_records", found, args)

    return run


def _read(kind: str) -> Operation:
    def run(twilio: PretendTwilio, ids: tuple[str, ...], args: Args) -> Result:
        fields.known(args)
        return 200, getattr(twilio.world, kind)[ids[0]]

    return run


def _remove(kind: str) -> Operation:
    def run(twilio: PretendTwilio, ids: tuple[str, ...], args: Args) -> Result:
        fields.known(args)
        del getattr(twilio.world, kind)[ids[0]]
        return 204, None

    return run


def _sid(prefix: str) -> str:
    return f"({prefix}[0-9a-fA-F]{{32}})"


ROUTES: Final[tuple[tuple[str, dict[str, Operation]], ...]] = (
    (rf"{PREFIX[1:]}AC[0-9a-fA-F]{{32}}|", {"GET": _account}),
    ("AvailablePhoneNumbers", {"GET": _countries}),
    (r"AvailablePhoneNumbers/([A-Z]{2})", {"GET": _country}),
    (r"AvailablePhoneNumbers/([A-Z]{2})/(Local|Mobile|TollFree)", {"GET": _search}),
    ("IncomingPhoneNumbers", {"GET": _numbers, "POST": _buy}),
    (
        f"IncomingPhoneNumbers/{_sid('PN')}",
        {"GET": _read("numbers"), "POST": _change, "DELETE": _remove("numbers")},
    ),
    ("Addresses", {"GET": _addresses, "POST": _new_address}),
    (f"Addresses/{_sid('AD')}", {"GET": _read("addresses"), "DELETE": _remove("addresses")}),
    ("OutgoingCallerIds", {"GET": _caller_ids, "POST": _validate}),
    (
        f"OutgoingCallerIds/{_sid('PN')}",
        {"GET": _read("caller_ids"), "POST": _rename_caller_id, "DELETE": _remove("caller_ids")},
    ),
    ("Messages", {"GET": _messages, "POST": _send_message}),
    (f"Messages/{_sid('SM')}", {"GET": _read("messages"), "DELETE": _remove("messages")}),
    ("Calls", {"GET": _calls, "POST": _call_out}),
    (f"Calls/{_sid('CA')}", {"GET": _one_call, "POST": _change_call, "DELETE": _remove("calls")}),
    ("Usage/Records", {"GET": _records(month=False)}),
    ("Usage/Records/ThisMonth", {"GET": _records(month=True)}),
)
