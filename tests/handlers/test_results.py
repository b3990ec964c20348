"""What is kept under a change's id for a day: the words stay, for processes of another version read them."""

import pytest

from handlers.blocklist.importing import ImportRead
from handlers.blocklist.results import Blocked, BlockUndone, Switched, Unblocked
from handlers.framework.results import Result
from handlers.numbers.addon_request import MoreAsked
from handlers.numbers.registration import CodeSent, Registered
from handlers.numbers.results import Assigned, Deleted, Edited, Forwarded, Got, OrderRefused
from handlers.workflows import ROUTES

KEPT: tuple[tuple[str, Result], ...] = (
    ("got|+44|pending", Got("+44", "pending")),
    ("order_refused|+44|sold:21422", OrderRefused("+44", "sold:21422")),
    ("assigned|+44|max", Assigned("+44", "max")),
    ("assigned|+44|", Assigned("+44", None)),
    ("forwarded|+44||", Forwarded("+44", None, None)),
    ("edited|+44|max|+49|12", Edited("+44", "max", "+49", "12")),
    ("deleted|+44|1764500000", Deleted("+44", 1764500000)),
    ("registered|+44|", Registered("+44", None)),
    ("code_sent|+44", CodeSent("+44")),
    ("more_asked|numbers|5", MoreAsked("numbers", 5)),
    ("blocked|anonymous||inbound|", Blocked("anonymous", "", "inbound", None)),
    ("blocked|number|+44|both|1764500000", Blocked("number", "+44", "both", 1764500000)),
    ("unblocked|anonymous", Unblocked("anonymous")),
    ("block_undone|number|+44", BlockUndone("number|+44")),
    ("blocklist_switched|off", Switched("off")),
    ("import_read|list.csv", ImportRead("list.csv")),
)


@pytest.mark.parametrize(("text", "result"), KEPT)
def test_a_result_is_kept_in_the_same_words(text: str, result: Result) -> None:
    assert (result.pack(), ROUTES.parse_result(text)) == (text, result)


@pytest.mark.parametrize("text", ["", "nonsense", "assigned", "assigned|+44", "deleted|+44|soon"])
def test_what_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"result|invalid literal"):
        ROUTES.parse_result(text)
