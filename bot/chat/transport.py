"""What a platform's adapter does for the senders of the outbox."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from bot.chat.api import ApiResult
from handlers.framework.events import Actor, Address
from handlers.framework.screens import Screen
from store.engine.effects import SendResult
from store.engine.posts import MessageRef


class Transport(Protocol):
    """Screens are said once; posts are messages that are kept up to date where they stand."""

    @property
    def platform(self) -> str: ...

    @property
    def no_access(self) -> frozenset[str]:
        """Errors that mean that somebody has to let us in again."""

    # Screens.

    async def reader(self, to: Address, user: str) -> Actor:
        """Whoever a screen is drawn for, as far as the platform has told of them. Raises `StoreUnavailable`."""

    async def answer(self, to: Address, screen: Screen, *, replace: bool, in_doubt: bool) -> ApiResult | None:
        """Says it at `to.reply`, in the place of what is there where `replace`; None: not there. In doubt, only what
        can be said once more without being said twice is said again."""

    async def say(self, to: Address, screen: Screen, id: str, *, in_doubt: bool) -> SendResult:
        """A message to a person or in a channel; `id` is that of its effect. Raises `InDoubt`."""

    async def update_home(self, to: Address, draw: Callable[[Actor], Awaitable[Screen | None]]) -> SendResult:
        """The home screen of `to.user`, where there is one. Raises `InDoubt`, `StoreUnavailable`."""

    # Posts.

    def channel_of(self, ref: MessageRef) -> str:
        """The channel that a message stands in."""

    def has_threads(self, to: Address) -> bool: ...

    def is_gone(self, reply: ApiResult) -> bool:
        """Whether a message was not changed because there is none."""

    async def find(self, to: Address, id: str, head: MessageRef | None) -> str | None:
        """The name of the message that an earlier try of the effect `id` made; None: there is none, or there is no
        way to know. Raises `InDoubt`."""

    async def post(self, to: Address, screen: Screen, id: str, head: MessageRef | None) -> tuple[ApiResult, str | None]:
        """A new message, and its name; `head`: of the thread that it goes to."""

    async def change(self, to: Address, ref: MessageRef, screen: Screen | None) -> ApiResult:
        """Another screen in the place of a message; None takes it away."""

    async def take_away(self, ref: MessageRef) -> ApiResult:
        """A message goes that stands elsewhere than where its post goes now."""
