"""`switchboard explain`: the channel decision, for people and for programs."""

import asyncio
from collections.abc import Mapping
from typing import Final, Literal

import click

from bot.cli.common import echo_json, get_account, resolve_person
from bot.errors import InputError
from bot.settings import Settings
from bot.wiring import clock, open_repositories
from domain.accounts.account import Account, Person
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
    """Print the decision as of now. Raises InputError for an account, person or language that is none."""
    if language is not None:
        code = primary(language)
        if code is None or not (code.isascii() and code.isalpha() and 2 <= len(code) <= 3):
            raise InputError(f'--language must be a code such as de or pt-BR, not "{language[:40]}"')

    async def run() -> Account:
        async with open_repositories(settings) as kept:
            return (await get_account(kept, account)).account

    known = asyncio.run(run())
    who = resolve_person(known, person)
    decisions = decide(known, who, surface=surface, language=language, critical=critical, at=clock(settings)())
    if as_json:
        echo_json(as_data(known, who, surface, language, decisions))
        return
    asked = f", asking for {language}" if language else ""
    click.echo(f"{who.name} ({who.id}) of {known.name}: {known.tier}, seat {who.seat}, {surface}{asked}")
    width = max(map(len, decisions))
    for channel, decision in decisions.items():
        click.echo(f"  {channel:<{width}}  {sentence(channel, decision)}")


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
