"""Add to the blocklist by command or in the dialog, which asks again about entries that would stop the account's own
calls (docs/domain.md 3)."""

from collections.abc import Mapping
from dataclasses import replace

from domain.blocklist import (
    ANONYMOUS,
    BlocklistEntry,
    BlockTarget,
    Direction,
    EntryKind,
    allow_number,
    block,
    read_expiry,
    read_target,
    warnings,
)
from domain.refusal import Refusal
from handlers.blocklist import entry_screens, results
from handlers.framework import lists, parse_args
from handlers.framework.context import Context, build_change
from handlers.framework.events import Address, Command, Press, Submit
from handlers.framework.routes import Routes
from handlers.framework.screens import Checkbox, Choice, Done, Form, FormField, Option, Paragraph, Response, TextField
from store.blocklist.blocklist import ALREADY_BLOCKED

ROUTES = Routes(require=entry_screens.require_rights)

ADD = "blocklist.add"
ALLOW = "blocklist.allow"
DATE = "date"
EXPIRIES = ("never", "1 day", "30 days", DATE)
LONGEST_NUMBER = 60
LONGEST_REASON = 200
WITHHELD = frozenset(
    {"anonymous", "withheld", "anonimowe", "zastrzeżone", "anonym", "unterdrückt", "anonyme", "masqué"}
    | {"anónimo", "oculto", "anônimo", "非通知", "匿名"}
)
_PREFIX_CHARACTERS = parse_args.OF_A_NUMBER | frozenset("*＊")


@ROUTES.command("numbers", "block")
@ROUTES.command("blocklist", "add", "block")
async def add_command(ctx: Context, command: Command) -> Response:
    text, rest = split_target(command.words)
    reason = parse_args.join_args(rest)
    if not text:
        return form(ctx, {"reason": reason})
    entry = block(ctx.account, typed_target(ctx, text), ctx.person.id, ctx.now, reason=reason)
    own = await ctx.services.numbers.owned(ctx.snapshot)
    if codes := warnings(ctx.account, own, entry):
        return form(ctx, {"number": text, "reason": reason}, warned=(entry, codes, own))
    shown = results.blocked(ctx, await add_entry(ctx, command.id, entry))
    if await ctx.services.blocklist.on(ctx.snapshot):
        return shown
    return replace(shown, blocks=(*shown.blocks, Paragraph(ctx.words.text("block.off"), quiet=True)))


@ROUTES.press(ADD)
async def pressed(ctx: Context, press: Press) -> Response:
    return form(ctx, {"number": press.value[:LONGEST_NUMBER]})


@ROUTES.press(f"{ADD}:expires")
async def expiry_chosen(ctx: Context, press: Press) -> Response:
    """The choice of a date redraws the dialog with a field for it."""
    return form(ctx, press.values)


@ROUTES.submit(ADD)
async def submitted(ctx: Context, submit: Submit) -> Response:
    values = submit.values
    entry = _entry(ctx, values)
    own = await ctx.services.numbers.owned(ctx.snapshot)
    codes = warnings(ctx.account, own, entry)
    # The box must have been ticked for this very entry, not for one typed over it.
    if codes and not (values.get("sure") == "yes" and submit.state.get("asked") == _warned_key(entry, codes)):
        if await ctx.services.changes.first_answer(ctx.snapshot, submit.id) is not None:
            return Done()
        return form(ctx, values, warned=(entry, codes, own))
    await add_entry(ctx, submit.id, entry, submit.where)
    return Done()


@ROUTES.press(ALLOW)
async def allow_pressed(ctx: Context, press: Press) -> Response:
    words = ctx.words
    return Form(
        ALLOW,
        words("block.allow.title"),
        words("button.add"),
        (
            Paragraph(words.text("block.allow.about"), quiet=True),
            TextField("number", words("field.block_number"), required=True, max_length=LONGEST_NUMBER),
            TextField("reason", words("field.reason"), max_length=LONGEST_REASON),
        ),
        close=words("button.cancel"),
    )


@ROUTES.submit(ALLOW)
async def allowed(ctx: Context, submit: Submit) -> Response:
    target = read_target(submit.values.get("number", ""), ctx.account)
    entry = allow_number(target, ctx.person.id, ctx.now, reason=submit.values.get("reason", ""))
    await add_entry(ctx, submit.id, entry, submit.where)
    return Done()


def split_target(words: parse_args.Args) -> tuple[str, parse_args.Args]:
    """Split off the number or prefix, which may have spaces in it."""
    return parse_args.split_number(words, _PREFIX_CHARACTERS)


def typed_target(ctx: Context, text: str) -> BlockTarget:
    """A number, a prefix, or anonymous callers in any language. Raises Refusal."""
    return ANONYMOUS if text.strip().casefold() in WITHHELD else read_target(text, ctx.account)


