"""Import a blocklist file from a message: read it, show a preview, import it after a press (docs/domain.md 3).

Presses change the upload's record; `upload_job.UploadJob` does the work when the upload's deadline fires, so that any
process can continue where another one stopped. Progress replaces the preview.
"""

from typing import Any

from domain.blocklist import EntryKind
from domain.refusal import Refusal
from handlers.blocklist import entry_screens
from handlers.blocklist.csv_file import ALLOW
from handlers.blocklist.results import BlocklistResult
from handlers.framework.context import Context
from handlers.framework.csv_table import MAX_BYTES
from handlers.framework.effects import effect_id, pack_address
from handlers.framework.events import ChatMessage, Command, Press
from handlers.framework.refusals import refusal_text
from handlers.framework.routes import Routes
from handlers.framework.screens import (
    Block,
    Button,
    Buttons,
    Confirm,
    Meter,
    Notice,
    Paragraph,
    Response,
    Screen,
    Text,
    strip_markup,
)
from store.blocklist.uploads import Upload, set_upload_deadline
from store.engine.commit import Change, GuardFailed, Plan
from store.engine.values import Versioned

ROUTES = Routes(require=entry_screens.require_rights)

SHOWN = 10  # refused lines that a screen shows
LONGEST_NAME = 60
KINDS = ("csv", "tsv", "txt")


@ROUTES.command("blocklist", "import")
async def import_command(ctx: Context, command: Command) -> Response:
    return file_request_screen(ctx)


@ROUTES.press("blocklist.import")
async def import_pressed(ctx: Context, press: Press) -> Response:
    return Notice(file_request_screen(ctx))


