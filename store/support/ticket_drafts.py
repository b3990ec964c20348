"""What somebody typed into the form of a ticket and did not send, and the files that they sent beforehand."""

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

SENT_OFF: Final = "~sent"  # beside the draft of a channel: the form that was sent off last
SENT: Final = "~files"  # beside the drafts, by channel: files sent to the bot
TRIES: Final = 4  # to keep a draft while more is typed


@dataclass(frozen=True, slots=True)
class FormDraft:
    """What somebody typed into a form and did not send. `form` names the dialog as it was opened once; `stamp`: of the
    last key, a later one sorts after it; "" where nobody says."""

    values: dict[str, str]
    form: str = ""
    stamp: str = ""


class SentFile(BaseModel):
    """A file that was sent to the bot, and when."""

    model_config = ConfigDict(frozen=True)

    file: FileRef
    at: AwareDatetime


_SENT: Final = TypeAdapter(list[SentFile])


class Drafts:
    def __init__(self, cell: Cell) -> None:
        self._cell = cell

    async def sent_files(self, snapshot: AccountSnapshot, person: str, now: datetime) -> list[FileRef]:
        """The files that the person sent to the bot a short while ago, the last one first."""
        (raw,) = await self._cell.read(snapshot, ("HGET", snapshot.keys.drafts(person), SENT))
        return [sent.file for sent in _sent(raw, now)]

    async def draft(self, snapshot: AccountSnapshot, person: str, channel: str) -> dict[str, str]:
        """What the person typed into the form of a channel and did not send."""
        (raw,) = await self._cell.read(snapshot, ("HGET", snapshot.keys.drafts(person), channel))
        return _draft(raw).values

    async def keep_draft(self, snapshot: AccountSnapshot, person: str, channel: str, draft: FormDraft) -> bool:
        """To be there again when the form is opened again. False: nothing was kept, for what was typed later is there,
        or that form has been sent off."""
        drafts, sent = snapshot.keys.drafts(person), f"{channel}{SENT_OFF}"
        for _ in range(TRIES):
            ((raw, gone),) = await self._cell.read(snapshot, ("HMGET", drafts, channel, sent))
            before = _draft(raw)
            later = before.form == draft.form and before.stamp > draft.stamp > ""
            if later or (draft.form and gone == draft.form.encode()):
                return False
            plan = Plan(snapshot).guard_field("draft", drafts, channel, raw).guard_field("sent", drafts, sent, gone)
            plan.write("HSET", drafts, channel, orjson.dumps(draft))
            try:
                await self._cell.commit(plan.write("EXPIRE", drafts, policy.DRAFT_DAYS * 86_400))
            except GuardFailed:
                continue  # another key was pressed meanwhile
            return True
        return False

    async def keep_files(self, snapshot: AccountSnapshot, person: str, files: Sequence[FileRef], now: datetime) -> None:
        """To go along into a ticket that is written soon. Guards: files."""
        drafts = snapshot.keys.drafts(person)
        (raw,) = await self._cell.read(snapshot, ("HGET", drafts, SENT))
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
    """Those that are not too old, the last one first."""
    since = now.astimezone(UTC) - timedelta(minutes=policy.SENT_FILES_MINUTES)
    return [sent for sent in reversed(_SENT.validate_json(raw or b"[]")) if sent.at > since]
