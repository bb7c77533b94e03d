"""How fast PostgreSQL loads recorded trades when nothing else is done: for the benchmark."""

import time

from storage.errors import wrapped
from storage.postgres.database import connect
from storage.runs.recorded_trades import partition

TABLE = "bare_copy"


def bare_copy(database_url: str) -> float:
    """Rows a second of one COPY of the newest run's trades into a table like theirs.

    The stream is the server's own, read beforehand; the table is gone afterwards.
    """
    with wrapped(), connect(database_url, "bench") as connection:
        connection.execute("SET statement_timeout = 0")
        newest = connection.execute("SELECT max(id) FROM recorded_runs").fetchone()
        assert newest is not None
        trades = partition(int(str(newest[0])))
        with connection.cursor().copy(f"COPY {trades} TO STDOUT (FORMAT binary)") as out:
            stream = b"".join(bytes(part) for part in out)
        connection.execute(f"CREATE TABLE {TABLE} (LIKE {trades})")
        began = time.perf_counter()
        with (
            connection.cursor() as cursor,
            cursor.copy(f"COPY {TABLE} FROM STDIN (FORMAT binary)") as copy,
        ):
            copy.write(stream)
        seconds = time.perf_counter() - began
        counted = connection.execute(f"SELECT count(*) FROM {TABLE}").fetchone()
        assert counted is not None
        connection.execute(f"DROP TABLE {TABLE}")
    return int(str(counted[0])) / seconds
