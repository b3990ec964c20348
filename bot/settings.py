"""Every setting, read once into frozen objects. A test holds docs/settings.md to this file.

The process environment wins over a `.env` file in the working directory; an empty value counts as not set. Secrets are
kept out of every `repr`.
"""

import io
import math
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parseaddr
from pathlib import Path
from typing import Any, Final

from bot.errors import InputError
from bot.registry import ENTRIES
from bot.variables import read_url, shorten, split_url

LOG_LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
MAX_OFFSET: Final = 100 * 365 * 86_400  # seconds: a century, well within the dates that Python knows

VARIABLES: Final = (
    "REDIS_URL",
    "SWITCHBOARD_DATA_DIR",
    "HOST",
    "PORT",
    "PUBLIC_URL",
    *(name for entry in ENTRIES.values() for name in entry.variables),
    "TWILIO_ACCOUNT_SID",
    "TWILIO_AUTH_TOKEN",
    "TWILIO_API_URL",
    "SMTP_URL",
    "IMAP_URL",
    "MAIL_FROM",
    "LOG_LEVEL",
    "SWITCHBOARD_CLOCK_OFFSET",
    "PRIVACY_URL",
    "TERMS_URL",
    "SUPPORT_URL",
)


@dataclass(frozen=True, slots=True)
class Twilio:
    """The carrier's account. `api_url` None is Twilio's own."""

    account_sid: str
    auth_token: str = field(repr=False)
    api_url: str | None = None


@dataclass(frozen=True, slots=True)
class Mail:
    """The outgoing mail server. `tls`: TLS from the first byte (smtps), else STARTTLS where the server offers it."""

    host: str
    port: int
    username: str | None
    password: str | None = field(repr=False)
    tls: bool
    sender: str  # "Name <address>" or the address alone


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of a process. `redis_url` None is the embedded server in `data_dir`."""

    redis_url: str | None = field(default=None, repr=False)
    data_dir: Path = Path("data")
    host: str = "127.0.0.1"
    port: int = 3000  # 0: any free one
    public_url: str | None = None
    platforms: Mapping[str, Any] = field(default_factory=dict)  # settings of the platforms that are on, by name
    twilio: Twilio | None = None
    mail: Mail | None = None
    imap: bool = False
    log_level: str = "INFO"
    clock_offset: float = 0.0  # seconds
    links: tuple[tuple[str, str], ...] = ()  # (privacy | terms | support, URL), where set

    def describe(self) -> tuple[str, ...]:
        """A line for each part that is off, with what switches it on."""
        lines = [line for name, entry in ENTRIES.items() for line in entry.describe(self.platforms.get(name))]
        if self.twilio is None:
            lines.append(
                "Carrier is the accounts' own inventory; calls are off: TWILIO_ACCOUNT_SID and _AUTH_TOKEN are not set"
            )
        elif self.public_url is None:
            lines.append("Carrier is Twilio, numbers can be bought; calls are off: PUBLIC_URL is not set")
        if self.mail is None:
            lines.append("Outgoing mail is off: SMTP_URL is not set")
        lines.append(
            "Incoming mail is off: this version reads none"
            if self.imap
            else "Incoming mail is off: IMAP_URL is not set"
        )
        return tuple(lines)


def read_settings(environ: Mapping[str, str] | None = None, env_file: Path | None = Path(".env")) -> Settings:
    """The settings of this process, from `environ` (default: the process's) over `env_file`.

    Raises:
        InputError: a value can't be used; the sentence names the variable and never repeats a secret.
    """
    values = read_variables(environ, env_file)
    host = values.get("HOST", "127.0.0.1")
    if any(c.isspace() or c in "/@" for c in host):
        raise InputError(f'HOST must be a host name or an address, not "{shorten(host)}"')
    platforms = {name: entry.read(values, host) for name, entry in ENTRIES.items()}
    return Settings(
        redis_url=_redis_url(values.get("REDIS_URL")),
        data_dir=Path(values.get("SWITCHBOARD_DATA_DIR", "data")).expanduser(),
        host=host,
        port=_port(values.get("PORT", "3000"), "PORT", lowest=0),
        public_url=read_url(values, "PUBLIC_URL", "").rstrip("/") or None,
        platforms={name: found for name, found in platforms.items() if found is not None},
        twilio=_twilio(values),
        mail=_mail(values),
        imap=_imap(values),
        log_level=_log_level(values.get("LOG_LEVEL", "INFO")),
        clock_offset=_clock_offset(values.get("SWITCHBOARD_CLOCK_OFFSET", "0")),
        links=tuple(
            (name.lower(), read_url(values, f"{name}_URL", ""))
            for name in ("PRIVACY", "TERMS", "SUPPORT")
            if f"{name}_URL" in values
        ),
    )


def read_variables(environ: Mapping[str, str] | None = None, env_file: Path | None = Path(".env")) -> dict[str, str]:
    """The variables that are set, unchecked. Raises InputError if the file can't be read."""
    found = {**(_env_file(env_file) if env_file else {}), **(os.environ if environ is None else environ)}
    return {name: found[name].strip() for name in VARIABLES if found.get(name, "").strip()}


def _env_file(path: Path) -> dict[str, str]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return {}
    except UnicodeDecodeError:
        raise InputError(f"{path} must be text in UTF-8") from None
    except OSError as error:
        raise InputError(f"{path} can't be read: {error.strerror}") from None
    from dotenv import dotenv_values
    from dotenv.parser import parse_stream

    for binding in parse_stream(io.StringIO(text)):
        if binding.error:
            raise InputError(f"{path}:{binding.original.line}: expected NAME=value")
    return {name: value for name, value in dotenv_values(stream=io.StringIO(text)).items() if value is not None}


def _port(text: str, name: str, lowest: int = 1) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and lowest <= int(text) <= 65_535):
        raise InputError(f'{name} must be a whole number from {lowest} to 65535, not "{shorten(text)}"')
    return int(text)


