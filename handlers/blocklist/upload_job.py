"""What an upload's deadline does: read a dropped file, import what it holds, send an export.

Each step is a commit that compares the deadline's fence and the upload's record, and moves both on: a process that was
held up changes nothing more, and whoever takes over begins with the frame that was not yet taken.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

from domain.blocklist import BlocklistEntry, Direction
from domain.people import Right, may
from domain.refusal import Refusal
from handlers.blocklist import importing
from handlers.blocklist.csv_file import Frame, export_lines, header, read_frame, refused_lines, summary_to_data
from handlers.framework.context import Context, words_for
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
from store.engine.changes import Change
from store.engine.commit import LEASE_LOST, GuardFailed, Plan
from store.engine.deadlines import Deadline, Deadlines
from store.engine.effects import Effect
from store.engine.versioned import Versioned

LEASE: Final = timedelta(seconds=15)  # that a step keeps the deadline for itself
RENEWED: Final = 5.0  # seconds between renewals while a file is read
PACE: Final = 2_000  # ms between two times that progress is shown
SHOWN_AT_MOST: Final = 3  # times that progress is shown unasked: one platform lets a message be drawn anew five times
TRIES: Final = 3  # times that a platform may fail to hand over a file
AGAIN: Final = timedelta(seconds=20)  # between them
FRAMES_AT_MOST: Final = 400_000_000  # bytes: IMPORT_LINES entries with long reasons
EXPORT_AT_MOST: Final = 400_000_000  # bytes
AT_ONCE: Final = 200  # entries that are worked on before somebody else has a turn


class UploadJob:
    """Acts on deadlines of kind UPLOAD."""

    def __init__(self, services: Services, deadlines: Deadlines) -> None:
        self._services = services
        self._deadlines = deadlines
        self._moved: dict[str, Deadline] = {}  # deadlines as they stand by now

    def register(self) -> None:
        self._deadlines.on(UPLOAD, self._fire_or_give_back)

    async def _fire_or_give_back(self, due: Deadline) -> None:
        """Acts on an upload until nothing is left to do, or the deadline is somebody else's. Cancelled, it gives the
        deadline back, for another process to go on at once."""
        try:
            await self._fire(due)
        except asyncio.CancelledError:
            await self._deadlines.settle(self._moved.get(due.member, due), self._services.now())
            raise
        finally:
            self._moved.pop(due.member, None)

    async def _fire(self, due: Deadline) -> None:
        with suppress(LeaseLost):
            while True:
                snapshot = await self._services.accounts.get(due.account)
                kept = await self._services.uploads.get(snapshot, due.name) if snapshot is not None else None
                ctx = (
                    _context(self._services, snapshot, kept.value)
                    if snapshot is not None and kept is not None
                    else None
                )
                if ctx is None or kept is None or kept.value.over or kept.value.state == "ready":
                    await self._deadlines.settle(due)
                    return
                try:
                    await self._act(ctx, kept, due)
                except AccountChanged:
                    self._services.accounts.forget(due.account)
                except GuardFailed as failed:
                    if failed.guard == LEASE_LOST:
                        return
                    # Somebody pressed something: what the record says now decides.
                else:
                    return
                fresh = await self._deadlines.renew(due)
                if fresh is None:
                    return
                due = fresh

    async def _act(self, ctx: Context, kept: Versioned[Upload], due: Deadline) -> None:
        if not may(ctx.account, ctx.person, Right.MANAGE_BLOCKLIST) or not ctx.account.features.blocklist:
            await self._fail(ctx, kept, due, Refusal("import_rights"))
            return
        match kept.value.state:
            case "reading":
                await self._read(ctx, kept, due)
            case "running":
                await self._run(ctx, kept, due)
            case "exporting":
                await self._export(ctx, kept, due)

    # ── Reading ─────────────────────────────────────────────────────────────────────────────────────────────────

    async def _read(self, ctx: Context, kept: Versioned[Upload], due: Deadline) -> None:
        services, upload = self._services, kept.value
        own = frozenset(await services.numbers.owned(ctx.snapshot))
        asked = ImportContext(ctx.account, own, upload.by, upload.at, ctx.words.language)
        content = services.files.read(File(**upload.file), upload.platform, upload.workspace, MAX_BYTES)
        found: list[FileSummary] = []
        known = 0

        async def frames() -> AsyncGenerator[bytes, None]:
            nonlocal known
            async with aclosing(services.blocklist_reader.read(content, asked)) as pieces:
                async for piece in pieces:
                    if isinstance(piece, FileSummary):
                        found.append(piece)
                        continue
                    known += await self._known(ctx.snapshot, read_frame(piece))
                    yield piece

        try:
            async with self._renewing(due) as lease, aclosing(frames()) as taken:
                frames_kept = await services.blobs.put(
                    ctx.snapshot, f"imp-{upload.id}", taken, limit=FRAMES_AT_MOST, life=LIFE
                )
                digest = found[0]
                report = await self._keep_report(ctx, upload, digest)
        except BadFile as bad:
            await self._fail(ctx, kept, lease.due, bad)
            return
        except FileTooLarge:
            await self._fail(ctx, kept, lease.due, Refusal("file_large", limit=MAX_BYTES // 1_000_000))
            return
        except FileGone:
            await self._fail(ctx, kept, lease.due, Refusal("file_gone"))
            return
        except Unavailable:
            await self._try_again(ctx, kept, lease.due)
            return
        data = summary_to_data(digest) | {"refused": digest.refused[: importing.SHOWN]}
        data["confirm"] = digest.confirm[: importing.SHOWN]
        nothing = digest.taken + digest.confirm_count == 0
        after = upload.model_copy(
            update={
                "state": "done" if nothing else "ready",
                "digest": data,
                "frames": frames_kept.ref,
                "known": known,
                "report": report.ref if report else "",
                "report_size": report.size if report else 0,
            }
        )
        effects = [_tell(after, "read", importing.screen(ctx, after))]
        if nothing:
            effects += self._report_file(ctx, after)
        await self._save(ctx, kept, after, lease.due, effects)

    async def _known(self, snapshot: AccountSnapshot, frame: Frame) -> int:
        direction = frame.direction
        if frame.confirm:
            return 0
        if direction is None:
            return await self._services.uploads.count_present(snapshot, [], _ANY, frame.entries)
        return await self._services.uploads.count_present(snapshot, frame.numbers, direction, [])

    async def _keep_report(self, ctx: Context, upload: Upload, digest: FileSummary) -> Blob | None:
        if digest.refused_count <= importing.SHOWN:
            return None
        words = ctx.words
        head = (words("import.line"), words("import.written"), words("import.why"))
        text = refused_lines(digest.refused, head).encode()
        return await self._services.blobs.put(ctx.snapshot, f"rep-{upload.id}", text, limit=len(text), life=LIFE)

    async def _try_again(self, ctx: Context, kept: Versioned[Upload], due: Deadline) -> None:
        if kept.value.tries + 1 >= TRIES:
            await self._fail(ctx, kept, due, Refusal("file_unread"))
            return
        after = kept.value.model_copy(update={"tries": kept.value.tries + 1})
        again = self._services.now() + AGAIN
        await self._commit(ctx, kept, after, [], lambda plan: plan.meet_deadline(due, again))

    async def _fail(self, ctx: Context, kept: Versioned[Upload], due: Deadline, no: Refusal) -> None:
        params = {name: value for name, value in no.params.items() if isinstance(value, str | int)}
        after = kept.value.model_copy(update={"state": "failed", "failed": no.code, "params": params})
        await self._save(ctx, kept, after, due, [_tell(after, "failed", importing.screen(ctx, after))])

    # ── Importing ───────────────────────────────────────────────────────────────────────────────────────────────

    async def _run(self, ctx: Context, kept: Versioned[Upload], due: Deadline) -> None:
        """Frame by frame from where the record stands."""
        try:
            async for data in self._services.blobs.read(kept.value.frames, kept.value.cursor):
                kept, due = await self._take(ctx, kept, due, read_frame(data))
        except BlobGone:
            await self._fail(ctx, kept, due, Refusal("import_gone"))
            return
        after = kept.value.model_copy(update={"state": "done"})
        effects = [_tell(after, "done", importing.screen(ctx, after)), *self._report_file(ctx, after)]
        for direction in after.batches:
            made = _record(after, direction, "done")
            await self._services.blocklist.record(
                ctx.snapshot, made, "block.imported", Change(None, after.by, self._services.now())
            )
        await self._save(ctx, kept, after, due, effects, what="block.imported")

    async def _take(
        self, ctx: Context, kept: Versioned[Upload], due: Deadline, frame: Frame
    ) -> tuple[Versioned[Upload], Deadline]:
        """One frame and the record that says so."""
        upload, added, there = kept.value, 0, 0
        update: dict[str, Any] = {"cursor": upload.cursor + 1}
        if frame.direction is not None:
            batch = upload.batches.get(frame.direction, 0)
            if batch == 0:
                await self._begin(ctx, upload, frame)
            job = ImportBatch(f"{upload.id}{LETTERS[frame.direction]}", batch, due)
            done = await self._services.blocklist.bulk(ctx.snapshot, frame.numbers, frame.direction, job)
            added, there = done.added, done.there
            update["batches"] = {**upload.batches, frame.direction: batch + 1}
        elif not frame.confirm or upload.confirmed:
            for start in range(0, len(frame.entries), PUT_AT_ONCE):
                job = ImportBatch(f"{upload.id}e{start}", upload.cursor, due)
                new = await self._put(ctx, frame.entries[start : start + PUT_AT_ONCE], job)
                added, there = added + sum(new), there + len(new) - sum(new)
        now = self._services.now()
        moment = int(now.timestamp() * 1000)
        update |= {"added": upload.added + added, "there": upload.there + there}
        effects: list[Effect] = []
        if upload.shown < SHOWN_AT_MOST and moment - upload.told >= PACE and upload.told:
            update |= {"told": moment, "shown": upload.shown + 1}
        after = upload.model_copy(update={"told": upload.told or moment, **update})
        if after.shown > upload.shown:
            effects.append(_tell(after, f"at{after.cursor}", importing.screen(ctx, after)))
        again = max(now + LEASE, _moment(due) + timedelta(milliseconds=1))
        kept = await self._commit(ctx, kept, after, effects, lambda plan: plan.meet_deadline(due, again))
        self._moved[due.member] = due = replace(due, fence=int(again.timestamp() * 1000))
        await asyncio.sleep(0)
        return kept, due

    async def _put(self, ctx: Context, entries: Sequence[BlocklistEntry], job: ImportBatch) -> list[bool]:
        return await self._services.blocklist.put(ctx.snapshot, entries, self._services.now(), job=job)

    async def _begin(self, ctx: Context, upload: Upload, frame: Frame) -> None:
        """Who imported the numbers of a direction, and when; and room for them."""
        direction = frame.direction
        if direction is None:
            return
        change = Change(None, upload.by, self._services.now())
        await self._services.blocklist.record(
            ctx.snapshot, _record(upload, direction, "running"), "block.importing", change
        )
        expected = upload.digest["numbers"].get(direction.value, 0)
        await self._services.blocklist.reserve(ctx.snapshot, direction, expected)

    # ── Exporting ───────────────────────────────────────────────────────────────────────────────────────────────

    async def _export(self, ctx: Context, kept: Versioned[Upload], due: Deadline) -> None:
        upload, services = kept.value, self._services
        count = 0

        async def lines() -> AsyncIterator[bytes]:
            nonlocal count
            yield header().encode()
            some: list[BlocklistEntry] = []
            async for entry in services.blocklist.export(ctx.snapshot):
                if entry.live(ctx.now):
                    some.append(entry)
                if len(some) >= AT_ONCE:
                    count += len(some)
                    yield export_lines(some, ctx.account).encode()
                    some.clear()
                    await asyncio.sleep(0)
            count += len(some)
            yield export_lines(some, ctx.account).encode()

        async with self._renewing(due) as lease:
            blob = await services.blobs.put(ctx.snapshot, f"exp-{upload.id}", lines(), limit=EXPORT_AT_MOST, life=LIFE)
        after = upload.model_copy(update={"state": "done", "added": count})
        name = f"blocklist-{ctx.account.id}-{ctx.now.astimezone(ctx.account.zone):%Y-%m-%d}.csv"
        comment = ctx.words("export.comment", n=count)
        file = file_effect(upload.id, _to(upload), name, ctx.words("export.title"), comment, blob)
        await self._save(ctx, kept, after, lease.due, [file], what="block.exported")

    # ── Pieces ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _report_file(self, ctx: Context, upload: Upload) -> list[Effect]:
        """The refused lines as a file, where a screen can't show them all."""
        if not upload.report:
            return []
        blob = Blob(upload.report, upload.report_size, 1)
        comment = ctx.words("import.report", n=upload.digest["refused_count"], name=upload.name)
        title = ctx.words("import.report.title")
        return [file_effect(upload.id, _to(upload), "refused.csv", title, comment, blob)]

    async def _save(
        self,
        ctx: Context,
        kept: Versioned[Upload],
        after: Upload,
        due: Deadline,
        effects: Sequence[Effect],
        what: str = "",
    ) -> None:
        """The last commit of a step: the deadline is met."""
        await self._commit(ctx, kept, after, effects, lambda plan: plan.meet_deadline(due), what)

    async def _commit(
        self,
        ctx: Context,
        kept: Versioned[Upload],
        after: Upload,
        effects: Sequence[Effect],
        also: Callable[[Plan], object],
        what: str = "",
    ) -> Versioned[Upload]:
        change = Change(None, after.by, self._services.now(), effects=tuple(effects))
        await self._services.uploads.save(ctx.snapshot, kept, after, change, what=what, also=also)
        return Versioned(after, after.model_dump_json().encode())

    @asynccontextmanager
    async def _renewing(self, due: Deadline) -> AsyncIterator["_Held"]:
        """The deadline stays ours while something takes long. Raises LeaseLost at the end where it did not."""
        snapshot = _Held(due)

        async def renew() -> None:
            while not snapshot.lost:
                await asyncio.sleep(RENEWED)
                fresh = await self._deadlines.renew(snapshot.due)
                snapshot.lost = fresh is None
                snapshot.due = fresh or snapshot.due

        task = asyncio.create_task(renew(), name="lease of an upload")
        try:
            yield snapshot
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        if snapshot.lost:
            raise LeaseLost


