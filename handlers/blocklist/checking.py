"""Would a call be rejected, and by which rule? Asked for both directions."""

from domain.blocklist import Direction, EntryKind, Verdict, read_target
from domain.refusal import Refusal
from handlers.blocklist import adding, entry_screens
from handlers.framework.context import Context
from handlers.framework.events import Command, Press, Submit
from handlers.framework.forms import Form, Response
from handlers.framework.forms import TextField as Field
from handlers.framework.routes import Routes
from handlers.framework.screens import Block, Button, Buttons, FactSet, Screen, Text

ROUTES = Routes()

CHECK = "blocklist.check"


@ROUTES.command("blocklist", "check")
async def check_command(ctx: Context, command: Command) -> Response:
    entry_screens.require_rights(ctx)
    text, _ = adding.split_target(command.words)
    return await screen(ctx, text) if text else form(ctx)


@ROUTES.press(CHECK)
async def pressed(ctx: Context, press: Press) -> Response:
    entry_screens.require_rights(ctx)
    return form(ctx, press.value[: adding.LONGEST_NUMBER])


@ROUTES.submit(CHECK)
async def submitted(ctx: Context, submit: Submit) -> Response:
    entry_screens.require_rights(ctx)
    return await screen(ctx, submit.values.get("number", ""))


def form(ctx: Context, number: str = "") -> Form:
    words = ctx.words
    field = Field(
        "number",
        words("field.block_number"),
        number,
        hint=words("block.check.hint"),
        required=True,
        max_length=adding.LONGEST_NUMBER,
    )
    return Form(CHECK, words("block.check.title"), words("button.check"), (field,), close=words("button.cancel"))


async def screen(ctx: Context, text: str) -> Screen:
    """What becomes of a call from the number, and of one to it."""
    words, blocklist = ctx.words, ctx.services.blocklist
    ways: tuple[Direction, ...]
    if text.strip().casefold() in adding.WITHHELD:
        number, name, ways = None, words("block.anonymous"), (Direction.INBOUND,)
    else:
        target = read_target(text, ctx.account)
        if target.kind is not EntryKind.NUMBER:
            raise Refusal("block_check_whole", "number")
        number, name = target.value, ctx.number(target.value)
        ways = (Direction.INBOUND, Direction.OUTBOUND)
    verdicts = [(way, await blocklist.check(ctx.snapshot, number, way, ctx.now)) for way in ways]
    await ctx.load_names(*(v.rule.by for _, v in verdicts if v.rule))
    pairs = tuple((words(f"direction.{way}.calls"), _said(ctx, verdict)) for way, verdict in verdicts)
    blocks: list[Block] = [FactSet(pairs)]
    if number is not None and not any(verdict.kind == "number" for _, verdict in verdicts):
        add = Button(words("button.add_number"), adding.ADD, number, form=True)
        blocks.append(Buttons((add, Button(words("button.blocklist"), entry_screens.SHOW_BLOCKLIST))))
    else:
        blocks.append(Buttons((Button(words("button.blocklist"), entry_screens.SHOW_BLOCKLIST),)))
    return Screen(words("block.checked.title", number=name), tuple(blocks))


def _said(ctx: Context, verdict: Verdict) -> Text:
    words, rule = ctx.words, verdict.rule
    match verdict.kind:
        case "off":
            return words.text("block.verdict_off")
        case "none":
            return words.text("block.verdict_none")
        case "allow":
            return words.text("block.verdict_allow")
        case "prefix" if rule is not None:
            text = words.text("block.verdict_prefix", start=entry_screens.entry_name(ctx, rule.kind, rule.value))
        case "anonymous":
            text = words.text("block.verdict_anonymous")
        case _:
            text = words.text("block.verdict_number")
    return (*text, " ", "(", *entry_screens.entry_details(ctx, rule), ")") if rule is not None else text
