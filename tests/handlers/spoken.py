"""Which texts the handlers say, read off their source: every `words("…")` with the params that it gives.

A key that is put together is followed to where its parts come from; what can't be read off is an error, so that a new
way of making keys is taken in here first.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from pathlib import Path
from types import ModuleType
from typing import get_args

import domain
import handlers
import store
from domain.accounts.subscription import Tier
from domain.blocklist import Direction
from domain.calls import CallOutcome, alerts
from domain.numbers.fields import FIELDS, Source
from domain.numbers.number import Needs, NumberState
from domain.refusal import CODES
from domain.support import ticket
from domain.support.channels import _RULES, TICKET_CHANNELS
from domain.support.sla import PromiseKind, Stage
from domain.support.ticket import Critical, Impact, MailStatus
from handlers import blocklist, numbers, support
from handlers.framework.fallback_messages import FALLBACK_REASONS
from handlers.framework.ports import CodeDelivery
from handlers.numbers import addon_request
from handlers.support import contact, desk, own_tickets, report
from store.support.ticket_reads import VIEWS

Function = ast.FunctionDef | ast.AsyncFunctionDef

_EVENTS_OF_ONES_OWN = {"number.registered", "number.unregistered"}  # kept apart: such numbers have no history screen
FIELD_NAMES = {field.name for field in FIELDS}


@dataclass(frozen=True, slots=True)
class Use:
    """`params` is None for a refusal's sentence: `refusals` knows what it is given."""

    keys: frozenset[str]
    params: frozenset[str] | None
    at: str


@dataclass(frozen=True, slots=True)
class Call:
    """A call with the function and the file that it stands in."""

    node: ast.Call
    function: Function | None
    file: str

    @property
    def name(self) -> tuple[str, str]:
        """The file and function called, where that can be told."""
        match self.node.func:
            case ast.Name(id=name):
                return self.file, name
            case ast.Attribute(value=ast.Name(id=file), attr=name):
                return file, name
        return "", ""

    @property
    def at(self) -> str:
        return f"{self.file}.py:{self.node.lineno}"

    def argument(self, position: int, name: str) -> ast.expr | None:
        named = {keyword.arg: keyword.value for keyword in self.node.keywords}
        return self.node.args[position] if position < len(self.node.args) else named.get(name)


def _trees(package: ModuleType) -> Iterator[tuple[str, ast.Module]]:
    """Every module of a package by its name; a package's own by the folder's."""
    for path in sorted(Path(str(package.__file__)).parent.rglob("*.py")):
        if path.parent.name != "wording":
            yield path.parent.name if path.stem == "__init__" else path.stem, ast.parse(path.read_text("utf-8"))


@lru_cache
def _calls(package: ModuleType) -> tuple[Call, ...]:
    found = []
    for file, tree in _trees(package):
        functions = [node for node in ast.walk(tree) if isinstance(node, Function)]
        around = {inner: function for function in functions for inner in ast.walk(function)}
        found += [Call(node, around.get(node), file) for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return tuple(found)


def _strings(tree: ast.AST) -> set[str]:
    return {n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)}


def _events() -> set[str]:
    """What a provided number's history may hold."""
    said = set().union(*(_strings(tree) for package in (handlers, store) for _, tree in _trees(package)))
    return {text for text in said if re.fullmatch(r"number\.[a-z]+", text)} - _EVENTS_OF_ONES_OWN


def _steps() -> set[str]:
    """What a ticket's timeline may hold: in `domain`, pairs of a name and its params, and names handed on."""
    stages, found = {f"stage_{stage}" for stage in Stage}, set()
    for file, tree in _trees(domain):
        if file not in {"desk", "mailing", "tickets", "ticket_steps"}:
            continue
        for node in ast.walk(tree):
            match node:
                case ast.Tuple(elts=[ast.Constant(value=str(what)), ast.Dict()]):
                    found.add(what)
                case ast.Call(func=ast.Name(id="_taken"), args=[*_, ast.Constant(value=str(what))]):
                    found.add(what)
                case ast.Assign(targets=[ast.Name(id="what")], value=value):
                    found |= _strings(value)
    return found | stages


def _can() -> set[str]:
    """What the home screen lists."""
    nodes = (node for _, tree in _trees(handlers) for node in ast.walk(tree))
    can = [node for node in nodes if isinstance(node, Function) and node.name == "abilities"]
    return set().union(*(_strings(function) - {ast.get_docstring(function)} for function in can)) | {"help"}


