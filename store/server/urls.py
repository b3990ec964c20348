"""`REDIS_URL` in all its forms, checked once and told in one sentence that never shows the password.

| form | means |
|---|---|
| `redis://host:port` `rediss://host:port` | one server, plain or over TLS |
| `unix:///path/to/socket` | one server on a unix socket |
| `redis+cluster://h1:p1,h2:p2` | a cluster; any of its nodes |
| `redis+sentinel://h1:p1,h2:p2/NAME` | the primary that the sentinels call NAME |

`user:password@` (or `:password@`) goes before the hosts, percent-encoded; `rediss+cluster` and `rediss+sentinel` are
the same over TLS. TLS knows the options `ssl_ca_certs`, `ssl_cert_reqs` (required, optional, none), `ssl_certfile` and
`ssl_keyfile`. There is only db 0, because a cluster has no other.
"""

import ssl
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import parse_qsl, unquote

from store.server.lean import Endpoint

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
_TLS_OPTIONS: Final = ("ssl_ca_certs", "ssl_cert_reqs", "ssl_certfile", "ssl_keyfile")


@dataclass(frozen=True)
class StoreAddress:
    """Where the store is.

    Attributes:
        endpoints: servers to begin with: the one, or nodes of the cluster, or the sentinels.
        name: what the sentinels call the primary, else empty.
    """

    mode: Mode
    endpoints: tuple[Endpoint, ...]
    name: str = ""

    def __str__(self) -> str:
        return ", ".join(str(endpoint) for endpoint in self.endpoints)


def parse(url: str) -> StoreAddress:
    """The target that `url` names.

    Raises:
        ValueError: with one sentence for the operator.
    """
    scheme, separator, rest = url.strip().partition("://")
    scheme = scheme.lower()
    if not separator or scheme not in _MODES:
        known = ", ".join(f"{name}://" for name in _MODES)
        raise ValueError(f"REDIS_URL must begin with one of {known}.")
    mode = _MODES[scheme]
    rest, _, query = rest.partition("#")[0].partition("?")
    # An unencoded "/" or "@" in a password must not make part of it look like a host, which messages name.
    credentials, at, place = rest.rpartition("@")
    username, password = _credentials(credentials) if at else (None, None)
    options = _options(query, secure=scheme.startswith("rediss"))
    context = _context(options) if scheme.startswith("rediss") else None
    if scheme == "unix":
        return StoreAddress(mode, (_socket(place, username, password),))
    hosts, _, path = place.partition("/")
    name = ""
    if mode == "sentinel":
        name = unquote(path.strip("/"))
        if not name:
            raise ValueError("REDIS_URL names no primary: write redis+sentinel://host:port/NAME.")
    elif path.strip("/") not in ("", "0"):
        raise ValueError("REDIS_URL names a database: only db 0 is used, leave the part after the last '/' out.")
    addresses = [_address(host.strip(), _PORT[mode]) for host in hosts.split(",")]
    if mode == "standalone" and len(addresses) > 1:
        raise ValueError("REDIS_URL names several hosts: write redis+cluster:// or redis+sentinel://.")
    return StoreAddress(mode, tuple(Endpoint(address, username, password, context) for address in addresses), name)


def _credentials(text: str) -> tuple[str | None, str | None]:
    username, colon, password = text.partition(":")
    if not colon or not password:
        raise ValueError("REDIS_URL has a user name without a password: write user:password@ or :password@.")
    return unquote(username) or None, unquote(password)


def _socket(place: str, username: str | None, password: str | None) -> Endpoint:
    path = unquote(place)
    if not path.startswith("/") or path == "/":
        raise ValueError("REDIS_URL must name the socket by its full path: unix:///path/to/socket.")
    return Endpoint(path, username, password)


def _address(text: str, default: int) -> tuple[str, int]:
    if text.startswith("["):  # IPv6
        host, _, rest = text[1:].partition("]")
        port = rest.removeprefix(":")
    else:
        host, _, port = text.partition(":")
    if not host:
        raise ValueError("REDIS_URL names no host, or an empty one between two commas.")
    if not port:
        return host, default
    if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise ValueError("REDIS_URL has a port that is not a number from 1 to 65535.")
    return host, int(port)


def _options(query: str, *, secure: bool) -> dict[str, str]:
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
    return options


def _context(options: dict[str, str]) -> ssl.SSLContext:
    wanted = options.get("ssl_cert_reqs", "required")
    modes = {"required": ssl.CERT_REQUIRED, "optional": ssl.CERT_OPTIONAL, "none": ssl.CERT_NONE}
    if wanted not in modes:
        raise ValueError("REDIS_URL has an ssl_cert_reqs other than required, optional and none.")
    context = ssl.create_default_context()
    context.check_hostname = wanted == "required"
    context.verify_mode = modes[wanted]
    if authority := options.get("ssl_ca_certs"):
        try:
            context.load_verify_locations(authority)
        except OSError as error:
            raise ValueError(f"REDIS_URL names ssl_ca_certs that cannot be read: {authority}.") from error
    if certificate := options.get("ssl_certfile"):
        try:
            context.load_cert_chain(certificate, options.get("ssl_keyfile"))
        except OSError as error:
            raise ValueError(f"REDIS_URL names an ssl_certfile that cannot be used: {certificate}.") from error
    return context
