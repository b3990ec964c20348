"""The job of an upload's deadline: read a file, import it, or make and send an export.

Each step is a commit that checks the deadline's fence and the upload's record, and advances both: a process that was
delayed can change nothing more, and the one that takes over begins with the first frame that was not imported.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

from domain.blocklist import BlocklistEntry, Direction
from domain.people import Right, may
from domain.refusal import Refusal
from handlers.blocklist import importing
from handlers.blocklist.csv_file import Frame, export_lines, header, read_frame, refused_lines, summary_to_data
from handlers.framework.context import Context
from handlers.framework.csv_table import MAX_BYTES, BadFile
from handlers.framework.deadline_steps import fire_for_account
from handlers.framework.effects import file_effect, screen_effect, unpack_address
from handlers.framework.events import Actor, Address, File
from handlers.framework.ports import FileGone, FileSummary, FileTooLarge, ImportContext, Services, Unavailable
from handlers.framework.screens import Screen
from store.blocklist.entries import EXPIRY, LETTERS, Import
from store.blocklist.imports import PUT_AT_ONCE
from store.blocklist.numberset import ImportBatch, LeaseLost
from store.blocklist.uploads import LIFE, UPLOAD, Upload
from store.engine.accounts import AccountChanged, AccountSnapshot
from store.engine.blobs import Blob, BlobGone
from store.engine.commit import LEASE_LOST, Change, GuardFailed, Plan
from store.engine.deadlines import Deadline, Deadlines
from store.engine.effects import Effect
from store.engine.values import Versioned

LEASE: Final = timedelta(seconds=15)  # of the deadline, for one step
RENEWED: Final = 5.0  # seconds between renewals of the lease while a file is read or written
PACE: Final = 2_000  # ms between two updates of the progress
SHOWN_AT_MOST: Final = 3  # updates of the progress unasked; one platform lets a message be replaced five times
TRIES: Final = 3  # of reading a file from the platform
AGAIN: Final = timedelta(seconds=20)  # between them
FRAMES_AT_MOST: Final = 400_000_000  # bytes: IMPORT_LINES entries with long reasons
EXPORT_AT_MOST: Final = 400_000_000  # bytes
AT_ONCE: Final = 200  # entries written before other tasks get a turn


@dataclass(frozen=True, slots=True)
class UploadJob:
    """Handles deadlines of kind UPLOAD."""

    services: Services
    deadlines: Deadlines
    _moved: dict[str, Deadline] = field(default_factory=dict)  # by member: deadlines that steps have moved

    def register(self) -> None:
        self.deadlines.on(UPLOAD, self._fire_or_give_back)

    async def _fire_or_give_back(self, due: Deadline) -> None:
        """Work on an upload until nothing is left to do or another process has the deadline. If cancelled, make the
        deadline due, so that another process continues at once."""
        try:
            await self._fire(due)
        except asyncio.CancelledError:
            await self.deadlines.settle(self._moved.get(due.member, due), self.services.now())
            raise
        finally:
            self._moved.pop(due.member, None)

    async def _fire(self, due: Deadline) -> None:
        with suppress(LeaseLost):
            while True:
                snapshot = await self.services.accounts.get(due.account)
                record = await self.services.uploads.get(snapshot, due.name) if snapshot is not None else None
                ctx = _context(self.services, snapshot, record.value) if snapshot and record else None
                if ctx is None or record is None or record.value.over or record.value.state == "ready":
                    await self.deadlines.settle(due)
                    return
                try:
                    await self._act(ctx, record, due)
                except AccountChanged:
                    self.services.accounts.forget(due.account)
                except GuardFailed as failed:
                    if failed.guard == LEASE_LOST:
                        return
                    # A press has changed the record: read it again.
                else:
                    return
                fresh = await self.deadlines.renew(due)
                if fresh is None:
                    return
                due = fresh

    async def _act(self, ctx: Context, record: Versioned[Upload], due: Deadline) -> None:
        if not may(ctx.account, ctx.person, Right.MANAGE_BLOCKLIST) or not ctx.account.features.blocklist:
            await self._fail(ctx, record, due, Refusal("import_rights"))
            return
        match record.value.state:
            case "reading":
                await self._read(ctx, record, due)
            case "running":
                await self._run(ctx, record, due)
            case "exporting":
                await self._export(ctx, record, due)

    # ── Reading ─────────────────────────────────────────────────────────────────────────────────────────────────

    async def _read(self, ctx: Context, record: Versioned[Upload], due: Deadline) -> None:
        services, upload = self.services, record.value
        own = frozenset(await services.numbers.owned(ctx.snapshot))
        context = ImportContext(ctx.account, own, upload.by, upload.at, ctx.words.language)
        content = services.files.read(File(**upload.file), upload.platform, upload.workspace, MAX_BYTES)
        summaries: list[FileSummary] = []
        known = 0

        async def frames() -> AsyncGenerator[bytes, None]:
            nonlocal known
            async with aclosing(services.blocklist_reader.read(content, context)) as pieces:
                async for piece in pieces:
                    if isinstance(piece, FileSummary):
                        summaries.append(piece)
                        continue
                    known += await self._known(ctx.snapshot, read_frame(piece))
                    yield piece

        try:
            async with self._renewing(due) as lease, aclosing(frames()) as chunks:
                blob = await services.blobs.put(
                    ctx.snapshot, f"imp-{upload.id}", chunks, limit=FRAMES_AT_MOST, life=LIFE
                )
                digest = summaries[0]
                report = await self._store_report(ctx, upload, digest)
        except BadFile as bad:
            await self._fail(ctx, record, lease.due, bad)
            return
        except FileTooLarge:
            await self._fail(ctx, record, lease.due, Refusal("file_large", limit=MAX_BYTES // 1_000_000))
            return
        except FileGone:
            await self._fail(ctx, record, lease.due, Refusal("file_gone"))
            return
        except Unavailable:
            await self._try_again(ctx, record, lease.due)
            return
        data = summary_to_data(digest) | {"refused": digest.refused[: importing.SHOWN]}
        data["confirm"] = digest.confirm[: importing.SHOWN]
        nothing = digest.taken + digest.confirm_count == 0
        after = upload.model_copy(
            update={
                "state": "done" if nothing else "ready",
                "digest": data,
                "frames": blob.ref,
                "known": known,
                "report": report.ref if report else "",
                "report_size": report.size if report else 0,
            }
        )
        effects = [_tell(after, "read", importing.screen(ctx, after))]
        if nothing:
            effects += self._report_file(ctx, after)
        await self._save(ctx, record, after, lease.due, effects)

    async def _known(self, snapshot: AccountSnapshot, frame: Frame) -> int:
        """How many entries of a frame are on the blocklist already."""
        direction = frame.direction
        if frame.confirm:
            return 0
        if direction is None:
            return await self.services.uploads.count_present(snapshot, [], _ANY, frame.entries)
        return await self.services.uploads.count_present(snapshot, frame.numbers, direction, [])

    async def _store_report(self, ctx: Context, upload: Upload, digest: FileSummary) -> Blob | None:
        if digest.refused_count <= importing.SHOWN:
            return None
        words = ctx.words
        head = (words("import.line"), words("import.written"), words("import.why"))
        text = refused_lines(digest.refused, head).encode()
        return await self.services.blobs.put(ctx.snapshot, f"rep-{upload.id}", text, limit=len(text), life=LIFE)

    async def _try_again(self, ctx: Context, record: Versioned[Upload], due: Deadline) -> None:
        if record.value.tries + 1 >= TRIES:
            await self._fail(ctx, record, due, Refusal("file_unread"))
            return
        after = record.value.model_copy(update={"tries": record.value.tries + 1})
        again = self.services.now() + AGAIN
        await self._commit(ctx, record, after, [], lambda plan: plan.meet_deadline(due, again))

    async def _fail(self, ctx: Context, record: Versioned[Upload], due: Deadline, no: Refusal) -> None:
        params = {name: value for name, value in no.params.items() if isinstance(value, str | int)}
        after = record.value.model_copy(update={"state": "failed", "failed": no.code, "params": params})
        await self._save(ctx, record, after, due, [_tell(after, "failed", importing.screen(ctx, after))])

    # ── Importing ───────────────────────────────────────────────────────────────────────────────────────────────

    async def _run(self, ctx: Context, record: Versioned[Upload], due: Deadline) -> None:
        """Import frame by frame, from the record's cursor on."""
        try:
            async for data in self.services.blobs.read(record.value.frames, record.value.cursor):
                record, due = await self._take(ctx, record, due, read_frame(data))
        except BlobGone:
            await self._fail(ctx, record, due, Refusal("import_gone"))
            return
        after = record.value.model_copy(update={"state": "done"})
        effects = [_tell(after, "done", importing.screen(ctx, after)), *self._report_file(ctx, after)]
        for direction in after.batches:
            change, batch = Change(None, after.by, self.services.now()), _import(after, direction, "done")
            await self.services.blocklist.record(ctx.snapshot, batch, "block.imported", change)
        await self._save(ctx, record, after, due, effects, what="block.imported")

    async def _take(
        self, ctx: Context, record: Versioned[Upload], due: Deadline, frame: Frame
    ) -> tuple[Versioned[Upload], Deadline]:
        """Import one frame, and store that in the record; returns the record and the deadline as they are then."""
        upload, added, there = record.value, 0, 0
        update: dict[str, Any] = {"cursor": upload.cursor + 1}
        if frame.direction is not None:
            number = upload.batches.get(frame.direction, 0)
            if number == 0:
                await self._begin(ctx, upload, frame.direction)
            job = ImportBatch(f"{upload.id}{LETTERS[frame.direction]}", number, due)
            done = await self.services.blocklist.bulk(ctx.snapshot, frame.numbers, frame.direction, job)
            added, there = done.added, done.there
            update["batches"] = {**upload.batches, frame.direction: number + 1}
        elif not frame.confirm or upload.confirmed:
            for start in range(0, len(frame.entries), PUT_AT_ONCE):
                job = ImportBatch(f"{upload.id}e{start}", upload.cursor, due)
                batch = frame.entries[start : start + PUT_AT_ONCE]
                new = await self.services.blocklist.put(ctx.snapshot, batch, self.services.now(), job=job)
                added, there = added + sum(new), there + len(new) - sum(new)
        now = self.services.now()
        moment = int(now.timestamp() * 1000)
        update |= {"added": upload.added + added, "there": upload.there + there}
        effects: list[Effect] = []
        if upload.shown < SHOWN_AT_MOST and moment - upload.told >= PACE and upload.told:
            update |= {"told": moment, "shown": upload.shown + 1}
        after = upload.model_copy(update={"told": upload.told or moment, **update})
        if after.shown > upload.shown:
            effects.append(_tell(after, f"at{after.cursor}", importing.screen(ctx, after)))
        again = max(now + LEASE, _moment(due) + timedelta(milliseconds=1))
        record = await self._commit(ctx, record, after, effects, lambda plan: plan.meet_deadline(due, again))
        self._moved[due.member] = due = replace(due, fence=int(again.timestamp() * 1000))
        await asyncio.sleep(0)
        return record, due

    async def _begin(self, ctx: Context, upload: Upload, direction: Direction) -> None:
        """Record who imports the numbers of a direction, and when; and reserve room for them."""
        change, batch = Change(None, upload.by, self.services.now()), _import(upload, direction, "running")
        await self.services.blocklist.record(ctx.snapshot, batch, "block.importing", change)
        await self.services.blocklist.reserve(ctx.snapshot, direction, batch.expected)

    # ── Exporting ───────────────────────────────────────────────────────────────────────────────────────────────

    async def _export(self, ctx: Context, record: Versioned[Upload], due: Deadline) -> None:
        upload, services = record.value, self.services
        count = 0

        async def lines() -> AsyncIterator[bytes]:
            nonlocal count
            yield header().encode()
            batch: list[BlocklistEntry] = []
            async for entry in services.blocklist.export(ctx.snapshot):
                if entry.live(ctx.now):
                    batch.append(entry)
                if len(batch) >= AT_ONCE:
                    count += len(batch)
                    yield export_lines(batch, ctx.account).encode()
                    batch.clear()
                    await asyncio.sleep(0)
            count += len(batch)
            yield export_lines(batch, ctx.account).encode()

        async with self._renewing(due) as lease:
            blob = await services.blobs.put(ctx.snapshot, f"exp-{upload.id}", lines(), limit=EXPORT_AT_MOST, life=LIFE)
        after = upload.model_copy(update={"state": "done", "added": count})
        name = f"blocklist-{ctx.account.id}-{ctx.now.astimezone(ctx.account.zone):%Y-%m-%d}.csv"
        comment = ctx.words("export.comment", n=count)
        file = file_effect(upload.id, _to(upload), name, ctx.words("export.title"), comment, blob)
        await self._save(ctx, record, after, lease.due, [file], what="block.exported")

    # ── Commits ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _report_file(self, ctx: Context, upload: Upload) -> list[Effect]:
        """Send the refused lines as a file, if there are more than a screen shows."""
        if not upload.report:
            return []
        blob = Blob(upload.report, upload.report_size, 1)
        comment = ctx.words("import.report", n=upload.digest["refused_count"], name=upload.name)
        title = ctx.words("import.report.title")
        return [file_effect(upload.id, _to(upload), "refused.csv", title, comment, blob)]

    async def _save(
        self,
        ctx: Context,
        record: Versioned[Upload],
        after: Upload,
        due: Deadline,
        effects: Sequence[Effect],
        what: str = "",
    ) -> None:
        """The last commit of a step, which removes the deadline."""
        await self._commit(ctx, record, after, effects, lambda plan: plan.meet_deadline(due), what)

    async def _commit(
        self,
        ctx: Context,
        record: Versioned[Upload],
        after: Upload,
        effects: Sequence[Effect],
        also: Callable[[Plan], object],
        what: str = "",
    ) -> Versioned[Upload]:
        change = Change(None, after.by, self.services.now(), effects=tuple(effects))
        await self.services.uploads.save(ctx.snapshot, record, after, change, what=what, also=also)
        return Versioned(after, after.model_dump_json().encode())

    @asynccontextmanager
    async def _renewing(self, due: Deadline) -> AsyncIterator["_Lease"]:
        """Renew the lease of the deadline during the block. Raises LeaseLost at the end if it was lost."""
        lease = _Lease(due)

        async def renew() -> None:
            while not lease.lost:
                await asyncio.sleep(RENEWED)
                fresh = await self.deadlines.renew(lease.due)
                lease.lost = fresh is None
                lease.due = fresh or lease.due

        task = asyncio.create_task(renew(), name="lease of an upload")
        try:
            yield lease
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        if lease.lost:
            raise LeaseLost


