"""Answers what Teams posts.

`Answers.answer` turns an activity into a status and a body. A message is answered by a post of its own; a press, a
dialog and a search wait for the body, so after `ANSWERED` it says that the outcome will follow. What goes on after the
response runs in `BackgroundTasks`.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any, Final

from bot.background_tasks import BackgroundTasks, within
from bot.chat.fallback import sentence
from bot.chat.inbound import OK, STORE_DOWN, HttpReply, Malformed, refusal
from bot.chat.responder import Responder, event_id
from bot.chat.types import Json, Wiring
from bot.teams import invoke_responses
from bot.teams.conversations import Conversations
from bot.teams.directory import Directory
from bot.teams.display import Display, message
from bot.teams.invoke_responses import form_button_screen
from bot.teams.payloads import (
    AppInstalled,
    AppRemoved,
    ConversationUpdated,
    FileConsent,
    Interaction,
    UnhandledActivity,
    understand,
)
from bot.teams.reply_references import MessageReference, Seal
from bot.telemetry import logger, new_correlation
from handlers.framework.events import (
    Address,
    ChatMessage,
    HomeRequest,
    Inbound,
    Mention,
    MessageDeletion,
    MessageEdit,
    Press,
    Submit,
)
from handlers.framework.screens import Errors, Form, Notice, Options, Response, Screen
from store.server.connection import StoreUnavailable

_log = logger(__name__)

HANDLING: Final = 2.0  # seconds for a handler before the person sees that the bot is typing
ANSWERED: Final = 3.0  # seconds by which a press, a dialog or a search gets its response


class Answers(Responder[Interaction]):
    """`is_local`: whether a service URL leads to this machine, where no token proves it; None: a token does.
    `on_consent` is told what people answer to files that were offered to them."""

    def __init__(
        self,
        wiring: Wiring,
        display: Display,
        conversations: Conversations,
        directory: Directory,
        work: BackgroundTasks,
        seal: Seal,
        *,
        is_local: Callable[[str], bool] | None,
        on_consent: Callable[[FileConsent], Coroutine[Any, Any, None]],
        handling: float,
        answered: float,
    ) -> None:
        super().__init__(wiring, work, handling)
        self._on_consent = on_consent
        self._display = display
        self._conversations = conversations
        self._directory = directory
        self._seal = seal
        self._is_local = is_local
        self._installed = wiring.installed
        self._answered = max(handling, answered)
        self._sending_home: set[tuple[str, str | None]] = set()  # whose first home card is on its way

    async def answer(self, activity: Json) -> HttpReply:
        """Status and body of the response to an activity."""
        try:
            found = understand(activity, self._seal, is_local=self._is_local)
        except Malformed as fault:
            return refusal(400, str(fault))
        try:
            match found:
                case Interaction():
                    return await self._serve(found, activity)
                case AppInstalled():
                    await self._welcome(found)
                case AppRemoved():
                    await self._conversations.mark_removed(found.origin)
                case ConversationUpdated():
                    await self._conversations.note(found.origin)
                case FileConsent():
                    await self._conversations.note(found.origin)
                    self._work.start(self._on_consent(found))
                case UnhandledActivity() if found.awaited:
                    return refusal(501, f"The bot answers no {found.kind}.")
        except StoreUnavailable:
            return STORE_DOWN
        return OK

    async def _welcome(self, installed: AppInstalled) -> None:
        await self._conversations.note(installed.origin, installed=True)
        if not self._is_repeat(installed.id):
            self._work.start(self._greet(installed))

    async def _greet(self, installed: AppInstalled) -> None:
        """Tells `Wiring.installed`, and sends the home card where there is none."""
        origin = installed.origin
        await self._installed(origin.tenant, origin.user, installed.actor.other_ids)
        person = (origin.tenant, origin.user)
        # Teams tells of one installation in two ways at once: one card is enough.
        if not (origin.personal and installed.home) or person in self._sending_home:
            return
        self._sending_home.add(person)
        try:
            wanted = await self._conversations.is_account_tenant(origin.tenant)
            if wanted and await self._conversations.home(origin.tenant, origin.user) is None:
                where = Address(installed.actor.platform, origin.tenant, origin.user)
                outcome = await self._run(HomeRequest(installed.actor, where), new_correlation())
                await self._send_home(origin.tenant, origin.user, outcome)
        except StoreUnavailable as error:
            _log.warning("no home card was sent", why=str(error))
        finally:
            self._sending_home.discard(person)

    async def _serve(self, interaction: Interaction, activity: Json) -> HttpReply:
        start = time.monotonic()
        # The store knows repeats of what goes through the outbox; repeats of what is shown at once are known only here.
        if interaction.kind in {"message", "home"} and self._is_repeat(
            event_id(interaction.event) or str(activity.get("id"))
        ):
            return OK
        await self._note_origin(interaction)
        return 200, await self._respond(await self._without_home_reply(interaction), start)

    async def _wait_longer(self, interaction: Interaction, task: "asyncio.Task[Response]") -> None:
        if interaction.kind != "search" and not isinstance(interaction.event, MessageEdit | MessageDeletion):
            self._work.start(self._display.typing(_reply_address(interaction)))
        if interaction.kind not in {"message", "home"}:
            await within(task, self._answered - self._handling)

    async def _note_origin(self, interaction: Interaction) -> None:
        """Keeps where somebody can be reached. Where the store does not answer, the handler tells the person."""
        origin, event = interaction.origin, interaction.event
        self._directory.note_conversation(origin.tenant, origin.user, origin.service, origin.conversation)
        # The roster of a personal chat has nobody else.
        if isinstance(event, ChatMessage) and not origin.personal:
            for word in event.words:
                if isinstance(word, Mention):
                    self._directory.note_conversation(origin.tenant, word.user, origin.service, origin.conversation)
        try:
            await self._conversations.note(origin)
        except StoreUnavailable as error:
            _log.warning("a conversation could not be noted", why=str(error))

    async def _without_home_reply(self, interaction: Interaction) -> Interaction:
        """The interaction without its reply address where it came from the home card, which is drawn anew by itself."""
        event, origin = interaction.event, interaction.origin
        if isinstance(event, Press | Submit) and interaction.message is not None and origin.personal:
            try:
                if await self._conversations.home(origin.tenant, origin.user) == interaction.message:
                    return replace(interaction, event=replace(event, where=replace(event.where, reply=None)))
            except StoreUnavailable:
                pass
        return interaction

    def _excuse(self, event: Inbound, screen: Screen) -> Response:
        return Notice(screen) if isinstance(event, Press) else screen

    async def _answer_now(self, interaction: Interaction, outcome: Response, start: float) -> Json | None:
        match interaction.kind:
            case "message" | "home":
                self._work.start(self._show(interaction, outcome))
                return None
            case "execute":
                return self._answer_press(interaction, outcome)
            case "search":
                return invoke_responses.search_response(outcome if isinstance(outcome, Options) else Options(()))
            case "fetch" | "task":
                return invoke_responses.dialog(interaction, outcome)

    def _answer_press(self, interaction: Interaction, outcome: Response) -> Json:
        if isinstance(outcome, Screen):
            return invoke_responses.card(outcome)
        shown = form_button_screen(interaction, outcome) if isinstance(outcome, Form) else None
        if shown is None and isinstance(outcome, Notice) and not invoke_responses.is_plain_text(outcome.screen):
            shown = outcome.screen
        if shown is not None:
            self._work.start(self._post(interaction, shown))
            return invoke_responses.message_response(shown.title)
        return invoke_responses.message_response(invoke_responses.words_of(outcome))

    def _answer_later(self, interaction: Interaction, task: "asyncio.Task[Response]") -> Json | None:
        if interaction.kind == "search":
            return invoke_responses.search_response(Options(()))
        self._work.start(self._later(interaction, task))
        waiting = self._say("slow", interaction.event.actor)
        match interaction.kind:
            case "execute":
                return invoke_responses.message_response(sentence(waiting))
            case "fetch" | "task":
                return invoke_responses.dialog(interaction, waiting)
            case _:
                return None

    async def _later(self, interaction: Interaction, task: "asyncio.Task[Response]") -> None:
        await self._show(interaction, await task)

    async def _show(self, interaction: Interaction, outcome: Response) -> None:
        """Shows an outcome that no response waits for: in place of the card that was pressed, or as a message."""
        if interaction.kind == "home":
            await self._send_home(interaction.origin.tenant, interaction.origin.user, outcome)
            return
        match outcome:
            case Screen() if interaction.kind in {"execute", "message"} and interaction.message is not None:
                reference = MessageReference(
                    interaction.conversation, interaction.message, not interaction.origin.personal
                )
                reply = await self._display.retry(
                    lambda: self._display.replace(_reply_address(interaction), reference, message(outcome)),
                    repeatable=True,
                )
                if not reply.ok and not reply.transient:
                    await self._post(interaction, outcome)
            case Screen():
                await self._post(interaction, outcome)
            case Notice():
                await self._post(interaction, outcome.screen)
            case Form():
                await self._post(interaction, form_button_screen(interaction, outcome))
            case Errors():
                await self._post(interaction, invoke_responses.errors_screen(outcome))
            case _:
                return

    async def _post(self, interaction: Interaction, screen: Screen) -> None:
        await self._display.retry(lambda: self._display.send(_reply_address(interaction), message(screen)))

    async def _send_home(self, tenant: str, user: str, outcome: Response) -> None:
        """Posts a home card; the latest one is kept up to date."""
        if not isinstance(outcome, Screen):
            return
        reply = await self._display.retry(lambda: self._display.send(Address("teams", tenant, user), message(outcome)))
        if reply.ok and reply.id:
            try:
                await self._conversations.keep_home(tenant, user, reply.id)
            except StoreUnavailable as error:
                _log.warning("a home card is not kept up to date", why=str(error))


def _reply_address(interaction: Interaction) -> Address:
    """Where somebody acted, visible to them alone."""
    origin = interaction.origin
    return Address("teams", origin.tenant, origin.user, None if origin.personal else interaction.conversation)
