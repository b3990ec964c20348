"""`switchboard teams package`."""

import json
import zipfile
from pathlib import Path

import pytest

from handlers.wording import LANGUAGES
from tests.bot.cli.conftest import Run

ID = "6f1c0f5e-0b7a-4c57-9d0b-2f1f6b1f5f10"
URL = "https://bot.example.org"


def test_it_writes_a_package_from_the_settings(run: Run, tmp_path: Path) -> None:
    said = run("teams", "package", TEAMS_CLIENT_ID=ID, PUBLIC_URL=f"{URL}/", PRIVACY_URL="https://example.net/privacy")
    assert (said.status, said.err) == (0, "")
    assert said.out.startswith("switchboard-teams.zip: upload it in Teams")
    with zipfile.ZipFile(tmp_path / "switchboard-teams.zip") as archive:
        said_in = [f"{language}.json" for language in LANGUAGES if language != "en"]
        assert archive.namelist() == ["manifest.json", *said_in, "color.png", "outline.png"]
        manifest = json.loads(archive.read("manifest.json"))
    assert manifest["id"] == ID
    assert manifest["developer"]["websiteUrl"] == URL
    assert manifest["developer"]["privacyUrl"] == "https://example.net/privacy"


def test_it_goes_where_it_is_told_to_and_is_the_same_each_time(run: Run, tmp_path: Path) -> None:
    assert run("teams", "package", TEAMS_CLIENT_ID=ID, PUBLIC_URL=URL).status == 0
    secret = {"TEAMS_CLIENT_SECRET": "s3cret", "TEAMS_TENANT_ID": ID}
    assert run("teams", "package", "-o", "other.zip", TEAMS_CLIENT_ID=ID, PUBLIC_URL=URL, **secret).status == 0
    assert (tmp_path / "other.zip").read_bytes() == (tmp_path / "switchboard-teams.zip").read_bytes()
    assert b"s3cret" not in (tmp_path / "other.zip").read_bytes()


def test_a_file_of_settings_will_do(run: Run, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(f"TEAMS_CLIENT_ID={ID}\nPUBLIC_URL={URL}\n")
    assert run("teams", "package").status == 0


@pytest.mark.parametrize(
    ("environ", "sentence"),
    [
        ({"PUBLIC_URL": URL}, "TEAMS_CLIENT_ID is not set"),
        ({"TEAMS_CLIENT_ID": ID}, "PUBLIC_URL is not set"),
        ({"TEAMS_CLIENT_ID": "me", "PUBLIC_URL": URL}, "TEAMS_CLIENT_ID must be the application (client) id"),
        ({"TEAMS_CLIENT_ID": ID, "PUBLIC_URL": "http://bot.example.org"}, "PUBLIC_URL must begin with https://"),
        ({"TEAMS_CLIENT_ID": ID, "PUBLIC_URL": "bot"}, "PUBLIC_URL must be a full address"),
    ],
)
def test_what_is_missing_or_wrong_is_named(run: Run, tmp_path: Path, environ: dict[str, str], sentence: str) -> None:
    assert sentence in run("teams", "package", **environ).refused()
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_can_not_be_written_is_named(run: Run) -> None:
    refused = run("teams", "package", "-o", "no/such/x.zip", TEAMS_CLIENT_ID=ID, PUBLIC_URL=URL).refused()
    assert refused == "no/such/x.zip can't be written: No such file or directory"
