"""What the environment says, and what it may not say."""

from pathlib import Path

import pytest

from bot.errors import InputError
from bot.settings import Twilio, read_settings
from bot.slack.settings import SLACK_API
from bot.slack.settings import Settings as SlackSettings
from bot.variables import is_loopback

SLACK = {"SLACK_SIGNING_SECRET": "s3cret", "SLACK_BOT_TOKEN": "xoxb-1"}


def test_nothing_set_means_a_local_bot_with_everything_off() -> None:
    settings = read_settings({}, None)
    assert (settings.host, settings.port, settings.redis_url) == ("127.0.0.1", 3000, None)
    assert settings.data_dir == Path("data")
    assert settings.platforms == {}
    assert settings.mail is None
    assert [line.split()[0] for line in settings.describe()] == ["Slack", "Teams", "Carrier", "Outgoing", "Incoming"]
    assert all("\n" not in line for line in settings.describe())


def test_twilio_says_what_is_off_and_what_switches_it_on() -> None:
    sid = "AC" + "0" * 32
    settings = read_settings({"TWILIO_ACCOUNT_SID": sid, "TWILIO_AUTH_TOKEN": "hunter2"}, None)
    assert settings.twilio == Twilio(sid, "hunter2")
    assert "hunter2" not in repr(settings)
    (line,) = [line for line in settings.describe() if "Carrier" in line]
    assert line == "Carrier is Twilio, numbers can be bought; calls are off: PUBLIC_URL is not set"
    whole = read_settings(
        {
            "TWILIO_ACCOUNT_SID": sid,
            "TWILIO_AUTH_TOKEN": "hunter2",
            "TWILIO_API_URL": "http://127.0.0.1:1/twilio/",
            "PUBLIC_URL": "https://bot.example.com",
        },
        None,
    )
    assert whole.twilio is not None
    assert whole.twilio.api_url == "http://127.0.0.1:1/twilio"
    assert not any("Carrier" in line for line in whole.describe())


