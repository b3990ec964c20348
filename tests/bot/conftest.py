"""What tests of both platforms share."""

from collections.abc import Callable

import pytest


@pytest.fixture
def logged(capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> Callable[[], str]:
    """What has been logged: printed while nobody has configured the logs, in the library's hands afterwards."""

    def text() -> str:
        return capsys.readouterr().out + caplog.text

    return text
