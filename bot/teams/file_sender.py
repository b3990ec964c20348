"""Files for people in Teams. A bot can't post a file: it offers one, and once the person accepts it is uploaded to
their OneDrive, to the URL that comes with their answer.

An offer is kept by its effect's id (`keys.offer`), so that an answer that comes twice, or from two cards of one offer,
acts once. Where a process dies during an upload, the person can press again.
https://learn.microsoft.com/microsoftteams/platform/bots/how-to/bots-filesv4 (2026-11)
"""

import asyncio
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

import aiohttp
import orjson
from yarl import URL

from bot.chat import files
from bot.chat.api import PAUSES, delivery_of
from bot.chat.types import ApologyReason, Json, Wiring
from bot.teams.client import Client
from bot.teams.conversations import PLATFORM
from bot.teams.display import Display, message
from bot.teams.files import Files
from bot.teams.payloads import FileConsent, UploadInfo
from bot.teams.reply_references import MessageReference
from bot.telemetry import logger
from handlers.framework.effects import OutgoingFile
from handlers.framework.events import Address
from store.engine import keys
from store.engine.blobs import BlobGone
from store.engine.effects import Drop, Effect, SendResult
from store.server.connection import StoreUnavailable

_log = logger(__name__)

CONSENT: Final = "application/vnd.microsoft.teams.card.file.consent"
INFO: Final = "application/vnd.microsoft.teams.card.file.info"
LIFE: Final = 24 * 3600  # seconds that an offer stands, as long as what it offers is kept
BUSY: Final = 120  # seconds that one process has for an upload
PIECE: Final = 3 * 320 * 1024  # bytes: OneDrive takes multiples of 320 KiB
PUTTING: Final = 60.0  # seconds for a piece
MOST_DESCRIPTION: Final = 1_000
_DONE: Final = "done"
_DECLINED: Final = "declined"


@dataclass(frozen=True, slots=True)
class _FileOffer:
    """An offer in the store: the effect, and how it ended (`_DONE`, `_DECLINED`; "": it is open)."""

    effect: Effect
    state: str = ""

    def encode(self) -> bytes:
        return orjson.dumps([self.effect.encode(), self.state])

    @classmethod
    def decode(cls, raw: bytes) -> "_FileOffer":
        effect, state = orjson.loads(raw)
        return cls(Effect.decode(effect.encode()), state)


