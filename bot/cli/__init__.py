"""The command line. Every mistake is one line on standard error; no traceback reaches a person."""

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from bot.errors import CommandError
from bot.version import VERSION

if TYPE_CHECKING:
    from bot.settings import Settings

INTERRUPTED = 130


class _Group(click.Group):
    """A group that, called alone, names its commands in one line."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args and ctx.parent is not None:
            known = ", ".join(sorted(self.commands))
            raise click.UsageError(f"{ctx.command_path} needs a command: {known}", ctx)
        return super().parse_args(ctx, args)


@click.group(
    cls=_Group,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(VERSION, prog_name="switchboard")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Phone numbers, a blocklist and support, run from Slack and Microsoft Teams.

    Settings come from the environment and from a .env file in this directory; docs/settings.md lists them.
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


@cli.command("serve")
def on_serve() -> None:
    """Run the bot with the settings of the environment."""
    from bot.run import run_serve

    raise SystemExit(run_serve(settings()))


@cli.command("demo")
@click.option("--fresh", is_flag=True, help="Forget what earlier runs left and start over.")
@click.option("--teams", is_flag=True, help="Microsoft's playground for Teams too, as make demo-teams installs it.")
def on_demo(fresh: bool, teams: bool) -> None:
    """Try it: the bot and a pretend Slack in a web page."""
    from bot.cli.demo import run_demo

    raise SystemExit(run_demo(settings(), fresh=fresh, with_teams=teams))


@cli.command("doctor")
def on_doctor() -> None:
    """Check settings, store, Slack, carrier and mail, a line each with the mend."""
    from bot.doctor import run_doctor

    raise SystemExit(run_doctor())


@cli.group("accounts", cls=_Group)
def on_accounts() -> None:
    """Apply an accounts file, or show an account."""


@on_accounts.command("apply")
@click.argument("file")
def on_accounts_apply(file: str) -> None:
    """Make the accounts what FILE says; accounts that it does not name stay as they are."""
    from bot.cli.accounts import apply

    apply(settings(), file)


@on_accounts.command("show")
@click.argument("id")
def on_accounts_show(id: str) -> None:
    """Print the account ID in the form of the accounts file."""
    from bot.cli.accounts import show

    show(settings(), id)


@cli.command("explain")
@click.argument("account")
@click.argument("person")
@click.option("--surface", type=click.Choice(["desktop", "mobile"]), default="desktop", show_default=True)
@click.option("--language", metavar="xx", help="The language asked for; left out, nobody asked.")
@click.option("--critical", is_flag=True, help="As business critical.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def on_explain(**given: Any) -> None:
    """Say which support channels are open to PERSON (id, email or name) of ACCOUNT, which are not, and why."""
    from bot.cli.explain import explain

    explain(settings(), **given)


@cli.group("numbers", cls=_Group)
def on_numbers() -> None:
    """Bulk work on an account's numbers."""


@on_numbers.command("import")
@click.argument("account")
@click.argument("file", metavar="FILE.csv")
@click.option("--dry-run", is_flag=True, help="Only say what would happen.")
def on_numbers_import(account: str, file: str, dry_run: bool) -> None:
    """Take provided numbers over from FILE.csv (number, assigned_to, forwarding, state, label).

    Ends with 0 when every line was taken and with 1 when some were refused.
    """
    from bot.cli.numbers import import_numbers

    raise SystemExit(import_numbers(settings(), account, file, dry_run=dry_run))


@cli.group("blocklist", cls=_Group)
def on_blocklist() -> None:
    """Whole blocklists in and out."""


@on_blocklist.command("import")
@click.argument("account")
@click.argument("file", metavar="FILE.csv")
@click.option("--dry-run", is_flag=True, help="Only say what would happen.")
@click.option("--anyway", is_flag=True, help="Take also what would stop calls of the account's own.")
def on_blocklist_import(account: str, file: str, dry_run: bool, anyway: bool) -> None:
    """Block what FILE.csv lists (number, direction, reason, expires). Again it changes nothing; interrupted, it can be
    started again.

    Ends with 0 when every line was taken and with 1 when some were not.
    """
    from bot.cli.blocklist import import_blocklist

    raise SystemExit(import_blocklist(settings(), account, file, dry_run=dry_run, anyway=anyway))


