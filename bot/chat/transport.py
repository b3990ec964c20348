"""The calls that a platform's adapter makes for the outbox's senders."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from bot.chat.api import ApiResult
from handlers.framework.events import Actor, Address
from handlers.framework.screens import Screen
from store.engine.effects import SendResult
from store.engine.posts import MessageRef


class Transport(Protocol):
    """Screens are sent once; posts are messages that are updated where they stand."""

    @property
    def platform(self) -> str: ...

    @property
    def no_access(self) -> frozenset[str]:
        """Errors that end only when somebody gives the bot access again."""

    # Screens.

    async def reader(self, to: Address, user: str) -> Actor:
        """The person that a screen is drawn for, as far as they are known. Raises `StoreUnavailable`."""

    async def answer(self, to: Address, screen: Screen, *, replace: bool, in_doubt: bool) -> ApiResult | None:
        """Shows a screen at `to.reply`, replacing what is there or beside it; None: it can't be shown there. In doubt,
        it is shown again only where that can't show it twice."""

    async def say(self, to: Address, screen: Screen, id: str, *, in_doubt: bool) -> SendResult:
        """Posts a message to a person or a channel; `id`: its effect's. Raises `InDoubt`."""

    async def update_home(self, to: Address, draw: Callable[[Actor], Awaitable[Screen | None]]) -> SendResult:
        """Updates the home screen of `to.user`, where there is one. Raises `InDoubt`, `StoreUnavailable`."""

    # Posts.

    def channel_of(self, ref: MessageRef) -> str:
        """The channel of a message."""

    def has_threads(self, to: Address) -> bool: ...

    def is_gone(self, reply: ApiResult) -> bool:
        """Whether a call failed because its message no longer exists."""

    async def find(self, to: Address, id: str, head: MessageRef | None) -> str | None:
        """The name of the message that an earlier try of the effect `id` posted; None: there is none, or the platform
        can't tell. Raises `InDoubt`."""

    async def post(self, to: Address, screen: Screen, id: str, head: MessageRef | None) -> tuple[ApiResult, str | None]:
        """Posts a message; returns its name too. `head`: the head of the thread that it goes to."""

    async def change(self, to: Address, ref: MessageRef, screen: Screen | None) -> ApiResult:
        """Replaces a message's screen; None deletes the message."""

    async def take_away(self, ref: MessageRef) -> ApiResult:
        """Deletes a message that stands elsewhere than where its post goes now."""
