"""Who may come in: passwords and certificates."""

import asyncio
import subprocess
import time
from pathlib import Path

import pytest

from store.server.connection import Store, StoreUnavailable
from tests.servers import Server, free_port, opened, redis7, start


async def test_passwords(server: Server) -> None:
    server.ask("CONFIG", "SET", "requirepass", "hush:@/")
    host = "{}:{}".format(*server.host_port)
    async with opened(f"redis://:hush%3A%40%2F@{host}") as store:
        await store.call("ACL", "SETUSER", "me", "on", ">secret", "~*", "+@all")
        await store.call("CONFIG", "SET", "maxmemory", 0)
    async with opened(f"redis://me:secret@{host}") as store:
        assert await store.call("ACL", "WHOAMI") == b"me"
    for wrong in (":wrong@", "me:wrong@", "nobody:wrong@", ""):
        before = time.monotonic()
        with pytest.raises(StoreUnavailable) as caught:
            await Store.open(f"redis://{wrong}{host}")
        assert "wrong" not in str(caught.value).replace("WRONGPASS", "")
        assert "AUTH" in str(caught.value) or "WRONGPASS" in str(caught.value)
        assert time.monotonic() - before < 1, "no use in trying again"


async def test_a_password_nobody_asked_for(server: Server) -> None:
    """A server without one takes any."""
    async with opened(server.url.replace("redis://", "redis://:pw@")) as store:
        await store.ping()


@pytest.mark.redis7
async def test_tls(tmp_path: Path) -> None:
    redis = redis7()
    for name, options in (
        ("ca", ["-x509", "-subj", "/CN=Our own"]),
        (
            "server",
            ["-x509", "-CA", "ca.crt", "-CAkey", "ca.key", "-subj", "/CN=s", "-addext", "subjectAltName=IP:127.0.0.1"],
        ),
    ):
        words = ["openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
        words += ["-keyout", f"{name}.key", "-out", f"{name}.crt", *options]
        await asyncio.to_thread(subprocess.run, words, cwd=tmp_path, check=True, capture_output=True, timeout=20)
    authority = tmp_path / "ca.crt"
    plain = await asyncio.to_thread(
        start, tmp_path / "data", "--tls-port", 0, "--tls-cert-file", tmp_path / "server.crt",
        "--tls-key-file", tmp_path / "server.key", "--tls-ca-cert-file", authority, "--tls-auth-clients", "no",
        binary=redis,
    )  # fmt: skip
    try:
        port = free_port()
        plain.ask("CONFIG", "SET", "tls-port", port)
        async with opened(f"rediss://127.0.0.1:{port}?ssl_ca_certs={authority}") as store:
            assert await store.call("SET", "a", "x" * 100_000) == b"OK"
            assert len(await store.call("GET", "a")) == 100_000
        async with opened(f"rediss://127.0.0.1:{port}?ssl_cert_reqs=none") as store:
            await store.ping()
        with pytest.raises(StoreUnavailable, match="certificate that is not trusted"):
            await Store.open(f"rediss://127.0.0.1:{port}", timeout=0.5)
        with pytest.raises(StoreUnavailable, match="certificate that is not trusted"):
            await Store.open(f"rediss://localhost:{port}?ssl_ca_certs={authority}", timeout=0.5)
        with pytest.raises(StoreUnavailable):
            await Store.open(f"redis://127.0.0.1:{port}", timeout=0.5)
    finally:
        plain.stop()
