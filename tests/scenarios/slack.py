"""People at the pretend Slack: commands in a channel, answers that only they see, and what the bot writes to them."""

import re
from collections.abc import Mapping
from typing import Any, Final

import orjson

from playground.slack.find import Control, find_control, visible_text
from playground.slack.forms import KEYS, MULTI
from playground.slack.people import ActionResult
from playground.slack.pretend import PretendSlack
from playground.slack.world import Message, User, View
from tests import present
from tests.scenarios.actors import Dialog, Key, NotThere, Person, flat

CHANNEL: Final = "general"
_DATE: Final = re.compile(r"<!date\^[^|>]*\|([^>]*)>")
_LINK: Final = re.compile(r"<(?:https?|mailto|tel):[^|>]*\|([^>]*)>")


def read(shown: Message | View) -> str:
    """The words as Slack's client shows them, its marks taken away."""
    text = _LINK.sub(r"\1", _DATE.sub(r"\1", visible_text(shown))).replace("*", "")
    return flat(text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))


class SlackPerson(Person):
    """Types in a channel, where the answers are theirs alone."""

    platform = "slack"

    def __init__(self, slack: PretendSlack, user: User) -> None:
        super().__init__(user.real_name)
        self._slack = slack
        self._user = user
        self._errors: dict[str, str] = {}  # in the dialog, by block
        self._last: ActionResult | Message | None = None

    async def _command(self, text: str, *, channel: bool) -> None:
        self._done(await self._slack.command(self._user.id, CHANNEL if channel else "", f"/{text}"))

    async def _say(self, text: str) -> None:
        self._last = await self._slack.say(self._user.id, "", text)

    async def _drop(self, name: str, content: bytes, text: str) -> None:
        self._last = await self._slack.say(self._user.id, "", text, files={name: content})

    async def _take(self, name: str) -> bytes | None:
        return self._slack.downloads(self._user.id).get(name)

    def _messages(self) -> dict[Key, Message]:
        return {(m.channel, m.ts): m for m in self._seen() if m.bot_id}

    def _seen(self) -> list[Message]:
        """Everything in the channels that they are in, and in their chat with the bot."""
        channels = [c for c in self._slack.world.channels.values() if self._user.id in c.members and not c.is_im]
        seen = [message for channel in channels for message in self._slack.messages(self._user.id, channel.name)]
        return [*seen, *self._slack.messages(self._user.id)]

    def _screens(self) -> dict[Key, str]:
        return {key: read(message) for key, message in self._messages().items()}

    def _told(self) -> list[str]:
        return [read(m) for m in self._slack.messages(self._user.id) if m.bot_id and not m.ephemeral_to]

    def _top(self) -> View | None:
        stack = self._slack.world.dialogs(self._user.id)
        return stack[-1] if stack else None

    def _dialog(self) -> Dialog | None:
        view = self._top()
        if view is None:
            return None
        inputs = {b["block_id"]: b["label"]["text"] for b in view.blocks if b["type"] == "input"}
        fields = {
            inputs[block]: _value(state)
            for block, elements in view.state.items()
            for state in elements.values()
            if block in inputs
        }
        errors = {inputs[block]: text for block, text in self._errors.items() if block in inputs}
        submit = view.body.get("submit") or {"text": ""}
        return Dialog(view.body["title"]["text"], read(view), submit["text"], fields, errors)

    def _has(self, screen: Key, label: str, near: str) -> bool:
        return _control(self._messages()[screen], label, near) is not None

    async def _press(self, screen: Key, label: str, near: str, forged: Mapping[str, str]) -> None:
        await self._use(self._messages()[screen], label, near, forged)

    async def _press_in_dialog(self, label: str) -> None:
        view = present(self._top())
        await self._use(view, label, "", {})
        await self._slack.settled()

    async def _use(self, shown: Message | View, label: str, near: str, forged: Mapping[str, str]) -> None:
        control = _control(shown, label, near)
        if control is None:
            raise NotThere(f"{self}: no {label!r} near {near!r} on {read(shown)}")
        if forged:
            option = _changed(control.option, forged) if control.option else None
            control = Control(control.block, _changed(control.element, forged), control.names, control.near, option)
        self._done(await self._slack.act(self._user, self._slack.current(self._user, shown), control, None))

    async def _fill(self, values: Mapping[str, str]) -> None:
        for label, value in values.items():
            try:
                await self._slack.fill(self._user.id, {label: value})
            except LookupError as missing:
                raise NotThere(f"{self}: {missing}") from None

    async def _send(self, forged: Mapping[str, str]) -> None:
        view = present(self._top())
        if forged:
            view.body = _changed(view.body, forged)
        outcome = await self._slack.submit(self._user.id)
        self._errors = outcome.errors
        assert not outcome.error, f"{self}: {outcome.notice} {self._slack.troubles}"
        if outcome.sent:
            self._last = outcome

    async def _close(self) -> None:
        await self._slack.dismiss(self._user.id)

    async def _open_home(self) -> None:
        await self._slack.open_home(self._user.id)

    def _home(self) -> str | None:
        view = self._slack.world.homes.get(self._user.id)
        return read(view) if view else None

    async def _press_at_home(self, label: str, near: str) -> None:
        await self._use(self._slack.home(self._user.id), label, near, {})

    async def _open_asked(self, title: str) -> None:
        """A slash command opens its dialog by itself."""

    async def _reply(self, screen: Key, text: str) -> None:
        head = self._messages()[screen]
        channel = self._slack.world.channels[head.channel]
        where = "" if channel.is_im else channel.name
        await self._slack.say(self._user.id, where, text, thread_ts=head.thread_ts or head.ts)

    def _said(self, text: str) -> Message:
        found = [m for m in self._seen() if m.user == self._user.id and text in visible_text(m)]
        if not found:
            raise NotThere(f"{self} has not said {text!r}")
        return found[-1]

    async def _change(self, was: str, becomes: str) -> None:
        await self._slack.change(self._user.id, self._said(was), becomes)

    async def _take_back(self, text: str) -> None:
        await self._slack.take_back(self._user.id, self._said(text))

    async def _repeat(self, times: int) -> None:
        assert self._last is not None, f"{self} has done nothing"
        if isinstance(self._last, Message):
            await self._slack.repeat_event(self._last, times)
            return
        for _ in range(times):
            again = await self._slack.repeat(self._last)
            assert again.ok, f"{self}: {again.error}"

    def _done(self, outcome: ActionResult) -> None:
        assert outcome.ok, f"{self}: {outcome.notice} {outcome.errors} {self._slack.troubles}"
        self._errors = {}
        self._last = outcome


def _control(shown: Message | View, label: str, near: str) -> Control | None:
    """What goes by the label. Raises NotThere where several do."""
    try:
        return find_control(shown, label, within=near)
    except LookupError as missing:
        if "go by" in str(missing):
            raise NotThere(str(missing)) from None
        return None


def _changed(data: Any, forged: Mapping[str, str]) -> Any:
    text = orjson.dumps(data).decode()
    for was, becomes in forged.items():
        assert was in text, f"{was!r} is not in {text}"
        text = text.replace(was, becomes)
    return orjson.loads(text)


def _value(state: Mapping[str, Any]) -> str:
    """A field's value as its reader sees it: what is typed, or the words of what is chosen."""
    kind = state["type"]
    value = state[KEYS[kind][0]]
    if kind in MULTI:
        return ", ".join(one["name"] if "name" in one else one["text"]["text"] for one in value)
    return value["text"]["text"] if isinstance(value, dict) else value or ""
