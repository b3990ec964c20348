"""The accounts' articles as a process has them: each folder read when it is first asked for, looked at again while it
is in use, and swapped whole when something has changed. Reading and searching happen on threads of their own.
"""

import asyncio
import contextlib
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, TypeVar

from bot.articles import files
from bot.articles.files import FileProblem, FileStamp, Folder, list_files
from bot.articles.search_index import ArticleIndex, TookTooLong
from bot.telemetry import logger
from domain.accounts.account import Account
from handlers.framework.ports import Article, SearchHit, Unavailable

# D 2026-11
PATIENCE: Final = 1.0  # seconds for an answer: Slack waits three for the whole
LOOK: Final = 2.0  # seconds between looks at the folders
SHARE: Final = 20  # of the time that a look takes, before the next
FOLDERS_HELD: Final = 100  # those asked last; what is dropped is read again when it is asked for
TROUBLES_SAID: Final = 20  # in one line of the log

_T = TypeVar("_T")
_LOG = logger(__name__)


@dataclass(slots=True)
class _CachedFolder:
    """A folder with what was read of it. `files` None: it could not be listed."""

    library: ArticleIndex
    files: tuple[FileStamp, ...] | None


class ArticleCache:
    """The port `Articles`. `run` keeps what is held up to date, `aclose` ends the threads."""

    def __init__(self, *, patience: float = PATIENCE, look: float = LOOK, held: int = FOLDERS_HELD) -> None:
        self._patience = patience
        self._look = look
        self._most = held
        self._shelves: OrderedDict[str, _CachedFolder] = OrderedDict()
        self._reading: dict[str, asyncio.Task[_CachedFolder]] = {}
        # A library is used by one thread at a time: there is one that searches, and one that reads.
        self._searcher = ThreadPoolExecutor(1, thread_name_prefix="articles-search")
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="articles-read")

    async def search(self, account: Account, text: str, language: str, limit: int, wide: bool) -> Sequence[SearchHit]:
        until = time.monotonic() + self._patience
        return await self._ask(
            account, lambda library: library.search(text, language, limit, wide=wide, until=until), []
        )

    async def get(self, account: Account, id: str) -> Article | None:
        return await self._ask(account, lambda library: library.get(id), None)

    async def suggested(self, account: Account, language: str, limit: int) -> Sequence[str]:
        return await self._ask(account, lambda library: library.suggested(language, limit), ())

    async def run(self) -> None:
        """Looks at the folders in use, for ever."""
        while True:
            began = time.monotonic()
            for folder in list(self._shelves):
                await self._look_at(folder)
            await asyncio.sleep(max(self._look, SHARE * (time.monotonic() - began)))

    async def aclose(self) -> None:
        for task in list(self._reading.values()):
            task.cancel()
        for shelf in self._shelves.values():
            self._searcher.submit(shelf.library.close)
        self._shelves.clear()
        for pool in (self._searcher, self._reader):
            pool.shutdown(wait=False, cancel_futures=False)

    async def _ask(self, account: Account, ask: Callable[[ArticleIndex], _T], nothing: _T) -> _T:
        if account.articles is None:
            return nothing
        try:
            async with asyncio.timeout(self._patience):
                await self._shelf(account.articles)
                # As it is now: the one that was waited for may have made room already.
                shelf = self._shelves[account.articles]
                return await asyncio.get_running_loop().run_in_executor(self._searcher, ask, shelf.library)
        except (TimeoutError, TookTooLong, KeyError):
            _LOG.warning("articles could not be searched in time", account=account.id)
            raise Unavailable from None

    async def _shelf(self, folder: str) -> _CachedFolder:
        shelf = self._shelves.get(folder)
        if shelf is not None:
            self._shelves.move_to_end(folder)
            return shelf
        task = self._reading.get(folder)
        if task is None:
            task = self._reading[folder] = asyncio.create_task(self._read(folder), name=f"articles {folder}")
            task.add_done_callback(lambda _: self._reading.pop(folder, None))
        # Who gives up waiting does not end the reading: the next one finds it done.
        return await asyncio.shield(task)

    async def _read(self, folder: str) -> _CachedFolder:
        shelf, troubles = await self._away(_made, folder)
        _log_troubles(folder, shelf, troubles)
        self._put(folder, shelf)
        return shelf

    async def _look_at(self, folder: str) -> None:
        """Reads a folder again where its files are not those that were read."""
        seen = await self._away(_files, folder)
        known = self._shelves.get(folder)
        if known is None or known.files == seen:
            return
        if seen is None:
            # Perhaps on its way to its successor: what was read still answers.
            _LOG.warning("the folder of articles can't be read any more; the last ones are kept", folder=folder)
            known.files = None
            return
        await self._read(folder)

    def _put(self, folder: str, shelf: _CachedFolder) -> None:
        before = self._shelves.pop(folder, None)
        self._shelves[folder] = shelf
        gone = [before] if before else []
        while len(self._shelves) > self._most:
            gone.append(self._shelves.popitem(last=False)[1])
        for old in gone:  # after the searches that are queued for it
            self._searcher.submit(old.library.close)

    async def _away(self, work: Callable[[str], _T], folder: str) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._reader, work, folder)


def read_folder(folder: str) -> Folder:
    """Everything below a folder; one that can't be listed has no articles and one trouble. Never fails."""
    seen = _files(folder)
    if seen is None:
        return Folder((), (FileProblem("", "can't be read: is it there, on this machine, for this user?"),))
    return files.load(folder, seen)


def _made(folder: str) -> tuple[_CachedFolder, tuple[FileProblem, ...]]:
    seen = _files(folder)
    read = read_folder(folder) if seen is None else files.load(folder, seen)
    return _CachedFolder(ArticleIndex(read), seen), read.troubles


def _files(folder: str) -> tuple[FileStamp, ...] | None:
    with contextlib.suppress(OSError, ValueError):
        return list_files(folder)
    return None


def _log_troubles(folder: str, shelf: _CachedFolder, troubles: Sequence[FileProblem]) -> None:
    _LOG.info("articles read", folder=folder, articles=shelf.library.count, refused=len(troubles))
    for path, why in troubles[:TROUBLES_SAID]:
        _LOG.warning("an article can't be used", folder=folder, path=path or ".", why=why)