class FileSender(files.FileSender):
    """Offers files to people in their own chats, the only place Teams lets bots send files to, and does what they
    answer."""

    def __init__(self, client: Client, display: Display, files: Files, wiring: Wiring) -> None:
        super().__init__(wiring.store)
        self._client = client
        self._display = display
        self._files = files
        self._say = wiring.say

    async def _deliver(self, effect: Effect, outgoing: OutgoingFile, in_doubt: bool) -> SendResult:
        to = outgoing.to
        if to.user is None:
            return Drop("no person to offer it to")
        if not await outgoing.is_available(self._blobs):
            return Drop("its content is gone")
        # An answer may be quicker than the end of this call. One that was given to an earlier try stands.
        key = keys.offer(_tag(to.workspace), effect.id)
        await self._store.call("SET", key, _FileOffer(effect).encode(), "NX", "EX", LIFE)
        card = consent_card(effect.id, outgoing)
        return delivery_of(PLATFORM, await self._display.send(Address(PLATFORM, to.workspace, to.user), card))

    async def on_consent(self, answer: FileConsent) -> None:
        """Carries out an answer to an offer. May be repeated: it shows the same again."""
        try:
            await self._apply(answer)
        except StoreUnavailable as error:
            _log.warning("an answer to a file was lost", why=str(error))

    async def _apply(self, answer: FileConsent) -> None:
        to = Address(PLATFORM, answer.origin.tenant, answer.origin.user)
        nonce = secrets.token_hex(8)  # by which the call knows its lock again: the store may run it twice
        key, busy = (name(_tag(to.workspace), answer.offer) for name in (keys.offer, keys.offer_busy))
        raw = await self._store.call("GET", key)
        offer = _FileOffer.decode(raw) if raw else None
        outgoing = OutgoingFile.from_effect(offer.effect) if offer else None
        if offer is None or outgoing is None or not self._is_recipient(outgoing, answer):
            await self._tell(answer, to, "file_gone")
        elif offer.state == _DECLINED:
            await self._tell(answer, to, "file_declined")
        elif offer.state == _DONE:
            return  # it is there, and its card says so
        elif await self._store.call("SET", busy, nonce, "NX", "GET", "EX", BUSY) in (None, nonce.encode()):
            try:
                raw = await self._store.call("GET", key)
                if raw is None or _FileOffer.decode(raw).state:
                    return  # another answer was quicker
                if answer.upload is not None:
                    await self._put(answer, answer.upload, to, key, offer, outgoing)
                    return
                await self._save_state(key, offer, _DECLINED)
                await outgoing.delete_content(self._blobs)
                await self._tell(answer, to, "file_declined")
            finally:
                await self._store.call("DEL", busy)

    @staticmethod
    def _is_recipient(outgoing: OutgoingFile, answer: FileConsent) -> bool:
        ids = (answer.origin.user, *answer.actor.other_ids)
        return outgoing.to.workspace == answer.origin.tenant and outgoing.to.user in ids and answer.origin.personal

    async def _put(
        self, answer: FileConsent, upload: UploadInfo, to: Address, key: str, offer: _FileOffer, outgoing: OutgoingFile
    ) -> None:
        why = await self._upload(upload, outgoing)
        if why is not None:
            _log.warning("a file could not be put into OneDrive", why=why)
            if why == "gone":
                await self._tell(answer, to, "file_gone")
                return
            await self._tell(answer, to, "file_failed")
            await self._display.retry(lambda: self._display.send(to, consent_card(answer.offer, outgoing)))
            return
        await self._save_state(key, offer, _DONE)
        await outgoing.delete_content(self._blobs)
        await self._show(answer, to, info_card(upload, outgoing.name))

    async def _save_state(self, key: str, offer: _FileOffer, state: str) -> None:
        await self._store.call("SET", key, _FileOffer(offer.effect, state).encode(), "EX", LIFE)

    async def _tell(self, answer: FileConsent, to: Address, why: ApologyReason) -> None:
        await self._show(answer, to, message(self._say(why, answer.actor)))

    async def _show(self, answer: FileConsent, to: Address, activity: Json) -> None:
        """Shows an activity in place of the card that offered the file, else below it."""
        if answer.message is not None:
            reference = MessageReference(answer.origin.conversation, answer.message)
            reply = await self._display.retry(lambda: self._display.replace(to, reference, activity), repeatable=True)
            if reply.ok:
                return
        await self._display.retry(lambda: self._display.send(to, activity))

    async def _upload(self, upload: UploadInfo, outgoing: OutgoingFile) -> str | None:
        """Uploads the content. None: it succeeded; else why not ("gone": the content was deleted)."""
        if not self._files.trusted(upload.upload_url):
            return "a foreign upload address"
        start = 0
        try:
            async for piece in _pieces(outgoing.read(self._blobs)):
                end = start + len(piece) - 1
                why = await self._piece(upload.upload_url, piece, f"bytes {start}-{end}/{outgoing.size}")
                if why is not None:
                    return why
                start = end + 1
        except BlobGone:
            return "gone"
        return None if start == outgoing.size else "gone"

    async def _piece(self, url: str, piece: bytes, content_range: str) -> str | None:
        """Uploads one piece, in up to three tries. None: it succeeded; else why not."""
        headers = {"Content-Range": content_range, "Content-Type": "application/octet-stream"}
        limit = aiohttp.ClientTimeout(total=PUTTING, sock_connect=5.0)
        why = ""
        for pause in (0.0, *PAUSES):
            await asyncio.sleep(pause)
            try:
                async with self._client.session.put(
                    URL(url, encoded=True), data=piece, headers=headers, timeout=limit, allow_redirects=False
                ) as response:
                    if response.status in {200, 201, 202}:
                        return None
                    why = f"http_{response.status}"
                    # 416: the piece arrived in an earlier try whose answer was lost.
                    if response.status == 416 and pause:
                        return None
                    if response.status < 500 and response.status != 429:
                        return why
            except (TimeoutError, aiohttp.ClientError, OSError) as error:
                why = type(error).__name__
        return why


def consent_card(offer: str, outgoing: OutgoingFile) -> Json:
    """The card that offers a file."""
    context = {"offer": offer}
    about = " ".join(filter(None, (outgoing.title, outgoing.comment)))[:MOST_DESCRIPTION]
    content = {
        "description": about,
        "sizeInBytes": outgoing.size,
        "acceptContext": context,
        "declineContext": context,
    }
    attachment = {"contentType": CONSENT, "name": outgoing.name, "content": content}
    return {"type": "message", "summary": outgoing.title, "attachments": [attachment]}


def info_card(upload: UploadInfo, name: str) -> Json:
    """The card that shows a file where it is now."""
    content = {"uniqueId": upload.id, "fileType": upload.ending}
    attachment = {"contentType": INFO, "contentUrl": upload.url, "name": upload.name or name, "content": content}
    return {"type": "message", "summary": name, "attachments": [attachment]}


async def _pieces(content: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The same bytes in pieces of `PIECE`, the last one shorter."""
    kept = bytearray()
    async for chunk in content:
        kept += chunk
        if len(kept) >= PIECE:
            yield bytes(kept[:PIECE])
            del kept[:PIECE]
    if kept:
        yield bytes(kept)


def _tag(tenant: str) -> str:
    return keys.cell_of(f"{PLATFORM}:{tenant}")
