"""The app package for Teams: manifest, icons and translations in a zip, ready to be uploaded to a tenant.

`manifest.json` is the app as it is anywhere; `build` puts in what is one operator's own: the app's id, the address and
the commands, which are the verbs of the help. The same input gives the same bytes.
"""

import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from datetime import UTC
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import orjson

from domain.policy import UNDO_DAYS
from handlers import blocklist, numbers
from handlers.framework.screens import strip_markup
from handlers.wording import LANGUAGES, words_in

DEFAULT: Final = "en"  # the language of manifest.json itself
ICONS: Final = ("color.png", "outline.png")
# What Teams offers in its menus. The word sent is the title, so it is the same in every language.
# A list holds a dozen: what is found from a list (delete, undo, history, remove) is left to its buttons.
COMMANDS: Final = (
    *(f"numbers {verb}" for verb in ("list", "get", "assign", "register", "help")),
    *(f"blocklist {verb}" for verb in ("list", "add", "help")),
    *(f"support {verb}" for verb in ("ask", "contact", "inbox", "help")),
)
MAX_COMMANDS: Final = 12  # in a list, by the schema

_HERE: Final = Path(__file__).parent
_GUID: Final = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
_VERSION: Final = re.compile(r"\d+\.\d+\.\d+")
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)  # the oldest moment that a zip can tell: builds differ by content alone

Json = dict[str, Any]


def build(client_id: str, public_url: str, version: str, links: Sequence[tuple[str, str]] = ()) -> bytes:
    """The zip.

    Args:
        client_id: the app registration's GUID; the app and its bot share it.
        public_url: where the bot is reached, `https://…`.
        version: of Switchboard; what is not `X.Y.Z` becomes the nearest such version.
        links: (privacy | terms | support, URL), those that there are; the public URL stands in for the others.

    Raises:
        ValueError: with a sentence without a full stop that names the setting that can't be used, and why.
    """
    id = _guid(client_id)
    files = {"manifest.json": _dump(manifest(id, public_url, version, links))}
    files |= {f"{language}.json": _dump(_translation(language)) for language in languages() if language != DEFAULT}
    files |= {name: (_HERE / name).read_bytes() for name in ICONS}
    return _zip(files)


def languages() -> tuple[str, ...]:
    """Those that both the app's description and the catalogues speak, the manifest's own first."""
    return (DEFAULT, *(code for code in LANGUAGES if (_HERE / f"{code}.json").exists()))


def manifest(client_id: str, public_url: str, version: str, links: Sequence[tuple[str, str]] = ()) -> Json:
    """`manifest.json` filled in. Arguments and errors as in `build`."""
    made: Json = orjson.loads((_HERE / "manifest.json").read_bytes())
    pages, [bot] = dict(links), made["bots"]
    made["id"] = bot["botId"] = _guid(client_id)
    made["version"] = _three(version)
    made["validDomains"] = [_domain(public_url)]
    made["developer"] |= {
        "websiteUrl": pages.get("support", public_url),
        "privacyUrl": pages.get("privacy", public_url),
        "termsOfUseUrl": pages.get("terms", public_url),
    }
    made["localizationInfo"]["additionalLanguages"] = [
        {"languageTag": code, "file": f"{code}.json"} for code in languages() if code != DEFAULT
    ]
    described = _described(DEFAULT)
    for listed in bot["commandLists"]:
        listed["commands"] = [{"title": title, "description": described[title]} for title in COMMANDS]
    return made


def _translation(language: str) -> Json:
    """The texts of the manifest in another language, by the path that each has there."""
    made: Json = orjson.loads((_HERE / f"{language}.json").read_bytes())
    template: Json = orjson.loads((_HERE / "manifest.json").read_bytes())
    described = _described(language)
    for i, _ in enumerate(template["bots"][0]["commandLists"]):
        for k, title in enumerate(COMMANDS):
            made[f"bots[0].commandLists[{i}].commands[{k}].description"] = described[title]
    return made


def _described(language: str) -> Mapping[str, str]:
    words = words_in(language, UTC)
    known = {f"numbers {verb}": strip_markup(words.text(f"help.{verb}", days=UNDO_DAYS)) for verb in numbers.HELP}
    known |= {f"blocklist {verb}": words(f"help.blocklist.{verb}") for verb in blocklist.HELP}
    known |= {f"support {what}": words(f"support.help.{what}") for what in ("ask", "contact", "inbox")}
    titles = {
        "numbers help": "help.title",
        "blocklist help": "help.blocklist.title",
        "support help": "support.help.title",
    }
    return known | {title: words(key) for title, key in titles.items()}


def _guid(text: str) -> str:
    if not _GUID.fullmatch(text.lower()):
        raise ValueError("TEAMS_CLIENT_ID must be the application (client) id of the app registration, a GUID")
    return text.lower()


def _domain(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname:
        raise ValueError("PUBLIC_URL must begin with https://: Teams calls nothing else")
    return parts.hostname if parts.port is None else f"{parts.hostname}:{parts.port}"


def _three(version: str) -> str:
    found = _VERSION.match(version)
    return found[0] if found else "0.0.0"


def _dump(data: Json) -> bytes:
    return orjson.dumps(data, option=orjson.OPT_INDENT_2) + b"\n"


def _zip(files: Mapping[str, bytes]) -> bytes:
    """Stored, not deflated: what a compressor makes depends on its version."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.create_system = 3  # Unix, wherever it is built
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
    return made.getvalue()
