"""Screens of a ticket: the desk's card, the head of the person's thread, and the entries of its timeline."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Final

from domain.accounts.account import Account
from domain.accounts.fields import zone
from domain.accounts.hours import WEEK, Hours
from domain.phone import pretty
from domain.support import sla
from domain.support.mailing import veiled
from domain.support.ticket import (
    PREFIX,
    Critical,
    FileRef,
    Message,
    Ticket,
    TicketState,
    dedicated,
)
from handlers.framework.screens import (
    Block,
    Bold,
    Button,
    Buttons,
    FactSet,
    Heading,
    Link,
    ListItem,
    Paragraph,
    Screen,
    Text,
    TextPart,
    Timestamp,
    strip_markup,
)
from handlers.support.ticket_keys import ButtonValue
from handlers.wording import Words, choose_language, words_in

BLOCK_LENGTH: Final = 2_800  # characters of one block; the platforms take 3,000
_NAME: Final = 120  # characters of a file's name
BETWEEN: Final = "\u2009–\u2009"


def desk_words(account: Account) -> Words:
    """Channels are written to in the account's language (docs/screens.md 22)."""
    return words_in(choose_language(account.default_person.language), zone(account.timezone))


def text_paragraphs(text: str) -> list[Paragraph]:
    """A text as paragraphs within the length that platforms show whole, split at line ends where possible."""
    found = []
    while len(text) > BLOCK_LENGTH:
        at = text.rfind("\n", BLOCK_LENGTH // 2, BLOCK_LENGTH)
        at = at if at > 0 else BLOCK_LENGTH
        found.append(Paragraph((text[:at],)))
        text = text[at:].lstrip("\n")
    return [*found, Paragraph((text,))] if text else found


def text_preview(text: str, words: Words) -> list[Paragraph]:
    """The text in one block; a longer one is cut, and the whole is in the thread."""
    found = text_paragraphs(text)
    return found if len(found) < 2 else [found[0], Paragraph((words("desk.longer"),), quiet=True)]


def person_name(account: Account, person: str | None, words: Words) -> str:
    if person is None:
        return words("person.nobody")
    known = account.person(person)
    return known.name if known is not None else words("person.gone")


# ── The desk's card ─────────────────────────────────────────────────────────────────────────────────────────────


def desk_card(account: Account, ticket: Ticket, now: datetime) -> Screen:
    """The card of a ticket at the desk, with the buttons of its state."""
    words = desk_words(account)
    title = words("desk.title", number=ticket.display_number, overview=ticket.overview)
    blocks: list[Block] = [
        ListItem(title, (_who(account, ticket, words),), menu=desk_menu(ticket, words), spoken=ticket.display_number)
    ]
    if (line := _critical(ticket, words)) is not None:
        blocks.append(Paragraph(line))
    facts: list[tuple[str, Text]] = [(words("desk.state"), (_state(account, ticket, words),))]
    if ticket.specialist is None and (theirs := dedicated(account, ticket)):
        facts.append((words("desk.for"), (words.show([person.name for person in theirs]),)))
    if (clock := clock_text(account, ticket, words, now)) is not None:
        facts.append((words("desk.clock"), clock))
    if ticket.callback is not None:
        number = pretty(ticket.callback.number, account.country, ticket.callback.extension, words("numbers.extension"))
        barred = f" · {words('desk.blocked')}" if ticket.callback.barred else ""
        facts.append((words("desk.callback"), (number, barred)))
    if ticket.asked:
        facts.append((words("desk.asked"), (ticket.asked,)))
    if ticket.previous is not None:
        facts.append((words("desk.previous"), (f"{PREFIX}{ticket.previous}",)))
    blocks += [FactSet(tuple(facts)), *text_preview(ticket.description, words), *_links(ticket, words)]
    blocks += file_blocks(ticket.files, words)
    if ticket.live and not ticket.is_closed:
        blocks.append(Paragraph(words.text("desk.live", name=ticket.name), quiet=True))
    if buttons := desk_buttons(ticket, words):
        blocks.append(Buttons(buttons))
    summary = words(
        "desk.summary", number=ticket.display_number, overview=ticket.overview, state=_state(account, ticket, words)
    )
    return Screen("", tuple(blocks), summary=summary)


def _who(account: Account, ticket: Ticket, words: Words) -> Text:
    parts = [ticket.name, account.name, words(f"tier.{account.tier.value}")]
    parts += [words("desk.premium")] if ticket.premium else []
    parts += [words.language_name(ticket.language), words(f"channel.short.{ticket.channel.value}")]
    return (" · ".join(parts),)


def _links(ticket: Ticket, words: Words) -> list[Block]:
    """The links, one a line."""
    shown = [Link(link if len(link) <= _NAME else f"{link[:_NAME]}…", link) for link in ticket.links]
    return [
        Paragraph((f"{words('desk.links')}: ", link) if i == 0 else (link,), quiet=True) for i, link in enumerate(shown)
    ]


def _critical(ticket: Ticket, words: Words) -> Text | None:
    if ticket.critical is None:
        return (Bold(words("desk.pressing")),) if ticket.pressing is not None else None
    impact = words(f"impact.{ticket.impact.value}") if ticket.impact else ""
    parts: list[TextPart] = [Bold(words(f"desk.critical.{ticket.critical.value}"))]
    if ticket.critical is Critical.DOWNGRADED:
        return (*parts, f" · {ticket.critical_reason}")
    return (*parts, f" · {impact}", f" · {ticket.affected}" if ticket.affected else "")


def _state(account: Account, ticket: Ticket, words: Words) -> str:
    who = person_name(account, ticket.specialist, words) if ticket.specialist else ""
    if who and ticket.state is TicketState.OPEN:
        return words("state.ticket.open_by", who=who)
    return words(f"state.ticket.{ticket.state.value}")


def desk_buttons(ticket: Ticket, words: Words, *, here: bool = False) -> tuple[Button, ...]:
    """The buttons of the card, the most likely first. Their spoken name is their label: the card's heading names the
    ticket, and voice control finds "Claim" by that word."""
    number = ButtonValue(ticket.number, here).pack()

    def button(name: str, *, form: bool = False, primary: bool = False) -> Button:
        return Button(words(f"button.{name}"), f"desk.{name}", number, "primary" if primary else "plain", form)

    if ticket.is_closed:
        return (*_moves(ticket, words, number), button("note", form=True))
    found = []
    if ticket.critical is Critical.CLAIMED:
        found += [button("confirm"), button("downgrade", form=True)]
    waits = ticket.callback is not None and ticket.callback.called is None
    if waits:
        found += [button("called"), button("no_answer")]
    if ticket.specialist is None:
        return (button("claim", primary=True), *found, button("reply", form=True), button("note", form=True))
    return (button("reply", form=True, primary=True), button("note", form=True), *found, button("escalate"))


def desk_menu(ticket: Ticket, words: Words, *, here: bool = False) -> tuple[Button, ...]:
    """The buttons behind "More"."""
    if ticket.is_closed:
        return ()
    number = ButtonValue(ticket.number, here).pack()
    rest = [Button(words("button.assign"), "desk.assign", number, form=True)]
    rest += _moves(ticket, words, number)
    if ticket.callback is not None:
        rest.append(Button(words("button.block"), "desk.block", number, form=True))
    rest.append(Button(words("button.close_ticket"), "desk.close", number))
    return tuple(rest)


def _moves(ticket: Ticket, words: Words, number: str) -> list[Button]:
    """The buttons that take it to another state, apart from closing it."""
    return [Button(words(f"button.{move}"), f"desk.{move}", number) for move in ticket.state.rules.desk_moves]


def done_screen(words: Words, number: int, what: str) -> Screen:
    """What a step did, for who isn't shown the ticket itself. `what`: the step's name."""
    shown = f"{PREFIX}{number}"
    return Screen(shown, (Paragraph(words.text(f"ticket.done.{what}", number=shown)),))


# ── The clock, in words ─────────────────────────────────────────────────────────────────────────────────────────


def clock_text(account: Account, ticket: Ticket, words: Words, now: datetime) -> Text | None:
    """The deadline and the reasons for it; None if nothing is promised now."""
    promise, clock = ticket.promised(account), ticket.clock
    return None if promise is None or clock is None else _clock_text(clock, promise, words, now)


@lru_cache(maxsize=1_024)  # shown to several readers of one language per change
def _clock_text(clock: sla.Clock, promise: sla.Promise, words: Words, now: datetime) -> Text:
    why = sla.explain_deadline(clock, promise, now)
    reasons = [format_duration(words, why.minutes)]
    reasons.append(hours_text(words, why.hours, why.zone))
    if why.paused:
        reasons.append(words("clock.paused", minutes=why.paused))
    if not why.guaranteed:
        reasons.append(words("clock.aim"))
    since = words.timestamp(why.since, "time")
    what = words(f"clock.{clock.kind}")
    if why.left_out:
        reasons.append(words("clock.left_out", days=[words.show(day) for day in why.left_out]))
    because = words.join(reasons)
    deadline = sla.deadline(clock, promise)
    if deadline is None:
        key = "clock.never" if why.never else "clock.standing"
        return words.text(key, what=what, because=because)
    at = _moment(deadline, now, words)
    return words.text("clock.by" if deadline > now else "clock.missed", what=what, at=at, because=because, since=since)


def format_duration(words: Words, minutes: int) -> str:
    """ "30 min", "4 h", "1 h 30 min"."""
    hours, rest = divmod(minutes, 60)
    if not hours:
        return words("clock.minutes", minutes=rest)
    return words("clock.hours", hours=hours) if not rest else words("clock.hours_minutes", hours=hours, minutes=rest)


def hours_text(words: Words, hours: Hours | None, zone_name: str) -> str:
    """ "24x7", or "Mon–Fri 09:00–17:00 Europe/London"."""
    if hours is None:
        return words("clock.always")
    days = [(name, getattr(hours, name)) for name in WEEK if getattr(hours, name)]
    runs: list[tuple[str, str, Sequence[str]]] = []
    for name, spans in days:
        if runs and runs[-1][2] == spans and WEEK.index(name) == WEEK.index(runs[-1][1]) + 1:
            runs[-1] = (runs[-1][0], name, spans)
        else:
            runs.append((name, name, spans))
    said = []
    for first, last, spans in runs:
        stretch = words.weekday(first) if first == last else f"{words.weekday(first)}–{words.weekday(last)}"
        # Thin spaces keep Slack from reading ":00–17:" as an emoji.
        said.append(f"{stretch} {', '.join(span.replace('-', BETWEEN) for span in spans)}")
    return f"{', '.join(said)} {zone_name}"


# ── The person's side ───────────────────────────────────────────────────────────────────────────────────────────


def person_head(account: Account, ticket: Ticket, words: Words, now: datetime) -> Screen:
    """The head of the person's thread: subject, state, and buttons."""
    blocks: list[Block] = [Heading(words("ticket.title", number=ticket.display_number, overview=ticket.overview))]
    facts: list[tuple[str, Text]] = [(words("desk.state"), (_state_for_person(account, ticket, words),))]
    if not ticket.is_closed and (clock := clock_text(account, ticket, words, now)) is not None:
        facts.append((words("desk.clock"), clock))
    if ticket.critical is not None:
        said = words(f"ticket.critical.{ticket.critical.value}")
        more = f": {ticket.critical_reason}" if ticket.critical_reason else ""
        facts.append((words("ticket.critical"), (said + more,)))
    blocks.append(FactSet(tuple(facts)))
    if ticket.live and not ticket.is_closed:
        blocks.append(Paragraph(words.text("ticket.live"), quiet=True))
    elif not ticket.is_closed:
        blocks.append(Paragraph(words.text("ticket.thread"), quiet=True))
    blocks.append(Buttons(person_buttons(account, ticket, words)))
    state = _state_for_person(account, ticket, words)
    summary = words("ticket.summary", number=ticket.display_number, overview=ticket.overview, state=state)
    return Screen("", tuple(blocks), summary=summary)


def person_buttons(account: Account, ticket: Ticket, words: Words, *, here: bool = False) -> tuple[Button, ...]:
    """The buttons of the person in the state of the ticket."""
    number = ButtonValue(ticket.number, here).pack()

    def button(label: str, action: str, *, form: bool = False, primary: bool = False) -> Button:
        return Button(words(f"button.{label}"), action, number, "primary" if primary else "plain", form)

    if ticket.is_closed:
        found = [] if ticket.survey is not None else [button("survey", "ticket.survey", form=True, primary=True)]
        return (
            *found,
            button("reopen", "ticket.reopen"),
            button("new_ticket", "ticket.again", form=True),
        )
    reply = button("reply", "ticket.reply", form=True, primary=True)
    found = [button("continue_chat", "ticket.continue", primary=True)] if ticket.live else [reply]
    found.append(button("close_ticket", "ticket.close"))
    if not ticket.is_critical:
        found.append(button("escalate", "ticket.escalate", form=True))
    return tuple(found)


def _state_for_person(account: Account, ticket: Ticket, words: Words) -> str:
    if ticket.state is TicketState.OPEN and ticket.specialist:
        who = person_name(account, ticket.specialist, words)
        return words("ticket.state.open_by" if ticket.turn == "desk" else "ticket.state.answered_by", who=who)
    return words(f"ticket.state.{ticket.state.value}")


# ── One entry of a timeline ─────────────────────────────────────────────────────────────────────────────────────


def entry_screen(account: Account, ticket: Ticket, message: Message, words: Words, *, desk: bool) -> Screen:
    """The post of a message or event, with who wrote or did it. `desk`: with the status of its mail."""
    if message.kind == "event":
        text = event_text(account, ticket, message, words)
        shown = (Paragraph(text, quiet=True), *(_mailed(ticket, message, words) if desk else ()))
        return Screen("", shown, summary=_plain(words, ticket, text), about=_about(ticket, words))
    who = message.name or words("person.gone")
    blocks: list[Block] = []
    if message.kind == "note":
        blocks.append(Paragraph((Bold(words("desk.note_by", who=who)),)))
        blocks += text_paragraphs(message.text)
    else:
        first, *more = text_paragraphs(message.text) or [Paragraph(("",))]
        edited = (f" {words('ticket.edited')}",) if message.edited is not None else ()
        blocks += [Paragraph((Bold(who), ": ", *first.text, *edited)), *more]
    blocks += file_blocks(message.files, words)
    blocks += _mailed(ticket, message, words) if desk else ()
    summary = words("ticket.said", number=ticket.display_number, who=who, text=message.text[:120])
    return Screen("", tuple(blocks), summary=summary, about=_about(ticket, words))


def _about(ticket: Ticket, words: Words) -> str:
    return words("ticket.title", number=ticket.display_number, overview=ticket.overview)


def _mailed(ticket: Ticket, message: Message, words: Words) -> tuple[Paragraph, ...]:
    """The delivery status of an entry's mail."""
    mail = message.mail
    if mail is None or ticket.email is None:
        return ()
    text = words.text(f"desk.mail.{mail.state}", to=veiled(ticket.email), reason=mail.reason)
    return (Paragraph(text, quiet=True),)


def event_text(account: Account, ticket: Ticket, message: Message, words: Words) -> Text:
    """The sentence of an event."""
    if message.what == "stage_breach" and "source" in message.params:
        return breach_text(account, ticket, message, words)
    params = dict(message.params)
    if isinstance(params.get("specialist"), str):
        params["to"] = person_name(account, params["specialist"], words)
    if isinstance(params.get("impact"), str):
        params["impact"] = words(f"impact.{params['impact']}")
    if isinstance(params.get("people"), list):
        names = [person_name(account, id, words) for id in params["people"]]
        params["names"] = names or [words("desk.the_channel")]
    given = {k: v for k, v in params.items() if isinstance(v, str | int) or k == "names"}
    who = message.name or words("person.switchboard")
    return words.text(f"ticket.event.{message.what}", who=who, number=ticket.display_number, **given)


def breach_text(account: Account, ticket: Ticket, message: Message, words: Words) -> Text:
    """A broken promise: which, why it was due then, who has the ticket, and who is told."""
    params = message.params
    due = datetime.fromisoformat(params["due"])
    text = words.text(
        "clock.breach",
        number=ticket.display_number,
        what=words(f"clock.what.{params['kind']}"),
        at=_moment(due, message.at, words),
        length=format_duration(words, params["minutes"]),
        source=words(f"clock.source.{params['source']}"),
    )
    who = params.get("specialist")
    sentences = [
        words.text("clock.has", who=person_name(account, who, words)) if who else words.text("clock.nobody_has")
    ]
    if people := params["people"]:
        sentences.append(words.text("clock.told_now", names=[person_name(account, id, words) for id in people]))
    if "next" in params:
        names = [person_name(account, id, words) for id in params["next"]] or [words("desk.the_channel")]
        at = _moment(datetime.fromisoformat(params["next_at"]), message.at, words)
        sentences.append(words.text("clock.next", n=len(names), names=names, at=at))
    return tuple(part for sentence in (text, *sentences) for part in (" ", *sentence))[1:]


def _moment(at: datetime, now: datetime, words: Words) -> Timestamp:
    """The time, with its day if that is not the day of `now`."""
    same = at.astimezone(words.zone).date() == now.astimezone(words.zone).date()
    return words.timestamp(at, "time" if same else "datetime")


def file_blocks(given: Sequence[FileRef], words: Words) -> list[Block]:
    """Names and sizes of files, linked where they have a URL."""
    if not given:
        return []
    said: list[TextPart] = []
    for file in given:
        name = file.name[:_NAME]
        said += [", ", Link(name, file.url) if file.url else name]
        if file.size is not None:
            said.append(f" ({format_size(words, file.size)})")
    return [Paragraph((f"{words('ticket.files', n=len(given))} ", *said[1:]), quiet=True)]


def format_size(words: Words, count: int) -> str:
    for unit, factor in (("MB", 1_000_000), ("kB", 1_000)):
        if count >= factor:
            return f"{words.show(round(count / factor))} {unit}"
    return f"{words.show(count)} B"


def _plain(words: Words, ticket: Ticket, text: Text) -> str:
    return words("ticket.event_summary", number=ticket.display_number, text=strip_markup(text))
