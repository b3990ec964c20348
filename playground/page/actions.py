"""What somebody can do in Slack on the page, as JSON posts: each action takes the fields of its post."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

from playground.slack.find import Container, Control, controls
from playground.slack.people import ActionResult
from playground.slack.pretend import PretendSlack
from playground.slack.world import Message, User

Json = dict[str, Any]


def _shown(slack: PretendSlack, body: Json) -> Container:
    found: Container | None
    if "view" in body:
        wanted = body["view"]
        homes = (v for v in slack.world.homes.values() if v.id == wanted)
        found = slack.world.views.get(wanted) or next(homes, None)
    else:
        found = slack.world.message(body["channel"], body["ts"])
    if found is None:
        raise LookupError("That is not there any more.")
    return found


def _control(shown: Container, body: Json) -> Control:
    """The control by its ids, with the menu entry by its value."""
    for control in controls(shown.blocks):
        same = control.block.get("block_id") == body["block_id"] and control.element["action_id"] == body["action_id"]
        option = control.option["value"] if control.option else None
        if same and option == body.get("option"):
            return control
    raise LookupError("That is not there any more.")


async def _enter(slack: PretendSlack, who: User, shown: Container, values: list[Json]) -> None:
    """Enters the values that were typed on the page."""
    for field in values:
        await slack.enter(who, shown, _control(shown, field), field["value"])


async def _press(slack: PretendSlack, who: User, body: Json) -> ActionResult:
    shown = slack.current(who, _shown(slack, body))
    await _enter(slack, who, shown, body.get("values", []))
    return await slack.act(who, shown, _control(shown, body), body.get("value"))


async def _suggest(slack: PretendSlack, who: User, body: Json) -> ActionResult:
    shown = slack.current(who, _shown(slack, body))
    return await slack.search(who, shown, _control(shown, body), str(body["query"]))


async def _submit(slack: PretendSlack, who: User, body: Json) -> ActionResult:
    view = slack.dialog(who.id)
    if view.id != body["view"]:
        raise LookupError("That dialog is not on top any more.")
    await _enter(slack, who, view, body["values"])
    return await slack.submit(who.id)


async def _dismiss(slack: PretendSlack, who: User, body: Json) -> ActionResult:
    await slack.dismiss(who.id, everything=bool(body.get("everything")))
    return ActionResult()


async def _send(slack: PretendSlack, who: User, body: Json) -> ActionResult:
    text = str(body["text"]).strip()
    if text.startswith("/"):
        return await slack.command(who.id, str(body["channel"]), text)
    if text:
        await slack.say(who.id, str(body["channel"]), text, thread_ts=str(body.get("thread_ts") or ""))
    return ActionResult()


async def _open(slack: PretendSlack, who: User, body: Json) -> ActionResult:
    slack.look_home(who.id, str(body["tab"]))
    return ActionResult()


async def _read(slack: PretendSlack, who: User, body: Json) -> ActionResult:
    read = slack.world.read.setdefault(who.id, {})
    if read.get(body["channel"], "") < str(body["ts"]):
        read[body["channel"]] = str(body["ts"])
        slack.world.touch()
    return ActionResult()


async def _hide(slack: PretendSlack, who: User, body: Json) -> ActionResult:
    message = _shown(slack, body)
    if isinstance(message, Message) and message.ephemeral_to == who.id:
        slack.world.remove(message)
    return ActionResult()


async def _shortcut(slack: PretendSlack, who: User, body: Json) -> ActionResult:
    message = _shown(slack, body) if "ts" in body else None
    return await slack.shortcut(who.id, str(body["id"]), message if isinstance(message, Message) else None)


SLACK_ACTIONS: Final[dict[str, Callable[[PretendSlack, User, Json], Awaitable[ActionResult]]]] = {
    "press": _press,
    "suggest": _suggest,
    "submit": _submit,
    "dismiss": _dismiss,
    "send": _send,
    "open": _open,
    "read": _read,
    "shortcut": _shortcut,
    "hide": _hide,
}
