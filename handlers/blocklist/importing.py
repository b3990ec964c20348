"""A blocklist file dropped into the chat: read, shown as a preview, imported when somebody says so (docs/domain.md 3).

What people press changes the upload's record; `upload_job.UploadJob` does the work, woken by the upload's deadline, so
that whichever process lives goes on where the last one stopped. Progress takes the place of the preview.
"""

from domain.blocklist import EntryKind
from domain.refusal import Refusal
from handlers.blocklist import entry_screens
from handlers.blocklist.csv_file import ALLOW
from handlers.blocklist.results import BlocklistResult
from handlers.framework.context import Context
from handlers.framework.csv_table import MAX_BYTES
from handlers.framework.effects import effect_id, pack_address
from handlers.framework.events import ChatMessage, Command, Press
from handlers.framework.forms import Response
from handlers.framework.refusals import refusal_text
from handlers.framework.routes import Routes
from handlers.framework.screens import Block, Button, Buttons, Confirm, Meter, Notice, Paragraph, Screen, Text
from store.blocklist.uploads import Upload, set_upload_deadline
from store.engine.changes import Change
from store.engine.commit import GuardFailed
from store.engine.versioned import Versioned

ROUTES = Routes()

SHOWN = 10  # refused lines that a screen shows
LONGEST_NAME = 60
KINDS = ("csv", "tsv", "txt")


@ROUTES.command("blocklist", "import")
async def import_command(ctx: Context, command: Command) -> Response:
    entry_screens.require_rights(ctx)
    return file_request_screen(ctx)


@ROUTES.press("blocklist.import")
async def import_pressed(ctx: Context, press: Press) -> Response:
    entry_screens.require_rights(ctx)
    return Notice(file_request_screen(ctx))


