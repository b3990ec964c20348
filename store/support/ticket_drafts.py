"""Unsent input of ticket forms, and files sent to the bot beforehand."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import orjson
from pydantic import AwareDatetime, BaseModel, ConfigDict, TypeAdapter

from domain import policy
from domain.support.ticket import FileRef
from store.engine.accounts import AccountSnapshot
from store.engine.commit import Cell, GuardFailed, Plan

SENT_OFF: Final = "~sent"  # suffix of the field with the form sent last, beside a channel's draft
SENT: Final = "~files"  # the field of files sent to the bot, beside the drafts
TRIES: Final = 4  # lost to further input


@dataclass(frozen=True, slots=True)
class FormDraft:
    """Unsent input. `form`: identifies the dialog that was opened; `stamp`: of the last change, later ones sort after
    it; "" if the platform sends none."""

    values: dict[str, str]
    form: str = ""
    stamp: str = ""


class SentFile(BaseModel):
    """A file sent to the bot, and when."""

    model_config = ConfigDict(frozen=True)

    file: FileRef
    at: AwareDatetime


_SENT: Final = TypeAdapter(list[SentFile])


class Drafts:
    def __init__(self, cell: Cell) -> None:
        self._cell = cell

    async def sent_files(self, snapshot: AccountSnapshot, person: str, now: datetime) -> list[FileRef]:
        """The files that the person sent to the bot lately, the latest first."""
        raw = await self._cell.read_one(snapshot, "HGET", snapshot.keys.drafts(person), SENT)
        return [sent.file for sent in _sent(raw, now)]

    async def draft(self, snapshot: AccountSnapshot, person: str, channel: str) -> dict[str, str]:
        """The unsent input of a channel's form."""
        return _draft(await self._cell.read_one(snapshot, "HGET", snapshot.keys.drafts(person), channel)).values

    async def keep_draft(self, snapshot: AccountSnapshot, person: str, channel: str, draft: FormDraft) -> bool:
        """Save the input for when the form is opened again. False: not saved, because later input is saved already, or
        the form was sent."""
        drafts, sent = snapshot.keys.drafts(person), f"{channel}{SENT_OFF}"
        for _ in range(TRIES):
            raw, sent_form = await self._cell.read_one(snapshot, "HMGET", drafts, channel, sent)
            before = _draft(raw)
            later = before.form == draft.form and before.stamp > draft.stamp > ""
            if later or (draft.form and sent_form == draft.form.encode()):
                return False
            plan = Plan(snapshot).guard_field("draft", drafts, channel, raw)
            plan.guard_field("sent", drafts, sent, sent_form).write("HSET", drafts, channel, orjson.dumps(draft))
            try:
                await self._cell.commit(plan.write("EXPIRE", drafts, policy.DRAFT_DAYS * 86_400))
            except GuardFailed:
                continue  # further input
            return True
        return False

    async def keep_files(self, snapshot: AccountSnapshot, person: str, files: Sequence[FileRef], now: datetime) -> None:
        """Keep references to files for a ticket that is created soon. Guards: files."""
        drafts = snapshot.keys.drafts(person)
        raw = await self._cell.read_one(snapshot, "HGET", drafts, SENT)
        known = {sent.file.id: sent for sent in reversed(_sent(raw, now))}
        for file in files:
            known.pop(file.id, None)
            known[file.id] = SentFile(file=file, at=now)
        last = list(known.values())[-policy.SENT_FILES :]
        plan = Plan(snapshot).guard_field("files", drafts, SENT, raw).write("HSET", drafts, SENT, _SENT.dump_json(last))
        await self._cell.commit(plan.write("EXPIRE", drafts, policy.DRAFT_DAYS * 86_400))


def _draft(raw: bytes | None) -> FormDraft:
    return FormDraft(**orjson.loads(raw)) if raw is not None else FormDraft({})


def _sent(raw: bytes | None, now: datetime) -> list[SentFile]:
    """Those not too old, the latest first."""
    since = now.astimezone(UTC) - timedelta(minutes=policy.SENT_FILES_MINUTES)
    return [sent for sent in reversed(_SENT.validate_json(raw or b"[]")) if sent.at > since]
