"""Support channels as the source articles have them, read anew and written down as grids; nothing here knows the rules.

S is "Get help" (002) and "Contact premium support" (004) with its terms; D is what docs/domain.md 4 and 6 add where the
articles are silent. A cell answers one question alone; a channel is open where every grid says yes.
"""

from typing import Final

# S 002: the table of channels by subscription; phone support there is both being called and dialling in.
# S 004: premium support is there only where it was bought, whatever the subscription.
TIER: Final = """
                    free   starter  professional  enterprise
knowledge_base      yes    yes      yes           yes
community           yes    yes      yes           yes
chat                -      yes      yes           yes
email               -      yes      yes           yes
callback            -      -        yes           yes
phone               -      -        yes           yes
premium_chat        yes    yes      yes           yes
premium_email       yes    yes      yes           yes
premium_callback    yes    yes      yes           yes
premium_phone       yes    yes      yes           yes
"""

# S 002: in accounts made on 5 March 2024 or later, people need a core, sales or service seat for chat, email or phone.
# P 2025-07-28: premium support is for paid seats, whatever the account's age.
SEAT: Final = """
                    none/04  view/04  core/04  sales/04  service/04  none/05  view/05  core/05  sales/05  service/05
knowledge_base      yes      yes      yes      yes       yes         yes      yes      yes      yes       yes
community           yes      yes      yes      yes       yes         yes      yes      yes      yes       yes
chat                yes      yes      yes      yes       yes         -        -        yes      yes       yes
email               yes      yes      yes      yes       yes         -        -        yes      yes       yes
callback            yes      yes      yes      yes       yes         -        -        yes      yes       yes
phone               yes      yes      yes      yes       yes         -        -        yes      yes       yes
premium_chat        -        -        yes      yes       yes         -        -        yes      yes       yes
premium_email       -        -        yes      yes       yes         -        -        yes      yes       yes
premium_callback    -        -        yes      yes       yes         -        -        yes      yes       yes
premium_phone       -        -        yes      yes       yes         -        -        yes      yes       yes
"""

# S 002: the mobile app has email, and had "Call me"; from 3 September 2024 on it has email alone.
# S 004: premium support isn't there on mobile.
CLIENT: Final = """
                    desktop/02  desktop/03  mobile/02  mobile/03
knowledge_base      yes         yes         yes        yes
community           yes         yes         yes        yes
chat                yes         yes         -          -
email               yes         yes         yes        yes
callback            yes         yes         yes        -
phone               yes         yes         -          -
premium_chat        yes         yes         -          -
premium_email       yes         yes         -          -
premium_callback    yes         yes         -          -
premium_phone       yes         yes         -          -
"""

# S 002: phone support is in English only; chat, callback and email are in six languages, a callback in that of the
# person's own settings. S 004: premium channels are in English only. D: another language is served in English, and the
# person is told ("en!"); what is English only is closed ("-") where another was asked for, and says so where the
# person's language is not English or not known.
LANGUAGE: Final = """
asked  own    knowledge_base,community  chat,email  callback  phone,premium_*
none   none   en                        en          en        en!
none   en-GB  en                        en          en        en
none   ja     ja                        ja          ja        en!
none   pl     pl                        en!         en!       en!
en     none   en                        en          en        en
en     en-GB  en                        en          en        en
en     ja     en                        en          ja!       en
en     pl     en                        en          en        en
pt-BR  none   pt                        pt          en!       -
pt-BR  en-GB  pt                        pt          en!       -
pt-BR  ja     pt                        pt          ja!       -
pt-BR  pl     pt                        pt          en!       -
pl     none   pl                        en!         en!       -
pl     en-GB  pl                        en!         en!       -
pl     ja     pl                        en!         ja!       -
pl     pl     pl                        en!         en!       -
"""

# S 004: premium support only after buying it.
PREMIUM: Final = """
                    bought  not
knowledge_base      yes     yes
community           yes     yes
chat                yes     yes
email               yes     yes
callback            yes     yes
phone               yes     yes
premium_chat        yes     -
premium_email       yes     -
premium_callback    yes     -
premium_phone       yes     -
"""

# Where there is no number, there is nothing to dial (S 004: the direct number stands at the foot of the dialog).
NUMBER: Final = """
                    neither  support  premium  both
knowledge_base      yes      yes      yes      yes
community           yes      yes      yes      yes
chat                yes      yes      yes      yes
email               yes      yes      yes      yes
callback            yes      yes      yes      yes
phone               -        yes      -        yes
premium_chat        yes      yes      yes      yes
premium_email       yes      yes      yes      yes
premium_callback    yes      yes      yes      yes
premium_phone       -        -        yes      yes
"""

# S 002: chat in real time, email usually within one business day, a call usually within five minutes. S 004: without a
# guarantee, the aim is one business day.
EXPECTED: Final = {
    "knowledge_base": "at any time",
    "community": "at any time",
    "chat": "in real time",
    "email": "usually within one business day",
    "callback": "usually within five minutes",
    "phone": "when you call",
    "premium_chat": "in real time",
    "premium_email": "no guarantee; the aim is one business day",
    "premium_callback": "usually within five minutes",
    "premium_phone": "when you call",
}

# S 004: guaranteed answers by email, for designated super admins alone: an hour; half an hour if business critical.
# D: all super admins are designated where the account names none.
GUARANTEE: Final = """
              colleague  super_admin  super_admin_named  super_admin_not_named  colleague_named
ordinary      -          60           60                 -                      -
critical      -          30           30                 -                      -
"""

# What would open it, in the order in which reasons are given.
OPENS: Final[dict[str, str | dict[str, str]]] = {
    "tier": {"chat": "starter", "email": "starter", "callback": "professional", "phone": "professional"},
    "seat": "seat",
    "mobile": "desktop",
    "language": "english",
    "premium": "premium",
    "number": "number",
}


def grid(text: str) -> dict[str, dict[str, str]]:
    """The rows of a grid, each by its columns."""
    head, *rows = (line.split() for line in text.strip().splitlines())
    return {name: dict(zip(head, cells, strict=True)) for name, *cells in rows}


def languages() -> dict[tuple[str | None, str | None], dict[str, str]]:
    """For what was asked for and the person's own: each channel's cell of `LANGUAGE`."""
    (_, _, *groups), *rows = (line.split() for line in LANGUAGE.strip().splitlines())
    names = [
        [*group.replace("premium_*", ",".join(n for n in EXPECTED if "premium" in n)).split(",")] for group in groups
    ]
    return {
        (None if asked == "none" else asked, None if own == "none" else own): {
            name: cell for group, cell in zip(names, cells, strict=True) for name in group
        }
        for asked, own, *cells in rows
    }
