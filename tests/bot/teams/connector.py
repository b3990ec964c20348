"""The pretend Teams as a bot sees it: the connector's REST interface, Microsoft's login and its published keys.

Strict: what Teams would refuse is refused here, with Teams' own codes, and kept in `refused`. It shares nothing with
the bot it tests.
"""

import asyncio
import base64
import re
import time
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import jwt
import orjson
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.bot.teams.strict import CARD, CONSENT, INFO, Refused, check_activity, object_
from tests.bot.teams.world import APP, BOT, Conversation, Drive, Json, Message, World

PIECES: Final = 320 * 1024  # bytes: what all pieces of an upload but the last are multiples of
ISSUER: Final = "https://api.botframework.com"


@dataclass
class Fault:
    """What goes wrong with the next calls. `status` None: no answer for `seconds`. `arrives`: it is done all the
    same."""

    status: int | None
    times: int
    method: str = ""
    path: str = ""
    after: float | None = None
    seconds: float = 0.0
    arrives: bool = False


@dataclass
class Call:
    """A request of the bot's."""

    method: str
    path: str
    query: dict[str, str]
    body: Any
    token: str
    status: int = 0
    at: float = field(default_factory=time.monotonic)


class Connector:
    """The server's side. `secret` None: the bot comes without a token."""

    def __init__(self, world: World, *, secret: str | None = None) -> None:
        self.world = world
        self.secret = secret
        self.calls: list[Call] = []
        self.refused: list[str] = []
        self.faults: list[Fault] = []
        self.tokens: set[str] = set()
        self.token_life = 3600
        self.typing: list[str] = []  # conversations
        self.url = ""
        self.kid = "key-1"
        self.key_fetches = 0

    # ── Signing, as Microsoft does for what Teams posts ──

    @cached_property
    def key(self) -> rsa.RSAPrivateKey:
        """Made when first asked for: it takes a while, and most tests believe whoever posts."""
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def sign(self, *, key: Any = None, kid: str | None = None, **claims: Any) -> str:
        """A token for a request to the bot; `claims` instead of the right ones, None to leave one out."""
        now = int(time.time())
        right = {"iss": ISSUER, "aud": APP, "iat": now, "nbf": now - 60, "exp": now + 3600, "serviceurl": self.url}
        given = {name: value for name, value in {**right, **claims}.items() if value is not None}
        return jwt.encode(given, key or self.key, algorithm="RS256", headers={"kid": kid or self.kid})

    def keys(self) -> Json:
        numbers = self.key.public_key().public_numbers()

        def encoded(number: int) -> str:
            return base64.urlsafe_b64encode(number.to_bytes((number.bit_length() + 7) // 8)).rstrip(b"=").decode()

        n, e = encoded(numbers.n), encoded(numbers.e)
        return {
            "keys": [
                {
                    "kty": "RSA",
                    "use": "sig",
                    "kid": self.kid,
                    "x5t": self.kid,
                    "n": n,
                    "e": e,
                    "endorsements": ["msteams"],
                }
            ]
        }

    # ── Faults ──

    def fail(
        self, status: int, times: int = 1, *, method: str = "", path: str = "", after: float | None = None
    ) -> None:
        """Answers the next calls with `status`, doing nothing; `method` and a part of the `path` narrow them down."""
        self.faults.append(Fault(status, times, method, path, after))

    def hang(self, seconds: float, times: int = 1, *, method: str = "", path: str = "", arrives: bool = False) -> None:
        """Leaves the next calls without an answer for so long."""
        self.faults.append(Fault(None, times, method, path, None, seconds, arrives))

    def _fault(self, call: Call) -> Fault | None:
        for fault in self.faults:
            if fault.times > 0 and fault.method in ("", call.method) and fault.path in call.path:
                fault.times -= 1
                return fault
        return None

    # ── Routes ──

    def application(self) -> web.Application:
        app = web.Application(client_max_size=64_000_000)
        app.router.add_route("*", "/{tail:.*}", self._serve)
        return app

    async def _serve(self, request: web.Request) -> web.Response:
        raw = await request.read()
        path = request.path
        if path == "/v1/.well-known/keys":
            self.key_fetches += 1
            return web.json_response(self.keys())
        if path == "/v1/.well-known/openidconfiguration":
            return web.json_response({"issuer": ISSUER, "jwks_uri": f"{self.url}/v1/.well-known/keys"})
        if path.startswith("/drive/"):
            return await self._drive(request, raw)
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        try:
            body = orjson.loads(raw) if raw and request.content_type == "application/json" else raw.decode()
        except ValueError:
            body = None
        call = Call(request.method, path, dict(request.query), body, token)
        self.calls.append(call)
        fault = self._fault(call)
        if fault is not None and fault.status is None:
            if fault.arrives:
                self._do(call)
            await asyncio.sleep(fault.seconds)
            return web.Response(status=504)
        if fault is not None and fault.status is not None:
            call.status = fault.status
            headers = {"Retry-After": f"{fault.after:g}"} if fault.after is not None else {}
            return web.json_response(_error("Fault", "as asked for"), status=fault.status, headers=headers)
        if path.endswith("/oauth2/v2.0/token"):
            return self._login(call, await request.post())
        try:
            status, answer = self._do(call)
        except Refused as no:
            call.status = no.status
            self.refused.append(f"{call.method} {path}: {no}")
            return web.json_response(_error(no.code, no.message), status=no.status)
        call.status = status
        return web.json_response(answer, status=status)

    async def _drive(self, request: web.Request, raw: bytes) -> web.Response:
        """Where OneDrive keeps and takes files: the address alone opens it, a token of the bot's has no business."""
        call = Call(request.method, request.path, dict(request.query), None, "")
        self.calls.append(call)
        if "Authorization" in request.headers or "Cookie" in request.headers:
            self.refused.append(f"{request.method} {request.path}: a token that is none of OneDrive's")
            return web.Response(status=401)
        fault = self._fault(call)
        if fault is not None and fault.status is None:
            await asyncio.sleep(fault.seconds)
        elif fault is not None and fault.status is not None:
            return web.Response(status=fault.status)
        file = next((f for f in self.world.drive.values() if f.opens == request.path.rpartition("/")[2]), None)
        if file is None:
            return web.Response(status=404)
        if request.method == "GET" and file.size is None:
            return web.Response(body=file.content, content_type="application/octet-stream")
        if request.method != "PUT" or file.size is None:
            return web.Response(status=405)
        call.status = _put(file, request.headers.get("Content-Range", ""), raw)
        if call.status == 400:
            self.refused.append(f"PUT {request.path}: {request.headers.get('Content-Range')} of {file.size}")
        return web.json_response({}, status=call.status)

    def _login(self, call: Call, form: Any) -> web.Response:
        if form.get("grant_type") != "client_credentials" or form.get("scope") != f"{ISSUER}/.default":
            return web.json_response({"error": "invalid_request", "error_description": "AADSTS900144"}, status=400)
        if form.get("client_id") != APP or form.get("client_secret") != self.secret:
            return web.json_response({"error": "invalid_client", "error_description": "AADSTS7000215"}, status=401)
        token = f"token-{len(self.tokens) + 1}"
        self.tokens.add(token)
        call.status = 200
        return web.json_response({"token_type": "Bearer", "expires_in": self.token_life, "access_token": token})

    def _do(self, call: Call) -> tuple[int, Any]:
        if self.secret is not None and call.token not in self.tokens:
            raise Refused(401, "Unauthorized", "Authorization has been denied for this request.")
        match call.method, call.path.removeprefix("/v3/conversations").strip("/").split("/"):
            case "POST", [""]:
                return self._open(call.body)
            case "POST", [conversation, "activities"]:
                return 201, self._post(self._conversation(conversation), conversation, call)
            case "PUT", [conversation, "activities", id]:
                return 200, self._update(self._conversation(conversation), id, call)
            case "DELETE", [conversation, "activities", id]:
                self.world.messages.remove(self._own(conversation, id))
                return 200, {}
            case "GET", [conversation, "members", user]:
                return 200, self._member(self._conversation(conversation), user)
            case "GET", [conversation, "members"]:
                found = self._conversation(conversation)
                return 200, [self.world.users[id].member() for id in found.members]
        raise Refused(404, "NotFound", f"no such resource: {call.method} {call.path}")

    # ── Conversations ──

    def _conversation(self, id: str) -> Conversation:
        found = self.world.conversations.get(id.partition(";")[0])
        if found is None:
            raise Refused(404, "ConversationNotFound", "Conversation not found.")
        if not found.installed:
            raise Refused(403, "BotNotInConversationRoster", "The bot is not part of the conversation roster.")
        return found

    def _open(self, body: Any) -> tuple[int, Json]:
        body = object_(body)
        members = body.get("members")
        if not isinstance(members, list) or len(members) != 1 or body.get("isGroup"):
            raise Refused(400, "BadArgument", "A chat has one member.")
        if not (body.get("tenantId") or body.get("channelData", {}).get("tenant", {}).get("id")):
            raise Refused(400, "BadArgument", "tenantId is missing.")
        user = next((u for u in self.world.users.values() if members[0].get("id") in (u.id, u.aad)), None)
        if user is None:
            raise Refused(404, "UserNotFound", "No such user.")
        personal = self.world.personal(user)
        together = any(
            c.installed and c.kind == "channel" and user.id in c.members for c in self.world.conversations.values()
        )
        if not (personal.installed or together):
            raise Refused(403, "BotNotInConversationRoster", "The bot is not installed for this user.")
        personal.installed = True
        return 201, {"id": personal.id, "serviceUrl": self.url}

    def _member(self, conversation: Conversation, id: str) -> Json:
        for member in conversation.members:
            user = self.world.users[member]
            if id in (user.id, user.aad):
                return user.member()
        raise Refused(404, "MemberNotFoundInConversation", "The member was not found in the conversation.")

    # ── Activities ──

    def _post(self, conversation: Conversation, id: str, call: Call) -> Json:
        body = check_activity(call.body)
        if conversation.kind != "personal" and offers(body):
            raise Refused(400, "BadRequest", "Files are for chats of two.")
        if body["type"] == "typing":
            self.typing.append(conversation.id)
            return {"id": self.world.next_id()}
        to = None
        if call.query.get("isTargetedActivity") == "true":
            to = str(object_(body.get("recipient", {})).get("id", ""))
            if conversation.kind == "personal":
                raise Refused(400, "BadRequest", "Targeted messages are not for chats of two.")
            if to not in conversation.members:
                raise Refused(400, "BadRequest", "The recipient is not a member of the conversation.")
        message = Message(self.world.next_id(), id, BOT, to=to)
        _write(message, body)
        self.world.messages.append(message)
        return {"id": message.id}

    def _update(self, conversation: Conversation, id: str, call: Call) -> Json:
        body = check_activity(call.body)
        message = self._own(conversation.id, id)
        targeted = call.query.get("isTargetedActivity") == "true"
        if targeted != (message.to is not None):
            raise Refused(404, "ActivityNotFoundInConversation", "Activity not found.")
        if targeted and "recipient" in body:
            raise Refused(400, "BadRequest", "The recipient of a targeted message can't be edited.")
        _write(message, body)
        message.edits += 1
        return {"id": id}

    def _own(self, conversation: str, id: str) -> Message:
        message = self.world.message(conversation, id)
        if message is None:
            raise Refused(404, "ActivityNotFoundInConversation", "Activity not found.")
        if message.sender != BOT:
            raise Refused(403, "BadArgument", "It is not the bot's.")
        return message


def _write(message: Message, body: Json) -> None:
    message.activity = body
    message.text = str(body.get("text", ""))
    attachments = body.get("attachments", [])
    card = attachments[0] if attachments else {}
    message.card = card.get("content") if card.get("contentType") == CARD else None


def offers(body: Json) -> bool:
    """Whether an activity is a file's card."""
    return any(a.get("contentType") in (CONSENT, INFO) for a in body.get("attachments", ()))


def _put(file: Drive, where: str, raw: bytes) -> int:
    """A piece of an upload: in its place, of a size that OneDrive takes. The status that it answers with."""
    found = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", where)
    if found is None or file.size is None:
        return 400
    first, last, size = map(int, found.groups())
    whole = last + 1 == size
    if size != file.size or last - first + 1 != len(raw) or (not whole and len(raw) % PIECES):
        return 400
    if first != len(file.content):
        return 416
    file.content += raw
    if not whole:
        return 202
    file.size = None
    return 201


def _error(code: str, message: str) -> Json:
    return {"error": {"code": code, "message": message}}
