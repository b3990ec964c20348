"""Check whether a call from or to a number would be rejected, and by which rule."""

from domain.blocklist import Direction, EntryKind, Verdict
from domain.refusal import Refusal
from handlers.blocklist import adding, entry_screens
from handlers.framework.context import Context
from handlers.framework.events import Command, Press, Submit
from handlers.framework.routes import Routes
from handlers.framework.screens import Button, Buttons, FactSet, Form, Response, Screen, Text, TextField

ROUTES = Routes(require=entry_screens.require_rights)

CHECK = "blocklist.check"


@ROUTES.command("blocklist", "check")
async def check_command(ctx: Context, command: Command) -> Response:
    text, _ = adding.split_target(command.words)
    return await screen(ctx, text) if text else form(ctx)


@ROUTES.press(CHECK)
async def pressed(ctx: Context, press: Press) -> Response:
    return form(ctx, press.value[: adding.LONGEST_NUMBER])


@ROUTES.submit(CHECK)
async def submitted(ctx: Context, submit: Submit) -> Response:
    return await screen(ctx, submit.values.get("number", ""))


def form(ctx: Context, number: str = "") -> Form:
    words, longest = ctx.words, adding.LONGEST_NUMBER
    label, hint = words("field.block_number"), words("block.check.hint")
    field = TextField("number", label, number, hint, required=True, max_length=longest)
    return Form(CHECK, words("block.check.title"), words("button.check"), (field,), close=words("button.cancel"))


async def screen(ctx: Context, text: str) -> Screen:
    """The verdict on calls from the number and to it. Raises Refusal if the text is no whole number."""
    words, blocklist = ctx.words, ctx.services.blocklist
    ways: tuple[Direction, ...]
    target = adding.typed_target(ctx, text)
    if target.kind is EntryKind.ANONYMOUS:
        number, name, ways = None, words("block.anonymous"), (Direction.INBOUND,)
    elif target.kind is EntryKind.NUMBER:
        number, name, ways = target.value, ctx.number(target.value), (Direction.INBOUND, Direction.OUTBOUND)
    else:
        raise Refusal("block_check_whole", "number")
    verdicts = [(way, await blocklist.check(ctx.snapshot, number, way, ctx.now)) for way in ways]
    await ctx.load_names(*(v.rule.by for _, v in verdicts if v.rule))
    pairs = tuple((words(f"direction.{way}.calls"), _verdict_text(ctx, verdict)) for way, verdict in verdicts)
    buttons = [entry_screens.list_button(ctx)]
    if number is not None and not any(verdict.kind == "number" for _, verdict in verdicts):
        buttons.insert(0, Button(words("button.add_number"), adding.ADD, number, form=True))
    return Screen(words("block.checked.title", number=name), (FactSet(pairs), Buttons(tuple(buttons))))


def _verdict_text(ctx: Context, verdict: Verdict) -> Text:
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
