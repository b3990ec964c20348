"""Add-ons: how to get more numbers or minutes (S 000)."""

from domain.people import Right
from domain.refusal import Refusal
from handlers.framework.context import Context
from handlers.framework.refusals import refusal_text
from handlers.framework.screens import Block, Button, Buttons, Link, Paragraph


def addon_blocks(ctx: Context) -> list[Block]:
    """The button to request more, or a sentence that says who may."""
    try:
        ctx.require(Right.REQUEST_MORE)
    except Refusal as no:
        if no.code == "addons_tier":
            return [Paragraph((refusal_text(ctx.words, ctx.account, no),), quiet=True)]
        names = ctx.account.admin_names or [ctx.words("person.a_super_admin")]
        return [Paragraph(ctx.words.text("more.ask_admin", names=names), quiet=True)]
    contact = ctx.account.customer_success
    if contact is None:
        return [Paragraph(ctx.words.text("more.nobody"), quiet=True)]
    if ctx.services.mail:
        return [Buttons((Button(ctx.words("button.request_more"), "more.ask", form=True),))]
    mail = Link(contact.email, f"mailto:{contact.email}")
    return [Paragraph(ctx.words.text("more.write_to", name=contact.name, mail=mail), quiet=True)]