@lru_cache
def _families() -> dict[str, set[str]]:
    """The values of a key's part that only shows when it is said."""
    ways, kinds = set(get_args(CodeDelivery)), set(addon_request.KINDS)
    return {
        "alert.{}": {alert.name for alert in alerts(3_000)},
        "alert.{}.title": {alert.name for alert in alerts(3_000)},
        "answer.{}": set(FALLBACK_REASONS),
        "channel.{}": {str(channel) for channel in (*TICKET_CHANNELS, *contact.DIALLED)},
        "channel.expected.{}": {rule.expected for channel, rule in _RULES.items() if channel in TICKET_CHANNELS}
        | {"guaranteed"},
        "channel.opens.{}": {"starter", "professional", "seat", "desktop", "english", "premium", "number"}
        | {"seat_self", "premium_self"},
        "clock.source.{}": {"premium_critical", "premium", "chat", "callback", "email"},
        "clock.what.{}": set(get_args(PromiseKind)),
        "report.{}": {*report.BY, *report.COLUMNS, *(period.replace(" ", "_") for period in report.PERIODS)},
        "report.by_{}": set(report.BY),
        "contact.dial.{}": {str(channel) for channel in contact.DIALLED},
        "answer.{}.title": set(FALLBACK_REASONS),
        "direction.{}": set(Direction),
        "direction.{}.calls": {Direction.INBOUND, Direction.OUTBOUND},
        "direction.{}.what": set(Direction),
        "event.{}": _events(),
        "help.{}": set(numbers.HELP),
        "help.{}.usage": set(numbers.HELP),
        "help.blocklist.{}": set(blocklist.HELP),
        "help.blocklist.{}.usage": set(blocklist.HELP),
        "home.can.{}": _can(),
        "link.{}": {"privacy", "terms", "support"},  # settings that end in _URL
        "more.{}": kinds,
        "more.mail.{}": kinds,
        "needs.{}": set(get_args(Needs)) - {""},
        "own.code.{}": ways,
        "own.message.{}": ways,
        "own.via.{}": ways,
        "refusal.{}": {code for code, _ in refusals()},
        "button.{}": {move for state in ticket.TicketState for move in state.rules.desk_moves},
        "button.inbox_{}": set(VIEWS),
        "channel.short.{}": {str(channel) for channel in TICKET_CHANNELS},
        "clock.{}": set(get_args(PromiseKind)),
        "critical.is.{}": set("1234"),
        "critical.not.{}": set("1234"),
        "desk.critical.{}": set(Critical),
        "desk.mail.{}": set(get_args(MailStatus.model_fields["state"].annotation)),
        "desk.{}.about": set(desk._FIELDS),
        "desk.{}.send": set(desk._FIELDS),
        "desk.{}.title": set(desk._FIELDS),
        "field.{}": {*desk._FIELDS, *FIELD_NAMES},
        "field.{}.hint": FIELD_NAMES,
        "impact.{}": set(Impact),
        "inbox.empty_{}": set(VIEWS),
        "inbox.row.{}": {state for state in ticket.TicketState if state.rules.on_hold},
        "inbox.row.{}_other": {state for state in ticket.TicketState if state.rules.on_hold},
        "state.ticket.{}": set(ticket.TicketState),
        "survey.{}": set("12345"),
        "ticket.critical.{}": set(Critical),
        "ticket.done.{}": {
            *desk._AT_ONCE,
            *own_tickets._AT_ONCE,
            "assigned",
            "created",
            "downgraded",
            "edited",
            "escalated",
        }
        | {"noted", "replied", "said", "starred", "surveyed", "unstarred"},
        "ticket.event.{}": _steps(),
        "ticket.state.{}": set(ticket.TicketState),
        "support.help.{}": set(support.HELP),
        "support.help.{}.usage": set(support.HELP),
        "source.{}": set(get_args(Source)),
        "state.{}": set(NumberState),
        "tier.{}": set(Tier),
        "voice.{}": {
            CallOutcome.POOL,
            CallOutcome.NO_FORWARDING,
        },  # the rest of those of a call in are rejected, or connected
        "voice.{}_out": {CallOutcome.POOL, CallOutcome.NO_CALLER_ID},
        "why.{}": {"short", "long", "length", "area"},  # domain/phone.py tells these
    }


def _assigned(name: str, function: Function) -> list[ast.expr]:
    """What a local name stands for: `a = …`, `a, b = …, …`, `for a, b in ((…, …), …)`."""
    found = []
    for node in ast.walk(function):
        match node:
            case ast.Assign(targets=[ast.Name(id=target)], value=value) if target == name:
                found.append(value)
            case ast.Assign(targets=[ast.Tuple(elts=targets)], value=ast.Tuple(elts=values)):
                found += [v for t, v in zip(targets, values, strict=True) if isinstance(t, ast.Name) and t.id == name]
            case ast.For(target=ast.Tuple(elts=targets), iter=ast.Tuple(elts=rows)):
                names = [t.id if isinstance(t, ast.Name) else "" for t in targets]
                if name in names:
                    found += [row.elts[names.index(name)] for row in rows if isinstance(row, ast.Tuple)]
    return found


