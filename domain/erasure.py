"""Erasing a person from records: their words, names and addresses are removed, states and counts stay.

An alias that leads to nobody replaces their ids, so their records still belong together. Of their own tickets all text
is removed, including what the desk wrote, which is about them.
"""

import re
from collections.abc import Iterable
from typing import Any, Final

from domain.accounts.account import Level
from domain.support.ticket import Message, Ticket

GONE: Final = "—"  # replaces text that may not be empty
ALIAS: Final = "~"  # the first character of aliases, and of no id
_KEPT: Final = frozenset(
    {"kind", "due", "stage", "level", "round", "impact", "specialist", "people", "gone", "skipped"}
)
_SHORTEST: Final = 2  # characters of a word that is searched for


class ErasedPerson:
    """The person to erase.

    Args:
        alias: replaces their ids.
        ids: all under which records know them.
        words: names, addresses and numbers that identify them.
    """

    def __init__(self, alias: str, ids: Iterable[str], words: Iterable[str]) -> None:
        self.alias = alias
        self.ids = frozenset(ids)
        self.words = frozenset(word for word in words if len(word) >= _SHORTEST and word != GONE)
        users = (id.partition(":")[2] for id in self.ids if ":" in id)
        wanted = sorted({*self.words, *users, *(id for id in self.ids if ":" in id)}, key=lambda w: (-len(w), w))
        self._named = re.compile("|".join(rf"(?<!\w){re.escape(word)}(?!\w)" for word in wanted), re.IGNORECASE)
        self._nothing = not wanted

    def named_in(self, text: str) -> bool:
        """Whether the text contains one of the words, or a platform id of theirs, as a whole word."""
        return not self._nothing and self._named.search(text) is not None

    def has_id(self, id: str | None) -> bool:
        return id in self.ids

    def replace_id(self, id: str) -> str:
        return self.alias if id in self.ids else id

    def erase_from(self, value: Any) -> Any:
        """The data without the person: their ids become the alias, texts that name them become `GONE`."""
        if isinstance(value, str):
            return self.alias if value in self.ids else GONE if self.named_in(value) else value
        if isinstance(value, list | tuple):
            return [self.erase_from(item) for item in value]
        if isinstance(value, dict):
            return {key: self.erase_from(item) for key, item in value.items()}
        return value


def erase_from_own_ticket(ticket: Ticket, person: ErasedPerson) -> Ticket:
    """A ticket of theirs, without its content; its course stays."""
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
    """Any ticket that they had, or were told of, at the desk. If it is open it becomes unassigned, so that the queue
    shows it. Returned as it is if they had no part in it."""
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
    """An entry of another person's ticket: what they wrote is removed, and their id from what others did. Returned as
    it is if they had no part in it."""
    if not person.has_id(message.by):
        params = {key: _ids(value, person) for key, value in message.params.items()}
        return message if params == message.params else message.model_copy(update={"params": params})
    return erase_from_own_message(message, person)


def _level(level: Level, person: ErasedPerson) -> Level:
    if not person.ids & set(level.people):
        return level
    return level.model_copy(update={"people": tuple(id for id in level.people if id not in person.ids)})


def _fact(key: str, value: Any, person: ErasedPerson) -> Any:
    """A param of an event: facts stay, text that people wrote is removed."""
    if isinstance(value, str):
        return person.replace_id(value) if key in _KEPT else ""
    return _ids(value, person)


def _ids(value: Any, person: ErasedPerson) -> Any:
    if isinstance(value, str):
        return person.replace_id(value)
    if isinstance(value, list | tuple):
        return [_ids(item, person) for item in value]
    return value
