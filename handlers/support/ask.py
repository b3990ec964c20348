"""Questions: articles that answer them, related ones, whether they helped, and the button to contact support."""

from collections.abc import Sequence

from domain.refusal import Refusal
from domain.support.channels import primary
from domain.support.questions import anonymize_question, parse_question, week
from handlers.framework import parse_args
from handlers.framework.context import Context
from handlers.framework.events import Command, Press, Submit
from handlers.framework.ports import SearchHit, Unavailable
from handlers.framework.routes import Routes
from handlers.framework.screens import (
    Block,
    Button,
    Buttons,
    Divider,
    Form,
    Link,
    ListItem,
    Notice,
    Paragraph,
    Question,
    Response,
    Screen,
    Text,
    TextField,
)
from handlers.support import contact

ROUTES = Routes()

SHOWN = 3  # articles that answer
RELATED = 8
SUGGESTED = 4
LONGEST_VALUE = 100  # characters of a question that a button carries
LONGEST_SHOWN = 200


# ── Ways in ─────────────────────────────────────────────────────────────────────────────────────────────────────


@ROUTES.command("support", "")
async def began(ctx: Context, command: Command) -> Response:
    return await start(ctx)


@ROUTES.text("support")
async def asked(ctx: Context, command: Command) -> Response:
    """`/support QUESTION`."""
    return await answer(ctx, parse_args.join_args(command.words), command.id)


@ROUTES.command("support", "ask")
async def asking(ctx: Context, command: Command) -> Response:
    """The form, or the answer to the question after the command."""
    return await answer(ctx, parse_args.join_args(command.words), command.id) if command.words else form(ctx)


@ROUTES.command("support", "contact")
async def contacting(ctx: Context, command: Command) -> Response:
    """The choice of channels; with words after it, a question that begins with "contact"."""
    if command.words:
        return await answer(ctx, parse_args.join_args(("contact", *command.words)), command.id)
    await contact.require_current(ctx)
    return contact.choice(ctx)


@ROUTES.press("support.ask")
async def pressed(ctx: Context, press: Press) -> Response:
    return form(ctx, press.value)


@ROUTES.submit("support.ask")
async def submitted(ctx: Context, submit: Submit) -> Response:
    return await answer(ctx, submit.values.get("question", ""), submit.id)


@ROUTES.press("support.suggested")
async def suggested(ctx: Context, press: Press) -> Response:
    return await answer(ctx, press.value, press.id)


async def start(ctx: Context) -> Screen:
    """The screen without a question: what others ask, and the button to ask."""
    words = ctx.words
    blocks: list[Block] = [Paragraph(words.text("support.start")), Buttons(actions(ctx))]
    try:
        questions = await ctx.services.articles.suggested(ctx.account, article_language(ctx), SUGGESTED)
    except Unavailable:
        questions = ()
    for text in questions:
        see = Button(words("button.see_answer"), "support.suggested", text[:LONGEST_VALUE])
        blocks.append(ListItem(text, (), button=see, spoken=words("support.see_answer.spoken", question=text)))
    if found := links(ctx):
        blocks.append(Paragraph(found, quiet=True))
    return Screen(words("support.title"), tuple(blocks), summary=words("support.start"))


def form(ctx: Context, value: str = "") -> Form:
    words = ctx.words
    field = TextField(
        "question",
        words("field.question"),
        value=value[:LONGEST_VALUE],
        hint=words("support.question.hint"),
        required=True,
        multiline=True,
        max_length=1_000,
    )
    return Form("support.ask", words("support.title"), words("button.ask"), (field,), close=words("button.cancel"))


# ── Answers ─────────────────────────────────────────────────────────────────────────────────────────────────────


async def answer(ctx: Context, text: str, id: str, counted: bool = True) -> Screen:
    """The articles that answer a question. `counted`: include it in the statistics of questions."""
    text = parse_question(text)
    language = article_language(ctx)
    try:
        found = await ctx.services.articles.search(ctx.account, text, language, SHOWN, False)
    except Unavailable:
        return _shown(ctx, text, (), ctx.words.text("support.unavailable"), related=False)
    await ctx.services.asking.record_question(
        ctx.snapshot,
        ctx.person.id,
        f"ask|{id}",
        question=text,
        language=language,
        found=[each.id for each in found],
        at=ctx.now,
        week=week(ctx.account, ctx.now) if counted else None,
        gap=None if found else anonymize_question(ctx.account, text),
    )
    return _shown(ctx, text, found, None if found else ctx.words.text("support.none"))


async def answer_message(ctx: Context, words: parse_args.Args, id: str) -> Screen:
    """What was said to the bot and is no command."""
    return await answer(ctx, parse_args.join_args(words), id, counted=False)