def file_request_screen(ctx: Context) -> Screen:
    """A file is asked for before it is taken."""
    words = ctx.words
    example = "number,direction,reason,expires"
    return Screen(
        words("import.title"),
        (
            Paragraph(words.text("import.ask", megabytes=MAX_BYTES // 1_000_000)),
            Paragraph(words.text("import.columns", example=example, allow=min(ALLOW)), quiet=True),
        ),
    )


@ROUTES.file(*KINDS)
async def dropped(ctx: Context, said: ChatMessage) -> Response:
    entry_screens.require_rights(ctx)
    file = next(file for file in said.files if file.kind in KINDS)
    name = _short(file.name)
    if file.size is not None and file.size > MAX_BYTES:
        raise Refusal("file_large", limit=MAX_BYTES // 1_000_000)
    id = effect_id("import", said.actor.platform, said.actor.workspace, said.id)
    kept = {"id": file.id, "name": file.name, "size": file.size, "mime": file.mime, "ref": file.ref}
    upload = _upload(ctx, id, name).model_copy(update={"file": kept})
    change = Change(f"file|{said.id}", ctx.person.id, ctx.now, ImportRead(name).pack())
    await ctx.services.uploads.save(
        ctx.snapshot, None, upload, change, also=lambda plan: set_upload_deadline(plan, id, ctx.now)
    )
    return reading(ctx, ImportRead(name))


def _upload(ctx: Context, id: str, name: str) -> Upload:
    actor = ctx.actor
    return Upload(
        id=id,
        by=ctx.person.id,
        at=ctx.now,
        name=name,
        platform=actor.platform,
        workspace=actor.workspace,
        user=actor.user,
        locale=actor.locale,
    )


def new_export(ctx: Context, id: str) -> Upload:
    """The record of an export, which travels as an import does."""
    return _upload(ctx, id, "blocklist.csv").model_copy(update={"state": "exporting"})


class FileResult(BlocklistResult):
    """`name`: of the file."""

    name: str


class ImportRead(FileResult, word="import_read"): ...


class ImportBegun(FileResult, word="import_begun"): ...


class ImportCancelled(FileResult, word="import_cancelled"): ...


@ROUTES.result(ImportRead)
def reading(ctx: Context, done: ImportRead) -> Screen:
    text = ctx.words.text("import.reading", name=done.name)
    return Screen(ctx.words("import.title"), (Paragraph(text),))


@ROUTES.press("import.start", "import.start_all")
async def started(ctx: Context, press: Press) -> Response:
    entry_screens.require_rights(ctx)
    kept = await _kept(ctx, press.value)
    upload = kept.value
    if upload.state != "ready":
        return screen(ctx, upload)  # pressed once more, or by two
    whole = press.action == "import.start_all"
    after = upload.model_copy(
        update={"state": "running", "confirmed": whole, "where": _where(press), "by": ctx.person.id}
    )
    change = Change(press.id, ctx.person.id, ctx.now, ImportBegun(upload.name).pack())
    try:
        await ctx.services.uploads.save(
            ctx.snapshot,
            kept,
            after,
            change,
            what="block.import",
            also=lambda plan: set_upload_deadline(plan, after.id, ctx.now),
        )
    except GuardFailed:
        after = (await _kept(ctx, press.value)).value
    return screen(ctx, after)


@ROUTES.press("import.cancel")
async def cancelled(ctx: Context, press: Press) -> Response:
    """What was imported by then stays, and is said."""
    entry_screens.require_rights(ctx)
    while True:
        kept = await _kept(ctx, press.value)
        if kept.value.over:
            return screen(ctx, kept.value)
        after = kept.value.model_copy(update={"state": "cancelled", "where": _where(press)})
        change = Change(press.id, ctx.person.id, ctx.now, ImportCancelled(after.name).pack())
        try:
            await ctx.services.uploads.save(ctx.snapshot, kept, after, change, what="block.import_cancelled")
        except GuardFailed:
            continue  # the import has gone on meanwhile
        return screen(ctx, after)


@ROUTES.press("import.show")
async def shown(ctx: Context, press: Press) -> Response:
    """How far it is. A press of the person's own leads to a message that can be drawn anew for a while longer."""
    entry_screens.require_rights(ctx)
    return screen(ctx, (await _kept(ctx, press.value)).value)


@ROUTES.result(ImportBegun)
def begun(ctx: Context, done: ImportBegun) -> Screen:
    return _told(ctx, ctx.words.text("import.begun", name=done.name))


@ROUTES.result(ImportCancelled)
def stopped(ctx: Context, done: ImportCancelled) -> Screen:
    return _told(ctx, ctx.words.text("import.stopped", name=done.name))


def _told(ctx: Context, text: Text) -> Screen:
    return entry_screens.confirmation_screen(ctx, ctx.words("import.title"), text)


def _where(press: Press) -> dict[str, object]:
    return pack_address(press.where)


async def _kept(ctx: Context, id: str) -> Versioned[Upload]:
    """The upload of an id that came back from a screen, which may be anything."""
    found = await ctx.services.uploads.get(ctx.snapshot, id) if id.isalnum() and len(id) <= 40 else None
    if found is None:
        raise Refusal("import_gone")
    return found


def _short(name: str) -> str:
    kept = " ".join(name.replace("|", " ").split())
    return kept if len(kept) <= LONGEST_NAME else f"{kept[: LONGEST_NAME - 1]}…"


# ── How an upload looks ─────────────────────────────────────────────────────────────────────────────────────────


def screen(ctx: Context, upload: Upload) -> Screen:
    """The upload as it is now: preview, progress or report."""
    match upload.state:
        case "ready":
            return _preview(ctx, upload)
        case "running":
            return _progress(ctx, upload)
        case "done" | "cancelled":
            return _report(ctx, upload)
        case "failed":
            why = refusal_text(ctx.words, ctx.account, Refusal(upload.failed, None, **upload.params))
            text = ctx.words.text("import.failed", name=upload.name, why=why)
            return Screen(ctx.words("import.title"), (Paragraph(text),))
        case _:
            return reading(ctx, ImportRead(upload.name))


def _preview(ctx: Context, upload: Upload) -> Screen:
    words, found = ctx.words, upload.digest
    taken, confirm = found["taken"], found["confirm_count"]
    new = max(0, taken - upload.known)
    blocks: list[Block] = [
        Paragraph(words.text("import.preview", n=found["lines"], name=upload.name)),
        Paragraph(words.text("import.counts", new=new, known=upload.known, refused=found["refused_count"])),
    ]
    if not found["detailed"]:
        blocks.append(Paragraph(words.text("import.compact"), quiet=True))
    lines = [_confirm_line(ctx, key, codes) for key, codes in found["confirm"][:SHOWN]]
    if confirm:
        blocks.append(Paragraph(words.text("import.confirm", n=confirm)))
        blocks += [Paragraph((line,)) for line in lines]
        if confirm > len(lines):
            blocks.append(Paragraph(words.text("import.more", n=confirm - len(lines)), quiet=True))
    blocks += _refused(ctx, upload)
    buttons = []
    if taken:
        buttons.append(Button(words("button.import_now"), "import.start", upload.id, style="primary"))
    if confirm:
        sure = Confirm(
            words("import.sure.title"),
            " ".join(lines)[:250],
            words("button.import_all"),
            words("button.cancel"),
        )
        buttons.append(Button(words("button.import_all"), "import.start_all", upload.id, confirm=sure))
    buttons.append(Button(words("button.cancel"), "import.cancel", upload.id))
    blocks.append(Buttons(tuple(buttons)))
    summary = words("import.summary", name=upload.name, new=new, refused=found["refused_count"])
    return Screen(words("import.title"), tuple(blocks), summary)


def _confirm_line(ctx: Context, key: str, codes: str) -> str:
    words, name = ctx.words, entry_screens.name_by_key(ctx, key)
    kind = key.partition("|")[0]
    match codes.split(",", maxsplit=1)[0]:
        case "own" if kind == EntryKind.PREFIX:
            return words("import.line_own_start", start=name)
        case "own":
            return words("block.warn_own", number=name)
        case "emergency":
            return words("block.warn_emergency", number=name)
        case _:
            return words("block.warn_country", start=name, country=words.country(ctx.region))


def _refused(ctx: Context, upload: Upload) -> list[Block]:
    words, found = ctx.words, upload.digest
    count, refused = found["refused_count"], found["refused"][:SHOWN]
    if not count:
        return []
    blocks: list[Block] = [Paragraph(words.text("import.refused", n=count))]
    blocks += [
        Paragraph(words.text("import.refused_line", line=str(line), text=text or "–", why=why))
        for line, text, why in refused
    ]
    if count > len(refused):
        key = "import.more_file" if upload.report else "import.more"
        blocks.append(Paragraph(words.text(key, n=count - len(refused)), quiet=True))
    return blocks


def _progress(ctx: Context, upload: Upload) -> Screen:
    words, frames = ctx.words, max(1, upload.digest["frames"])
    done = upload.added + upload.there
    total = max(done, upload.digest["taken"] + (upload.digest["confirm_count"] if upload.confirmed else 0))
    percent = min(99, 100 * upload.cursor // frames)
    meter = Meter(words("import.progress", done=done, total=total), percent, 100)
    buttons = (
        Button(words("button.refresh"), "import.show", upload.id),
        Button(words("button.stop"), "import.cancel", upload.id),
    )
    about = Paragraph(words.text("import.running", name=upload.name))
    return Screen(words("import.title"), (about, meter, Buttons(buttons)), meter.label)


def _report(ctx: Context, upload: Upload) -> Screen:
    words = ctx.words
    refused = upload.digest.get("refused_count", 0)
    key = "import.done" if upload.state == "done" else "import.cancelled"
    text = words.text(key, name=upload.name, added=upload.added, there=upload.there, refused=refused)
    blocks: list[Block] = [Paragraph(text), *(_refused(ctx, upload) if upload.digest else [])]
    blocks.append(Buttons((Button(words("button.blocklist"), entry_screens.SHOW_BLOCKLIST),)))
    return Screen(
        words("import.title"),
        tuple(blocks),
        words(key, name=upload.name, added=upload.added, there=upload.there, refused=refused),
    )