def form(
    ctx: Context,
    values: Mapping[str, str] | None = None,
    *,
    warned: tuple[BlocklistEntry, tuple[str, ...], Mapping[str, str]] | None = None,
) -> Form:
    """The dialog with the values typed so far. `warned`: the entry to confirm, its warnings, and the account's numbers
    with the ids of their persons."""
    words, values = ctx.words, values or {}
    parts: list[FormField | Paragraph] = []
    state: dict[str, str] = {}
    if warned is not None:
        entry, codes, own = warned
        parts += [Paragraph((line,)) for line in warning_lines(ctx, entry, codes, own)]
        parts.append(Checkbox("sure", words("field.sure"), words("block.sure")))
        state["asked"] = _warned_key(entry, codes)
    directions = tuple(Option(way.value, words(f"direction.{way}")) for way in _DIRECTIONS)
    labels = (words("expires.never"), words("expires.day"), words("expires.days"), words("expires.date"))
    expiries = tuple(map(Option, EXPIRIES, labels))
    chosen = values.get("expires") if values.get("expires") in EXPIRIES else EXPIRIES[0]
    parts += [
        TextField("number", words("field.block_number"), hint=words("block.number.hint"), required=True, max_length=60),
        Choice("direction", words("field.direction"), directions, value=Direction.BOTH.value),
        TextField("reason", words("field.reason"), max_length=LONGEST_REASON),
        Choice("expires", words("field.expires"), expiries, value=EXPIRIES[0], live=True),
    ]
    if chosen == DATE:
        parts.append(
            TextField("date", words("field.last_day"), hint=words("block.date.hint"), required=True, max_length=30)
        )
    whole = Form(ADD, words("block.add.title"), words("button.add"), tuple(parts), state, words("button.cancel"))
    return whole.with_values({**{k: v for k, v in values.items() if k != "sure"}, "expires": chosen or EXPIRIES[0]})


_DIRECTIONS = (Direction.BOTH, Direction.INBOUND, Direction.OUTBOUND)


def warning_lines(ctx: Context, entry: BlocklistEntry, codes: tuple[str, ...], own: Mapping[str, str]) -> list[str]:
    """A sentence for each warning."""
    words, name, lines = ctx.words, entry_screens.entry_name(ctx, entry.kind, entry.value), []
    for code in codes:
        match code:
            case "own" if entry.kind is EntryKind.PREFIX:
                mine = sorted(number for number in own if number.startswith(entry.value))
                shown = [ctx.number(number) for number in mine[:5]]
                lines.append(words("block.warn_own_start", n=len(mine), start=name, numbers=shown))
            case "own":
                who = own.get(entry.value) or None
                key = "block.warn_own_person" if who else "block.warn_own"
                lines.append(words(key, number=name, person=ctx.name(who)))
            case "emergency":
                lines.append(words("block.warn_emergency", number=name))
            case _:
                lines.append(words("block.warn_country", start=name, country=words.country(ctx.region)))
    return lines


def _entry(ctx: Context, values: Mapping[str, str]) -> BlocklistEntry:
    target = typed_target(ctx, values.get("number", ""))
    way = values.get("direction") or Direction.BOTH.value
    if way not in list(Direction):
        raise Refusal("block_direction", "direction")
    expires = values.get("expires") or EXPIRIES[0]
    if expires == DATE:
        until = read_expiry(values.get("date", ""), ctx.account, ctx.now, "date")
        if until is None:
            raise Refusal("block_expires_unread", "date")
    elif expires in EXPIRIES:
        until = read_expiry(expires, ctx.account, ctx.now)
    else:
        raise Refusal("block_expires_unread", "expires")
    reason = values.get("reason", "")
    return block(ctx.account, target, ctx.person.id, ctx.now, direction=Direction(way), reason=reason, until=until)


def _warned_key(entry: BlocklistEntry, codes: tuple[str, ...]) -> str:
    return f"{entry.key}|{entry.direction}|{','.join(codes)}"


async def add_entry(ctx: Context, id: str, entry: BlocklistEntry, where: Address | None = None) -> results.BlockResult:
    """Add an entry in one commit. Raises Refusal if it is there already."""
    result = results.BlockResult.of(entry)
    change = await build_change(ctx, id, result, confirm=results.blocked(ctx, result), where=where)
    code = "block_allowed_there" if entry.kind is EntryKind.ALLOW else "block_there"
    name = entry_screens.entry_name(ctx, entry.kind, entry.value)
    with lists.refuse_if(ALREADY_BLOCKED, Refusal(code, "number", number=name)):
        return result.as_first(await ctx.services.blocklist.add(ctx.snapshot, entry, change))
