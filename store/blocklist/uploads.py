"""Uploads: blocklist files from check to import; and removed entries that can be restored. Both expire.

An upload goes from `reading` (its content is fetched and parsed) through `ready` (a person sees the preview) and
`running` to `done`, or ends as `failed` or `cancelled`. A deadline of kind UPLOAD drives it: whichever process takes it
continues.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Final, Literal

from pydantic import AwareDatetime, Field

from domain.blocklist import BlocklistEntry, Direction
from domain.policy import IMPORT_DAYS, UNDO_DAYS
from domain.record import Record
from store.blocklist.imports import BlocklistImports, redraw_callbacks
from store.blocklist.numberset import BATCH
from store.engine.accounts import AccountSnapshot
from store.engine.commit import Cell, Change, Plan
from store.engine.values import Versioned, versioned

UPLOAD: Final = "import"  # kind of the deadline
SCHEMA: Final = 1
LIFE: Final = timedelta(days=IMPORT_DAYS)

UploadState = Literal["exporting", "reading", "ready", "running", "done", "failed", "cancelled"]


class Upload(Record):
    """One file. `by`: the person's id; `file`: the platform's description of it; `where`: address of the message that
    shows the progress; `digest`: summary of the content, with the first refused lines; `frames`, `report`: blobs.
    `cursor`: frames that were imported; `batches`: of them, by direction, those with numbers only. `told`: when
    progress was shown last, ms; `shown`: how often."""

    schema_: Annotated[int, Field(alias="schema")] = SCHEMA
    id: str
    by: str
    at: AwareDatetime
    name: str
    state: UploadState = "reading"
    platform: str
    workspace: str
    user: str
    locale: str | None = None
    file: dict[str, Any] = Field(default_factory=dict)
    where: dict[str, Any] | None = None
    digest: dict[str, Any] = Field(default_factory=dict)
    frames: str = ""
    report: str = ""
    report_size: int = 0
    known: int = 0  # of its entries, there already when it was read
    confirmed: bool = False
    cursor: int = 0
    batches: dict[Direction, int] = Field(default_factory=dict)
    added: int = 0
    there: int = 0
    told: int = 0
    shown: int = 0
    tries: int = 0
    failed: str = ""  # a refusal's code
    params: dict[str, Any] = Field(default_factory=dict)

    @property
    def over(self) -> bool:
        return self.state in ("done", "failed", "cancelled")


class Uploads:
    """Every method raises AccountChanged. Changes raise GuardFailed, and return the first result if they were made
    before under the same id, else None."""

    def __init__(self, cell: Cell, imports: BlocklistImports) -> None:
        self._cell = cell
        self._imports = imports

    async def count_present(
        self, snapshot: AccountSnapshot, numbers: Sequence[int], direction: Direction, entries: Sequence[BlocklistEntry]
    ) -> int:
        """How many of the numbers and entries the blocklist has already."""
        known = 0
        for start in range(0, len(numbers), BATCH):
            known += await self._imports.count_present(snapshot, numbers[start : start + BATCH], direction)
        if entries:
            names = [entry.key for entry in entries]
            raws = await self._cell.read_one(snapshot, "HMGET", snapshot.keys.blocked, *names)
            known += sum(raw is not None for raw in raws)
        return known

    async def get(self, snapshot: AccountSnapshot, id: str) -> Versioned[Upload] | None:
        return versioned(await self._cell.read_one(snapshot, "HGET", snapshot.keys.upload(id), "doc"), Upload.decode)

    async def save(
        self,
        snapshot: AccountSnapshot,
        before: Versioned[Upload] | None,
        after: Upload,
        change: Change,
        *,
        what: str = "",
        also: Callable[[Plan], object] = lambda _plan: None,
    ) -> str | None:
        """Replace the record that was read (None: it is new). `what`: the audit entry, if any; `also` adds to the same
        plan, such as its deadline. Guards: upload, and those that `also` adds."""
        key = snapshot.keys.upload(after.id)
        plan = change.plan(snapshot, change.audit(what, details=_details(after)) if what else None)
        plan.guard_field("upload", key, "doc", before.raw if before else None)
        plan.write("HSET", key, "doc", after.model_dump_json()).write("EXPIRE", key, int(LIFE.total_seconds()))
        if after.over:
            redraw_callbacks(plan, change.at)
        also(plan)
        return await self._cell.commit(plan)

    async def keep_removed(self, snapshot: AccountSnapshot, entry: BlocklistEntry) -> None:
        """Store an entry that is about to be removed, so that it can be restored for `UNDO_DAYS`."""
        key = snapshot.keys.removed(entry.key)
        life = int(timedelta(days=UNDO_DAYS).total_seconds())
        await self._cell.commit(Plan(snapshot).write("SET", key, entry.model_dump_json(), "EX", life))

    async def removed(self, snapshot: AccountSnapshot, key: str) -> BlocklistEntry | None:
        """The entry of that key as it was removed last; None: longer ago than `UNDO_DAYS`, or never."""
        raw = await self._cell.read_one(snapshot, "GET", snapshot.keys.removed(key))
        return None if raw is None else BlocklistEntry.decode(raw)


def set_upload_deadline(plan: Plan, id: str, at: datetime) -> Plan:
    """Set the deadline that drives an upload; it is due at once."""
    return plan.set_deadline(UPLOAD, id, at, soon=True)


def _details(upload: Upload) -> dict[str, str]:
    return {"import": upload.id, "file": upload.name, "added": str(upload.added), "state": upload.state}
