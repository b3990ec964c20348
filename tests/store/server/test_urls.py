"""Every form of `REDIS_URL`, and what is said of those that are none."""

import pytest

from store.server.urls import parse


@pytest.mark.parametrize(
    ("url", "mode", "addresses"),
    [
        ("redis://cache", "standalone", [("cache", 6379)]),
        ("redis://cache:7000/", "standalone", [("cache", 7000)]),
        ("REDIS://cache:7000/0", "standalone", [("cache", 7000)]),
        ("redis://cache?db=0", "standalone", [("cache", 6379)]),
        ("redis://[::1]:7000", "standalone", [("::1", 7000)]),
        ("redis://[::1]", "standalone", [("::1", 6379)]),
        ("rediss://cache:7000", "standalone", [("cache", 7000)]),
        ("redis+cluster://a:1,b:2,c", "cluster", [("a", 1), ("b", 2), ("c", 6379)]),
        ("rediss+cluster://a:1", "cluster", [("a", 1)]),
        ("redis+sentinel://a,b:2/main", "sentinel", [("a", 26379), ("b", 2)]),
        ("rediss+sentinel://a/main", "sentinel", [("a", 26379)]),
    ],
)
def test_forms(url: str, mode: str, addresses: list[object]) -> None:
    address = parse(url)
    assert (address.mode, list(address.hosts), address.path) == (mode, addresses, "")
    assert (address.tls is not None) == url.startswith("rediss")
    assert address.name == ("main" if mode == "sentinel" else "")


def test_a_socket() -> None:
    address = parse("unix:///run/a%20b.sock")
    assert (address.mode, address.hosts, address.path) == ("standalone", (), "/run/a b.sock")


@pytest.mark.parametrize("place", ["redis://{}@h", "unix://{}@/s", "redis+cluster://{}@a,b", "redis+sentinel://{}@a/m"])
@pytest.mark.parametrize(
    ("written", "username", "password"),
    [(":pw", None, "pw"), ("me:pw", "me", "pw"), ("me:p%40w%2F%3A", "me", "p@w/:"), (":a:b", None, "a:b")],
)
def test_credentials(place: str, written: str, username: str | None, password: str) -> None:
    address = parse(place.format(written))
    assert (address.username, address.password) == (username, password)
    assert password not in f"{address!r} {address}"


@pytest.mark.parametrize(
    ("query", "reqs", "hostname"),
    [("", "required", True), ("?ssl_cert_reqs=optional", "optional", False), ("?ssl_cert_reqs=none", "none", False)],
)
def test_tls_options(query: str, reqs: str, hostname: bool) -> None:
    assert parse(f"rediss://h{query}").tls == {"ssl_cert_reqs": reqs, "ssl_check_hostname": hostname}


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", "must begin with one of"),
        ("cache:6379", "must begin with one of"),
        ("http://:hush@cache", "must begin with one of"),
        ("redis://", "names no host"),
        ("redis://:hush@", "names no host"),
        ("redis://:hush@:6379", "names no host"),
        ("redis+cluster://:hush@a,,b", "names no host"),
        ("redis://:hush@cache:port", "port that is not a number"),
        ("redis://:hush@cache:0", "port that is not a number"),
        ("redis://:hush@cache:65536", "port that is not a number"),
        ("redis://:hush@cache:٣", "port that is not a number"),
        ("redis://hush@cache", "user name without a password"),
        ("redis://hush:@cache", "user name without a password"),
        ("redis://:hush@cache/1", "only db 0"),
        ("redis://:hush@cache?db=1", "only db 0"),
        ("redis+cluster://:hush@a/2", "only db 0"),
        ("redis://:hush@a,b", "names several hosts"),
        ("redis+sentinel://:hush@a", "names no primary"),
        ("redis+sentinel://:hush@a/", "names no primary"),
        ("unix://:hush@relative/path", "full path"),
        ("unix://", "full path"),
        ("unix:///", "full path"),
        ("rediss://:hush@h?decode_responses=1", "option that is not known"),
        ("rediss://:hush@h?ssl_cert_reqs", "not written as name=value"),
        ("rediss://:hush@h?ssl_cert_reqs=sometimes", "other than required, optional and none"),
        ("rediss://:hush@h?ssl_ca_certs=/nowhere/ca.pem", "ssl_ca_certs that cannot be read: /nowhere/ca.pem"),
        ("rediss://:hush@h?ssl_certfile=/nowhere/me.pem", "ssl_certfile that cannot be used: /nowhere/me.pem"),
        ("redis://:hush@h?ssl_cert_reqs=none", "write rediss://"),
    ],
)
def test_what_is_no_url(url: str, said: str) -> None:
    with pytest.raises(ValueError, match="REDIS_URL") as caught:
        parse(url)
    text = str(caught.value)
    assert said in text
    assert text.endswith(".")
    assert "hush" not in text
