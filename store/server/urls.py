"""Parses `REDIS_URL`; errors are one sentence that never contains the password.

| form | means |
|---|---|
| `redis://host:port` `rediss://host:port` | one server, plain or over TLS |
| `unix:///path/to/socket` | one server on a unix socket |
| `redis+cluster://h1:p1,h2:p2` | a cluster; any of its nodes |
| `redis+sentinel://h1:p1,h2:p2/NAME` | the primary that the sentinels call NAME |

redis-py parses the first two rows only, and quotes what it can't parse in its messages, so all four are parsed here.
`user:password@` (or `:password@`), percent-encoded, precedes the hosts; `rediss+cluster` and `rediss+sentinel` are the
same over TLS, which has the options `ssl_ca_certs`, `ssl_cert_reqs` (required, optional, none), `ssl_certfile` and
`ssl_keyfile`. Only db 0 is allowed, because a cluster has no other.
"""

from dataclasses import dataclass, field
from typing import Any, Final, Literal
from urllib.parse import parse_qsl, unquote, urlsplit

from redis.asyncio.connection import RedisSSLContext

Mode = Literal["standalone", "sentinel", "cluster"]

_MODES: Final[dict[str, Mode]] = {
    "redis": "standalone",
    "rediss": "standalone",
    "unix": "standalone",
    "redis+cluster": "cluster",
    "rediss+cluster": "cluster",
    "redis+sentinel": "sentinel",
    "rediss+sentinel": "sentinel",
}
_PORT: Final[dict[Mode, int]] = {"standalone": 6379, "cluster": 6379, "sentinel": 26379}
_CERT_REQS: Final = ("required", "optional", "none")
_TLS_OPTIONS: Final = ("ssl_ca_certs", "ssl_cert_reqs", "ssl_certfile", "ssl_keyfile")


@dataclass(frozen=True)
class StoreAddress:
    """Address and credentials of the store.

    Attributes:
        hosts: (host, port) of the server, of nodes of the cluster, or of the sentinels; empty for a unix socket.
        path: of the unix socket, else empty.
        name: the sentinels' name for the primary, else empty.
        tls: redis-py's TLS options; None: plain text.
    """

    mode: Mode
    hosts: tuple[tuple[str, int], ...] = ()
    path: str = ""
    name: str = ""
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: dict[str, Any] | None = field(default=None, repr=False)

    def __str__(self) -> str:
        named = (f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in self.hosts)
        return self.path or ", ".join(named)


def parse(url: str) -> StoreAddress:
    """The address that `url` names. Raises ValueError with one sentence for the operator."""
    scheme, separator, rest = url.strip().partition("://")
    scheme = scheme.lower()
    if not separator or scheme not in _MODES:
        known = ", ".join(f"{name}://" for name in _MODES)
        raise ValueError(f"REDIS_URL must begin with one of {known}.")
    mode = _MODES[scheme]
    rest, _, query = rest.partition("#")[0].partition("?")
    # With an unencoded "/" or "@" in a password, part of it must not be taken for a host, which messages contain.
    credentials, at, place = rest.rpartition("@")
    username, password = _credentials(credentials) if at else (None, None)
    tls = _tls(query, secure=scheme.startswith("rediss"))
    if scheme == "unix":
        return StoreAddress(mode, path=_socket(place), username=username, password=password)
    hosts, _, path = place.partition("/")
    name = unquote(path.strip("/")) if mode == "sentinel" else ""
    if mode == "sentinel" and not name:
        raise ValueError("REDIS_URL names no primary: write redis+sentinel://host:port/NAME.")
    if mode != "sentinel" and path.strip("/") not in ("", "0"):
        raise ValueError("REDIS_URL names a database: only db 0 is used, leave the part after the last '/' out.")
    found = tuple(_host(host.strip(), _PORT[mode]) for host in hosts.split(","))
    if mode == "standalone" and len(found) > 1:
        raise ValueError("REDIS_URL names several hosts: write redis+cluster:// or redis+sentinel://.")
    return StoreAddress(mode, found, name=name, username=username, password=password, tls=tls)


def _credentials(text: str) -> tuple[str | None, str | None]:
    username, colon, password = text.partition(":")
    if not colon or not password:
        raise ValueError("REDIS_URL has a user name without a password: write user:password@ or :password@.")
    return unquote(username) or None, unquote(password)


def _socket(place: str) -> str:
    path = unquote(place)
    if not path.startswith("/") or path == "/":
        raise ValueError("REDIS_URL must name the socket by its full path: unix:///path/to/socket.")
    return path


def _host(text: str, default: int) -> tuple[str, int]:
    split = urlsplit(f"//{text}")
    if not split.hostname:
        raise ValueError("REDIS_URL names no host, or an empty one between two commas.")
    try:
        port = default if split.port is None else split.port
    except ValueError:
        port = 0
    if port == 0:
        raise ValueError("REDIS_URL has a port that is not a number from 1 to 65535.")
    return split.hostname, port


def _tls(query: str, *, secure: bool) -> dict[str, Any] | None:
    try:
        options = dict(parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query)))
    except ValueError:
        raise ValueError("REDIS_URL has options that are not written as name=value&name=value.") from None
    if options.pop("db", "0") != "0":
        raise ValueError("REDIS_URL names a database: only db 0 is used, leave the db option out.")
    for name in options:
        if name not in _TLS_OPTIONS:
            raise ValueError(f"REDIS_URL has an option that is not known; known are {', '.join(_TLS_OPTIONS)}.")
        if not secure:
            raise ValueError(f"REDIS_URL has the option {name}, which is for TLS: write rediss:// to use it.")
    if not secure:
        return None
    reqs = options.setdefault("ssl_cert_reqs", "required")
    if reqs not in _CERT_REQS:
        raise ValueError("REDIS_URL has an ssl_cert_reqs other than required, optional and none.")
    authority, certificate = options.get("ssl_ca_certs"), options.get("ssl_certfile")
    try:
        RedisSSLContext(ca_certs=authority).get()
    except OSError as error:
        raise ValueError(f"REDIS_URL names ssl_ca_certs that cannot be read: {authority}.") from error
    try:
        RedisSSLContext(certfile=certificate, keyfile=options.get("ssl_keyfile")).get()
    except OSError as error:
        raise ValueError(f"REDIS_URL names an ssl_certfile that cannot be used: {certificate}.") from error
    return {**options, "ssl_check_hostname": reqs == "required"}
