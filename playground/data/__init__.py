"""What the demo is about: an account with its people, first numbers and help articles, and the Slack workspace and the
Twilio account that go with it."""

from pathlib import Path
from typing import Final

ACCOUNTS: Final = Path(__file__).parent / "accounts.yaml"
NUMBERS: Final = Path(__file__).parent / "numbers.csv"
