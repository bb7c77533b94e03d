"""Sessions as this family tells them."""

from decimal import Decimal
from typing import Any

from api.cryptofunk.spelling import instant_or_none, instant_text
from api.cryptofunk.trading_answers import EXCHANGE, PAPER_MODE, amount
from api.cryptofunk.trading_schemas import SESSION_ID
from api.cryptofunk.wire import Told
from api.desk.identifiers import account_id_text
from api.door.answers import example
from api.door.wire import ExactDecimal
from storage.agents.sessions import Session

STARTED = "Trading started successfully"
STOPPED = "Trading stopped successfully"
PAUSED = "Trading paused successfully"
RESUMED = "Trading resumed successfully"
FINAL_DIFFERS = (
    "The ledger's final capital is {ledger}, not {sent}: total_pnl is reckoned from the ledger."
)
CENT_ATOMS = 10_000
"""By how much a client's final capital may miss the ledger's without a word."""

SESSION: dict[str, Any] = {
    "id": SESSION_ID,
    "mode": PAPER_MODE,
    "status": "STOPPED",
    "symbol": "BTC/USDT",
    "exchange": EXCHANGE,
    "account": "account_1042",
    "started_at": "2025-01-15T10:00:00Z",
    "stopped_at": "2025-01-15T12:00:00Z",
    "initial_capital": 10_000,
    "final_capital": 10_500,
    "total_pnl": 500,
    "total_trades": 15,
    "winning_trades": 9,
    "losing_trades": 6,
    "max_drawdown": 0.04,
    "sharpe_ratio": 1.2,
    "note": None,
    "created_at": "2025-01-15T10:00:00Z",
    "updated_at": "2025-01-15T12:00:00Z",
}


class TradingSession(Told):
    """One paper run. Until it has stopped `final_capital` is what its wallet has now; `note` says
    what could not be closed. `account` is what the header X-Account of other routes takes."""

    id: str
    mode: str
    status: str
    symbol: str
    exchange: str
    account: str
    started_at: str
    stopped_at: str | None
    initial_capital: ExactDecimal
    final_capital: ExactDecimal
    total_pnl: ExactDecimal
    total_trades: int
    winning_trades: int
    losing_trades: int
    max_drawdown: ExactDecimal
    sharpe_ratio: ExactDecimal
    note: str | None
    created_at: str
    updated_at: str

    model_config = example(**SESSION)


class TradingSessionAnswer(Told):
    """A session."""

    session: TradingSession

    model_config = example(session=SESSION)


class TradingSessionsAnswer(Told):
    """Sessions, newest first."""

    sessions: list[TradingSession]
    count: int

    model_config = example(sessions=[SESSION], count=1)


class SessionStartedAnswer(Told):
    """A session has begun."""

    message: str
    session_id: str
    symbol: str
    mode: str
    started_at: str
    account: str

    model_config = example(
        message=STARTED,
        session_id=SESSION_ID,
        symbol="BTC/USDT",
        mode=PAPER_MODE,
        started_at="2025-01-15T10:00:00Z",
        account="account_1042",
    )


class SessionStoppedAnswer(Told):
    """A session has stopped: what it came to, by the ledger."""

    message: str
    session_id: str
    final_capital: ExactDecimal
    total_pnl: ExactDecimal
    total_trades: int
    stopped_at: str
    note: str | None = None

    model_config = example(
        message=STOPPED,
        session_id=SESSION_ID,
        final_capital=10_500,
        total_pnl=500,
        total_trades=15,
        stopped_at="2025-01-15T12:00:00Z",
    )


class SessionPausedAnswer(Told):
    """A session that has been paused, or goes on."""

    message: str
    session_id: str
    symbol: str
    note: str

    model_config = example(
        message=PAUSED,
        session_id=SESSION_ID,
        symbol="BTC/USDT",
        note="This session opens nothing until it is resumed; others go on",
    )


def started(session: Session) -> SessionStartedAnswer:
    """What has begun."""
    return SessionStartedAnswer(
        message=STARTED,
        session_id=str(session.session_id),
        symbol=session.symbol,
        mode=PAPER_MODE,
        started_at=instant_text(session.started_at_us),
        account=account_id_text(session.account_id),
    )


def stopped(session: Session, sent_atoms: Decimal) -> SessionStoppedAnswer:
    """What has ended.

    sent_atoms   the client's final capital
    """
    assert session.stopped_at_us is not None
    answer = SessionStoppedAnswer(
        message=STOPPED,
        session_id=str(session.session_id),
        final_capital=amount(session.capital_atoms),
        total_pnl=amount(session.capital_atoms - session.initial_atoms),
        total_trades=session.trades,
        stopped_at=instant_text(session.stopped_at_us),
    )
    said = [session.note] if session.note else []
    if abs(sent_atoms - session.capital_atoms) > CENT_ATOMS:
        sent = (sent_atoms / 1_000_000).normalize()
        said.append(FINAL_DIFFERS.format(ledger=f"{answer.final_capital:f}", sent=f"{sent:f}"))
    if said:
        answer.note = " ".join(said)
    return answer


def trading_session(session: Session) -> TradingSession:
    """A session as it stands."""
    capital = session.capital_atoms
    return TradingSession(
        id=str(session.session_id),
        mode=PAPER_MODE,
        status=session.status,
        symbol=session.symbol,
        exchange=EXCHANGE,
        account=account_id_text(session.account_id),
        started_at=instant_text(session.started_at_us),
        stopped_at=instant_or_none(session.stopped_at_us),
        initial_capital=amount(session.initial_atoms),
        final_capital=amount(capital),
        total_pnl=amount(capital - session.initial_atoms),
        total_trades=session.trades,
        winning_trades=session.winning_trades,
        losing_trades=session.losing_trades,
        max_drawdown=Decimal(repr(session.max_drawdown)),
        sharpe_ratio=Decimal(repr(session.sharpe_ratio)),
        note=session.note,
        created_at=instant_text(session.started_at_us),
        updated_at=instant_text(session.updated_at_us),
    )
