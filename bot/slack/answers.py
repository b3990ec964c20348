"""Answers what Slack sends, over HTTP and in Socket Mode, within the three seconds that Slack waits.

`Answers.answer` turns a payload into the response. What takes longer goes on after it in `BackgroundTasks`.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final

from bot.background_tasks import BackgroundTasks
from bot.chat.inbound import OK, STORE_DOWN, HttpReply, Malformed, refusal
from bot.chat.responder import Responder, event_id
from bot.chat.types import Json, Wiring
from bot.slack import render
from bot.slack.display import Display, draw_dialog
from bot.slack.forms import NOTE, inputs, notes, redraw
from bot.slack.installs import Installs
from bot.slack.payloads import AppUninstalled, Interaction, UnhandledPayload, UrlVerification, understand
from bot.telemetry import logger
from handlers.framework.events import ChatMessage, Command, File, HomeRequest, Inbound, OptionsRequest, Press, Submit
from handlers.framework.screens import Errors, Form, Nothing, Notice, Options, Paragraph, Response, Screen
from store.server.connection import StoreUnavailable

FileLookup = Callable[[str, tuple[File, ...]], Awaitable[tuple[File, ...]]]

_log = logger(__name__)

HANDLING: Final = 2.5  # seconds for a handler; Slack waits three for the whole
ANSWERED: Final = 2.85  # seconds by which the answer must be on its way
OPENING: Final = 2.0  # seconds for a dialog to open
_SHORTEST: Final = 0.2
_MOST_LOGGED_KINDS: Final = 10_000  # kinds of payloads that are named in the log once


class Answers(Responder[Interaction]):
    """`find_files` completes files that Slack named by their ids alone."""

    def __init__(
        self,
        wiring: Wiring,
        display: Display,
        installs: Installs,
        work: BackgroundTasks,
        *,
        is_response_url: Callable[[str], bool],
        find_locale: Callable[[str, str], str | None],
        find_files: FileLookup,
        handling: float,
    ) -> None:
        super().__init__(wiring, work, handling)
        self._find_files = find_files
        self._display = display
        self._installs = installs
        self._is_response_url = is_response_url
        self._find_locale = find_locale
        self._logged_kinds: set[str] = set()

    async def answer(self, payload: Json, *, repeated: bool = False) -> HttpReply:
        """The response to a payload; `repeated`: Slack says that it has sent it before."""
        try:
            found = understand(payload, self._is_response_url, self._find_locale)
        except Malformed as fault:
            return refusal(400, str(fault))
        match found:
            case Interaction():
                return await self._serve(replace(found, repeated=True) if repeated else found)
            case AppUninstalled():
                return await self._uninstall(found)
            case UrlVerification():
                return 200, {"challenge": found.text}
            case UnhandledPayload():
                if found.kind not in self._logged_kinds and len(self._logged_kinds) < _MOST_LOGGED_KINDS:
                    self._logged_kinds.add(found.kind)
                    _log.debug("nothing to do for this", payload=found.kind)
                return OK

    async def _uninstall(self, uninstalled: AppUninstalled) -> HttpReply:
        try:
            await self._installs.uninstall(uninstalled)
        except StoreUnavailable:
            return STORE_DOWN
        return OK

    async def _serve(self, interaction: Interaction) -> HttpReply:
        start, event = time.monotonic(), interaction.event
        if isinstance(event, ChatMessage) and self._is_repeat(event.id):
            return OK
        if interaction.org:
            self._work.start(self._note_member(event.actor.workspace, interaction.org))
        return 200, await self._respond(interaction, start)

    async def _complete(self, event: Inbound) -> Inbound:
        if isinstance(event, ChatMessage) and not all(file.name for file in event.files):
            return replace(event, files=await self._find_files(event.actor.workspace, event.files))
        return event

    def _excuse(self, event: Inbound, screen: Screen) -> Response:
        return Nothing() if isinstance(event, HomeRequest) else Notice(screen)

    async def _note_member(self, workspace: str, org: str) -> None:
        try:
            await self._installs.member(workspace, org)
        except StoreUnavailable:
            _log.warning("a workspace of an organisation could not be noted", workspace=workspace)

    async def _answer_now(self, interaction: Interaction, outcome: Response, start: float) -> Json | None:
        match interaction.event:
            case Command():
                return await self._answer_command(interaction, outcome, start)
            case Submit():
                return self._answer_submit(interaction, outcome)
            case OptionsRequest():
                return render.options(outcome if isinstance(outcome, Options) else Options(()))
            case _:
                self._work.start(self._show(interaction, outcome))
                return None

    async def _answer_command(self, interaction: Interaction, outcome: Response, start: float) -> Json | None:
        if isinstance(outcome, Form):
            left = ANSWERED - (time.monotonic() - start)
            if await self._display.open(
                interaction, draw_dialog(interaction, outcome), max(_SHORTEST, min(OPENING, left))
            ):
                return None
            outcome = self._say("late", interaction.event.actor)
        screen = outcome.screen if isinstance(outcome, Notice) else outcome
        if not isinstance(screen, Screen):
            return None
        if interaction.surface == "shortcut":  # there is no message to answer in
            self._work.start(self._show(interaction, screen))
            return None
        return {"response_type": "ephemeral", **render.message(screen)}

    def _answer_submit(self, interaction: Interaction, outcome: Response) -> Json:
        if isinstance(outcome, Form | Errors):
            view = self._redrawn(interaction, outcome)
            if isinstance(view, Errors):
                return {"response_action": "errors", "errors": dict(view.fields)}
            return {"response_action": "update", "view": view}
        if isinstance(outcome, Screen | Notice):
            self._work.start(self._beside(interaction, outcome))
        return {"response_action": "clear"}

    def _redrawn(self, interaction: Interaction, outcome: Form | Errors) -> Json | Errors:
        """The view that follows, or the errors where Slack can show each of them at its field."""
        if isinstance(outcome, Form):
            return draw_dialog(interaction, outcome)
        shown = interaction.view or {}
        known = inputs(shown)
        fields = {name: text.strip() or "–" for name, text in outcome.fields.items()}
        if fields and all(name in known for name in fields):
            return Errors(fields)
        sentences = list(fields.values())
        if outcome.form is None:
            return redraw(shown, notes(sentences))
        event = interaction.event
        form = outcome.form.with_values(event.values) if isinstance(event, Press | Submit) else outcome.form
        return draw_dialog(interaction, form, sentences)

    def _answer_later(self, interaction: Interaction, task: "asyncio.Task[Response]") -> Json | None:
        event = interaction.event
        if isinstance(event, OptionsRequest):
            return render.options(Options(()))
        self._work.start(self._later(interaction, task))
        waiting = self._say("slow", event.actor)
        if isinstance(event, Submit):
            return {"response_action": "update", "view": render.modal(waiting)}
        if isinstance(event, Command) and interaction.surface == "command":
            return {"response_type": "ephemeral", **render.message(waiting)}
        return None

    async def _later(self, interaction: Interaction, task: "asyncio.Task[Response]") -> None:
        outcome = await task
        if not isinstance(interaction.event, Submit):
            await self._show(interaction, outcome)
            return
        if isinstance(outcome, Form | Errors):
            view = self._drawn_over(interaction, outcome)
        else:
            if isinstance(outcome, Screen | Notice):
                await self._beside(interaction, outcome)
            view = render.modal(self._say("finished", interaction.event.actor))
        await self._display.update(interaction, view, whatever_is_there=True)

    def _drawn_over(self, interaction: Interaction, outcome: Form | Errors) -> Json:
        """The view that follows, for `views.update`, where errors can't be shown at their fields."""
        view = self._redrawn(interaction, outcome)
        return redraw(interaction.view or {}, notes(list(view.fields.values()))) if isinstance(view, Errors) else view

    async def _show(self, interaction: Interaction, outcome: Response) -> None:
        match outcome:
            case Screen():
                await self._in_place(interaction, outcome)
            case Notice():
                if interaction.surface == "modal":
                    view = redraw(interaction.view or {}, _notice_blocks(outcome.screen))
                    await self._display.update(interaction, view)
                elif interaction.surface == "home" and await self._display.open(
                    interaction, render.modal(outcome.screen), OPENING
                ):
                    return  # beside the home screen there is no room for it but above
                else:
                    await self._beside(interaction, outcome)
            case Form() | Errors() if interaction.surface == "modal":
                await self._display.update(interaction, self._drawn_over(interaction, outcome))
            case Form():
                if not await self._display.open(interaction, draw_dialog(interaction, outcome), OPENING):
                    await self._beside(interaction, self._say("late", interaction.event.actor))
            case Errors():
                await self._beside(
                    interaction, Screen("", tuple(Paragraph((text,)) for text in outcome.fields.values()))
                )
            case _:
                return

    async def _in_place(self, interaction: Interaction, screen: Screen) -> None:
        actor = interaction.event.actor
        match interaction.surface:
            case "home":
                await self._display.publish(actor.workspace, actor.user, screen)
            case "modal":
                metadata = str((interaction.view or {}).get("private_metadata", ""))
                await self._display.update(interaction, render.modal(screen, metadata))
            case "im" | "mention":
                await self._reply(interaction, screen)
            case _:
                # What was said to a command can't be taken back: its late answer stands below "still working on it".
                await self._to_person(interaction, screen, replace=not isinstance(interaction.event, Command))

    async def _reply(self, interaction: Interaction, screen: Screen) -> None:
        workspace, channel, id = (
            interaction.event.actor.workspace,
            interaction.channel or "",
            event_id(interaction.event),
        )
        if (
            interaction.repeated
            and interaction.surface == "im"
            and await self._display.has_message(workspace, channel, id)
        ):
            return
        await self._display.post(workspace, channel, screen, id, interaction.thread)

    async def _beside(self, interaction: Interaction, outcome: Screen | Notice) -> None:
        """Shows it to the person who acted alone, below what they acted on or as a direct message."""
        await self._to_person(interaction, outcome.screen if isinstance(outcome, Notice) else outcome, replace=False)

    async def _to_person(self, interaction: Interaction, screen: Screen, *, replace: bool) -> None:
        """Posts to the response URL, or as a direct message where there is none or Slack refuses it."""
        event, actor = interaction.event, interaction.event.actor
        url = None if isinstance(event, OptionsRequest) else event.where.reply
        if url is None or not await self._display.respond(url, screen, replace=replace):
            await self._display.post(actor.workspace, actor.user, screen, event_id(event))


def _notice_blocks(screen: Screen) -> list[Json]:
    """The blocks that show a screen above a form until the next answer."""
    above = [*notes([screen.title] if screen.title else []), *render.blocks(screen, 20, tables=0, title=False)]
    return [{**block, "block_id": f"{NOTE}{i}"} for i, block in enumerate(above)]
