"""What people do in the pretend Slack, for tests and for the page alike.

Every action returns an ``ActionResult``: what the app answered and what the person reads if it failed. An action that
Slack's client would not allow (a button that isn't there, somebody else's ephemeral message) raises ``LookupError``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from playground.slack import payloads
from playground.slack.blocks import check_options
from playground.slack.core import Core
from playground.slack.delivery import AppRequest, AppResponse
from playground.slack.elements import is_stateful
from playground.slack.errors import SlackError
from playground.slack.find import Container, Control, find_control
from playground.slack.forms import choose, options_of, state_of
from playground.slack.picking import picked_files
from playground.slack.world import Channel, Message, User, View

Json = dict[str, Any]
TROUBLE: Final = "We had some trouble connecting. Try again?"
MOST_KEPT_SUGGESTIONS: Final = 1_000


@dataclass(frozen=True, slots=True)
class ActionResult:
    """How an action went. ``error`` is empty or a code (``operation_timeout``, ``dispatch_failed``, …); ``errors``
    are the field errors on show, by block id; ``notice`` what the person reads; ``sent`` what the app was sent."""

    error: str = ""
    errors: dict[str, str] = field(default_factory=dict)
    notice: str = ""
    sent: AppRequest | None = None
    reply: AppResponse | None = None
    options: list[Json] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether nothing went wrong."""
        return not self.error and not self.errors

    @property
    def seconds(self) -> float:
        """How long the app took to answer; 0 when nothing was sent."""
        return self.reply.seconds if self.reply else 0.0