@on_blocklist.command("export")
@click.argument("account")
@click.argument("file", required=False, default="-")
def on_blocklist_export(account: str, file: str) -> None:
    """Write the blocklist as a CSV file that `import` reads back; without FILE to standard output."""
    from bot.cli.blocklist import export_blocklist

    export_blocklist(settings(), account, file)


@cli.group("report", cls=_Group)
def on_report() -> None:
    """What can be learnt from what was asked and done."""


@on_report.command("gaps")
@click.argument("account")
@click.option("--since", metavar="DAY", help="From the week of that day (2026-11-02) on; left out, all that is kept.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def on_report_gaps(account: str, since: str | None, as_json: bool) -> None:
    """Questions of ACCOUNT that no help article answered, the most frequent first. Nobody's name is in it."""
    from bot.cli.report import gaps

    gaps(settings(), account=account, since=since, as_json=as_json)


@on_report.command("sla")
@click.argument("account", required=False)
@click.option("--from", "first", metavar="DAY", help="From that day (2026-11-02) on; left out, the last 30 days.")
@click.option("--to", "last", metavar="DAY", help="Up to that day, which is included; left out, today.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def on_report_sla(account: str | None, first: str | None, last: str | None, as_json: bool) -> None:
    """Promises of ACCOUNT (left out, of each) that were kept and broken, by kind, channel and person, with the median
    and the 90th percentile of the first response in open time."""
    from bot.cli.sla import sla

    sla(settings(), account=account, first=first, last=last, as_json=as_json)


@cli.group("people", cls=_Group)
def on_people() -> None:
    """What is kept of people."""


@on_people.command("erase")
@click.argument("account")
@click.argument("person")
def on_people_erase(account: str, person: str) -> None:
    """Take PERSON (id, email or name) out of what is kept of ACCOUNT: words, names and addresses go, counts and states
    stay. Again it changes nothing; interrupted, it is started again and goes on."""
    from bot.cli.people import erase

    erase(settings(), account, person)


@cli.command("export")
@click.argument("account")
@click.argument("file", required=False, default="-")
def on_export(account: str, file: str) -> None:
    """Write everything that is kept of ACCOUNT as JSON lines, each with its kind; without FILE to standard output."""
    from bot.cli.export import export

    export(settings(), account, file)


@cli.group("teams", cls=_Group)
def on_teams() -> None:
    """Put the bot into Microsoft Teams."""


@on_teams.command("package")
@click.option("-o", "file", metavar="FILE", default="switchboard-teams.zip", show_default=True, help="Where it goes.")
def on_teams_package(file: str) -> None:
    """Build the app package to upload to a tenant, from TEAMS_CLIENT_ID and PUBLIC_URL."""
    from bot.cli.teams import write_package

    write_package(file)


def settings() -> "Settings":
    """What the environment says. Raises InputError."""
    from bot.settings import read_settings

    return read_settings()


def main(args: Sequence[str] | None = None) -> int:
    """Run a command; return the exit status: 0 done, 1 not (all) done, 2 the input is wrong, 130 interrupted."""
    try:
        result = cli.main(args=None if args is None else list(args), prog_name="switchboard", standalone_mode=False)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except click.ClickException as error:
        return _say(error.format_message(), error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except CommandError as error:
        return _say(str(error), error.status)
    except BrokenPipeError:
        # Who read our output has left; what is buffered must not be written at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        if os.environ.get("LOG_LEVEL", "").upper() == "DEBUG":
            raise
        return _say(f"this should not have happened ({type(error).__name__}); LOG_LEVEL=debug shows where", 1)
    return result if isinstance(result, int) else 0


def _say(sentence: str, status: int) -> int:
    click.echo(f"switchboard: {' '.join(sentence.split())}", err=True)
    return status
