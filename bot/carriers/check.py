"""The carrier's part of the doctor: whether Twilio answers, and whether its numbers and ours agree."""

from collections.abc import Mapping, Sequence
from typing import Final

from bot.finding import Finding, Level
from bot.settings import Settings, Twilio
from bot.variables import host_of, is_loopback
from bot.wiring import Repositories, open_repositories
from domain.numbers.number import Number, NumberState
from handlers.framework.ports import CarrierNumber, CarrierRefusal, Unavailable

NUMBERS_SHOWN: Final = 10  # in a line


async def carrier(settings: Settings) -> list[Finding]:
    """Whether Twilio answers, and how its list of numbers differs from the records of all accounts."""
    if settings.twilio is None:
        return [Finding("ok", "carrier", "Twilio is off: TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN are not set")]
    found = []
    if settings.public_url is None:
        text = "calls are off: set PUBLIC_URL to where Twilio reaches this bot, then run this again"
        found.append(Finding("warn", "carrier", text))
    elif is_loopback(host_of(settings.public_url)) and settings.twilio.api_url is None:
        found.append(Finding("warn", "carrier", "PUBLIC_URL is this machine alone: Twilio can't ask it about calls"))
    async with open_repositories(settings) as kept:
        ours = await _ours(kept)
    return found + await _compare(settings.twilio, settings.public_url, ours)


async def _compare(twilio: Twilio, public_url: str | None, ours: dict[str, tuple[str, Number]]) -> list[Finding]:
    from bot.carriers.twilio import TwilioCarrier

    seller = TwilioCarrier(twilio, public_url)
    try:
        theirs = {one.e164: one for one in await seller.owned()}
        bill = await seller.usage()
    except Unavailable as error:
        mend = "compare TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN with the Twilio console, and look at status.twilio.com"
        return [Finding("fail", "carrier", f"Twilio {error or 'does not answer'}: {mend}")]
    except CarrierRefusal as no:
        return [Finding("fail", "carrier", f"Twilio refuses to be asked (error {no.code}): see its console")]
    finally:
        await seller.aclose()
    spent, currency = bill.get("totalprice.price", ("0", "usd"))
    text = f"Twilio answers: {len(theirs)} numbers, {spent} {currency.upper()} this month"
    return [Finding("ok", "carrier", text), *carrier_findings(ours, theirs)]


async def _ours(kept: Repositories) -> dict[str, tuple[str, Number]]:
    """Every provided number of every account, deleted ones too, as (account id, number) by E.164."""
    found: dict[str, tuple[str, Number]] = {}
    for id in await kept.accounts.ids():
        snapshot = await kept.accounts.get(id)
        if snapshot is not None:
            numbers = await kept.numbers.all(snapshot, deleted=True)
            found.update({number.e164: (id, number) for number in numbers})
    return found


def carrier_findings(ours: Mapping[str, tuple[str, Number]], theirs: Mapping[str, CarrierNumber]) -> list[Finding]:
    """What only one side has and what is set wrong, each with what to do and `NUMBERS_SHOWN` numbers at most."""
    lost = [f"{e164} ({id})" for e164, (id, n) in ours.items() if n.carrier_id and e164 not in theirs and not n.leaving]
    orphans = [f"{e164} ({one.account})" for e164, one in theirs.items() if e164 not in ours and one.account]
    strangers = [e164 for e164, one in theirs.items() if e164 not in ours and not one.account]
    unlinked = [f"{e164} ({id})" for e164, (id, n) in ours.items() if e164 in theirs and n.carrier_id is None]
    wrong = [f"{e164} ({one.routed_to})" for e164, one in theirs.items() if e164 in ours and not one.routed_here]
    waits = [f"{e164} ({id}: {n.needs})" for e164, (id, n) in ours.items() if n.needs]
    ordered = [f"{e164} ({id})" for e164, (id, n) in ours.items() if n.state is NumberState.ORDERED]
    lines: tuple[tuple[Level, str, list[str]], ...] = (
        ("fail", "the account has it, Twilio doesn't: delete it here, or buy it back in the Twilio console", lost),
        ("fail", "bought for an account that has no record of it: release it in the Twilio console", orphans),
        ("warn", "at Twilio and nobody's here: release it, or give it to an account with numbers import", strangers),
        ("warn", "imported: deleting it here does not release it at Twilio, where it stays until you do", unlinked),
        ("fail", "Twilio asks elsewhere about its calls: set this number's URLs in the Twilio console", wrong),
        ("warn", "waits for what Twilio asks of you: add the address or papers in the Twilio console", waits),
        ("warn", "being bought: is switchboard serve running?", ordered),
    )
    return [_named(level, text, names) for level, text, names in lines if names]


def _named(level: Level, text: str, names: Sequence[str]) -> Finding:
    shown = tuple(sorted(names)[:NUMBERS_SHOWN])
    more = (f"and {len(names) - len(shown)} more",) if len(names) > len(shown) else ()
    return Finding(level, "carrier", f"{len(names)} × {text}", (*shown, *more))