@ROUTES.press("support.related")
async def related(ctx: Context, press: Press) -> Response:
    """More articles, less closely related. A button carries only the beginning of a long question; the rest comes from
    the person's last one."""
    text = parse_question(press.value)
    asked = await ctx.services.asking.current(ctx.snapshot, ctx.person.id)
    if asked is not None and asked.question.startswith(text):
        text = asked.question
    found = await ctx.services.articles.search(ctx.account, text, article_language(ctx), RELATED, True)
    note = None if found else ctx.words.text("support.none_related")
    return _shown(ctx, text, found, note, related=False)


def _shown(ctx: Context, text: str, found: Sequence[SearchHit], note: Text | None, *, related: bool = True) -> Screen:
    words = ctx.words
    short = text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 1]}…"
    blocks: list[Block] = [Paragraph(words.text("support.asked", question=short))]
    for i, each in enumerate(found, 1):
        blocks.append(_row(ctx, i, each))
    if note is not None:
        blocks.append(Paragraph(note))
    blocks.append(Divider())
    value = text[:LONGEST_VALUE]
    more = [Button(words("button.related"), "support.related", value)] if related else []
    blocks.append(Paragraph(words.text("support.unsolved")))
    blocks.append(Buttons((contact.button(ctx), *more, Button(words("button.ask_again"), "support.ask", form=True))))
    if to := links(ctx):
        blocks.append(Paragraph(to, quiet=True))
    summary = words("support.found", n=len(found)) if found else words("support.none.summary")
    return Screen(words("support.title"), tuple(blocks), summary=summary)


def _row(ctx: Context, place: int, found: SearchHit) -> ListItem:
    words = ctx.words
    details: list[Text] = [(found.passage,)]
    if found.language != article_language(ctx):
        details.append((words.language_name(found.language),))
    read = Button(words("button.read"), "support.read", found.id, url=found.url)
    spoken = words("support.read.spoken", title=found.title)
    asked = helpful_question(ctx, found.id, found.title)
    return ListItem(f"{place}. {found.title}", tuple(details), button=read, spoken=spoken, question=asked)


def helpful_question(ctx: Context, id: str, title: str) -> Question:
    """ "Did this help?" about an article."""
    words = ctx.words
    answers = (
        Button(words("button.yes"), "support.helped", f"yes|{id}", spoken=words("support.yes.spoken", title=title)),
        Button(words("button.no"), "support.helped", f"no|{id}", spoken=words("support.no.spoken", title=title)),
    )
    return Question(words("support.helped"), answers)


# ── Articles ────────────────────────────────────────────────────────────────────────────────────────────────────


@ROUTES.press("support.read")
async def read(ctx: Context, press: Press) -> Response:
    """The article, in a message beside the list."""
    article = await ctx.services.articles.get(ctx.account, press.value)
    if article is None:
        raise Refusal("article_gone")
    await ctx.services.asking.record_read(ctx.snapshot, ctx.person.id, article.id, ctx.now)
    words = ctx.words
    blocks: list[Block] = [*article.pieces, Divider(), helpful_question(ctx, article.id, article.title)]
    blocks.append(Buttons((contact.button(ctx),)))
    return Notice(Screen(article.title, tuple(blocks), summary=words("support.article.summary")))


@ROUTES.press("support.helped")
async def voted(ctx: Context, press: Press) -> Response:
    said, _, id = press.value.partition("|")
    article = await ctx.services.articles.get(ctx.account, id)
    if article is None or said not in {"yes", "no"}:
        raise Refusal("article_gone")
    yes = said == "yes"
    await ctx.services.asking.vote(ctx.snapshot, ctx.person.id, article.id, yes, ctx.now)
    text = ctx.words.text("support.thanks" if yes else "support.thanks_no", title=article.title)
    return Notice(Screen(ctx.words("support.thanks.title"), (Paragraph(text),)))


# ── Pieces ──────────────────────────────────────────────────────────────────────────────────────────────────────


def article_language(ctx: Context) -> str:
    """The language of the reader's articles: of the platform's locale, whether or not there is a catalogue for it, else
    of the record."""
    fallback = ctx.account.default_person.language
    return next(filter(None, map(primary, (ctx.actor.locale, ctx.person.language, fallback))), "en")


def actions(ctx: Context) -> tuple[Button, ...]:
    """The buttons of the start screen."""
    ask = Button(ctx.words("button.ask"), "support.ask", style="primary", form=True)
    return (ask, contact.button(ctx, primary=False), Button(ctx.words("button.inbox"), "inbox.show", "open"))


def links(ctx: Context) -> Text:
    """Links to the account's community, developers and sign-in help, as far as it has them."""
    words, account = ctx.words, ctx.account
    places = (
        (words("support.community"), account.community_url),
        (words("support.developers"), account.developer_url),
        (words("support.sign_in"), account.sign_in_url),
    )
    parts: list[str | Link] = []
    for label, url in places:
        if url:
            parts += [" · "] * bool(parts) + [Link(label, url)]
    return tuple(parts)