@dataclass(frozen=True, slots=True)
class ExpiryJob:
    """Deletes expired entries, which block nothing from their expiry on."""

    services: Services
    deadlines: Deadlines

    def register(self) -> None:
        self.deadlines.on(EXPIRY, fire_for_account(self.services, self.deadlines, self._clear))

    async def _clear(self, snapshot: AccountSnapshot, due: Deadline) -> None:
        await self.services.blocklist.clear_expired(snapshot, self.services.now(), deadline=due)


@dataclass(slots=True)
class _Lease:
    """A deadline as it is after its renewals."""

    due: Deadline
    lost: bool = False


_ANY: Final = Direction.BOTH


def _context(services: Services, snapshot: AccountSnapshot, upload: Upload) -> Context | None:
    """The context of the person who sent the file; None if they have left the account."""
    person = snapshot.account.person(upload.by)
    if person is None:
        return None
    actor = Actor(upload.platform, upload.workspace, upload.user, locale=upload.locale)
    return Context.for_person(services, snapshot, person, actor, services.now(), upload.locale)


def _to(upload: Upload) -> Address:
    return Address(upload.platform, upload.workspace, user=upload.user)


def _tell(upload: Upload, what: str, shown: Screen) -> Effect:
    """Show the upload in place of the screen whose button was pressed, or as a message if none was."""
    to = unpack_address(upload.where) if upload.where else _to(upload)
    redraw = {"action": "import.show", "value": upload.id} if to.reply else None
    return screen_effect(f"{upload.id}|{what}", to, shown, redraw)


def _import(upload: Upload, direction: Direction, state: Literal["running", "done"]) -> Import:
    return Import(
        id=f"{upload.id}{LETTERS[direction]}",
        by=upload.by,
        at=upload.at,
        direction=direction,
        expected=upload.digest["numbers"].get(direction.value, 0),
        refused=upload.digest["refused_count"],
        state=state,
    )


def _moment(due: Deadline) -> datetime:
    return datetime.fromtimestamp(due.fence / 1000, UTC)
