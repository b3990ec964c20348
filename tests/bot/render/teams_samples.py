"""Screens and forms as the numbers workflow makes them, and strategies for those that nobody would make."""

from datetime import UTC, datetime
from typing import Any, Final

from hypothesis import strategies as st

from handlers.framework.screens import (
    Block,
    Bold,
    Button,
    Buttons,
    Chart,
    Checkbox,
    Choice,
    Confirm,
    Divider,
    FactSet,
    Form,
    Heading,
    Link,
    ListItem,
    Meter,
    Option,
    Paragraph,
    Question,
    Screen,
    Table,
    TextField,
    Timestamp,
)

NOON: Final = datetime(2026, 11, 29, 12, tzinfo=UTC)


def number(i: int, details: str) -> ListItem:
    """A line of the list of numbers, with all that a super admin may do."""
    shown, value = f"020 7946 {900 + i:04}", f"+44207946{900 + i:04}"
    menu = (
        Button("Edit", "numbers.edit", value, form=True),
        Button("History", "numbers.history", value),
        Button("Delete", "numbers.delete", value, form=True),
    )
    return ListItem(shown, ((details,),), menu, spoken=f"Actions for {shown}")


START: Final = (
    Button("Get a number", "numbers.get", style="primary", form=True),
    Button("Register a number", "own.register", form=True),
    Button("Usage", "numbers.usage"),
)
PAGING: Final = (
    Button("Previous", "numbers.previous", "0|"),
    Button("Next", "numbers.next", "20|"),
    Button("Search", "numbers.search", "", form=True),
)
METERS: Final = (
    Meter("12 of 15 numbers", 12, 15, "3 left"),
    Meter("120 of 3,000 minutes", 120, 3000, "2,880 left, resets 1 Dec"),
)
LIST: Final = Screen(
    "Phone numbers · Acme Ltd",
    (
        *METERS,
        Divider(),
        *(
            number(i, f"Provided · {who} · {to}")
            for i, (who, to) in enumerate(
                [
                    ("Max Miller", "forwards to 020 7946 0111"),
                    ("nobody", "no forwarding"),
                    ("Robin", "forwards to +1 415 555 0132"),
                    ("Max Miller", "forwards to 020 7946 0111 · being ported"),
                    ("Noor", "no forwarding"),
                    ("Ola", "forwards to 020 7946 0112"),
                    ("nobody", "no forwarding"),
                    ("Ada", "forwards to 020 7946 0113"),
                    ("Mia", "no forwarding"),
                ]
            )
        ),
        ListItem(
            "020 7946 0911",
            (("Deleted. You can undo this until ", Timestamp(NOON, "date", "29 Nov 2026")),),
            button=Button("Undo", "list.undo", "+442079460911", spoken="Undo deleting 020 7946 0911"),
        ),
        Paragraph(("11–20 of 34",), quiet=True),
        Buttons(PAGING),
        Buttons(START),
    ),
    "12 of 15 numbers used.",
)
EMPTY: Final = Screen(
    "Phone numbers · Acme Ltd",
    (
        Meter("0 of 3 numbers", 0, 3, "3 left"),
        Meter("0 of 3,000 minutes", 0, 3000, "3,000 left, resets 1 Dec"),
        Paragraph(("No numbers yet. Get one in two clicks: it can ring any phone you already have.",)),
        Buttons(START[:2]),
    ),
)
USAGE: Final = Screen(
    "Phone numbers · Acme Ltd",
    (
        Heading("Usage"),
        Meter("3 of 3 numbers", 3, 3, "0 left"),
        Meter("2,520 of 3,000 minutes", 2520, 3000, "480 left, resets 1 Dec"),
        Chart(
            "Minutes by person",
            (("Max Miller", 1900), ("Ada", 600), ("nobody", 20)),
            "minutes",
            "Minutes by person: Max Miller 1,900, Ada 600, nobody 20",
        ),
        FactSet(
            (
                ("Plan", ("Professional", " · ", Link("what the plans include", "https://example.com/plans"))),
                ("Add-ons", ("2 numbers, 500 minutes",)),
            )
        ),
        Buttons(
            (
                Button("Request more", "more.ask", form=True),
                Button("See plans", "open", url="https://example.com/plans"),
            )
        ),
    ),
)
HISTORY: Final = Screen(
    "History of 020 7946 0900",
    (
        Table(
            ("When", "Who", "What"),
            (
                (
                    (Timestamp(NOON, "datetime", "29 Nov 2026 12:00"),),
                    ("Ada",),
                    ("Assigned and forwarded · to Max Miller · rings 020 7946 0111",),
                ),
                ((Timestamp(NOON, "datetime", "28 Nov 2026 12:00"),), ("Robin",), ("Forwarding switched off",)),
                ((Timestamp(NOON, "datetime", "27 Nov 2026 12:00"),), ("the import",), ("Got",)),
            ),
        ),
    ),
)
ASKS: Final = Screen(
    "Blocked numbers",
    (
        ListItem(
            "+48 70*",
            (("Both directions · expensive_numbers · by Ada",),),
            button=Button(
                "Remove",
                "blocklist.remove",
                "+4870*",
                "danger",
                confirm=Confirm("Remove +48 70*?", "Calls from and to it are let through at once.", "Remove", "Keep"),
            ),
        ),
        Paragraph(
            ("Typed: ", Bold("*kept* as it is"), " <at>Ada</at> {{DATE(2026-01-01T00:00:00Z)}} [x](https://e.x)")
        ),
        Buttons(
            (
                Button("Add number", "blocklist.add", style="primary", form=True),
                Button(
                    "Remove all",
                    "blocklist.clear",
                    style="danger",
                    confirm=Confirm("Remove all?", "All 14 numbers go.", "Remove all", "Keep them"),
                ),
            )
        ),
    ),
)
SAID: Final = Screen(
    "Changed",
    (
        Paragraph(("020 7946 0900 is with ", Bold("Max Miller"), " now and rings ", Bold("020 7946 0111"), ".")),
        Buttons((Button("Show numbers", "numbers.show"),)),
    ),
)
_JUDGE: Final = Question(
    "Was this helpful?", (Button("Yes", "support.helped", "yes|a"), Button("No", "support.helped", "no|a"))
)
ANSWERS: Final = Screen(
    "Support",
    (
        Paragraph(("“How do I forward my number?”",)),
        ListItem(
            "1. Forward a number to another phone",
            (("Calls to a provided number can ring another phone. A super admin types /numbers forward and both.",),),
            button=Button("Read", "support.read", "a"),
            question=_JUDGE,
        ),
        ListItem(
            "2. How minutes are counted",
            (("Forwarded calls count both ways: the call that comes in and the one that goes on.",), ("German",)),
            button=Button("Read", "", url="https://example.com/minutes"),
            question=_JUDGE,
        ),
        Divider(),
        Paragraph(("Not solved?",)),
        Buttons(
            (
                Button("Contact us", "support.contact", style="primary", form=True),
                Button("See related results", "support.related", "How do I forward my number?"),
                Button("Ask another question", "support.ask", form=True),
            )
        ),
        Paragraph((Link("Community", "https://community.example.com"),), quiet=True),
    ),
)
SCREENS: Final = {
    "answers": ANSWERS,
    "list": LIST,
    "empty": EMPTY,
    "usage": USAGE,
    "history": HISTORY,
    "asks": ASKS,
    "said": SAID,
}

