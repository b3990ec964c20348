"""What is kept under a change's id for a day: the words stay, for processes of another version read them."""

import pytest

from handlers.blocklist.importing import ImportRead
from handlers.blocklist.results import BlockResult, SwitchResult, UnblockResult, UndoResult
from handlers.framework.results import Result
from handlers.numbers.addon_request import AddonRequestResult
from handlers.numbers.registration import CodeResult, RegistrationResult
from handlers.numbers.results import (
    AssignResult,
    DeleteResult,
    EditResult,
    ForwardResult,
    GetResult,
    OrderRefusalResult,
)
from handlers.workflows import ROUTES

KEPT: tuple[tuple[str, Result], ...] = (
    ("got|+44|pending", GetResult("+44", "pending")),
    ("order_refused|+44|sold:21422", OrderRefusalResult("+44", "sold:21422")),
    ("assigned|+44|max", AssignResult("+44", "max")),
    ("assigned|+44|", AssignResult("+44", None)),
    ("forwarded|+44||", ForwardResult("+44", None, None)),
    ("edited|+44|max|+49|12", EditResult("+44", "max", "+49", "12")),
    ("deleted|+44|1764500000", DeleteResult("+44", 1764500000)),
    ("registered|+44|", RegistrationResult("+44", None)),
    ("code_sent|+44", CodeResult("+44")),
    ("more_asked|numbers|5", AddonRequestResult("numbers", 5)),
    ("blocked|anonymous||inbound|", BlockResult("anonymous", "", "inbound", None)),
    ("blocked|number|+44|both|1764500000", BlockResult("number", "+44", "both", 1764500000)),
    ("unblocked|anonymous", UnblockResult("anonymous")),
    ("block_undone|number|+44", UndoResult("number|+44")),
    ("blocklist_switched|off", SwitchResult("off")),
    ("import_read|list.csv", ImportRead("list.csv")),
)


@pytest.mark.parametrize(("text", "result"), KEPT)
def test_a_result_is_kept_in_the_same_words(text: str, result: Result) -> None:
    assert (result.pack(), ROUTES.parse_result(text)) == (text, result)


@pytest.mark.parametrize("text", ["", "nonsense", "assigned", "assigned|+44", "deleted|+44|soon"])
def test_what_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"result|invalid literal"):
        ROUTES.parse_result(text)
