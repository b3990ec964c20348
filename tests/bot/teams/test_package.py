"""The app package: Microsoft's schema, the router, the icons, and what an operator gets for a mistake."""

import io
import json
import shutil
import struct
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from bot.teams import package
from handlers import blocklist, numbers, support
from handlers.wording import LANGUAGES
from handlers.workflows import ROUTES
from playground import teams as demo

ID = "6f1c0f5e-0b7a-4c57-9d0b-2f1f6b1f5f10"
URL = "https://bot.example.org"
LOCK = Path(demo.__file__).parent
SCHEMA = Path("@microsoft/app-manifest/build/json-schemas/teams")


def unzipped(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    return unzipped(package.build(ID, URL, "1.2.3"))


@pytest.fixture(scope="module")
def manifest(files: dict[str, bytes]) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(files["manifest.json"])
    return read


@pytest.fixture(scope="module")
def schemas(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Microsoft's schemas, as its npm package carries them."""
    if (demo.INSTALLED / SCHEMA).is_dir():
        return demo.INSTALLED / SCHEMA
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("Microsoft's schema comes from npm, and Node.js with npm is not installed")
    folder = tmp_path_factory.mktemp("schemas")
    for name in ("package.json", "package-lock.json"):
        shutil.copy(LOCK / name, folder)
    command = [npm, "ci", "--ignore-scripts", "--prefer-offline", "--omit=prod", "--silent"]
    try:
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=90)
    except (subprocess.SubprocessError, OSError) as error:
        pytest.skip(f"Microsoft's schema could not be had from npm: {error}")
    return folder / "node_modules" / SCHEMA


def complaints(schema: Path, data: dict[str, Any]) -> list[str]:
    read = json.loads(schema.read_text(encoding="utf-8-sig"))
    checker = jsonschema.validators.validator_for(read)(read)
    return [f"{list(error.path)}: {error.message}" for error in checker.iter_errors(data)]


def test_it_is_valid_by_microsofts_schema(schemas: Path, files: dict[str, bytes], manifest: dict[str, Any]) -> None:
    folder = schemas / f"v{manifest['manifestVersion']}"
    assert f"/v{manifest['manifestVersion']}/" in manifest["$schema"]
    assert complaints(folder / "MicrosoftTeams.schema.json", manifest) == []
    assert complaints(folder / "MicrosoftTeams.schema.json", manifest | {"accentColor": "red"}) != []
    for translation in manifest["localizationInfo"]["additionalLanguages"]:
        texts = json.loads(files[translation["file"]])
        assert complaints(folder / "MicrosoftTeams.Localization.schema.json", texts) == []


def test_its_schema_knows_slash_commands_and_targeted_messages(manifest: dict[str, Any]) -> None:
    assert tuple(map(int, manifest["manifestVersion"].split("."))) >= (1, 29)
    assert manifest["bots"][0]["supportsTargetedMessages"] is True


def test_each_scope_has_its_commands(manifest: dict[str, Any]) -> None:
    [bot] = manifest["bots"]
    assert sorted(bot["scopes"]) == ["groupChat", "personal", "team"]
    assert {tuple(listed["scopes"]): listed["triggers"] for listed in bot["commandLists"]} == {
        ("personal",): ["mention"],  # Teams has no private messages to bots, hence no slash commands, in a chat of two
        ("team",): ["mention", "slash"],
        ("groupChat",): ["mention", "slash"],
    }


def test_its_commands_are_those_of_the_help_and_are_answered(manifest: dict[str, Any]) -> None:
    for listed in manifest["bots"][0]["commandLists"]:
        titles = [command["title"] for command in listed["commands"]]
        known = {f"numbers {verb}" for verb in numbers.HELP} | {f"blocklist {verb}" for verb in blocklist.HELP}
        known |= {f"support {verb}" for verb in support.HELP if verb != "question"}
        assert set(titles) <= known | {"numbers help", "blocklist help", "support help"}
        assert {"numbers help", "blocklist help", "support help"} <= set(titles)
        assert len(titles) <= package.MAX_COMMANDS
        for title in titles:
            name, verb = title.split()
            assert name in ROUTES.names
            assert verb == "help" or (name, verb) in ROUTES.commands
        assert all(command["description"] for command in listed["commands"])


def test_each_translation_says_everything(files: dict[str, bytes], manifest: dict[str, Any]) -> None:
    said = {
        language["languageTag"]: language["file"] for language in manifest["localizationInfo"]["additionalLanguages"]
    }
    assert tuple(said) == package.languages()[1:] == LANGUAGES[1:]
    paths = {
        f"bots[0].commandLists[{i}].commands[{k}].description": command["description"]
        for i, listed in enumerate(manifest["bots"][0]["commandLists"])
        for k, command in enumerate(listed["commands"])
    }
    texts = json.loads(files["pl.json"])
    assert set(texts) == {*paths, "name.short", "name.full", "description.short", "description.full"}
    assert [path for path, english in paths.items() if texts[path] == english] == []


def test_what_is_the_operators_own_is_filled_in(manifest: dict[str, Any]) -> None:
    assert manifest["id"] == manifest["bots"][0]["botId"] == ID
    assert manifest["version"] == "1.2.3"
    assert manifest["validDomains"] == ["bot.example.org"]
    assert set(manifest["developer"].values()) == {"Switchboard", URL}
    assert "example.com" not in json.dumps(manifest)
    links = [("privacy", "https://example.net/privacy"), ("terms", "https://example.net/terms")]
    developer = package.manifest(ID, URL, "1.2.3", links)["developer"]
    assert (developer["privacyUrl"], developer["termsOfUseUrl"]) == tuple(url for _, url in links)
    assert developer["websiteUrl"] == URL


def test_the_same_input_gives_the_same_bytes() -> None:
    assert package.build(ID, URL, "1.2.3") == package.build(ID.upper(), URL, "1.2.3")
    assert package.build(ID, URL, "1.2.3") != package.build(ID, URL, "1.2.4")


@pytest.mark.parametrize(("given", "kept"), [("1.2.3rc1", "1.2.3"), ("0.4.0+local", "0.4.0"), ("0", "0.0.0")])
def test_its_version_has_three_parts(given: str, kept: str) -> None:
    assert package.manifest(ID, URL, given)["version"] == kept


@pytest.mark.parametrize("id", ["", "me", ID[:-1], f"{ID}0", f"{ID}\n"])
def test_an_id_that_is_none_is_refused(id: str) -> None:
    with pytest.raises(ValueError, match="TEAMS_CLIENT_ID must be"):
        package.build(id, URL, "1.2.3")


@pytest.mark.parametrize("url", ["", "http://bot.example.org", "https://", "bot.example.org"])
def test_an_address_that_teams_does_not_call_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="PUBLIC_URL must begin with https://"):
        package.build(ID, url, "1.2.3")


