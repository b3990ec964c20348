"""Filling, sending and closing dialogs."""

from __future__ import annotations

from typing import Any

from playground.slack import methods_views, payloads
from playground.slack.errors import SlackError
from playground.slack.find import find_control
from playground.slack.forms import client_errors
from playground.slack.people import TROUBLE, ActionResult, People
from playground.slack.world import View

Json = dict[str, Any]


def _field_errors(view: View, errors: Any) -> dict[str, str]:
    """The errors of a ``response_action: errors``. Raises ``SlackError`` unless each names an input block."""
    inputs = {block["block_id"] for block in view.blocks if block["type"] == "input"}
    good = isinstance(errors, dict) and errors and all(isinstance(v, str) and v for v in errors.values())
    if not good:
        raise SlackError("invalid_arguments", "[ERROR] errors must be an object of texts [json-pointer:/errors]")
    if unknown := set(errors) - inputs:
        raise SlackError("invalid_arguments", f"[ERROR] no input blocks: {sorted(unknown)} [json-pointer:/errors]")
    return dict(errors)


class Dialogs(People):
    """What people do with dialogs."""

    async def fill(self, user: str, values: dict[str, Any]) -> None:
        """Enters values, by label, into the topmost dialog. A field with ``dispatch_action`` is sent at once, and the
        update of the dialog that may follow is waited for."""
        who = self.world.user(user)
        for name, value in values.items():
            view = self.dialog(user)
            control = find_control(view, name)
            outcome = await self.act(who, view, control, value)
            if outcome.sent:
                await self.settled()

    async def submit(self, user: str, values: dict[str, Any] | None = None) -> ActionResult:
        """Fills the topmost dialog and sends it. What Slack's client itself objects to is not sent."""
        who = self.world.user(user)
        await self.fill(user, values or {})
        view = self.dialog(user)
        if not view.body.get("submit"):
            raise LookupError("this dialog has nothing to send")
        if errors := client_errors(view.blocks, view.state):
            return ActionResult(errors=errors)
        sent = payloads.submission(self, who, view)
        reply = await self.deliver(sent)
        if reply.error:
            return ActionResult(reply.error, notice=TROUBLE, sent=sent, reply=reply)
        try:
            errors = self._respond(view, reply.answer)
        except SlackError as refusal:
            self.troubles.append(f"answer to a submission: {refusal}")
            return ActionResult(refusal.error, notice=TROUBLE, sent=sent, reply=reply)
        return ActionResult(errors=errors, sent=sent, reply=reply)

    def _respond(self, view: View, answer: Any) -> dict[str, str]:
        """Carries out the ``response_action`` of an answer to a submission; returns its field errors, by block id."""
        if answer in (None, {}):
            self.world.close_dialogs([view])
            return {}
        kind = answer.get("response_action") if isinstance(answer, dict) else None
        if kind == "errors":
            return _field_errors(view, answer.get("errors"))
        if kind == "clear":
            self.world.close_dialogs(self.world.dialogs(view.user))
        elif kind == "update":
            body = methods_views.check_view_body(self, answer.get("view"), "modal", view.team, view.id)
            methods_views.replace(self, view, body)
        elif kind == "push":
            body = methods_views.check_view_body(self, answer.get("view"), "modal", view.team)
            methods_views.push(self, view, body)
        else:
            raise SlackError("invalid_arguments", "[ERROR] unknown response_action [json-pointer:/response_action]")
        return {}

    async def dismiss(self, user: str, *, everything: bool = False) -> None:
        """Closes the topmost dialog, or with ``everything`` (the cross, not the button) the whole stack."""
        who, top = self.world.user(user), self.dialog(user)
        cleared = everything or bool(top.body.get("clear_on_close"))
        views = self.world.dialogs(who.id) if cleared else [top]
        self.world.close_dialogs(views)
        for view in views:
            if view.body.get("notify_on_close"):
                await self.deliver(payloads.closed(self, who, view, cleared=cleared))
