"""Sends the outbox's files to Slack: each is uploaded, which nobody sees, and then shared, which must happen once.

The file uploaded for an effect is kept at `keys.dir_upload`. In doubt, Slack is asked whether it is shared already.
"""

import asyncio
from typing import Any, Final

import aiohttp

from bot.background_tasks import BackgroundTasks, within
from bot.chat import files
from bot.chat.api import OFF, ApiResult, delivery_of
from bot.slack.client import Client
from bot.slack.display import Display
from bot.slack.payloads import PLATFORM
from bot.slack.text import escape
from handlers.framework.effects import OutgoingFile
from store.engine import keys
from store.engine.blobs import BlobGone
from store.engine.effects import Drop, Effect, Retry, SendResult, Sent
from store.server.connection import Store, StoreUnavailable

HOLD: Final = 5.0  # seconds that a send waits for its upload, which goes on in the background
LOOK_AGAIN: Final = 2.0  # seconds until the outbox tries again
UPLOADING: Final = 600.0  # seconds for a whole upload
FORGET: Final = 100  # uploads; beyond that those that ended are dropped
NOTED: Final = 7_200  # seconds that a file's id is kept, longer than an effect is tried
_PATIENT: Final = aiohttp.ClientTimeout(total=UPLOADING, sock_connect=5.0, sock_read=60.0)
_LOST: Final = Drop("its content is gone")


class FileSender(files.FileSender):
    """Sends a file to a person's direct messages, or to a channel."""

    def __init__(self, client: Client, display: Display, store: Store, work: BackgroundTasks) -> None:
        super().__init__(store)
        self._client = client
        self._display = display
        self._work = work
        self._under_way: dict[str, asyncio.Task[str | SendResult]] = {}  # by effect: the file's id, or why not

    async def _deliver(self, effect: Effect, outgoing: OutgoingFile, in_doubt: bool) -> SendResult:
        result = await self._send(effect.id, outgoing, in_doubt)
        if isinstance(result, Sent):
            await outgoing.delete_content(self._blobs)
        return result

    async def _send(self, effect: str, outgoing: OutgoingFile, in_doubt: bool) -> SendResult:
        workspace = outgoing.to.workspace
        channel = await self._channel(outgoing)
        if not isinstance(channel, str):
            return channel
        file = await self._uploaded(workspace, effect, in_doubt)
        if isinstance(file, Sent | Retry | Drop):
            return file
        if file is None:
            task = self._under_way.get(effect)
            if task is None:
                if len(self._under_way) > FORGET:  # of effects that were given up meanwhile
                    self._under_way = {id: task for id, task in self._under_way.items() if not task.done()}
                task = self._under_way[effect] = self._work.start(self._upload(effect, outgoing))
            await within(task, HOLD)
            if not task.done():
                return Retry(LOOK_AGAIN, "still uploading")
            del self._under_way[effect]
            result = task.result()
            if not isinstance(result, str):
                return result
            file = result
        arguments: dict[str, Any] = {"files": [{"id": file, "title": outgoing.title}], "channel_id": channel}
        if outgoing.comment:
            arguments["initial_comment"] = escape(outgoing.comment)
        reply = await self._display.call(workspace, "files.completeUploadExternal", arguments)
        if reply.error == "file_not_found":  # uploaded too long ago: once more from the start
            await self._store.call("DEL", keys.dir_upload(effect))
            return Retry(None, reply.error)
        return delivery_of(PLATFORM, reply)

    async def _channel(self, outgoing: OutgoingFile) -> str | SendResult:
        to = outgoing.to
        if to.user is None:
            return to.channel or Drop("no address")
        found = await self._display.open_chat(to.workspace, to.user)
        return found if isinstance(found, str) else _not_yet(found)

    async def _uploaded(self, workspace: str, effect: str, in_doubt: bool) -> str | SendResult | None:
        """The id of the file that an earlier try uploaded; `Sent` where it is shared already."""
        raw = await self._store.call("GET", keys.dir_upload(effect))
        if raw is None:
            return None
        file = str(raw, "utf-8")
        if not in_doubt:
            return file
        reply = await self._display.call(workspace, "files.info", {"file": file})
        if reply.error == "file_deleted":
            return Sent()  # somebody has seen it, and taken it away
        found = reply.data.get("file")
        if isinstance(found, dict):
            return Sent() if any(found.get(where) for where in ("ims", "channels", "groups", "shares")) else file
        return file if reply.error == "file_not_found" else _not_yet(reply)

    async def _upload(self, effect: str, outgoing: OutgoingFile) -> str | SendResult:
        """Uploads the content, which nobody sees yet; returns the file's id, or why there is none."""
        if not await outgoing.is_available(self._blobs):
            return _LOST
        wanted = {"filename": outgoing.name, "length": str(outgoing.size)}
        reply = await self._display.call(outgoing.to.workspace, "files.getUploadURLExternal", wanted)
        url, file = reply.data.get("upload_url"), reply.data.get("file_id")
        if not (reply.ok and isinstance(url, str) and isinstance(file, str)):
            return _not_yet(reply)
        if not self._client.is_file_url(url):
            return Drop("a foreign upload address")
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(outgoing.size)}
        try:
            async with self._client.session.post(
                url, data=outgoing.read(self._blobs), headers=headers, timeout=_PATIENT, allow_redirects=False
            ) as response:
                if response.status != 200:
                    return Retry(None, f"the upload was answered with {response.status}")
        except BlobGone:
            return _LOST
        except (TimeoutError, aiohttp.ClientError, OSError, StoreUnavailable) as error:
            return Retry(None, f"the upload broke off: {type(error).__name__}")
        try:
            await self._store.call("SET", keys.dir_upload(effect), file, "EX", NOTED)
        except StoreUnavailable:
            return OFF
        return file


def _not_yet(reply: ApiResult) -> SendResult:
    """The result of a failed call that shows nothing: in doubt, it may simply be made again."""
    return Retry(reply.after, reply.error) if reply.transient else Drop(reply.error or "no answer to go by")
