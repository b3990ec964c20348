"""A person, taken out of what is kept: their words, names and addresses go, states and counts stay.

In their place stands an alias, by which their records still belong together and which leads to nobody. Of their own
tickets every text goes, the desk's answers and notes too: those speak of them, and to them.
"""

import re
from collections.abc import Iterable
from typing import Any, Final

from domain.accounts.account import Level
from domain.support.ticket import Message, Ticket

GONE: Final = "—"  # in the place of what may not be empty
ALIAS: Final = "~"  # begins an alias, and no id
_KEPT: Final = frozenset(
    {"kind", "due", "stage", "level", "round", "impact", "specialist", "people", "gone", "skipped"}
)
_SHORTEST: Final = 2  # characters of a name that is looked for


class ErasedPerson:
    """What is looked for. `ids`: all under which records know them; `words`: names, addresses, numbers."""

    def __init__(self, alias: str, ids: Iterable[str], words: Iterable[str]) -> None:
        self.alias = alias
        self.ids = frozenset(ids)
        self.words = frozenset(word for word in words if len(word) >= _SHORTEST and word != GONE)
        users = (id.partition(":")[2] for id in self.ids if ":" in id)
        wanted = sorted({*self.words, *users, *(id for id in self.ids if ":" in id)}, key=lambda w: (-len(w), w))
        self._named = re.compile("|".join(rf"(?<!\w){re.escape(word)}(?!\w)" for word in wanted), re.IGNORECASE)
        self._nothing = not wanted

    def named_in(self, text: str) -> bool:
        """Whether a text names them or an address of theirs, as a word of its own."""
        return not self._nothing and self._named.search(text) is not None

    def has_id(self, id: str | None) -> bool:
        return id in self.ids

    def replace_id(self, id: str) -> str:
        return self.alias if id in self.ids else id

    def erase_from(self, value: Any) -> Any:
        """The same data without them: ids become the alias, texts that name them go whole."""
        if isinstance(value, str):
            return self.alias if value in self.ids else GONE if self.named_in(value) else value
        if isinstance(value, list | tuple):
            return [self.erase_from(item) for item in value]
        if isinstance(value, dict):
            return {key: self.erase_from(item) for key, item in value.items()}
        return value


def erase_from_own_ticket(ticket: Ticket, person: ErasedPerson) -> Ticket:
    """A ticket of theirs. What it was about is gone; how it went is not."""
    callback = ticket.callback
    if callback is not None:
        callback = callback.model_copy(update={"number": GONE, "extension": None})
    survey = ticket.survey.model_copy(update={"comment": ""}) if ticket.survey is not None else None
    return erase_from_desk_ticket(ticket, person).model_copy(
        update={
            "person": person.alias,
            "name": GONE,
            "overview": GONE,
            "description": "",
            "email": None,
            "links": (),
            "files": (),
            "callback": callback,
            "asked": "",
            "read": (),
            "where": None,
            "locale": None,
            "affected": "",
            "critical_reason": "",
            "survey": survey,
            "version": ticket.version + 1,
        }
    )


def erase_from_desk_ticket(ticket: Ticket, person: ErasedPerson) -> Ticket:
    """Anybody's ticket that they had, or were told of, at the desk. An open one is nobody's again, so that it is found
    in the queue. The same ticket where they had no part in it."""
    changes: dict[str, Any] = {}
    if person.has_id(ticket.specialist):
        changes["specialist"] = person.alias if ticket.closed is not None else None
    if ticket.escalation is not None:
        before = ticket.escalation
        levels = tuple(_level(level, person) for level in before.levels)
        seen = (person.replace_id(before.acknowledged[0]), before.acknowledged[1]) if before.acknowledged else None
        after = before.model_copy(update={"levels": levels, "acknowledged": seen})
        if after != before:
            changes["escalation"] = after
    return ticket.model_copy(update={**changes, "version": ticket.version + 1}) if changes else ticket


def erase_from_own_message(message: Message, person: ErasedPerson) -> Message:
    """An entry of a ticket of theirs, whoever wrote it."""
    said = message.kind != "event"
    params = {key: _fact(key, value, person) for key, value in message.params.items()}
    return message.model_copy(
        update={
            "by": person.replace_id(message.by),
            "name": GONE if person.has_id(message.by) else message.name,
            "text": "",
            "params": params,
            "files": (),
            "deleted": said or message.deleted,
            "mail": None,
        }
    )


def erase_from_desk_message(message: Message, person: ErasedPerson) -> Message:
    """An entry of somebody else's ticket: what they wrote goes, and their name where it stands alone. The same message
    where they had no part in it."""
    if not person.has_id(message.by):
        params = {key: _ids(value, person) for key, value in message.params.items()}
        return message if params == message.params else message.model_copy(update={"params": params})
    return erase_from_own_message(message, person)


def _level(level: Level, person: ErasedPerson) -> Level:
    if not person.ids & set(level.people):
        return level
    return level.model_copy(update={"people": tuple(id for id in level.people if id not in person.ids)})


def _fact(key: str, value: Any, person: ErasedPerson) -> Any:
    """Of what an event's sentence mentions, the facts; texts that somebody wrote go."""
    if isinstance(value, str):
        return person.replace_id(value) if key in _KEPT else ""
    return _ids(value, person)


def _ids(value: Any, person: ErasedPerson) -> Any:
    if isinstance(value, str):
        return person.replace_id(value)
    if isinstance(value, list | tuple):
        return [_ids(item, person) for item in value]
    return value
