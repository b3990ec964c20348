"""Texts that name a ticket outside of its record: keys of posts and mails, values of buttons, results of changes."""

import re
from typing import Final, NamedTuple

from domain.support.ticket import parse_ticket_number
from handlers.framework.results import Result

_POST_KEY: Final = re.compile(r"ticket:([0-9]+):(?:m([0-9]+):)?(desk|person|src|mail)", re.ASCII)
_LONGEST: Final = 20  # characters of a typed number
_IN_PLACE: Final = "|here"


class PostKey(NamedTuple):
    """The key under which a post of a ticket is known to `store.engine.posts`.

    Without `message`: "desk" is the card, "person" the head of the person's thread. With it, the post of that entry on
    either side; "src" the message of the platform in which somebody wrote the entry; "mail" the mail that carries it,
    which has this key in the outbox.
    """

    number: int
    what: str
    message: int | None = None

    def pack(self) -> str:
        """ "ticket:142:desk", "ticket:142:m7:src"."""
        entry = f"m{self.message}:" if self.message is not None else ""
        return f"ticket:{self.number}:{entry}{self.what}"

    @classmethod
    def parse(cls, key: str) -> "PostKey | None":
        """Inverse of `pack`; None for the key of anything else."""
        found = _POST_KEY.fullmatch(key)
        return cls(int(found[1]), found[3], int(found[2]) if found[2] else None) if found else None


class ButtonValue(NamedTuple):
    """The value of a ticket's button. `in_place`: the answer replaces the screen that the button is on; posts are
    updated by the change itself."""

    number: int | None
    in_place: bool = False

    def pack(self) -> str:
        """ "142", "142|here"."""
        return f"{self.number}{_IN_PLACE if self.in_place else ''}"

    @classmethod
    def parse(cls, value: str) -> "ButtonValue":
        """From a button, or as `parse_ticket_number` reads what was typed; `number` is None for anything else."""
        number = value.removesuffix(_IN_PLACE)
        return cls(parse_ticket_number(number[:_LONGEST]), number != value)


class TicketResult(Result, word="ticket"):
    """What was done to which ticket: "ticket|142|claim". `what` as in the catalogues' `ticket.done.*`."""

    number: int
    what: str