def _redis_url(url: str | None) -> str | None:
    if url is None:
        return None
    from store.server.urls import parse

    try:
        parse(url)
    except ValueError as error:
        raise InputError(str(error).rstrip(".")) from None
    return url


def _twilio(values: Mapping[str, str]) -> Twilio | None:
    sid, token = values.get("TWILIO_ACCOUNT_SID"), values.get("TWILIO_AUTH_TOKEN")
    if bool(sid) != bool(token):
        raise InputError("TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN belong together: set both, or neither")
    api_url = read_url(values, "TWILIO_API_URL", "").rstrip("/") or None
    if sid is None or token is None:
        return None
    if not re.fullmatch(r"AC[0-9a-fA-F]{32}", sid):
        raise InputError("TWILIO_ACCOUNT_SID must be AC and 32 hexadecimal digits, as the Twilio console shows it")
    return Twilio(sid, token, api_url)


def _mail(values: Mapping[str, str]) -> Mail | None:
    sender = values.get("MAIL_FROM", "")
    if sender:
        address = parseaddr(sender)[1]
        if address.count("@") != 1 or any(c.isspace() for c in address) or not all(address.split("@")):
            raise InputError('MAIL_FROM must be an address such as "Switchboard <bot@example.com>"')
    if "SMTP_URL" not in values:
        return None
    expected = "an address such as smtp://user:password@mail.example.com:587 or smtps://…"
    parts = split_url(values["SMTP_URL"], "SMTP_URL", expected)
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        raise InputError(f"SMTP_URL must be {expected}")
    if not sender:
        raise InputError("Mail is half configured: MAIL_FROM is missing beside SMTP_URL")
    from urllib.parse import unquote

    tls = parts.scheme == "smtps"
    return Mail(
        host=parts.hostname,
        port=parts.port or (465 if tls else 587),
        username=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
        tls=tls,
        sender=sender,
    )


def _imap(values: Mapping[str, str]) -> bool:
    if "IMAP_URL" not in values:
        return False
    expected = "an address such as imaps://user:password@mail.example.com"
    parts = split_url(values["IMAP_URL"], "IMAP_URL", expected)
    if parts.scheme not in ("imap", "imaps") or not parts.hostname:
        raise InputError(f"IMAP_URL must be {expected}")
    return True


def _log_level(text: str) -> str:
    if text.upper() not in LOG_LEVELS:
        raise InputError(f'LOG_LEVEL must be one of {", ".join(n.lower() for n in LOG_LEVELS)}, not "{shorten(text)}"')
    return text.upper()


def _clock_offset(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not math.isfinite(seconds) or abs(seconds) > MAX_OFFSET:
        raise InputError(f'SWITCHBOARD_CLOCK_OFFSET must be a number of seconds, not "{shorten(text)}"')
    return seconds