def file_request_screen(ctx: Context) -> Screen:
    """Asks for a file, and says what it may hold."""
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
async def file_received(ctx: Context, message: ChatMessage) -> Response:
    file = next(file for file in message.files if file.kind in KINDS)
    name = _shorten(file.name)
    if file.size is not None and file.size > MAX_BYTES:
        raise Refusal("file_large", limit=MAX_BYTES // 1_000_000)
    id = effect_id("import", message.actor.platform, message.actor.workspace, message.id)
    reference = {"id": file.id, "name": file.name, "size": file.size, "mime": file.mime, "ref": file.ref}
    upload = new_upload(ctx, id, name, file=reference)
    result = ImportRead(name)
    change = Change(f"file|{message.id}", ctx.person.id, ctx.now, result.pack())
    await ctx.services.uploads.save(
        ctx.snapshot, None, upload, change, also=lambda plan: set_upload_deadline(plan, id, ctx.now)
    )
    return reading(ctx, result)


def new_upload(ctx: Context, id: str, name: str, **fields: Any) -> Upload:
    """The record of an import or an export."""
    actor, by = ctx.actor, ctx.person.id
    where = {"platform": actor.platform, "workspace": actor.workspace, "user": actor.user, "locale": actor.locale}
    return Upload(id=id, by=by, at=ctx.now, name=name, **where, **fields)


class FileResult(BlocklistResult):
    """`name`: of the file."""

    name: str


class ImportRead(FileResult, word="import_read"): ...


class ImportBegun(FileResult, word="import_begun"): ...


class CancelResult(FileResult, word="import_cancelled"): ...


@ROUTES.result(ImportRead)
def reading(ctx: Context, done: ImportRead) -> Screen:
    text = ctx.words.text("import.reading", name=done.name)
    return Screen(ctx.words("import.title"), (Paragraph(text),))


@ROUTES.press("import.start", "import.start_all")
async def started(ctx: Context, press: Press) -> Response:
    before = await _find_upload(ctx, press.value)
    upload = before.value
    if upload.state != "ready":
        return screen(ctx, upload)  # pressed twice, or by two people
    confirmed, where = press.action == "import.start_all", pack_address(press.where)
    update = {"state": "running", "confirmed": confirmed, "where": where, "by": ctx.person.id}
    after = upload.model_copy(update=update)
    change = Change(press.id, ctx.person.id, ctx.now, ImportBegun(upload.name).pack())

    def wake(plan: Plan) -> None:
        set_upload_deadline(plan, upload.id, ctx.now)

    try:
        await ctx.services.uploads.save(ctx.snapshot, before, after, change, what="block.import", also=wake)
    except GuardFailed:
        after = (await _find_upload(ctx, press.value)).value
    return screen(ctx, after)


@ROUTES.press("import.cancel")
async def cancelled(ctx: Context, press: Press) -> Response:
    """Stop the import; what was imported by then stays, and the report says how much."""
    while True:
        before = await _find_upload(ctx, press.value)
        if before.value.over:
            return screen(ctx, before.value)
        after = before.value.model_copy(update={"state": "cancelled", "where": pack_address(press.where)})
        change = Change(press.id, ctx.person.id, ctx.now, CancelResult(after.name).pack())
        try:
            await ctx.services.uploads.save(ctx.snapshot, before, after, change, what="block.import_cancelled")
        except GuardFailed:
            continue  # the import has gone on meanwhile
        return screen(ctx, after)


@ROUTES.press("import.show")
async def shown(ctx: Context, press: Press) -> Response:
    """The progress. After a press, the platform allows its message to be redrawn for a while longer."""
    return screen(ctx, (await _find_upload(ctx, press.value)).value)


@ROUTES.result(ImportBegun)
def begun(ctx: Context, done: ImportBegun) -> Screen:
    return _confirmation_screen(ctx, ctx.words.text("import.begun", name=done.name))


@ROUTES.result(CancelResult)
def stopped(ctx: Context, done: CancelResult) -> Screen:
    return _confirmation_screen(ctx, ctx.words.text("import.stopped", name=done.name))


def _confirmation_screen(ctx: Context, text: Text) -> Screen:
    return entry_screens.confirmation_screen(ctx, ctx.words("import.title"), text)


async def _find_upload(ctx: Context, id: str) -> Versioned[Upload]:
    """The upload of an id that came back from a screen, untrusted. Raises Refusal."""
    record = await ctx.services.uploads.get(ctx.snapshot, id) if id.isalnum() and len(id) <= 40 else None
    if record is None:
        raise Refusal("import_gone")
    return record


def _shorten(name: str) -> str:
    cleaned = " ".join(name.replace("|", " ").split())
    return cleaned if len(cleaned) <= LONGEST_NAME else f"{cleaned[: LONGEST_NAME - 1]}…"


# ── Screens ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def screen(ctx: Context, upload: Upload) -> Screen:
    """The preview, the progress or the report of an upload."""
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
    words, summary = ctx.words, upload.digest
    taken, confirm, refused = summary["taken"], summary["confirm_count"], summary["refused_count"]
    new = max(0, taken - upload.known)
    blocks: list[Block] = [
        Paragraph(words.text("import.preview", n=summary["lines"], name=upload.name)),
        Paragraph(words.text("import.counts", new=new, known=upload.known, refused=refused)),
    ]
    if not summary["detailed"]:
        blocks.append(Paragraph(words.text("import.compact"), quiet=True))
    lines = [_confirm_line(ctx, key, codes) for key, codes in summary["confirm"][:SHOWN]]
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
        import_all, cancel = words("button.import_all"), words("button.cancel")
        sure = Confirm(words("import.sure.title"), " ".join(lines)[:250], import_all, cancel)
        buttons.append(Button(import_all, "import.start_all", upload.id, confirm=sure))
    buttons.append(Button(words("button.cancel"), "import.cancel", upload.id))
    blocks.append(Buttons(tuple(buttons)))
    line = words("import.summary", name=upload.name, new=new, refused=refused)
    return Screen(words("import.title"), tuple(blocks), line)


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
    words = ctx.words
    count, refused = upload.digest["refused_count"], upload.digest["refused"][:SHOWN]
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
    lines = _refused(ctx, upload) if upload.digest else []
    blocks = (Paragraph(text), *lines, Buttons((entry_screens.list_button(ctx),)))
    return Screen(words("import.title"), blocks, strip_markup(text))
