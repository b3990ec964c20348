"""What may happen to a number."""

from datetime import timedelta

import pytest

from domain.numbers.codes import challenge
from domain.numbers.number import (
    Number,
    NumberState,
    acquire,
    advance,
    delete,
    edit,
    forward,
    reassign,
    register,
    register_check,
    require_owner,
    undo,
)
from domain.phone import ParsedNumber, parse
from tests.domain.samples import NOW, account, person, refusal

LATER = NOW + timedelta(hours=1)
ADA, MAX = person("ada"), person("max")
OURS = "+442079460958"


def provided(**changes: object) -> Number:
    return Number.model_validate({"e164": OURS, "source": "provided", "since": NOW, **changes})


def registered(**changes: object) -> Number:
    return provided(**{"source": "registered", "person": "ada", **changes})


def to(text: str) -> ParsedNumber:
    return parse(text, "GB", special=True)


@pytest.mark.parametrize(
    ("e164", "state"),
    [(OURS, NumberState.ACTIVE), ("+61291234567", NumberState.PENDING), ("+6561234567", NumberState.PENDING)],
)
def test_a_new_number_is_pending_where_its_country_reviews(e164: str, state: NumberState) -> None:
    number = acquire(e164, ADA, NOW, account())
    assert (number.e164, number.state, number.person, number.since, number.version) == (e164, state, "ada", NOW, 1)
    assert acquire(e164, None, NOW, account()).person is None


def test_no_account_without_calling_gets_a_number() -> None:
    no = refusal(acquire, OURS, None, NOW, account("free"))
    assert (no.code, no.params) == ("no_calling", {"tier": "starter", "have": "free"})


def test_every_change_makes_the_next_version_and_leaves_the_old_one() -> None:
    first = provided(person="ada")
    steps = [
        reassign(first, MAX, LATER),
        forward(first, to("020 7946 0111"), LATER),
        delete(first, OURS, "GB", LATER),
        advance(first, NumberState.PORTING, LATER),
    ]
    assert [(step.version, step.changed) for step in steps] == [(2, LATER)] * 4
    assert (first.version, first.changed, first.person) == (1, None, "ada")


def test_a_number_goes_to_another_or_to_nobody() -> None:
    assert reassign(provided(person="ada"), MAX, LATER).person == "max"
    assert reassign(provided(person="ada"), None, LATER).person is None
    assert reassign(provided(), ADA, LATER).person == "ada"


def test_forwarding_is_set_changed_and_taken_away() -> None:
    forwarded = forward(provided(), to("020 7946 0111 ext. 5"), LATER)
    assert (forwarded.forwarding, forwarded.forwarding_extension) == ("+442079460111", "5")
    assert forward(forwarded, to("020 7946 0111"), LATER).forwarding_extension is None
    off = forward(forwarded, None, LATER)
    assert (off.forwarding, off.forwarding_extension) == (None, None)
    assert forward(provided(), to("0800 123 4567"), LATER).forwarding == "+448001234567"
    assert forward(provided(), to("+44 7700 900123"), LATER).forwarding == "+447700900123"


def test_two_numbers_never_forward_to_each_other() -> None:
    assert forward(provided(), to("020 7946 0111"), LATER, "+442079460222").forwarding == "+442079460111"
    no = refusal(forward, provided(), to("020 7946 0111"), LATER, OURS)
    assert (no.code, no.field) == ("forward_loop", "forwarding")


@pytest.mark.parametrize(
    ("number", "text", "code"),
    [
        (provided(), "020 7946 0958", "forward_to_itself"),
        (provided(), "020 7946 0958 ext. 5", "forward_to_itself"),
        (provided(), "09001234567", "forward_premium"),
        (provided(), "116123", "forward_short"),
        (provided(), "999", "forward_emergency"),
        (provided(forwarding="+442079460111"), "020 7946 0111", "forwarding_unchanged"),
        (provided(), None, "forwarding_unchanged"),
    ],
)
def test_some_forwarding_is_refused(number: Number, text: str | None, code: str) -> None:
    no = refusal(forward, number, to(text) if text else None, LATER)
    assert (no.code, no.field) == (code, "forwarding")


@pytest.mark.parametrize("typed", ["020 7946 0958", "+442079460958", "0044 20 7946 0958", "(020) 7946-0958"])
def test_a_number_is_deleted_once_it_is_typed(typed: str) -> None:
    gone = delete(provided(person="ada", forwarding="+442079460111"), typed, "GB", NOW)
    assert (gone.state, gone.deleted_at, gone.undo_until) == (NumberState.DELETED, NOW, NOW + timedelta(days=7))
    assert (gone.person, gone.forwarding, gone.counts) == ("ada", "+442079460111", False)


@pytest.mark.parametrize("typed", ["", "020 7946 0959", "delete", "7946 0958", "020 7946 0958 020 7946 0958"])
def test_another_text_deletes_nothing(typed: str) -> None:
    no = refusal(delete, provided(), typed, "GB", NOW)
    assert (no.code, no.field) == ("confirm_mismatch", "confirm")


@pytest.mark.parametrize("state", [NumberState.ACTIVE, NumberState.PENDING])
def test_undo_brings_back_all_of_it(state: NumberState) -> None:
    before = provided(person="ada", forwarding="+442079460111", state=state)
    back = undo(delete(before, OURS, "GB", NOW), LATER, used=2, limit=3)
    assert back == before.model_copy(update={"version": 3, "changed": LATER})


