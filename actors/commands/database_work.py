"""What `sandpit db` does, as text to print."""

import os
import shlex
import signal
import subprocess
from datetime import UTC, datetime

from rich.table import Table

from storage.errors import StorageError
from storage.postgres.database import connect, now_us
from storage.servers.kept_database import (
    database_address,
    kept_database,
    psql_environment,
    psql_program,
)
from storage.settings import ConfigurationError, Settings
from storage.upkeep.kept import kept_by
from storage.upkeep.notes import TableSize, note_sizes, note_success, table_sizes
from storage.upkeep.pruning import Pruned, prune, would_prune

MEGABYTE = 1_000_000


def pruned(settings: Settings, dry_run: bool) -> str:
    """Prune, or look what would go. Raises ConfigurationError."""
    hours, kept = settings.history_hours, kept_by(settings)
    try:
        with kept_database(settings) as url, connect(url, "prune") as connection:
            connection.execute("SET statement_timeout = 0")
            at_us = now_us()
            if dry_run:
                return pruned_text(would_prune(connection, at_us, kept), hours, "would go")
            found = prune(connection, at_us, kept)
            note_success(connection, at_us)
            note_sizes(connection, at_us)
            return pruned_text(found, hours, "have gone")
    except StorageError as error:
        raise ConfigurationError(f"The database was not pruned: {error}.") from None


def pruned_text(found: Pruned, hours: int, verb: str) -> str:
    """Rows by table, in one sentence."""
    rows = [f"{name} {count:,}" for name, count in found.items() if count]
    if not rows:
        return f"Nothing has to go: history is kept for {hours} hours."
    return f"Of what is kept no longer (history: {hours} hours) {verb}, in rows: {', '.join(rows)}."


def sizes(settings: Settings) -> Table:
    """Every table, the largest first. Raises ConfigurationError."""
    try:
        with kept_database(settings) as url, connect(url, "size") as connection:
            connection.execute("SET statement_timeout = 0")
            return sizes_table(table_sizes(connection, now_us()))
    except StorageError as error:
        raise ConfigurationError(f"The database does not answer: {error}.") from None


def sizes_table(found: list[TableSize]) -> Table:
    """For a terminal."""
    table = Table(box=None, pad_edge=False)
    if all(size.growth_bytes is None for size in found):
        table.caption = "bytes a day are known from the second hourly pruning on"
    table.add_column("table", no_wrap=True)
    for heading in ("about rows", "bytes", "bytes a day"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("oldest row, UTC", no_wrap=True)
    for size in found:
        growth = "" if size.growth_bytes is None else f"{size.growth_bytes:+,}"
        oldest = "" if size.oldest_us is None else time_text(size.oldest_us)
        table.add_row(size.name, f"{size.rows:,}", f"{size.size_bytes:,}", growth, oldest)
    table.add_row("all tables", "", f"{sum(size.size_bytes for size in found):,}", "", "")
    return table


def time_text(at_us: int) -> str:
    """A time to the second, UTC."""
    return datetime.fromtimestamp(at_us // 1_000_000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def addresses(settings: Settings) -> tuple[str, str]:
    """The database's URL, and a line for a shell that opens psql. Raises ConfigurationError."""
    url = database_address(settings)
    program = psql_program() or "psql"
    return url, f"{shlex.quote(str(program))} {shlex.quote(url)}"


def shell(settings: Settings) -> int:
    """psql on the database; its exit code. Raises ConfigurationError."""
    program = psql_program()
    if program is None:
        raise ConfigurationError(
            "There is no psql on this machine: install PostgreSQL's client, and see "
            "`sandpit db url` for the address."
        )
    with kept_database(settings) as url:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for psql
        environment = {**os.environ, **psql_environment(url)}
        return subprocess.run([program], env=environment, check=False).returncode
