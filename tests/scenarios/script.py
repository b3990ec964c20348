"""Scenarios of a workflow: the functions of its module, in the order they are written."""

import inspect
from collections.abc import Awaitable, Callable
from types import ModuleType

from tests.scenarios.stage import Cast

Scenario = Callable[[Cast], Awaitable[None]]


def scenarios(workflow: ModuleType) -> list[Scenario]:
    return [
        found
        for name, found in vars(workflow).items()
        if inspect.iscoroutinefunction(found) and found.__module__ == workflow.__name__ and not name.startswith("_")
    ]
