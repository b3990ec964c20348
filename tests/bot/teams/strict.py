"""What Teams refuses: of what a bot sends, and of what it answers."""

from typing import Any, Final

import orjson

from tests.bot.teams.world import Json, parts

MOST_BYTES: Final = 28 * 1024
MOST_ACTIONS: Final = 6
CARD: Final = "application/vnd.microsoft.card.adaptive"
CONSENT: Final = "application/vnd.microsoft.teams.card.file.consent"
INFO: Final = "application/vnd.microsoft.teams.card.file.info"
MESSAGE: Final = "application/vnd.microsoft.activity.message"
ERROR: Final = "application/vnd.microsoft.error"
_KNOWN: Final = frozenset(
    {
        "type",
        "id",
        "text",
        "textFormat",
        "attachments",
        "attachmentLayout",
        "summary",
        "recipient",
        "from",
        "conversation",
        "locale",
        "replyToId",
        "entities",
        "channelData",
        "importance",
        "inputHint",
        "suggestedActions",
        "serviceUrl",
        "channelId",
    }
)


class Refused(Exception):
    """What Teams says no to: a status and a code."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status, self.code, self.message = status, code, message


def check_activity(given: object) -> Json:
    """An activity that a bot sends. Raises `Refused`."""
    body = object_(given)
    kind = body.get("type")
    if kind not in ("message", "typing"):
        raise Refused(400, "BadSyntax", f"type must be message or typing, not {kind!r}")
    if unknown := sorted(body.keys() - _KNOWN):
        raise Refused(400, "BadSyntax", f"unknown fields: {', '.join(unknown)}")
    if kind == "typing":
        return body
    attachments = body.get("attachments", [])
    if not isinstance(attachments, list) or not all(isinstance(a, dict) for a in attachments):
        raise Refused(400, "BadSyntax", "attachments must be a list of objects")
    if not attachments and not body.get("text"):
        raise Refused(400, "BadSyntax", "Activity must contain text or attachments.")
    if len(orjson.dumps(body)) > MOST_BYTES:
        raise Refused(413, "MessageSizeTooBig", "Message size too large.")
    for attachment in attachments:
        if attachment.get("contentType") in (CONSENT, INFO):
            _check_file(attachment)
            continue
        if attachment.get("contentType") != CARD or attachment.keys() - {"contentType", "content", "name"}:
            raise Refused(400, "BadSyntax", "not an attachment of an adaptive card")
        check_card(attachment.get("content"))
    return body


def _check_file(attachment: Json) -> None:
    """An offer of a file, or a file that is shown."""
    content, kind = object_(attachment.get("content")), attachment["contentType"]
    name = attachment.get("name")
    good = isinstance(name, str) and "." in name.strip(".")
    if kind == CONSENT:
        size = content.get("sizeInBytes")
        known = {"description", "sizeInBytes", "acceptContext", "declineContext"}
        good &= content.keys() <= known and isinstance(size, int) and size > 0
        good &= attachment.keys() == {"contentType", "name", "content"} and isinstance(content.get("description"), str)
    else:
        good &= content.keys() == {"uniqueId", "fileType"} and all(isinstance(v, str) and v for v in content.values())
        good &= isinstance(attachment.get("contentUrl"), str)
    if not good:
        raise Refused(400, "BadSyntax", f"no file card: {attachment}")


def check_card(card: Any) -> None:
    """What Teams can't draw. Raises `Refused`."""
    if not isinstance(card, dict) or card.get("type") != "AdaptiveCard" or not isinstance(card.get("body"), list):
        raise Refused(400, "BadSyntax", "content is no adaptive card")
    if card.get("version") not in ("1.2", "1.3", "1.4", "1.5"):
        raise Refused(400, "BadSyntax", f"Teams draws no version {card.get('version')}")
    if len(orjson.dumps(card)) > MOST_BYTES:
        raise Refused(413, "MessageSizeTooBig", "Message size too large.")
    named = [part["id"] for part in parts(card) if "id" in part]
    if len(named) != len(set(named)):
        raise Refused(400, "BadSyntax", "ids must be unique in a card")
    for part in parts(card):
        if len(part.get("actions", ())) > MOST_ACTIONS:
            raise Refused(400, "BadSyntax", f"more than {MOST_ACTIONS} actions in one set")
        if part["type"] == "Action.Execute" and not (part.get("verb") and object_(part.get("data", {})).get("action")):
            raise Refused(400, "BadSyntax", "Action.Execute needs a verb, and the same in data.action")
        if part["type"].startswith("Input.") and "id" not in part:
            raise Refused(400, "BadSyntax", "an input needs an id")


def check_pressed(body: Any) -> tuple[Json | None, str]:
    """The card, or else the sentence, in an answer to Action.Execute. Raises `Refused`."""
    body = object_(body)
    kind, value = body.get("type"), body.get("value")
    if body.get("statusCode") != (400 if kind == ERROR else 200):
        raise Refused(0, "BadAnswer", f"no answer to Action.Execute: {body}")
    if kind == CARD:
        check_card(value)
        return object_(value), ""
    text = object_(value).get("message") if kind == ERROR else value if kind == MESSAGE else None
    if not isinstance(text, str) or not text:
        raise Refused(0, "BadAnswer", f"no answer to Action.Execute: {body}")
    return None, text


def check_task(task: Any) -> tuple[str, Json | None, str]:
    """Title and card, or else the sentence, of a dialog that a bot answers with. Raises `Refused`."""
    task = object_(task)
    shown = task.get("value")
    if task.get("type") == "message" and isinstance(shown, str) and shown:
        return "", None, shown
    if task.get("type") != "continue" or not isinstance(shown, dict) or not shown.get("title"):
        raise Refused(0, "BadAnswer", f"no dialog: {task}")
    card = object_(shown.get("card"))
    if shown.keys() - {"title", "card", "height", "width"} or card.get("contentType") != CARD:
        raise Refused(0, "BadAnswer", f"no dialog: {sorted(shown)}")
    check_card(card.get("content"))
    return str(shown["title"]), object_(card["content"]), ""


def object_(value: object) -> Json:
    """The value, if it is a JSON object. Raises `Refused`."""
    if not isinstance(value, dict):
        raise Refused(400, "BadSyntax", "an object was expected")
    return dict(value)
