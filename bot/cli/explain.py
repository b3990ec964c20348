"""`switchboard explain`: the channel decision, for people and for programs."""

import asyncio
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Final, Literal

import click
import orjson

from bot.cli.accounts import get_account
from bot.errors import InputError
from bot.settings import Settings
from bot.wiring import clock, open_repositories
from domain.accounts.account import Account, Person
from domain.people import find_person
from domain.refusal import Refusal
from domain.support.channels import Channel, Decision, decide, expected_text, primary

_OPENS: Final[Mapping[str, str]] = {
    "starter": "needs Starter, Professional or Enterprise",
    "professional": "needs Professional or Enterprise",
    "enterprise": "needs Enterprise",
    "seat": "needs a core, sales or service seat, which a super admin gives",
    "desktop": "is not offered on the mobile client: use a computer",
    "english": "is served in English only",
    "premium": "needs the premium support add-on",
    "number": "needs a number in the account to dial",
}


def explain(
    settings: Settings,
    *,
    account: str,
    person: str,
    surface: Literal["desktop", "mobile"],
    language: str | None,
    critical: bool,
    as_json: bool,
) -> None:
    """Prints the decision as of now. Raises Wrong for an account, person or language that is none."""
    if language is not None:
        code = primary(language)
        if code is None or not (code.isascii() and code.isalpha() and 2 <= len(code) <= 3):
            raise InputError(f'--language must be a code such as de or pt-BR, not "{language[:40]}"')

    async def run() -> Account:
        async with open_repositories(settings) as kept:
            return (await get_account(kept, account)).account

    snapshot = asyncio.run(run())
    who = resolve_person(snapshot, person)
    decisions = decide(snapshot, who, surface=surface, language=language, critical=critical, at=clock(settings)())
    if as_json:
        click.echo(orjson.dumps(as_data(snapshot, who, surface, language, decisions), option=orjson.OPT_INDENT_2))
        return
    asked = f", asking for {language}" if language else ""
    click.echo(f"{who.name} ({who.id}) of {snapshot.name}: {snapshot.tier}, seat {who.seat}, {surface}{asked}")
    width = max(map(len, decisions))
    for channel, decision in decisions.items():
        click.echo(f"  {channel:<{width}}  {sentence(channel, decision)}")


def resolve_person(account: Account, who: str) -> Person:
    """A person of the account by id, email or name; also `slack:U…` for somebody who is not listed. Raises Wrong."""
    found = account.person(who) or account.by_email(who)
    if found is not None:
        return found
    try:
        return find_person(account, who)
    except Refusal as no:
        if no.code == "person_ambiguous":
            names = no.params["names"]
            listed = " and ".join(names) if isinstance(names, tuple) else str(names)
            raise InputError(f'"{who[:60]}" could be {listed}: give the id') from None
        near = get_close_matches(who.lower(), [p.id for p in account.people], n=1)
        hint = f'; did you mean "{near[0]}"?' if near else ""
        raise InputError(f'{account.id} has no person "{who[:60]}"{hint}') from None


def sentence(channel: Channel, decision: Decision) -> str:
    """Whether a channel is open and what to expect of it, or why not and what opens it."""
    if not decision.allowed:
        return f"no   ({', '.join(decision.reasons)}) {'; '.join(_OPENS[code] for code in decision.opens)}"
    told = "; the person is told so" if decision.told else ""
    return f"yes  {expected_text(decision, channel)}, in {decision.language}{told}"


def as_data(
    account: Account, person: Person, surface: str, language: str | None, decisions: Mapping[Channel, Decision]
) -> dict[str, object]:
    """The form of docs/contract.md, "The command line".

    `language` at the top is the one asked for, null where nobody asked.
    """
    return {
        "account": account.id,
        "person": person.id,
        "surface": surface,
        "language": language,
        "channels": {
            channel.value: {
                "allowed": decision.allowed,
                "reasons": [reason.value for reason in decision.reasons],
                "language": decision.language,
                "expected": expected_text(decision, channel),
                "guaranteed_minutes": decision.guaranteed_minutes,
            }
            for channel, decision in decisions.items()
        },
    }