@dataclass(frozen=True, slots=True)
class ExpiryJob:
    """Clears away what has expired, which has stopped blocking at its very second before."""

    services: Services
    deadlines: Deadlines

    def register(self) -> None:
        self.deadlines.on(EXPIRY, fire_for_account(self.services, self.deadlines, self._clear))

    async def _clear(self, snapshot: AccountSnapshot, due: Deadline) -> None:
        await self.services.blocklist.clear_expired(snapshot, self.services.now(), deadline=due)


class _Held:
    """A deadline as it stands after its renewals."""

    def __init__(self, due: Deadline) -> None:
        self.due = due
        self.lost = False


_ANY: Final = Direction.BOTH


def _context(services: Services, snapshot: AccountSnapshot, upload: Upload) -> Context | None:
    """The moment as whoever dropped the file reads it; None: they are in the account no more."""
    person = snapshot.account.person(upload.by)
    if person is None:
        return None
    actor = Actor(upload.platform, upload.workspace, upload.user, locale=upload.locale)
    return Context(
        services, snapshot, person, actor, words_for(snapshot.account, person, upload.locale), services.now()
    )


def _to(upload: Upload) -> Address:
    return Address(upload.platform, upload.workspace, user=upload.user)


def _tell(upload: Upload, what: str, shown: Screen) -> Effect:
    """How far it is now: in the place of what was pressed, where something was; else as a message."""
    to = unpack_address(upload.where) if upload.where else _to(upload)
    redraw = {"action": "import.show", "value": upload.id} if to.reply else None
    return screen_effect(f"{upload.id}|{what}", to, shown, redraw)


def _record(upload: Upload, direction: Direction, state: Literal["running", "done"]) -> Import:
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