def _values(text: ast.expr | None, function: Function | None, file: str) -> set[str] | None:
    """Every string that an expression may be; None where that can't be read off."""
    match text:
        case ast.Constant(value=str(value)):
            return {value}
        case ast.IfExp(body=body, orelse=other):
            return _together([_values(body, function, file), _values(other, function, file)])
        case ast.JoinedStr(values=parts):
            inner = [_values(p.value if isinstance(p, ast.FormattedValue) else p, function, file) for p in parts]
            known = [values for values in inner if values is not None]
            if len(known) == len(inner):
                return {"".join(pieces) for pieces in product(*known)}
            template = "".join("{}" if values is None else next(iter(values)) for values in inner)
            assert template in _families(), f"{file}.py:{text.lineno}: keys that can't be read off: {template}"
            return {template.format(value) for value in _families()[template]}
        case ast.Name(id=name) if function is not None:
            if assigned := _assigned(name, function):
                return _together([_values(value, function, file) for value in assigned])
            names = [argument.arg for argument in function.args.args]
            if name in names:
                callers = [call for call in _calls(handlers) if call.name == (file, function.name)]
                given = [(call.argument(names.index(name), name), call) for call in callers]
                return _together([_values(value, call.function, call.file) for value, call in given])
    return None


def _together(parts: list[set[str] | None]) -> set[str] | None:
    known = [part for part in parts if part is not None]
    return set().union(*known) if parts and len(known) == len(parts) else None


def _says(node: ast.AST) -> bool:
    """`words(…)`, `words.text(…)`, `ctx.words(…)`, `ctx.words.text(…)`."""
    match node:
        case ast.Call(func=ast.Name(id="words") | ast.Attribute(attr="words")):
            return True
        case ast.Call(func=ast.Attribute(attr="text", value=ast.Name(id="words") | ast.Attribute(attr="words"))):
            return True
    return False


@lru_cache
def uses() -> tuple[Use, ...]:
    """Every text that is said, in the order of the source."""
    found = []
    for call in _calls(handlers):
        if _says(call.node):
            keys = _values(call.node.args[0], call.function, call.file)
            assert keys, f"{call.at}: a key that can't be read off: {ast.unparse(call.node)}"
            params = [keyword.arg for keyword in call.node.keywords]
            given = None if None in params else frozenset(filter(None, params))
            found.append(Use(frozenset(keys), given, call.at))
    return tuple(found)


def form_labels() -> set[str]:
    """The keys of dialogs' titles and of the buttons that send or close them."""
    found: set[str] = set()
    for call in _calls(handlers):
        if call.name[1] == "Form":
            for position, name in ((1, "title"), (2, "submit"), (5, "close")):
                found |= _label(call, call.argument(position, name))
    return found


def _label(call: Call, label: ast.expr | None) -> set[str]:
    if label is None:
        return set()  # a form without a word of its own for closing
    if isinstance(label, ast.Name) and call.function is not None:
        return set().union(*(_label(call, said) for said in _assigned(label.id, call.function)))
    assert isinstance(label, ast.Call), f"{call.at}: a label that can't be read off"
    assert _says(label), f"{call.at}: a label from no catalogue"
    return _values(label.args[0], call.function, call.file) or set()


@lru_cache
def refusals() -> tuple[tuple[str, frozenset[str]], ...]:
    """Every code that the rules or the handlers refuse with, and the params that each place gives."""
    found = {(code, frozenset(params)) for code, params in CODES.items()}
    for call in _calls(handlers):
        if call.name[1] not in ("Refusal", "BadFile"):
            continue
        if ast.unparse(call.node.args[0]) == "upload.failed":
            continue  # kept from one that is found here
        params = frozenset(keyword.arg for keyword in call.node.keywords if keyword.arg and keyword.arg != "field")
        if ast.unparse(call.node.args[0]) == "no.code.replace('who_', 'person_')":
            # Whoever can't act can't be given a number either; `identify` raises the first.
            found |= {(code.replace("who_", "person_"), params) for code in _identified()}
            continue
        codes = _values(call.node.args[0], call.function, call.file)
        assert codes, f"{call.at}: a code that can't be read off"
        found |= {(code, params) for code in codes}
    return tuple(sorted(found, key=lambda each: (each[0], sorted(each[1]))))


def _identified() -> set[str]:
    """What the rule that says who somebody is refuses with."""
    codes = [
        _values(call.node.args[0], None, call.file)
        for call in _calls(domain)
        if call.name[1] == "Refusal" and call.function is not None and call.function.name == "identify"
    ]
    return _together(codes) or set()
