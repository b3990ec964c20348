"""The handler behind an adapter under test: a test says what it answers, and sees what came in."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from bot.chat.types import ApologyReason
from handlers.framework.events import Actor, Inbound
from handlers.framework.screens import Nothing, Paragraph, Response, Screen

SENTENCES: dict[ApologyReason, str] = {
    "slow": "Still working on it.",
    "failed": "Something went wrong on our side.",
    "late": "The dialog did not open in time.",
    "finished": "It is done.",
    "file_gone": "It is gone.",
    "file_declined": "It is declined.",
    "file_failed": "It failed.",
}
Answer = Response | Callable[[Inbound], Response | Awaitable[Response]]


def apologize(why: ApologyReason, actor: Actor, reference: str = "") -> Screen:
    return Screen("Switchboard", (Paragraph((f"{SENTENCES[why]} {reference}".strip(),)),))


@dataclass
class Handler:
    """Answers with `answer`, a response or a function; keeps what came in."""

    answer: Answer = field(default_factory=Nothing)
    got: list[Inbound] = field(default_factory=list)

    async def __call__(self, event: Inbound) -> Response:
        self.got.append(event)
        found = self.answer(event) if callable(self.answer) else self.answer
        return await found if isinstance(found, Awaitable) else found

    @property
    def last(self) -> Inbound:
        return self.got[-1]