class People(Core):
    """What each person can do. A person or channel is named by id, handle or name."""

    _suggested: dict[tuple[str, str, str], list[Json]]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._suggested = {}

    # -- looking

    def place(self, user: str, where: str = "") -> Channel:
        """The channel ``where`` (id or name); empty: the person's conversation with the app.

        Raises ``LookupError`` when the person isn't in it.
        """
        who = self.world.user(user)
        channel = self.world.channel(where, who.team) if where else self.world.im(who)
        if channel.team != who.team or who.id not in channel.members:
            raise LookupError(f"{who.name} is not in {channel.name or channel.id}")
        return channel

    def messages(self, user: str, where: str = "") -> list[Message]:
        """What the person sees in a channel (empty: in their conversation with the app), oldest first."""
        return self.world.visible(self.place(user, where).id, self.world.user(user).id)

    def last(self, user: str, where: str = "") -> Message:
        """The newest of ``messages``."""
        found = self.messages(user, where)
        if not found:
            raise LookupError("there is no message")
        return found[-1]

    def dialog(self, user: str) -> View:
        """The topmost dialog that a person has open. Raises ``LookupError`` for none."""
        stack = self.world.dialogs(self.world.user(user).id)
        if not stack:
            raise LookupError(f"no dialog is open before {user}")
        return stack[-1]

    def home(self, user: str) -> View:
        """The home tab published for a person. Raises ``LookupError`` for none."""
        found = self.world.homes.get(self.world.user(user).id)
        if found is None:
            raise LookupError(f"no home is published for {user}")
        return found

    # -- acting

    async def command(self, user: str, where: str, word: str, text: str = "") -> ActionResult:
        """Types a slash command; ``word`` may hold the whole line (``/numbers get DE``)."""
        who, channel = self.world.user(user), self.place(user, where)
        if not text:
            word, _, text = word.partition(" ")
        known, installed = self.manifest.command(word), self.world.workspaces[channel.team].installed
        if known is None or not installed:
            return ActionResult("invalid_command", notice=f"{word} is not a valid command.")
        sent = payloads.command(self, who, channel, word, text.strip())
        reply = await self.deliver(sent)
        if not reply.error:
            try:
                self._show_answer(channel, who, reply.answer)
            except SlackError as refusal:
                self.troubles.append(f"answer to {word}: {refusal}")
                reply = AppResponse(reply.status, reply.answer, refusal.error, reply.seconds, reply.headers)
        notice = f'{word} failed with the error "{reply.error}"' if reply.error else ""
        return ActionResult(reply.error, notice=notice, sent=sent, reply=reply)

    def _show_answer(self, channel: Channel, who: User, answer: Any) -> None:
        if answer is None:
            return
        source: Json = answer if isinstance(answer, dict) else {"text": str(answer)}
        kind = source.get("response_type", "ephemeral")
        if kind not in ("ephemeral", "in_channel"):
            raise SlackError("invalid_arguments", f"[ERROR] unknown response_type {kind}")
        if source.get("text") or source.get("blocks"):
            self.answer_as_bot(channel, source, only_for="" if kind == "in_channel" else who.id)

    def current(self, user: User, shown: Container) -> Container:
        """The message or view in its current state, which ``shown`` may be older than. Raises ``LookupError`` where the
        person cannot see it."""
        if isinstance(shown, Message):
            now: Container | None = self.world.message(shown.channel, shown.ts)
            theirs = now is not None and user.id in self.world.channels[shown.channel].members
            if not theirs or shown.ephemeral_to not in ("", user.id):
                raise LookupError("this message is not before them")
        else:
            now = self.world.views.get(shown.id) or self.world.homes.get(shown.user)
            if shown.user != user.id or now is None or now.id != shown.id:
                raise LookupError("this view is not before them")
        assert now is not None  # noqa: S101 - both branches have seen to it
        return now

    def _state(self, user: User, shown: Container) -> Json:
        if isinstance(shown, View):
            return shown.state
        own = state_of(shown.blocks, shown.state.get(user.id))
        shown.state[user.id] = own
        return own

    def _person_or_channel(self, name: str) -> str:
        try:
            return self.world.user(name).id
        except LookupError:
            return self.world.channel(name).id

    async def press(
        self,
        user: str,
        shown: Container,
        name: str,
        value: Any = None,
        *,
        within: str = "",
        confirm: bool = True,
    ) -> ActionResult:
        """Presses the button or menu entry ``name``, or sets the control ``name`` to ``value``; see ``forms.choose``.

        ``confirm`` says what the person answers when asked whether they are sure.
        """
        who = self.world.user(user)
        control = find_control(shown, name, within=within)
        if control.element["type"] == "overflow" and control.option is None:
            options = control.element["options"]
            picked = [o for o in options if value in (o["text"]["text"], o["value"])]
            if not picked:
                raise LookupError(f"{name!r} is a menu: say which of {[o['text']['text'] for o in options]}")
            control = Control(control.block, control.element, control.names, control.near, picked[0])
        return await self.act(who, self.current(who, shown), control, value, confirm=confirm)

    async def act(
        self, who: User, shown: Container, control: Control, value: Any, *, confirm: bool = True
    ) -> ActionResult:
        """Presses or fills a control."""
        state = None
        self._state(who, shown)  # untouched elements are sent too, empty
        if is_stateful(control.element):
            state = await self.enter(who, shown, control, value)
        dispatched = control.block["type"] != "input" or control.block.get("dispatch_action")
        if not dispatched or (control.element.get("confirm") and not confirm):
            return ActionResult()
        if not self.manifest.interactive or not self.world.workspaces[payloads.team_of(self, shown)].installed:
            return ActionResult("not_interactive", notice="This app is not configured to handle interactive responses.")
        sent = payloads.action(self, who, shown, control, state)
        reply = await self.deliver(sent)
        return ActionResult(reply.error, notice=TROUBLE if reply.error else "", sent=sent, reply=reply)

    async def enter(self, who: User, shown: Container, control: Control, value: Any) -> Json:
        """Types or chooses; nothing is sent to the app but the search of an external select."""
        element, block = control.element, control.block
        if element["type"] == "file_input":
            given: Json = {"type": "file_input", "files": picked_files(self, who, element, value)}
            self._state(who, shown).setdefault(block["block_id"], {})[element["action_id"]] = given
            return given
        offered = options_of(element)
        if "external_select" in element["type"]:
            key = (who.id, block["block_id"], element["action_id"])
            offered = [*self._suggested.get(key, []), *_initial_options(element)]
            wanted = value if isinstance(value, list) else [value]
            for item in wanted:
                if isinstance(item, str) and not any(item in (o["value"], o["text"]["text"]) for o in offered):
                    offered += (await self.search(who, shown, control, item)).options
        state = choose(control, value, offered, self._person_or_channel)
        self._state(who, shown).setdefault(block["block_id"], {})[element["action_id"]] = state
        return state

    async def suggest(self, user: str, shown: Container, name: str, query: str, *, within: str = "") -> ActionResult:
        """Types into an external select; the ``options`` of the outcome are what the app offers."""
        who = self.world.user(user)
        return await self.search(who, self.current(who, shown), find_control(shown, name, within=within), query)

    async def search(self, who: User, shown: Container, control: Control, query: str) -> ActionResult:
        """Searches with an external select; a query below its ``min_query_length`` is not sent."""
        if len(query) < control.element.get("min_query_length", 3):
            return ActionResult()
        sent = payloads.suggestion(self, who, shown, control, query)
        reply = await self.deliver(sent)
        wrong = [reply.error] if reply.error else check_options(reply.answer)
        if wrong:
            self.troubles.append(f"options for {control.element['action_id']}: {'; '.join(wrong)}")
            return ActionResult(
                reply.error or "invalid_options", notice="Unable to load options", sent=sent, reply=reply
            )
        options = options_of(reply.answer)
        if len(self._suggested) > MOST_KEPT_SUGGESTIONS:
            self._suggested.clear()
        key = (who.id, control.block["block_id"], control.element["action_id"])
        self._suggested[key] = options
        return ActionResult(sent=sent, reply=reply, options=options)


def _initial_options(element: Json) -> list[Json]:
    first = element.get("initial_options", [])
    return [*first, element["initial_option"]] if "initial_option" in element else list(first)