EDIT: Final = Form(
    "numbers.edit",
    "Edit a number",
    "Save",
    (
        Paragraph(("020 7946 0900 · since ", Timestamp(NOON, "date", "3 May 2026"), " · United Kingdom"), quiet=True),
        Choice(
            "person",
            "Assigned to",
            (Option("nobody", "nobody"), Option("max", "Max Miller"), Option("ada", "Ada")),
            "max",
        ),
        TextField(
            "forwarding",
            "Forwarding number",
            "020 7946 0111",
            hint="Who calls 020 7946 0900 reaches this phone; empty: no forwarding",
            max_length=60,
        ),
        Paragraph(
            ("Can't be used for hosted SMS with another carrier. ", Link("Learn more", "https://example.com/sms")),
            quiet=True,
        ),
    ),
    {"number": "+442079460900", "version": "7"},
    "Cancel",
)
GET: Final = Form(
    "numbers.get",
    "Get a number",
    "Get a number",
    (
        Paragraph(("1 of 3 left after this.",), quiet=True),
        Choice(
            "country",
            "Country",
            (Option("GB", "United Kingdom"), Option("DE", "Germany")),
            "GB",
            required=True,
            live=True,
        ),
        TextField("area", "Area code", hint="For example 20 for London; empty: anywhere", max_length=12),
        Choice("number.GB", "Number", (Option("any", "any"), Option("+442079460900", "020 7946 0900")), "any"),
    ),
)
DELETE: Final = Form(
    "numbers.delete",
    "Delete a number",
    "Delete",
    (
        Paragraph((Bold("020 7946 0900"), " stops working at once.")),
        Paragraph(("Max Miller loses the caller ID. Calls stop being forwarded to 020 7946 0111.",)),
        Paragraph(("You can undo this until ", Timestamp(NOON, "date", "29 Nov 2026"), "."), quiet=True),
        TextField("confirm", "Type the number to confirm", hint="020 7946 0900", required=True, max_length=60),
    ),
    {"number": "+442079460900", "version": "7"},
)
CODE: Final = Form(
    "own.code",
    "Verify",
    "Verify",
    (
        Paragraph(("We have sent a code to ", Bold("020 7946 0111"), ".")),
        TextField("code", "Verification code", required=True, max_length=12, placeholder="6 digits"),
        Buttons((Button("Send a new code", "own.resend"),)),
    ),
    {"number": "+442079460111"},
)
ALL: Final = Form(
    "all.kinds",
    "Every kind of field",
    "Send message",
    (
        FactSet((("Number", ("020 7946 0900",)), ("Plan", (Link("Professional", "https://example.com"),)))),
        Choice("whom", "Anyone", (Option("m", "Max"),), "m", suggest=True, placeholder="Type a name"),
        Choice(
            "via",
            "Send the code by",
            (Option("sms", "SMS"), Option("", "Call *me*", "slow")),
            "",
            required=True,
            open=True,
        ),
        Choice("many", "One of many", tuple(Option(str(i), f"Person {i}") for i in range(40)), "7"),
        Choice("none", "Nothing to choose from", (), hint="Nothing is on offer."),
        Divider(),
        TextField("text", "Description", "line one\nline two", multiline=True, max_length=3000, required=True),
        Checkbox("sure", "Sure?", "This is your own number 020 7946 0900. Calls to _Max_ would stop.", "yes"),
        Checkbox("default", "Default", "Use it as my caller ID"),
    ),
    {"k": "v"},
)
FORMS: Final = {"edit": EDIT, "get": GET, "delete": DELETE, "code": CODE, "all": ALL}

