"""Trading sessions: each one paper run by an account of its own. The caller's transaction commits.

The orchestrator does what is asked of a session that is STOPPING, and then it is STOPPED.
"""

from dataclasses import dataclass
from uuid import UUID

from sim.market import COLLATERAL
from sim.refusals import Refusal, Refused
from storage.intake.own_accounts import NEXT_VERSION
from storage.intake.session_accounts import SessionStatus
from storage.intake.transfers import deposited, locked_balance
from storage.people.accounts import INSERT_BALANCE, AccountKind
from storage.postgres.database import AsyncPool, now_us
from storage.postgres.unit_of_work import Connection, Row, fetch_all, fetch_one
from storage.reading.account_frames import listened_as

OPEN_SESSIONS_MAX = 20
"""Of one user."""

COUNT_OPEN = """
SELECT count(*) FROM trading_sessions WHERE user_id = %s AND stopped_at_us IS NULL"""
INSERT_ACCOUNT = """
INSERT INTO accounts (kind, name, owner_id, created_at_us) VALUES (%s, %s, %s, %s) RETURNING id"""
COLUMNS = f"""id, user_id, account_id, symbol, market_id, status, initial_atoms, final_atoms,
    started_at_us, updated_at_us, stopped_at_us, note, trades, winning_trades, losing_trades,
    max_drawdown, sharpe_ratio, (SELECT total_atoms FROM balances b
        WHERE b.account_id = trading_sessions.account_id AND b.asset = '{COLLATERAL}')"""
INSERT_SESSION = f"""
INSERT INTO trading_sessions (id, user_id, account_id, symbol, market_id, status, initial_atoms,
    started_at_us, updated_at_us, trades, winning_trades, losing_trades)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, 0, 0, 0) RETURNING {COLUMNS}"""
SELECT_ONE = f"SELECT {COLUMNS} FROM trading_sessions WHERE id = %s AND user_id = %s"
LOCK_ONE = f"{SELECT_ONE} FOR UPDATE"
SELECT_PAGE = f"""
SELECT {COLUMNS} FROM trading_sessions
WHERE user_id = %(user)s AND started_at_us < %(before)s{{only}}
ORDER BY id DESC LIMIT %(limit)s"""
OF_STATUS = " AND status = %(status)s"
OF_ACCOUNTS = "SELECT account_id, id FROM trading_sessions WHERE account_id = ANY(%b)"
SET_STATUS = f"""
UPDATE trading_sessions SET status = %s, updated_at_us = %s WHERE id = %s RETURNING {COLUMNS}"""


@dataclass(frozen=True)
class Session:
    """One paper run; see storage/tables/agents.py. `ledger_atoms` is what its account has now."""

    session_id: UUID
    user_id: int
    account_id: int
    symbol: str
    market_id: str
    status: SessionStatus
    initial_atoms: int
    final_atoms: int | None
    started_at_us: int
    updated_at_us: int
    stopped_at_us: int | None
    note: str | None
    trades: int
    winning_trades: int
    losing_trades: int
    max_drawdown: float
    sharpe_ratio: float
    ledger_atoms: int

    @property
    def capital_atoms(self) -> int:
        """What it had when it had stopped; until then what it has."""
        return self.ledger_atoms if self.final_atoms is None else self.final_atoms


async def start_session(
    connection: Connection,
    session_id: UUID,
    user_id: int,
    traded: tuple[str, str],
    initial_atoms: int,
) -> Session:
    """A new session on a symbol and its market, with an account of its own that has this money.
    Raises Refused TOO_MANY_ACCOUNTS, INVALID_AMOUNT."""
    await locked_balance(connection, user_id, COLLATERAL)
    row = await (await connection.execute(COUNT_OPEN, (user_id,))).fetchone()
    if row is not None and row[0] >= OPEN_SESSIONS_MAX:
        raise Refused(
            Refusal.TOO_MANY_ACCOUNTS,
            f"At most {OPEN_SESSIONS_MAX} sessions may be open at once; stop one of them first",
        )
    symbol, market_id = traded
    at_us = now_us()
    owner = (AccountKind.SESSION, f"{symbol} {session_id}", user_id, at_us)
    account = await (await connection.execute(INSERT_ACCOUNT, owner)).fetchone()
    assert account is not None
    await connection.execute(INSERT_BALANCE, (account[0], COLLATERAL))
    await listened_as(connection, account[0], user_id, at_us)
    empty = await locked_balance(connection, account[0], COLLATERAL)
    await deposited(connection, empty, initial_atoms, "initial_capital")
    values = (session_id, user_id, account[0], symbol, market_id, SessionStatus.RUNNING)
    made = await connection.execute(INSERT_SESSION, (*values, initial_atoms, at_us, at_us))
    return found_in(await made.fetchone(), session_id)


async def locked_session(connection: Connection, session_id: UUID, user_id: int) -> Session:
    """The user's session under its lock. Raises Refused NOT_FOUND."""
    rows = await connection.execute(LOCK_ONE, (session_id, user_id))
    return found_in(await rows.fetchone(), session_id)


async def set_status(connection: Connection, session: Session, status: SessionStatus) -> Session:
    """The session, which stands so from now on; the caller holds its lock.

    Where it trades no more, an order that is being decided meanwhile is decided again.
    """
    if not status.trades:
        await connection.execute(NEXT_VERSION, (session.account_id,))
    at_us = max(now_us(), session.updated_at_us)
    rows = await connection.execute(SET_STATUS, (status, at_us, session.session_id))
    return found_in(await rows.fetchone(), session.session_id)


async def own_session(pool: AsyncPool, session_id: UUID, user_id: int) -> Session:
    """The user's session. Raises Refused NOT_FOUND."""
    return found_in(await fetch_one(pool, SELECT_ONE, (session_id, user_id)), session_id)


async def own_sessions(
    pool: AsyncPool, user_id: int, status: SessionStatus | None, before_us: int, limit: int
) -> list[Session]:
    """A page of the user's sessions, newest first: those that started before."""
    statement = SELECT_PAGE.format(only="" if status is None else OF_STATUS)
    values = {"user": user_id, "status": status, "before": before_us, "limit": limit}
    return [found_in(row, row[0]) for row in await fetch_all(pool, statement, values)]


async def sessions_of_accounts(pool: AsyncPool, account_ids: list[int]) -> dict[int, UUID]:
    """The session of each of these accounts that is one's."""
    return dict(await fetch_all(pool, OF_ACCOUNTS, (account_ids,)))


def found_in(row: Row | None, session_id: UUID) -> Session:
    """A row of COLUMNS. Raises Refused NOT_FOUND where there is none."""
    if row is None:
        details = {"missing": "session", "session_id": str(session_id)}
        raise Refused(Refusal.NOT_FOUND, "No such session", details)
    _, user_id, account_id, symbol, market_id, status, initial, final, *times = row[:11]
    figures, ledger = row[11:17], row[17]
    note, trades, winning, losing, drawdown, sharpe = figures
    return Session(
        session_id,
        user_id,
        account_id,
        symbol,
        market_id,
        SessionStatus(status),
        int(initial),
        None if final is None else int(final),
        times[0],
        times[1],
        times[2],
        note,
        trades,
        winning,
        losing,
        drawdown,
        sharpe,
        int(ledger),
    )
