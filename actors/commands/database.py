"""`sandpit db`: what the database holds, and how to look into it."""

import sys
from typing import Annotated

import typer

from actors.command_line import DataDir, one_sentence, print_or_exit, settings_or_exit

db = typer.Typer(help="Look after the database.", no_args_is_help=True)

DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would go; take nothing away.")]


@db.command()
def prune(data_dir: DataDir = None, dry_run: DryRun = False) -> None:
    """Take away what is older than SANDPIT_HISTORY_HOURS, as the exchange does every hour.

    Journal, commands, the public tape and strategies' entries, and simulations whose own time
    after their end is over; never clients' orders, fills and ledger.
    """
    from actors.commands.database_work import pruned

    settings = settings_or_exit(data_dir=data_dir)
    print_or_exit(lambda: pruned(settings, dry_run))


@db.command()
def size(data_dir: DataDir = None) -> None:
    """Every table with its rows, bytes, growth a day and oldest row."""
    from rich.console import Console

    from actors.commands.database_work import sizes

    settings = settings_or_exit(data_dir=data_dir)
    with one_sentence():
        Console(highlight=False).print(sizes(settings))


@db.command()
def url(data_dir: DataDir = None) -> None:
    """How to connect while the exchange runs: the URL, and a psql line beside it.

    Both hold the password.
    """
    from actors.commands.database_work import addresses

    settings = settings_or_exit(data_dir=data_dir)
    with one_sentence():
        address, line = addresses(settings)
        print(address)
        print(line, file=sys.stderr)


@db.command()
def shell(data_dir: DataDir = None) -> None:
    """psql on the database."""
    from actors.commands.database_work import shell as run

    settings = settings_or_exit(data_dir=data_dir)
    with one_sentence():
        raise typer.Exit(run(settings))


@db.command()
def grants() -> None:
    """Print the SQL that makes the users of a PostgreSQL of one's own, and their rights."""
    from storage.servers.given_roles import database_of, script

    settings = settings_or_exit()
    print_or_exit(lambda: "\n".join(script(*database_of(settings))))


@db.command()
def verify(data_dir: DataDir = None) -> None:
    """Check every market's journal from its start: each hash, each event, each snapshot."""
    from actors.commands.verify import verify as run

    settings = settings_or_exit(data_dir=data_dir)
    with one_sentence():
        raise typer.Exit(run(settings))
