"""Web API methods of dialogs and the home tab, and the same steps for a submission's ``response_action``."""

from __future__ import annotations

import secrets
from typing import Any, Final

from playground.slack.api import Args, Caller, method
from playground.slack.blocks import check_view, finish_blocks, is_too_large
from playground.slack.core import Core
from playground.slack.errors import SlackError
from playground.slack.forms import state_of
from playground.slack.methods_people import find_user
from playground.slack.shapes import view_json
from playground.slack.world import View

Json = dict[str, Any]
MOST_STACKED: Final = 3


def _new_hash(core: Core) -> str:
    return f"{int(core.now())}.{secrets.token_urlsafe(6)}"


def check_view_body(core: Core, given: Any, kind: str, team: str, but: str = "") -> Json:
    """A view as Slack stores it. Raises ``SlackError``; ``but`` is the id of the view that may have the same
    ``external_id``."""
    if isinstance(given, dict) and is_too_large(given):
        raise SlackError("view_too_large")
    if wrong := check_view(given, kind):
        raise SlackError("invalid_arguments", *wrong)
    external = given.get("external_id", "")
    if external and any(
        v.team == team and v.id != but and v.body.get("external_id") == external
        for v in (*core.world.views.values(), *core.world.homes.values())
    ):
        raise SlackError("duplicate_external_id")
    return {**given, "blocks": finish_blocks(given["blocks"])}


def show(core: Core, user: str, team: str, body: Json, previous: View | None = None) -> View:
    """Opens a checked dialog, on top of ``previous`` or alone."""
    view = View(f"V{secrets.token_hex(5).upper()}", team, user, body, _new_hash(core))
    view.root = previous.root if previous else view.id
    view.previous = previous.id if previous else ""
    view.state = state_of(view.blocks)
    core.world.views[view.id] = view
    core.world.touch()
    return view


def replace(core: Core, view: View, body: Json) -> View:
    """Gives an open dialog another body; what was typed stays where block and action ids stay."""
    view.body, view.hash = body, _new_hash(core)
    view.state = state_of(view.blocks, view.state)
    core.world.touch()
    return view


def push(core: Core, top: View, body: Json) -> View:
    """Puts a dialog on top of another. Raises ``push_limit_reached`` past three."""
    if len(core.world.dialogs(top.user)) >= MOST_STACKED:
        raise SlackError("push_limit_reached")
    return show(core, top.user, top.team, body, top)


def _view_argument(args: Args) -> Any:
    if not args.has("view"):
        raise SlackError("invalid_arguments", "[ERROR] missing required field: view [json-pointer:/view]")
    return args.given["view"]


@method("views.open", tier=4)
def views_open(core: Core, caller: Caller, args: Args) -> Json:
    """Opens a dialog for the person who used a control in the last three seconds."""
    given = _view_argument(args)
    body = check_view_body(core, given, "modal", caller.team)
    trigger = core.spend_trigger(args.need("trigger_id"), caller.team)
    core.world.close_dialogs(core.world.dialogs(trigger.user))
    return {"view": view_json(core.world, show(core, trigger.user, caller.team, body))}


@method("views.push", tier=4)
def views_push(core: Core, caller: Caller, args: Args) -> Json:
    """Puts a dialog on top of the one in which a control was used."""
    body = check_view_body(core, _view_argument(args), "modal", caller.team)
    trigger = core.spend_trigger(args.need("trigger_id"), caller.team)
    top = core.world.views.get(trigger.view)
    if top is None:
        raise SlackError("invalid_trigger_id")
    return {"view": view_json(core.world, push(core, top, body))}


def _open_view(core: Core, caller: Caller, args: Args) -> View:
    wanted, external = args.text("view_id"), args.text("external_id")
    for view in core.world.views.values():
        if view.team == caller.team and (view.id == wanted or (external and view.body.get("external_id") == external)):
            return view
    raise SlackError("not_found")


@method("views.update", tier=4)
def views_update(core: Core, caller: Caller, args: Args) -> Json:
    """Changes an open dialog, by its id or external id, unless ``hash`` is given and no longer its hash."""
    given = _view_argument(args)
    view = _open_view(core, caller, args)
    body = check_view_body(core, given, "modal", caller.team, view.id)
    if args.has("hash") and args.text("hash") != view.hash:
        raise SlackError("hash_conflict")
    return {"view": view_json(core.world, replace(core, view, body))}


@method("views.publish", tier=4)
def views_publish(core: Core, caller: Caller, args: Args) -> Json:
    """Publishes a person's home tab."""
    user = find_user(core, caller, args.text("user_id"))
    if not core.manifest.home_tab:
        raise SlackError("not_enabled")
    before = core.world.homes.get(user.id)
    body = check_view_body(core, _view_argument(args), "home", caller.team, before.id if before else "")
    if args.has("hash") and before and args.text("hash") != before.hash:
        raise SlackError("hash_conflict")
    if before is None:
        before = View(f"V{secrets.token_hex(5).upper()}", caller.team, user.id, body, "")
        before.root = before.id
        core.world.homes[user.id] = before
    return {"view": view_json(core.world, replace(core, before, body))}
