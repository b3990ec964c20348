"""Add-ons: who may ask for more numbers or minutes, and whom (S 000)."""

from domain.people import Right, require_right
from domain.refusal import Refusal
from handlers.framework.context import Context
from handlers.framework.refusals import refusal_text
from handlers.framework.screens import Block, Button, Buttons, Link, Paragraph


def addon_blocks(ctx: Context) -> list[Block]:
    """The button that asks, or the sentence that says who may."""
    try:
        require_right(ctx.account, ctx.person, Right.REQUEST_MORE)
    except Refusal as no:
        if no.code == "addons_tier":
            return [Paragraph((refusal_text(ctx.words, ctx.account, no),), quiet=True)]
        names = ctx.account.admin_names or [ctx.words("person.a_super_admin")]
        return [Paragraph(ctx.words.text("more.ask_admin", names=names), quiet=True)]
    contact = ctx.account.customer_success
    buttons = []
    blocks: list[Block] = []
    if contact is not None and ctx.services.mail:
        buttons.append(Button(ctx.words("button.request_more"), "more.ask", form=True))
    elif contact is not None:
        mail = Link(contact.email, f"mailto:{contact.email}")
        blocks.append(Paragraph(ctx.words.text("more.write_to", name=contact.name, mail=mail), quiet=True))
    if not buttons and not blocks:
        blocks.append(Paragraph(ctx.words.text("more.nobody"), quiet=True))
    return [*blocks, Buttons(tuple(buttons))] if buttons else blocks
