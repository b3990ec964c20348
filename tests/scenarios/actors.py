"""What a person does at a chat client and what they see there, the same on every platform.

Steps are written against `Person`; a platform's driver gives the few things below that only it knows. What somebody
sees is the dialog before them, else everything that came or changed since they last did something.
"""

import asyncio
import re
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Final

from tests import present

PATIENCE: Final = 6.0  # seconds that somebody waits for what they expect to see
_GAP: Final = 0.01

Key = Hashable


@dataclass(frozen=True, slots=True)
class Dialog:
    """The dialog before a person. `fields` and `errors` go by the fields' labels."""

    title: str
    words: str
    submit: str
    fields: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)


class NotThere(LookupError):
    """There is no such control, or more than one."""


class Person(ABC):
    """Somebody of the company. A step waits up to `PATIENCE` for what it names; its failure shows what was there."""

    platform: str

    def __init__(self, name: str) -> None:
        self.name = name
        self._known: dict[Key, str] = {}  # what every screen said when they last did something
        self._latest: dict[Key, str] = {}  # what it says, those that changed last at the end

    # ── What a platform's driver gives ──────────────────────────────────────────────────────────────────────────

    @abstractmethod
    async def _command(self, text: str, *, channel: bool) -> None:
        """Gives a command, in private or in a channel where others are."""

    @abstractmethod
    async def _say(self, text: str) -> None:
        """Writes to the bot."""

    @abstractmethod
    async def _drop(self, name: str, content: bytes, text: str) -> None:
        """Drops a file into the chat with the bot, perhaps with a few words."""

    @abstractmethod
    async def _take(self, name: str) -> bytes | None:
        """The file of that name that came last, taken where it is only offered; None: none has come."""

    @abstractmethod
    def _screens(self) -> dict[Key, str]:
        """The words of every message of the bot that this person sees, oldest first."""

    @abstractmethod
    def _told(self) -> list[str]:
        """The words of what the bot wrote to this person in private."""

    @abstractmethod
    def _dialog(self) -> Dialog | None: ...

    @abstractmethod
    def _has(self, screen: Key, label: str, near: str) -> bool:
        """Whether the control is on that screen. Raises NotThere where several are."""

    @abstractmethod
    async def _press(self, screen: Key, label: str, near: str, forged: Mapping[str, str]) -> None:
        """Presses a control of a message. `forged`: texts that somebody has changed in the control's data."""

    @abstractmethod
    async def _press_in_dialog(self, label: str) -> None: ...

    @abstractmethod
    async def _fill(self, values: Mapping[str, str]) -> None:
        """Types or chooses, by the labels of fields and options. Raises NotThere."""

    @abstractmethod
    async def _send(self, forged: Mapping[str, str]) -> None:
        """Sends the dialog off. `forged`: texts that somebody has changed in its hidden state."""

    @abstractmethod
    async def _close(self) -> None: ...

    @abstractmethod
    async def _open_home(self) -> None: ...

    @abstractmethod
    def _home(self) -> str | None:
        """The words of the home screen as this person has it before them."""

    @abstractmethod
    async def _press_at_home(self, label: str, near: str) -> None: ...

    @abstractmethod
    async def _repeat(self, times: int) -> None:
        """Delivers what the person last did once more, `times` times, as networks do."""

    @abstractmethod
    async def _open_asked(self, title: str) -> None:
        """Presses the button that opens the dialog, on a platform that answers a command with one."""

    @abstractmethod
    async def _reply(self, screen: Key, text: str) -> None:
        """Writes below a message of the bot; where there are no threads, after it."""

    @abstractmethod
    async def _change(self, was: str, becomes: str) -> None:
        """Changes what they had said. Raises NotThere."""

    @abstractmethod
    async def _take_back(self, text: str) -> None:
        """Deletes what they had said. Raises NotThere."""

    # ── What people do ──────────────────────────────────────────────────────────────────────────────────────────

    async def types(self, text: str, *, dialog: str = "", in_channel: bool = False) -> None:
        """Gives a command ("numbers get GB"). `dialog`: the title of the dialog that it leads to."""
        self._mark()
        await self._command(text, channel=in_channel)
        if dialog:
            await self._open_asked(dialog)
            await self.is_asked(dialog)

    async def says(self, text: str) -> None:
        self._mark()
        await self._say(text)

    async def drops(self, name: str, content: str | bytes, text: str = "") -> None:
        """Drops a file into the chat with the bot, perhaps with a few words."""
        self._mark()
        await self._drop(name, content.encode() if isinstance(content, str) else content, text)

    async def gets_file(self, name: str) -> bytes:
        """What is in the file of that name that the bot sends them, once it has come."""
        try:
            async with asyncio.timeout(PATIENCE):
                while (content := await self._take(name)) is None:  # noqa: ASYNC110 - what has come has no event to wait for
                    await asyncio.sleep(_GAP)
        except TimeoutError:
            raise AssertionError(f"{self}: no file {name!r} came\n— told: {self._told()[-5:]}") from None
        return content

    async def writes_below(self, near: str, text: str) -> None:
        """Writes in the thread of the bot's message with that text on it, the first one that has it."""
        found: list[Key] = []

        def there() -> bool:
            found[:] = [key for key, words in self._screens().items() if near in words][:1]
            return bool(found)

        await self._until(there, f"nothing with {near!r} on it")
        self._mark()
        await self._reply(found[0], text)

    async def changes(self, was: str, becomes: str) -> None:
        """Changes what they had written."""
        self._mark()
        await self._change(was, becomes)

    async def takes_back(self, text: str) -> None:
        """Deletes what they had written."""
        self._mark()
        await self._take_back(text)

    async def loses(self, text: str) -> None:
        """No message of the bot says that any more."""
        await self._until(lambda: not any(text in said for said in self._screens().values()), f"{text!r} is there")

    async def presses(
        self,
        label: str,
        near: str = "",
        *,
        dialog: str = "",
        just_come: bool = False,
        forged: Mapping[str, str] | None = None,
    ) -> None:
        """Presses a button or a menu's entry: in the dialog where there is one, else on what came last and has it.
        `near`: words beside it. `dialog`: the title of the dialog that opens. `just_come`: on what is new."""
        shown = self._dialog()
        if shown is not None:
            await self._press_in_dialog(label)
        else:
            screen: Key = await self._find(label, near, just_come=just_come)
            self._mark()
            await self._press(screen, label, near, forged or {})
        if dialog:
            await self.is_asked(dialog)

    async def fills(self, values: Mapping[str, str]) -> None:
        """Types or chooses in the dialog, by label."""
        await self._until(lambda: self._dialog() is not None, "no dialog is open")
        await self._fill(values)

    async def sends(self, label: str, *, forged: Mapping[str, str] | None = None) -> None:
        """Sends the dialog off with its button."""
        await self._until(lambda: self._dialog() is not None, "no dialog is open")
        shown = present(self._dialog())
        assert shown.submit == label, f"{self}: the dialog's button is {shown.submit!r}, not {label!r}"
        self._mark()
        await self._send(forged or {})

    async def closes(self) -> None:
        await self._close()

    async def opens_home(self) -> None:
        await self._open_home()
        await self._until(lambda: self._home() is not None, "no home is shown")

    async def presses_at_home(self, label: str, near: str = "", *, dialog: str = "") -> None:
        self._mark()
        await self._press_at_home(label, near)
        if dialog:
            await self.is_asked(dialog)

    async def repeats(self, times: int = 4) -> None:
        """What they last did arrives again and again."""
        await self._repeat(times)

    # ── What they see ───────────────────────────────────────────────────────────────────────────────────────────

    async def sees(self, *texts: str) -> None:
        """Each of the texts is on the dialog, or else on what came or changed since they last did something."""
        for text in texts:
            await self._until(lambda text=text: text in self._view(), f"{text!r} is not there")  # type: ignore[misc] # the default binds it

    async def sees_no(self, *texts: str) -> None:
        """None of the texts is there, once what is there was seen."""
        for text in texts:
            assert text not in self._view(), f"{self}: {text!r} is on\n{self._view()}"

    async def is_asked(self, title: str, *texts: str) -> None:
        """A dialog of that title is before them, with these texts on it."""
        await self._until(lambda: (d := self._dialog()) is not None and d.title == title, f"no dialog {title!r}")
        await self.sees(*texts)

    async def has_no_dialog(self) -> None:
        await self._until(lambda: self._dialog() is None, "a dialog is open")

    async def sees_error(self, label: str, text: str) -> None:
        """The field with that label is wrong, and why is beside it; the dialog stays. Label "": the form as a whole."""
        if not label:
            await self._until(
                lambda: (d := self._dialog()) is not None and text in d.words, f"{text!r} is not on the dialog"
            )
            return
        await self._until(
            lambda: (d := self._dialog()) is not None and text in d.errors.get(label, ""),
            f"{text!r} is not said at {label!r}",
        )

    async def sees_filled(self, values: Mapping[str, str]) -> None:
        """The dialog's fields hold this."""
        for label, value in values.items():
            await self._until(
                lambda label=label, value=value: (d := self._dialog()) is not None and d.fields.get(label) == value,  # type: ignore[misc] # the defaults bind them
                f"{label!r} does not hold {value!r}",
            )

    async def is_told(self, *texts: str) -> None:
        """The bot has written this to them in private."""
        for text in texts:
            await self._until(lambda text=text: self.times_told(text) > 0, f"{text!r} was not said to them")  # type: ignore[misc] # the default binds it

    def times_told(self, text: str) -> int:
        """How many private messages of the bot hold the text."""
        return sum(text in said for said in self._told())

    async def sees_at_home(self, *texts: str) -> None:
        for text in texts:
            await self._until(lambda text=text: text in (self._home() or ""), f"{text!r} is not at home")  # type: ignore[misc] # the default binds it

    async def sees_no_at_home(self, *texts: str) -> None:
        """The texts go from the home screen, or are not on it."""
        for text in texts:
            await self._until(lambda text=text: text not in (self._home() or ""), f"{text!r} is at home")  # type: ignore[misc] # the default binds it

    # ── How ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def __str__(self) -> str:
        return f"{self.name} on {self.platform}"

    def _look(self) -> dict[Key, str]:
        """All screens, those that changed last at the end."""
        now = self._screens()
        for key, words in now.items():
            if self._latest.get(key) != words:
                self._latest.pop(key, None)
                self._latest[key] = words
        for key in [key for key in self._latest if key not in now]:
            del self._latest[key]
        return self._latest

    def _mark(self) -> None:
        self._known = dict(self._look())

    def _view(self) -> str:
        dialog = self._dialog()
        if dialog is not None:
            return dialog.words
        return "\n\n".join(words for key, words in self._look().items() if self._known.get(key) != words)

    async def _find(self, label: str, near: str, *, just_come: bool) -> Key:
        found: list[Key] = []

        def there() -> bool:
            screens = [k for k, words in self._look().items() if not just_come or self._known.get(k) != words]
            found[:] = [key for key in reversed(screens) if self._has(key, label, near)][:1]
            return bool(found)

        await self._until(there, f"no {label!r} near {near!r}")
        return found[0]

    async def _until(self, true: Callable[[], bool], otherwise: str) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                while not true():  # noqa: ASYNC110 - what a screen shows has no event to wait for
                    await asyncio.sleep(_GAP)
        except TimeoutError:
            dialog = self._dialog()
            raise AssertionError(
                f"{self}: {otherwise}\n— new: {self._view() or 'nothing'}\n— dialog: {dialog}"
                f"\n— told: {self._told()[-5:]}\n— home: {self._home()}"
            ) from None


def flat(text: str) -> str:
    """Words as they are read: without line breaks, and spaces that are none."""
    return re.sub(r"\s+", " ", text).strip()


async def all_at_once(*steps: Awaitable[None]) -> None:
    """What several people do in the same moment."""
    await asyncio.gather(*steps)
