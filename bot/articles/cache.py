"""The accounts' articles in memory: a folder is read when it is first asked for and polled while it is in use; a change
replaces the whole index. Reading and searching run on threads of their own.
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
PATIENCE: Final = 1.0  # seconds for an answer; Slack waits three for the whole request
LOOK: Final = 2.0  # seconds between polls of the folders, at least
SHARE: Final = 20  # times what a poll took, before the next
FOLDERS_HELD: Final = 100  # most recently used; a dropped one is read again when it is asked for
TROUBLES_SAID: Final = 20  # files that are logged for a folder

_T = TypeVar("_T")
_LOG = logger(__name__)


@dataclass(slots=True)
class _CachedFolder:
    """The index of a folder and the files that it was read from. `files` None: the folder can't be listed."""

    index: ArticleIndex
    files: tuple[FileStamp, ...] | None


class ArticleCache:
    """`handlers.framework.ports.Articles`. `run` polls the folders, `aclose` ends the threads."""

    def __init__(self, *, patience: float = PATIENCE, look: float = LOOK, held: int = FOLDERS_HELD) -> None:
        self._patience = patience
        self._look = look
        self._most = held
        self._folders: OrderedDict[str, _CachedFolder] = OrderedDict()
        self._reading: dict[str, asyncio.Task[_CachedFolder]] = {}
        # An index may be used by one thread at a time: one thread searches, another reads.
        self._searcher = ThreadPoolExecutor(1, thread_name_prefix="articles-search")
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="articles-read")

    async def search(self, account: Account, text: str, language: str, limit: int, wide: bool) -> Sequence[SearchHit]:
        until = time.monotonic() + self._patience
        return await self._ask(account, lambda index: index.search(text, language, limit, wide=wide, until=until), [])

    async def get(self, account: Account, id: str) -> Article | None:
        return await self._ask(account, lambda index: index.get(id), None)

    async def suggested(self, account: Account, language: str, limit: int) -> Sequence[str]:
        return await self._ask(account, lambda index: index.suggested(language, limit), ())

    async def run(self) -> None:
        """Poll the folders in use, for ever."""
        while True:
            began = time.monotonic()
            for folder in list(self._folders):
                await self._refresh(folder)
            await asyncio.sleep(max(self._look, SHARE * (time.monotonic() - began)))

    async def aclose(self) -> None:
        for task in list(self._reading.values()):
            task.cancel()
        for cached in self._folders.values():
            self._searcher.submit(cached.index.close)
        self._folders.clear()
        for pool in (self._searcher, self._reader):
            pool.shutdown(wait=False, cancel_futures=False)

    async def _ask(self, account: Account, ask: Callable[[ArticleIndex], _T], nothing: _T) -> _T:
        if account.articles is None:
            return nothing
        try:
            async with asyncio.timeout(self._patience):
                await self._folder(account.articles)
                # Looked up anew: the one awaited may have been dropped already.
                cached = self._folders[account.articles]
                return await asyncio.get_running_loop().run_in_executor(self._searcher, ask, cached.index)
        except (TimeoutError, TookTooLong, KeyError):
            _LOG.warning("articles could not be searched in time", account=account.id)
            raise Unavailable from None

    async def _folder(self, folder: str) -> _CachedFolder:
        cached = self._folders.get(folder)
        if cached is not None:
            self._folders.move_to_end(folder)
            return cached
        task = self._reading.get(folder)
        if task is None:
            task = self._reading[folder] = asyncio.create_task(self._read(folder), name=f"articles {folder}")
            task.add_done_callback(lambda _: self._reading.pop(folder, None))
        # A caller that gives up does not cancel the reading: the next one finds it done.
        return await asyncio.shield(task)

    async def _read(self, folder: str) -> _CachedFolder:
        cached, troubles = await self._in_reader(_load, folder)
        _log_troubles(folder, cached, troubles)
        self._put(folder, cached)
        return cached

    async def _refresh(self, folder: str) -> None:
        """Read a folder again if its files have changed."""
        seen = await self._in_reader(_list, folder)
        known = self._folders.get(folder)
        if known is None or known.files == seen:
            return
        if seen is None:
            # It may be being replaced: the last index still answers.
            _LOG.warning("the folder of articles can't be read any more; the last ones are kept", folder=folder)
            known.files = None
            return
        await self._read(folder)

    def _put(self, folder: str, cached: _CachedFolder) -> None:
        dropped = [self._folders.pop(folder)] if folder in self._folders else []
        self._folders[folder] = cached
        while len(self._folders) > self._most:
            dropped.append(self._folders.popitem(last=False)[1])
        for old in dropped:  # after the searches that are queued for it
            self._searcher.submit(old.index.close)

    async def _in_reader(self, work: Callable[[str], _T], folder: str) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._reader, work, folder)


def read_folder(folder: str) -> Folder:
    """All articles below a folder; one that can't be listed has no articles and one problem. Never fails."""
    return _content(folder, _list(folder))


def _content(folder: str, stamps: tuple[FileStamp, ...] | None) -> Folder:
    if stamps is None:
        return Folder((), (FileProblem("", "can't be read: is it there, on this machine, for this user?"),))
    return files.load(folder, stamps)


def _load(folder: str) -> tuple[_CachedFolder, tuple[FileProblem, ...]]:
    stamps = _list(folder)
    content = _content(folder, stamps)
    return _CachedFolder(ArticleIndex(content), stamps), content.troubles


def _list(folder: str) -> tuple[FileStamp, ...] | None:
    with contextlib.suppress(OSError, ValueError):
        return list_files(folder)
    return None


def _log_troubles(folder: str, cached: _CachedFolder, troubles: Sequence[FileProblem]) -> None:
    _LOG.info("articles read", folder=folder, articles=cached.index.count, refused=len(troubles))
    for path, why in troubles[:TROUBLES_SAID]:
        _LOG.warning("an article can't be used", folder=folder, path=path or ".", why=why)