@pytest.mark.parametrize(("name", "size"), [("color.png", 192), ("outline.png", 32)])
def test_an_icon_has_its_size(files: dict[str, bytes], name: str, size: int) -> None:
    assert files[name][:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", files[name][16:24]) == (size, size)
    assert len(files[name]) < 20_000


def test_the_outline_is_white_on_nothing(files: dict[str, bytes]) -> None:
    rows = pixels(files["outline.png"])
    assert {alpha for row in rows for *_, alpha in row} >= {0, 255}
    assert {(r, g, b) for row in rows for r, g, b, alpha in row if alpha} == {(255, 255, 255)}


def pixels(png: bytes) -> list[list[tuple[int, ...]]]:
    """The pixels of an RGBA picture of eight bits, not interlaced."""
    width, _, depth, colour = struct.unpack(">IIBB", png[16:26])
    assert (depth, colour) == (8, 6)
    packed, at = b"", 8
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        if png[at + 4 : at + 8] == b"IDAT":
            packed += png[at + 8 : at + 8 + length]
        at += 12 + length
    raw, stride = zlib.decompress(packed), width * 4
    above, rows = bytearray(stride), []
    for start in range(0, len(raw), stride + 1):
        line = bytearray(raw[start + 1 : start + 1 + stride])
        for i in range(stride):
            left, up, corner = (line[i - 4] if i > 3 else 0), above[i], (above[i - 4] if i > 3 else 0)
            line[i] = (line[i] + _predicted(raw[start], left, up, corner)) & 255
        above = line
        rows.append([tuple(line[i : i + 4]) for i in range(0, stride, 4)])
    return rows


def _predicted(kind: int, left: int, up: int, corner: int) -> int:
    if kind == 4:
        guess = left + up - corner
        return min((left, up, corner), key=lambda one: abs(guess - one))
    return (0, left, up, (left + up) // 2)[kind]


def test_the_lock_names_no_registry() -> None:
    lock = json.loads((LOCK / "package-lock.json").read_text())
    assert [name for name, entry in lock["packages"].items() if "resolved" in entry] == []
    assert all(entry["integrity"].startswith("sha512-") for name, entry in lock["packages"].items() if name)


def test_building_imports_no_sdk() -> None:
    code = "import sys, bot.teams.package; sys.exit(any(name.startswith('microsoft_teams') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=30).returncode == 0
