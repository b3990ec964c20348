"""A person taken out of records: what goes, what stays, and that what is left can be read again."""

from datetime import UTC, datetime, timedelta

import pytest

from domain import erasure
from domain.support import desk, ticket, tickets
from domain.support.channels import Channel
from domain.support.ticket import Impact, Message, Ticket, TicketDraft, TicketState
from tests import present
from tests.handlers.world import PEOPLE, company

SAM = {"id": "sam", "name": "Sam", "slack": "USAM", "seat": "core", "specialist": True}
ZOE = {"id": "zoe", "name": "Zoe Quill", "slack": "UZOE", "seat": "sales", "super_admin": True}
ACCOUNT = company(
    people=[*PEOPLE, SAM, ZOE],
    premium_support=True,
    subscription={"line": "sales", "tier": "enterprise"},
    escalation={"levels": [{"people": ["sam", "ada"]}, {"people": ["sam"]}]},
)
NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)
ZOES = erasure.ErasedPerson("~z", ("zoe", "slack:UZOE"), ("Zoe Quill", "zoe@example.com"))
SAMS = erasure.ErasedPerson("~s", ("sam", "slack:USAM"), ("Sam",))


def critical() -> ticket.TicketChange:
    zoe = present(ACCOUNT.person("zoe"))
    draft = TicketDraft(
        Channel.PREMIUM_EMAIL, "en", "All is lost", "Really", critical=True, impact=Impact.DATA, affected="My kumquat"
    )
    return tickets.create(1, ACCOUNT, zoe, draft, NOW)


def test_their_own_ticket_keeps_its_course_alone() -> None:
    sam = present(ACCOUNT.person("sam"))
    before = critical().ticket
    after = erasure.erase_from_own_ticket(desk.downgrade(before, sam, "Only your kumquat", NOW).ticket, ZOES)
    assert "kumquat" not in after.model_dump_json()
    assert "Zoe" not in after.model_dump_json()
    assert (after.state, after.impact, after.created, after.messages) == (
        TicketState.NEW,
        Impact.DATA,
        NOW,
        before.messages + 1,
    )
    assert after.person == "~z"
    assert Ticket.model_validate_json(after.model_dump_json(by_alias=True)) == after


def test_a_specialist_leaves_the_escalation_and_their_open_tickets() -> None:
    sam = present(ACCOUNT.person("sam"))
    taken = desk.claim(critical().ticket, sam, NOW).ticket
    after = erasure.erase_from_desk_ticket(taken, SAMS)
    assert after.specialist is None
    assert after.escalation is not None
    assert [level.people for level in after.escalation.levels] == [("ada",), ()]
    assert after.escalation.acknowledged == ("~s", NOW)
    assert Ticket.model_validate_json(after.model_dump_json(by_alias=True)) == after
    closed = desk.close_desk(taken, sam, NOW + timedelta(minutes=1)).ticket
    assert erasure.erase_from_desk_ticket(closed, SAMS).specialist == "~s"
    assert erasure.erase_from_desk_ticket(after, ZOES) is after


def test_messages() -> None:
    event = Message(id=2, at=NOW, by="zoe", name="Zoe Quill", side="person", kind="event", what="escalated")
    event = event.model_copy(update={"params": {"impact": "data", "affected": "Kumquat", "people": ["sam", "zoe"]}})
    gone = erasure.erase_from_own_message(event, ZOES)
    assert gone.params == {"impact": "data", "affected": "", "people": ["sam", "~z"]}
    assert (gone.by, gone.name, gone.deleted) == ("~z", erasure.GONE, False)
    reply = Message(id=3, at=NOW, by="sam", name="Sam", side="desk", kind="reply", text="Dear Zoe")
    assert (erasure.erase_from_own_message(reply, ZOES).text, erasure.erase_from_own_message(reply, ZOES).name) == (
        "",
        "Sam",
    )
    assert erasure.erase_from_desk_message(reply, ZOES) is reply
    assert (erasure.erase_from_desk_message(reply, SAMS).text, erasure.erase_from_desk_message(reply, SAMS).by) == (
        "",
        "~s",
    )


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("Zoe Quill wrote", True),
        ("zoe quill", True),
        ("slack:T1:UZOE", True),
        ("UZOEX", False),
        ("Zoe Quillon", False),
        ("zoe@example.com.", True),
        ("Zoe", False),
        ("", False),
    ],
)
def test_who_is_named(text: str, named: bool) -> None:
    assert ZOES.named_in(text) is named
    assert erasure.ErasedPerson("~x", (), ()).named_in(text) is False


def test_data_without_them() -> None:
    noted = {"by": "zoe", "what": "number.edited", "details": {"label": "Zoe Quill's", "n": 3, "to": ["zoe", "max"]}}
    expected = {"by": "~z", "what": "number.edited", "details": {"label": "—", "n": 3, "to": ["~z", "max"]}}
    assert ZOES.erase_from(noted) == expected