def test_undo_ends_after_seven_days_and_needs_a_slot() -> None:
    gone = delete(provided(), OURS, "GB", NOW)
    week = timedelta(days=7)
    assert undo(gone, NOW + week - timedelta(seconds=1), 0, 1).state == NumberState.ACTIVE
    for number, at, used, code in (
        (gone, NOW + week, 0, "undo_too_late"),
        (gone, LATER, 1, "undo_no_room"),
        (provided(), LATER, 0, "undo_not_deleted"),
    ):
        assert refusal(undo, number, at, used, 1).code == code


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (provided(state=NumberState.DELETED), "number_deleted"),
        (provided(state=NumberState.PORTING), "number_porting"),
        (registered(), "number_not_provided"),
    ],
)
def test_nothing_is_done_to_a_number_that_is_gone_going_or_a_persons_own(number: Number, code: str) -> None:
    assert refusal(reassign, number, MAX, LATER).code == code
    assert refusal(forward, number, to("020 7946 0111"), LATER).code == code
    assert refusal(delete, number, OURS, "GB", LATER).code == code


def test_who_has_a_number_does_not_get_it_again() -> None:
    listed_later = person("ada", slack="UADA")
    for number, whom, code in (
        (provided(person="ada"), ADA, "number_already_assigned"),
        (provided(person="slack:UADA"), listed_later, "number_already_assigned"),
        (provided(), None, "number_already_nobody"),
    ):
        no = refusal(reassign, number, whom, LATER)
        assert (no.code, no.field) == (code, "person")


@pytest.mark.parametrize(
    ("state", "source", "counts"),
    [
        (NumberState.ACTIVE, "provided", True),
        (NumberState.PENDING, "provided", True),
        (NumberState.PORTING, "provided", False),
        (NumberState.DELETED, "provided", False),
        (NumberState.ACTIVE, "registered", False),
    ],
)
def test_what_holds_a_slot(state: NumberState, source: str, counts: bool) -> None:
    assert provided(state=state, source=source).counts is counts


def test_the_carrier_moves_a_number_along() -> None:
    pending = provided(state=NumberState.PENDING)
    assert advance(advance(pending, NumberState.ACTIVE, NOW), NumberState.PORTING, NOW).state == NumberState.PORTING
    assert advance(provided(state=NumberState.PORTING), NumberState.ACTIVE, NOW).state == NumberState.ACTIVE
    for number, state in (
        (pending, NumberState.PORTING),
        (provided(), NumberState.DELETED),
        (registered(), NumberState.PORTING),
    ):
        with pytest.raises(ValueError, match="can't become"):
            advance(number, state, NOW)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("0800 123 4567", "register_toll_free"),
        ("09001234567", "register_premium"),
        ("116123", "register_short"),
        ("999", "register_emergency"),
    ],
)
def test_what_cannot_be_a_number_of_ones_own(text: str, code: str) -> None:
    no = refusal(register_check, to(text), own_provided=False)
    assert (no.code, no.field) == (code, "number")


def test_a_provided_number_is_not_registered_too() -> None:
    register_check(to("020 7946 0958"), own_provided=False)
    assert refusal(register_check, to("020 7946 0958"), own_provided=True).code == "register_provided"


def test_a_proved_number_becomes_the_persons_own() -> None:
    proved = challenge(to("020 7946 0958 x12"), label="Desk", via="sms", code="123456", salt="s", now=NOW)
    number = register(proved, ADA, LATER, default=True)
    assert number == registered(extension="12", label="Desk", default=True, since=LATER)


def test_the_owner_edits_label_extension_and_default() -> None:
    edited = edit(registered(), ADA, {"label": "  Front   desk "}, "１２", True, LATER)
    assert (edited.label, edited.extension, edited.default, edited.version) == ("Front desk", "12", True, 2)
    assert edit(edited, ADA, {}, "", False, LATER).label is None


@pytest.mark.parametrize(
    ("who", "label", "extension", "code"),
    [
        (MAX, "Desk", "", "not_owner"),
        (person("root", super_admin=True), "Desk", "", "not_owner"),
        (ADA, "x" * 41, "", "label_too_long"),
        (ADA, "", "twelve", "extension_not_digits"),
        (ADA, "", "", "registered_unchanged"),
    ],
)
def test_some_edits_are_refused(who: object, label: str, extension: str, code: str) -> None:
    assert refusal(edit, registered(), who, {"label": label}, extension, False, LATER).code == code


def test_a_provided_number_has_an_assignee_but_no_owner() -> None:
    assert refusal(require_owner, provided(person="ada"), ADA).code == "not_owner"


def test_a_record_survives_being_written_down() -> None:
    number = forward(provided(person="ada"), to("020 7946 0111 ext. 5"), LATER)
    assert Number.model_validate_json(number.model_dump_json()) == number
    assert '"schema":2' in number.model_dump_json()


def test_a_record_of_an_older_schema_is_upgraded_when_it_is_read() -> None:
    new = {"schema", "carrier_id", "needs", "validated"}
    old = provided(person="ada").model_dump_json(exclude=new - {"schema"}).replace('"schema":2', '"schema":1')
    assert Number.model_validate_json(old) == provided(person="ada")
