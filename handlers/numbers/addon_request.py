"""Request more numbers or minutes: a super admin's mail to the account's customer-success contact (S 000)."""

import re

from domain.accounts.account import Contact
from domain.people import Right
from domain.refusal import Refusal
from handlers.framework.context import Context, build_change
from handlers.framework.effects import effect_id
from handlers.framework.events import Press, Submit
from handlers.framework.routes import Routes
from handlers.framework.screens import Choice, Done, Form, Option, Paragraph, Response, Screen, TextField
from handlers.numbers import results
from handlers.wording import Words
from store.engine.effects import Effect

ROUTES = Routes()

KINDS = ("numbers", "minutes")
MOST = 1_000_000
LONGEST_NOTE = 1_000
LONGEST_AMOUNT = 10  # digits, with leading zeros
_GROUPING = re.compile(r"[\s.,'’]")  # between thousands, in any language


@ROUTES.press("more.ask")
async def pressed(ctx: Context, press: Press) -> Response:
    contact, words = _require_contact(ctx), ctx.words
    usage = await ctx.services.numbers.usage(ctx.snapshot, ctx.limits, ctx.now)
    now = words("usage.numbers", n=usage.numbers_limit, used=usage.numbers)
    minutes = words("usage.minutes", n=usage.minutes_limit, used=usage.minutes)
    kinds = tuple(Option(kind, words(f"more.{kind}")) for kind in KINDS)
    parts = (
        Paragraph(words.text("more.about", name=contact.name, numbers=now, minutes=minutes), quiet=True),
        Choice("kind", words("field.more_kind"), kinds, value="numbers", required=True, open=True),
        TextField("amount", words("field.more_amount"), required=True, max_length=10),
        TextField("note", words("field.more_note"), multiline=True, max_length=LONGEST_NOTE),
    )
    title, send = words("more.title"), words("button.send_request")
    return Form("more.ask", title, send, parts, close=words("button.cancel"))


@ROUTES.submit("more.ask")
async def submitted(ctx: Context, submit: Submit) -> Response:
    contact, account = _require_contact(ctx), ctx.account
    kind = submit.values.get("kind", "")
    if kind not in KINDS:
        raise Refusal("more_kind", "kind")
    amount = _amount(submit.values.get("amount", ""))
    note = submit.values.get("note", "").strip()[:LONGEST_NOTE]
    usage = await ctx.services.numbers.usage(ctx.snapshot, ctx.limits, ctx.now)
    words = Words("en", account.zone)  # the contact's language is not known
    wanted = words(f"more.mail.{kind}", n=amount, amount=amount)
    text = words(
        "more.mail",
        contact=contact.name,
        who=ctx.person.name,
        account=account.name,
        id=account.id,
        tier=words(f"tier.{account.tier.value}"),
        asked=wanted,
        numbers=words("usage.numbers", n=usage.numbers_limit, used=usage.numbers),
        minutes=words("usage.minutes", n=usage.minutes_limit, used=usage.minutes),
        note=f"\n{words('more.mail.note', note=note)}" if note else "",
    )
    body = {
        "to": contact.email,
        "subject": words("more.mail.subject", account=account.name, asked=wanted),
        "text": text,
        "reply_to": ctx.person.email,
    }
    mail = Effect(conv=f"mail:{contact.email}", kind="mail", body=body, id=effect_id(submit.id, "mail", contact.email))
    result = AddonRequestResult(kind, amount)
    confirm = request_sent(ctx, result)
    change = await build_change(ctx, submit.id, result, confirm=confirm, where=submit.where, more=(mail,))
    await ctx.services.changes.record_event(ctx.snapshot, "more.asked", {"kind": kind, "amount": str(amount)}, change)
    return Done()


class AddonRequestResult(results.NumberResult, word="more_asked"):
    """`kind`: "numbers" or "minutes"."""

    kind: str
    amount: int


@ROUTES.result(AddonRequestResult)
def request_sent(ctx: Context, done: AddonRequestResult) -> Screen:
    contact = ctx.account.customer_success
    words, amount = ctx.words, done.amount
    name = contact.name if contact else words("person.somebody")
    text = words.text("more.asked", name=name, asked=words(f"more.mail.{done.kind}", n=amount, amount=amount))
    return results.confirmation_screen(ctx, words("more.asked.title"), text)


def _require_contact(ctx: Context) -> Contact:
    """The contact to send the request to. Raises Refusal if the person may not, or there is no contact or no mail."""
    ctx.require(Right.REQUEST_MORE)
    contact = ctx.account.customer_success
    if contact is None or not ctx.services.mail:
        raise Refusal("more_nobody")
    return contact


def _amount(typed: str) -> int:
    digits = _GROUPING.sub("", typed)
    if not digits.isdecimal() or len(digits) > LONGEST_AMOUNT or not 0 < int(digits) <= MOST:
        raise Refusal("more_amount", "amount", limit=MOST)
    return int(digits)
