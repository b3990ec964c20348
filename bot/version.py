"""The version of the installed package; pyproject.toml has it."""

from importlib.metadata import PackageNotFoundError, version


def _installed() -> str:
    try:
        return version("switchboard")
    except PackageNotFoundError:  # run from a checkout that is not installed
        return "0"


VERSION = _installed()
