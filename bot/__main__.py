"""`switchboard`, and `python -m bot`."""

import sys


def main() -> None:
    from bot.cli import main as run

    sys.exit(run())


if __name__ == "__main__":
    main()