def test_the_environment_wins_over_the_file_and_neither_is_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / ".env"
    file.write_text('\ufeffPORT=4000\nHOST=localhost # here\nLOG_LEVEL="debug"\nSMTP_URL=\n', encoding="utf-8")
    monkeypatch.delenv("HOST", raising=False)
    settings = read_settings({"PORT": "5000"}, file)
    assert (settings.port, settings.host, settings.log_level) == (5000, "localhost", "DEBUG")
    monkeypatch.chdir(tmp_path)
    assert read_settings({"PORT": ""}).port == 3000, "an empty value says: not set"


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"PORT": "http"}, "PORT"),
        ({"PORT": "70000"}, "PORT"),
        ({"PORT": "-1"}, "PORT"),
        ({"PORT": "٣٠٠٠"}, "PORT"),
        ({"HOST": "0.0.0.0", "TEAMS_ALLOW_UNAUTHENTICATED": "1"}, "TEAMS_ALLOW_UNAUTHENTICATED"),  # noqa: S104 - refused
        ({"TEAMS_ALLOW_UNAUTHENTICATED": "yes"}, "TEAMS_ALLOW_UNAUTHENTICATED"),
        ({"HOST": "http://example.com"}, "HOST"),
        ({"SLACK_SIGNING_SECRET": "s"}, "SLACK_BOT_TOKEN"),
        ({"SLACK_BOT_TOKEN": "xoxb-1"}, "SLACK_SIGNING_SECRET"),
        ({"SLACK_BOT_TOKEN": "xapp-1", "SLACK_SIGNING_SECRET": "s"}, "SLACK_BOT_TOKEN"),
        ({"SLACK_APP_TOKEN": "xoxb-1"}, "SLACK_APP_TOKEN"),
        ({"SLACK_APP_TOKEN": "xapp-1"}, "SLACK_BOT_TOKEN"),
        ({**SLACK, "SLACK_CLIENT_ID": "1.2"}, "SLACK_CLIENT_SECRET"),
        ({"SLACK_API_URL": "slack.com"}, "SLACK_API_URL"),
        ({"PUBLIC_URL": "https://"}, "PUBLIC_URL"),
        ({"PUBLIC_URL": "https://example.com:port"}, "PUBLIC_URL"),
        ({"TEAMS_CLIENT_ID": "1"}, "TEAMS_CLIENT_SECRET"),
        ({"TWILIO_AUTH_TOKEN": "1"}, "TWILIO_ACCOUNT_SID"),
        ({"TWILIO_ACCOUNT_SID": "AC1", "TWILIO_AUTH_TOKEN": "1"}, "32 hexadecimal digits"),
        ({"TWILIO_API_URL": "twilio"}, "TWILIO_API_URL"),
        ({"SMTP_URL": "mail.example.com", "MAIL_FROM": "a@example.com"}, "SMTP_URL"),
        ({"SMTP_URL": "smtp://mail.example.com"}, "MAIL_FROM"),
        ({"SMTP_URL": "smtp://mail.example.com", "MAIL_FROM": "nobody"}, "MAIL_FROM"),
        ({"IMAP_URL": "pop://mail.example.com"}, "IMAP_URL"),
        ({"LOG_LEVEL": "loud"}, "LOG_LEVEL"),
        ({"SWITCHBOARD_CLOCK_OFFSET": "tomorrow"}, "SWITCHBOARD_CLOCK_OFFSET"),
        ({"SWITCHBOARD_CLOCK_OFFSET": "nan"}, "SWITCHBOARD_CLOCK_OFFSET"),
        ({"SWITCHBOARD_CLOCK_OFFSET": "1e300"}, "SWITCHBOARD_CLOCK_OFFSET"),
        ({"REDIS_URL": "http://localhost"}, "REDIS_URL"),
        ({"REDIS_URL": "redis://:hunter2@localhost:port"}, "REDIS_URL"),
        ({"REDIS_URL": "redis://localhost/3"}, "REDIS_URL"),
        ({"REDIS_URL": "redis+sentinel://localhost"}, "REDIS_URL"),
    ],
)
def test_a_wrong_value_is_one_sentence_that_names_it(given: dict[str, str], named: str) -> None:
    with pytest.raises(InputError) as wrong:
        read_settings(given, None)
    assert named in str(wrong.value)
    assert "\n" not in str(wrong.value)
    assert "hunter2" not in str(wrong.value)
    assert wrong.value.status == 2


def test_a_line_of_the_env_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text('PORT=1\n=oops "\n')
    with pytest.raises(InputError, match=r"\.env:2: expected NAME=value"):
        read_settings({}, file)
    file.write_bytes(b"PORT=\xff\xfe")
    with pytest.raises(InputError, match="UTF-8"):
        read_settings({}, file)


def test_no_secret_is_in_a_repr() -> None:
    secrets = {
        "SLACK_SIGNING_SECRET": "hidden-1",
        "SLACK_BOT_TOKEN": "hidden-2",
        "SLACK_APP_TOKEN": "xapp-hidden-3",
        "SLACK_CLIENT_ID": "1.2",
        "SLACK_CLIENT_SECRET": "hidden-4",
        "REDIS_URL": "redis://:hidden-5@localhost:6379",
        "SMTP_URL": "smtp://me:hidden-6@localhost",
        "MAIL_FROM": "Switchboard <bot@example.com>",
    }
    settings = read_settings(secrets, None)
    assert "hidden" not in repr(settings)
    assert settings.platforms["slack"] == SlackSettings(
        "hidden-1", "hidden-2", "xapp-hidden-3", "1.2", "hidden-4", SLACK_API
    )
    assert settings.mail is not None
    assert (settings.mail.port, settings.mail.password) == (587, "hidden-6")


@pytest.mark.parametrize(
    ("host", "local"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("[::1]", True), ("localhost", True), ("0.0.0.0", False)],  # noqa: S104 - asked about
)
def test_which_hosts_are_this_machine_alone(host: str, local: bool) -> None:
    assert is_loopback(host) is local