# ── What nobody would make ──────────────────────────────────────────────────────────────────────────────────────

# What people type that renderers stumble over, at the lengths where limits lie.
NASTY: Final = (
    "",
    " ",
    "\n",
    "**b** _i_ ~~s~~ `c`",
    "[evil](https://evil.example)",
    "![](https://evil.example/a.png)",
    "<at>Ada</at>",
    "<b>x</b>",
    "# head",
    "- a\r- b",
    "1. x",
    "   code",
    "> quote",
    "a\n---",
    "|a|b|\n|-|-|",
    "&amp;&lt;",
    "\\*x\\*",
    "{{DATE(2026-01-01T00:00:00Z, SHORT)}}",
    "{{{TIME(2026-01-01T00:00:00Z)}}}",
    "${name} {{name}}",
    "\u202e\x00\u2028",
)
WORDS = st.one_of(
    st.sampled_from(NASTY),
    st.text(max_size=40),
    st.builds(
        lambda piece, n: piece * n, st.sampled_from(["x", "😀", "&", "{", "*", "é "]), st.sampled_from([76, 151, 3001])
    ),
)
URLS = st.sampled_from(
    ["https://example.com/a", "javascript:alert(1)", "https://x.example/" + "y" * 3000, "http://a b", ""]
)
MOMENTS = st.datetimes(datetime(1960, 1, 1), datetime(2300, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds
TEXTS = st.lists(
    st.one_of(
        WORDS,
        st.builds(Bold, WORDS),
        st.builds(Link, WORDS, URLS),
        st.builds(Timestamp, MOMENTS, st.sampled_from(["date", "time", "datetime"]), WORDS),
    ),
    max_size=4,
).map(tuple)
VALUES = st.one_of(st.sampled_from(["", "a", "x" * 100]), st.text(max_size=100))
MAYBE = st.one_of(st.none(), WORDS)
BUTTONS = st.builds(
    Button,
    label=WORDS,
    action=st.sampled_from(["a", "b.c", "d" * 60]),
    value=VALUES,
    style=st.sampled_from(["plain", "primary", "danger"]),
    form=st.booleans(),
    confirm=st.one_of(st.none(), st.builds(Confirm, WORDS, WORDS, WORDS, WORDS)),
    spoken=MAYBE,
    url=st.one_of(st.none(), URLS),
)
BLOCKS: st.SearchStrategy[Block] = st.one_of(
    st.builds(Paragraph, TEXTS, st.booleans()),
    st.builds(FactSet, st.lists(st.tuples(WORDS, TEXTS), max_size=5).map(tuple)),
    st.builds(Meter, WORDS, st.integers(-1, 9000), st.integers(-1, 3000), WORDS),
    st.builds(
        ListItem,
        title=WORDS,
        details=st.lists(TEXTS, max_size=3).map(tuple),
        menu=st.lists(BUTTONS, max_size=8).map(tuple),
        button=st.one_of(st.none(), BUTTONS),
        spoken=MAYBE,
    ),
    st.builds(
        Table,
        columns=st.lists(WORDS, max_size=6).map(tuple),
        rows=st.lists(st.lists(TEXTS, max_size=6).map(tuple), max_size=5).map(tuple),
    ),
    st.builds(Buttons, st.lists(BUTTONS, max_size=8).map(tuple), st.booleans()),
    st.just(Divider()),
    st.builds(Heading, WORDS),
    st.builds(Chart, WORDS, st.lists(st.tuples(WORDS, st.integers(-1, 9000)), max_size=25).map(tuple), WORDS, WORDS),
)
ANY_SCREEN = st.builds(Screen, WORDS, st.lists(BLOCKS, max_size=8).map(tuple), st.one_of(st.just(""), WORDS))
_OPTIONS = st.lists(st.builds(Option, VALUES, WORDS, MAYBE), max_size=20).map(tuple)


def _field(name: str) -> st.SearchStrategy[Any]:
    asked = {"name": st.just(name), "label": WORDS, "hint": MAYBE, "placeholder": MAYBE, "required": st.booleans()}
    flags = {flag: st.booleans() for flag in ("live", "suggest", "open")}
    return st.one_of(
        st.builds(Choice, **asked, options=_OPTIONS, value=st.one_of(MAYBE, VALUES), **flags),
        st.builds(TextField, **asked, value=WORDS, multiline=st.booleans(), max_length=st.integers(0, 5000)),
        st.builds(Checkbox, st.just(name), WORDS, WORDS, st.sampled_from(["", "yes"]), MAYBE),
    )


_OTHER = st.one_of(
    st.builds(Paragraph, TEXTS, st.booleans()),
    st.builds(FactSet, st.lists(st.tuples(WORDS, TEXTS), max_size=3).map(tuple)),
    st.just(Divider()),
    st.builds(Buttons, st.lists(BUTTONS, max_size=4).map(tuple)),
)
ANY_FORM = st.builds(
    Form,
    st.just("a.form"),
    WORDS,
    WORDS,
    st.tuples(_OTHER, _field("one"), _OTHER, _field("two")),
    st.dictionaries(st.sampled_from(["k", "l"]), VALUES),
    WORDS,
)
