"""Files fetched from where a chat platform keeps them: bounded, and from nowhere else."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Final
from urllib.parse import urljoin

import aiohttp
from yarl import URL

from handlers.framework.ports import FileGone, FileTooLarge, Unavailable

CHUNK: Final = 64 * 1024  # bytes
WAITING: Final = 120.0  # seconds of waiting for a whole file
REDIRECTS: Final = 3
_QUIET: Final = aiohttp.ClientTimeout(total=None, sock_connect=5.0, sock_read=10.0)
_REDIRECT: Final = frozenset({301, 302, 303, 307, 308})
_HTML: Final = "text/html"


class HtmlInsteadOfFile(Unavailable):
    """A page came instead of the file: one to sign in at, say."""


async def download(
    session: aiohttp.ClientSession,
    url: str,
    limit: int,
    *,
    trusted: Callable[[str], bool],
    headers: Mapping[str, str],
    html: bool = False,
    gone: frozenset[int] = frozenset({404, 410}),
) -> AsyncIterator[bytes]:
    """The content in chunks of at most `CHUNK`.

    Args:
        limit: bytes that are read at most.
        trusted: whether `headers` may go to an address; `url` was asked about already, redirects are here.
        html: whether the file itself is a page.
        gone: statuses that say that it is not there.

    Raises:
        Gone, TooLarge, Unavailable: as `handlers.ports.Files.read`.
    """
    clock, seen = asyncio.get_running_loop().time, 0
    waited, since = 0.0, clock()
    try:
        async with _get(session, url, headers, trusted, gone) as response:
            if response.content_type == _HTML and not html:
                raise HtmlInsteadOfFile("a page instead of the file")
            async for chunk in response.content.iter_chunked(CHUNK):
                seen, waited = seen + len(chunk), waited + clock() - since
                if seen > limit:
                    raise FileTooLarge
                if waited > WAITING:
                    raise Unavailable("too slow")
                yield chunk
                since = clock()
    except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
        raise Unavailable(type(error).__name__) from None


@asynccontextmanager
async def _get(
    session: aiohttp.ClientSession,
    url: str,
    headers: Mapping[str, str],
    trusted: Callable[[str], bool],
    gone: frozenset[int],
) -> AsyncIterator[aiohttp.ClientResponse]:
    """The response with the content. Redirects are followed as long as they lead where `trusted` says."""
    for _ in range(REDIRECTS + 1):
        async with session.get(
            URL(url, encoded=True), headers=headers, timeout=_QUIET, allow_redirects=False
        ) as response:
            if response.status in _REDIRECT:
                url = urljoin(url, response.headers.get("Location", ""))
                if not trusted(url):
                    break
                continue
            if response.status in gone:
                raise FileGone
            if response.status != 200:
                raise Unavailable(f"http_{response.status}")
            yield response
            return
    raise Unavailable("led away")
