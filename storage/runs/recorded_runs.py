"""One run of a simulation in PostgreSQL: found by its name, replaced by itself, never half there.

A run is RUNNING from its first row on; nobody should believe one that stays so. It becomes
INTERRUPTED (complete up to `steps`) or COMPLETED in the transaction that writes its quotes and
standings. The recorders' part is storage/runs/recorded_trades.py.
"""

from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg import sql

from sim.record.run import QUOTE, STANDING, RunRecord
from sim.rows.messages import Rows
from sim.scenario.scenario import Scenario
from storage.errors import wrapped
from storage.postgres.copy_rows import HEADER, TRAILER, CopyRows, Values
from storage.postgres.database import connect, now_us
from storage.runs.recorded_trades import described, partition
from storage.settings import ConfigurationError

RECORDING_LOCK = 7_236_003
"""Advisory lock number, with the hash of a run's name; next to the migrations'."""

FIND = "SELECT id FROM recorded_runs WHERE name = %s"
BEGIN_AGAIN = """
UPDATE recorded_runs SET status = 'RUNNING', steps_planned = %s, ended_at_us = NULL,
       state_hash = NULL WHERE id = %s
"""
INSERT = """
INSERT INTO recorded_runs (name, scenario, seed, record, step_us, steps, steps_planned, status,
                           markets, strategies, trades, orders, fills, began_at_us)
VALUES (%(name)s, %(scenario)s, %(seed)s, %(record)s, %(step_us)s, 0, %(steps_planned)s,
        'RUNNING', %(markets)s, %(strategies)s, 0, 0, 0, %(began_at_us)s)
RETURNING id
"""
FINISH = """
UPDATE recorded_runs
   SET status = %(status)s, steps = %(steps)s, orders = %(orders)s, fills = %(fills)s,
       trades = %(trades)s, state_hash = %(state_hash)s, ended_at_us = %(ended_at_us)s
 WHERE id = %(run_id)s
"""

Connection = psycopg.Connection[Any]


class RunInDatabase:
    """A run by its name; held against others of that name until `close`."""

    def __init__(self, database_url: str, name: str, scenario: Scenario) -> None:
        self._database_url, self._name, self._scenario = database_url, name, scenario
        self._connection: Connection | None = None
        self._run_id = 0

    def begin(self, step: int) -> list[int]:
        """Make room: keep what was recorded up to `step`, forget the rest.

        How many trades of each market are there. Raises DatabaseUnavailable, and
        ConfigurationError where another process records this run.
        """
        connection = self._connection = connect(self._database_url, "recording")
        with wrapped():
            self._lock(connection)
            with connection.transaction():
                connection.execute("SET LOCAL statement_timeout = 0")
                found: Any = connection.execute(FIND, [self._name]).fetchone()
                if step and found:
                    return self._kept(connection, found[0], step)
                if found:
                    self._forget(connection, found[0])
                self._insert(connection)
        return [0] * len(self._scenario.world.markets)

    def _lock(self, connection: Connection) -> None:
        wish = "SELECT pg_try_advisory_lock(%s, hashtext(%s))"
        if connection.execute(wish, [RECORDING_LOCK, self._name]).fetchone() != (True,):
            self.close()
            raise ConfigurationError(
                f"Another sandpit is recording the run {self._name} in this database: wait for it,"
                " or choose another seed."
            )

    def _kept(self, connection: Connection, run_id: int, step: int) -> list[int]:
        self._run_id = run_id
        trades, end_us = sql.Identifier(partition(run_id)), step * self._scenario.step_us
        connection.execute(sql.SQL("DELETE FROM {} WHERE time_us >= %s").format(trades), [end_us])
        self._forget_samples(connection)
        connection.execute(BEGIN_AGAIN, [self._scenario.steps, run_id])
        counts = sql.SQL("SELECT market_no, count(*) FROM {} GROUP BY market_no").format(trades)
        by_market: dict[Any, Any] = dict(connection.execute(counts).fetchall())
        return [int(by_market.get(no, 0)) for no in range(len(self._scenario.world.markets))]

    def _forget_samples(self, connection: Connection) -> None:
        for table in ("recorded_quotes", "recorded_standings"):
            statement = sql.SQL("DELETE FROM {} WHERE run_id = %s").format(sql.Identifier(table))
            connection.execute(statement, [self._run_id])

    def _forget(self, connection: Connection, run_id: int) -> None:
        trades = sql.Identifier(partition(run_id))
        connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(trades))
        connection.execute("DELETE FROM recorded_runs WHERE id = %s", [run_id])

    def _insert(self, connection: Connection) -> None:
        scenario = self._scenario
        wish = {
            "name": self._name,
            "scenario": scenario.world.name,
            "seed": scenario.world.seed,
            "record": scenario.record,
            "step_us": scenario.step_us,
            "steps_planned": scenario.steps,
            "began_at_us": now_us(),
            **described(scenario),
        }
        row = connection.execute(INSERT, wish).fetchone()
        assert row is not None
        self._run_id = int(row[0])
        made = "CREATE TABLE {} PARTITION OF recorded_trades FOR VALUES IN ({})"
        trades = sql.Identifier(partition(self._run_id))
        connection.execute(sql.SQL(made).format(trades, sql.Literal(self._run_id)))

    def recorder(self, written: list[int]) -> Mapping[str, Any]:
        """What a recorder of trades is told, as JSON takes it."""
        return {
            "to": "postgres",
            "database_url": self._database_url,
            "run_id": self._run_id,
            "written": written,
        }

    def finish(self, record: RunRecord, trades: int) -> None:
        """Quotes, standings and the run's own row, in one transaction.

        trades   recorded in all. Raises DatabaseUnavailable.
        """
        assert self._connection is not None
        done = record.steps == record.steps_planned
        figures = {
            "status": "COMPLETED" if done else "INTERRUPTED",
            "steps": record.steps,
            "orders": record.orders,
            "fills": record.fills,
            "trades": trades,
            "state_hash": record.state_hash,
            "ended_at_us": now_us(),
            "run_id": self._run_id,
        }
        with wrapped(), self._connection.transaction():
            for number, market in enumerate(record.markets):
                self._copy("recorded_quotes", "market_no", number, market.quotes)
            for number, strategy in enumerate(record.strategies):
                self._copy("recorded_standings", "strategy_no", number, strategy.standings)
            self._connection.execute(FINISH, figures)

    def _copy(self, table: str, key: str, number: int, rows: Rows) -> None:
        assert self._connection is not None
        names = (QUOTE if table == "recorded_quotes" else STANDING).names or ()
        kinds = {"run_id": "integer", key: "smallint", **dict.fromkeys(names, "bigint")}
        values: Values = {"run_id": self._run_id, key: number, **{n: rows[n] for n in names}}
        columns = sql.SQL(", ").join(map(sql.Identifier, kinds))
        statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT binary)")
        wish = statement.format(sql.Identifier(table), columns)
        with self._connection.cursor() as cursor, cursor.copy(wish) as copy:
            copy.write(HEADER)
            copy.write(CopyRows(kinds).encoded(values, len(rows)))
            copy.write(TRAILER)

    def close(self) -> None:
        """Let others of this name in."""
        if self._connection is not None:
            self._connection.close()
