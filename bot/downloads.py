"""Downloads of files from a chat platform, bounded in size and time."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Final
from urllib.parse import urljoin

import aiohttp
from yarl import URL

from handlers.framework.ports import FileGone, FileTooLarge, Unavailable

CHUNK: Final = 64 * 1024  # bytes
WAITING: Final = 120.0  # seconds spent waiting for the chunks of a file
REDIRECTS: Final = 3
_QUIET: Final = aiohttp.ClientTimeout(total=None, sock_connect=5.0, sock_read=10.0)
_REDIRECT: Final = frozenset({301, 302, 303, 307, 308})
_HTML: Final = "text/html"


class HtmlInsteadOfFile(Unavailable):
    """A page came instead of the file, to sign in for example."""


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
    """Yield the content in chunks of at most `CHUNK` bytes.

    Args:
        limit: the most bytes to read.
        trusted: whether `headers` may be sent to a URL; called for redirects, `url` is taken as trusted.
        html: whether the file itself is a page.
        gone: statuses that mean that there is no such file.

    Raises:
        FileGone, FileTooLarge, Unavailable: as `handlers.framework.ports.Files.read`.
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
    """The response with the content, after redirects to URLs that are `trusted`."""
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
