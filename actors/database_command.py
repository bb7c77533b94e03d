"""`sandpit db`: what the database holds, and how to look into it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from storage.settings import ConfigurationError, Settings

db = typer.Typer(help="Look after the database.", no_args_is_help=True)

DataDir = Annotated[Path | None, typer.Option(help="Where everything is kept. Default .sandpit.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would go; take nothing away.")]


@contextmanager
def settings_of(data_dir: Path | None) -> Iterator[Settings]:
    """The settings; what is wrong becomes one sentence and exit code 1."""
    try:
        yield Settings.load(data_dir=data_dir)
    except ConfigurationError as error:
        print(f"sandpit: {error}", file=sys.stderr)
        raise typer.Exit(1) from None


@db.command()
def prune(data_dir: DataDir = None, dry_run: DryRun = False) -> None:
    """Take away what is older than SANDPIT_HISTORY_HOURS, as the exchange does every hour.

    Journal, commands, the public tape and strategies' entries; never clients' orders, fills and
    ledger.
    """
    from actors.database_work import pruned

    with settings_of(data_dir) as settings:
        print(pruned(settings, dry_run))


@db.command()
def size(data_dir: DataDir = None) -> None:
    """Every table with its rows, bytes, growth a day and oldest row."""
    from rich.console import Console

    from actors.database_work import sizes

    with settings_of(data_dir) as settings:
        Console(highlight=False).print(sizes(settings))


@db.command()
def url(data_dir: DataDir = None) -> None:
    """How to connect while the exchange runs: the URL, and a psql line beside it.

    Both hold the password.
    """
    from actors.database_work import addresses

    with settings_of(data_dir) as settings:
        address, line = addresses(settings)
        print(address)
        print(line, file=sys.stderr)


@db.command()
def shell(data_dir: DataDir = None) -> None:
    """psql on the database."""
    from actors.database_work import shell as run

    with settings_of(data_dir) as settings:
        raise typer.Exit(run(settings))
