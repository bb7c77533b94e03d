"""Backtests as this family tells them: how they stand, and what came of each combination."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from api.cryptofunk.decision_answers import as_written
from api.cryptofunk.spelling import instant_or_none, instant_text
from api.cryptofunk.strategy_answers import DEFAULT, Sections, exact_numbers
from api.cryptofunk.symbols import Listing
from api.cryptofunk.wire import Told
from api.desk.identifiers import simulation_id_text
from api.door.answers import example
from api.door.wire import ExactDecimal
from storage.runs.agent_backtests import (
    EQUITY_POINTS_MAX,
    TOTAL_RETURN,
    TRADES_MAX,
    AgentBacktest,
    BacktestRun,
    thinned,
)
from storage.runs.simulations import SimulationStatus

QUEUED = "Backtest queued successfully"
CANCELLED = "Backtest cancelled successfully"
DELETED = "Backtest deleted successfully"
BACKTEST_ID = "0190a5b0-0000-7000-8000-000000000042"
REPORT = "/api/v1/backtest/{}/report?combination={}"

METRICS: dict[str, Any] = {
    "total_return": 0.0152,
    "final_capital": 10_152.4,
    "total_trades": 12,
    "winning_trades": 7,
    "losing_trades": 5,
    "win_rate": 0.5833,
    "max_drawdown": 0.011,
    "sharpe_ratio": 2.1,
    "sortino_ratio": 3.2,
    "calmar_ratio": 14.2,
    "profit_factor": 1.6,
    "expectancy": 12.7,
}
TRADE: dict[str, Any] = {
    "symbol": "BTC/USDT",
    "side": "LONG",
    "entry_time": "2025-01-15T10:00:00Z",
    "entry_price": 42_000.5,
    "exit_time": "2025-01-15T12:00:00Z",
    "exit_price": 42_400,
    "quantity": 0.02,
    "fees": 0.84,
    "pnl": 7.15,
    "entry_reason": "BUY by trend-agent and technical-agent.",
    "agents": ["trend-agent", "technical-agent"],
    "exit_reason": "take_profit",
}
AGENT: dict[str, Any] = {
    "agent_name": "trend-agent",
    "signals": 2_880,
    "decisions_won": 30,
    "trades": 5,
    "trades_pnl": 104.5,
    "pnl": 61.2,
}
STATE: dict[str, Any] = {
    "id": BACKTEST_ID,
    "name": "calm or not",
    "status": "completed",
    "progress": 100,
    "start_date": "2025-01-14",
    "end_date": "2025-01-15",
    "from_time": "2025-01-14T00:00:00Z",
    "to_time": "2025-01-16T00:00:00Z",
    "symbols": ["BTC/USDT"],
    "initial_capital": 10_000,
    "scenario": None,
    "combinations": 2,
    "created_at": "2025-01-16T09:00:00Z",
    "started_at": "2025-01-16T09:00:01Z",
    "ended_at": "2025-01-16T09:03:00Z",
}
BEST: dict[str, Any] = {
    "combination": 0,
    "parameters": {"agents.technical.rsi_period": 10},
    "total_return": 0.0152,
}
RESULT: dict[str, Any] = {
    "combination": 0,
    "parameters": {"agents.technical.rsi_period": 10},
    "status": "completed",
    "progress": 100,
    "error": None,
    "seed": 7,
    "state_hash": "23d7c2ee0f6f4a1d8a8d2f8c5a5e1f0a9b7c3d2e1f0a9b8c7d6e5f4a3b2c1d0e",
    "simulation_id": "simulation_12",
    "report": REPORT.format(BACKTEST_ID, 0),
    "metrics": METRICS,
    "equity": [{"time": "2025-01-14T00:01:00Z", "value": 10_000}],
    "trades": [TRADE],
    "trade_count": 12,
    "agents": [AGENT],
    "decisions": {"BUY": 21, "SELL": 18, "HOLD": 5_721},
    "verdicts": {
        "APPROVED": {"closes": 11},
        "REDUCED": {"default_quantity": 12},
        "VETOED": {"nothing_to_do": 9, "kelly": 7},
    },
}
STANDS = {
    SimulationStatus.QUEUED: "pending",
    SimulationStatus.RUNNING: "running",
    SimulationStatus.STOPPING: "running",
    SimulationStatus.FINISHED: "completed",
    SimulationStatus.STOPPED: "cancelled",
    SimulationStatus.FAILED: "failed",
}
Parameters = dict[str, ExactDecimal]


class BacktestQueuedAnswer(Told):
    """The backtest waits for its turn, or runs already."""

    id: str
    status: str
    message: str

    model_config = example(id=BACKTEST_ID, status="pending", message=QUEUED)


class BacktestEndedAnswer(Told):
    """What was done to it."""

    id: str
    status: str
    message: str

    model_config = example(id=BACKTEST_ID, status="cancelled", message=CANCELLED)


class BestCombination(Told):
    """The combination with the highest return so far."""

    combination: int
    parameters: Parameters
    total_return: ExactDecimal

    model_config = example(**BEST)


class BacktestTold(Told):
    """A backtest and how far it is."""

    id: str
    name: str
    status: str
    progress: int
    start_date: str | None
    end_date: str | None
    from_time: str
    to_time: str
    symbols: list[str]
    initial_capital: ExactDecimal
    scenario: str | None
    combinations: int
    best: BestCombination | None
    created_at: str
    started_at: str | None
    ended_at: str | None

    model_config = example(**STATE, best=BEST)


class BacktestsAnswer(Told):
    """Backtests, newest first, and how many there are in all."""

    backtests: list[BacktestTold]
    count: int
    total: int
    limit: int
    offset: int

    model_config = example(
        backtests=[{**STATE, "best": BEST}], count=1, total=1, limit=20, offset=0
    )


class BacktestMetricsTold(Told):
    """How a combination went; null is what is not defined."""

    total_return: ExactDecimal
    final_capital: ExactDecimal
    total_trades: int
    winning_trades: int
    losing_trades: int
    win_rate: ExactDecimal
    max_drawdown: ExactDecimal
    sharpe_ratio: ExactDecimal | None
    sortino_ratio: ExactDecimal | None
    calmar_ratio: ExactDecimal | None
    profit_factor: ExactDecimal | None
    expectancy: ExactDecimal | None

    model_config = example(**METRICS)


class EquityPoint(Told):
    """What the account was worth at a time."""

    time: str
    value: ExactDecimal


class BacktestTrade(Told):
    """One round trip, from nothing to nothing; one that was still open has no exit."""

    symbol: str
    side: str
    entry_time: str
    entry_price: ExactDecimal
    exit_time: str | None
    exit_price: ExactDecimal | None
    quantity: ExactDecimal
    fees: ExactDecimal
    pnl: ExactDecimal
    entry_reason: str
    agents: list[str]
    exit_reason: str | None

    model_config = example(**TRADE)


class AgentShare(Told):
    """What came of the trades that an agent wanted."""

    agent_name: str
    signals: int
    decisions_won: int
    trades: int
    trades_pnl: ExactDecimal
    pnl: ExactDecimal

    model_config = example(**AGENT)


class CombinationTold(Told):
    """One combination: its simulation, and what came of it so far as it has ended."""

    combination: int
    parameters: Parameters
    status: str
    progress: int
    error: str | None
    seed: int | None
    state_hash: str | None
    simulation_id: str | None
    report: str | None
    metrics: BacktestMetricsTold | None
    equity: list[EquityPoint]
    trades: list[BacktestTrade]
    trade_count: int
    agents: list[AgentShare]
    decisions: dict[str, int]
    verdicts: dict[str, dict[str, int]]

    model_config = example(**RESULT)


class BacktestAnswer(BacktestTold):
    """A backtest with all that came out."""

    strategy: Sections
    results: list[CombinationTold]

    model_config = example(**STATE, best=BEST, strategy=DEFAULT, results=[RESULT])


def backtest_told(one: AgentBacktest) -> BacktestTold:
    """In a list."""
    return BacktestTold(**told_fields(one))


def whole_backtest(one: AgentBacktest, listing: Listing) -> BacktestAnswer:
    """By itself. Of a grid each combination has its part of the points of equity and of the trades
    that one alone has, so that no answer is larger than others."""
    runs = {run.place: run for run in one.runs}
    share = len(one.combinations)
    results = [
        combination_told(one, place, runs.get(place), share, listing)
        for place in range(len(one.combinations))
    ]
    return BacktestAnswer(
        **told_fields(one), strategy=exact_numbers(one.wish["strategy"]), results=results
    )


def told_fields(one: AgentBacktest) -> dict[str, Any]:
    """What a list and it alone have in common."""
    wish, best = one.wish, one.best
    started = [run.started_at_us for run in one.runs if run.started_at_us is not None]
    ended = [run.ended_at_us for run in one.runs if run.ended_at_us is not None]
    return {
        "id": str(one.backtest_id),
        "name": one.name,
        "status": one.status,
        "progress": one.progress_percent,
        "start_date": wish["start_date"],
        "end_date": wish["end_date"],
        "from_time": instant_text(wish["since_us"]),
        "to_time": instant_text(wish["until_us"]),
        "symbols": wish["symbols"],
        "initial_capital": Decimal(wish["initial_capital"]),
        "scenario": wish["scenario"],
        "combinations": len(one.combinations),
        "best": None if best is None else best_told(one, best),
        "created_at": instant_text(one.created_at_us),
        "started_at": instant_or_none(min(started, default=None)),
        "ended_at": instant_or_none(max(ended, default=None) if one.has_ended else None),
    }


def best_told(one: AgentBacktest, best: BacktestRun) -> BestCombination:
    """Which combination it is."""
    return BestCombination(
        combination=best.place,
        parameters=parameters_told(one, best.place),
        total_return=as_written(best.total_return or 0.0),
    )


def parameters_told(one: AgentBacktest, place: int) -> dict[str, Decimal]:
    """What a combination has otherwise than the strategy, as it was sent."""
    return {path: Decimal(value) for path, value in one.combinations[place].items()}


def combination_told(
    one: AgentBacktest, place: int, run: BacktestRun | None, share: int, listing: Listing
) -> CombinationTold:
    """One of them; without a run it is no longer kept."""
    result: Mapping[str, Any] = (None if run is None else run.result) or {}
    since_us = int(one.wish["since_us"])
    points, trades = result.get("equity", []), result.get("trades", [])
    number = None if run is None else simulation_id_text(run.simulation_id)
    return CombinationTold(
        combination=place,
        parameters=parameters_told(one, place),
        status="forgotten" if run is None else STANDS[run.status],
        progress=0 if run is None else percent(run),
        error=None if run is None else run.error,
        seed=None if run is None else run.seed,
        state_hash=None if run is None else run.state_hash,
        simulation_id=number,
        report=REPORT.format(one.backtest_id, place) if run is not None and result else None,
        metrics=metrics_told(result) if result else None,
        equity=[
            EquityPoint(time=instant_text(since_us + at_us), value=Decimal(value))
            for at_us, value in thinned(points, EQUITY_POINTS_MAX // share)
        ],
        trades=[trade_told(trade, since_us, listing) for trade in trades[-(TRADES_MAX // share) :]],
        trade_count=result.get("trade_count", 0),
        agents=[AgentShare(**exact_fields(agent)) for agent in result.get("agents", [])],
        decisions=result.get("decisions", {}),
        verdicts=result.get("verdicts", {}),
    )


def percent(run: BacktestRun) -> int:
    """How much of its steps is done."""
    return 100 * run.step // run.steps if run.steps else 0


def metrics_told(result: Mapping[str, Any]) -> BacktestMetricsTold:
    """How it went."""
    told = {TOTAL_RETURN: result[TOTAL_RETURN], **result["metrics"]}
    return BacktestMetricsTold(**exact_fields(told))


def trade_told(trade: Mapping[str, Any], since_us: int, listing: Listing) -> BacktestTrade:
    """A round trip by the name of its market here, at the times of the history."""
    left_us = trade["exit_us"]
    told = {name: trade[name] for name in trade if name not in ("market", "entry_us", "exit_us")}
    return BacktestTrade(
        symbol=listing.symbol_of(trade["market"]),
        entry_time=instant_text(since_us + trade["entry_us"]),
        exit_time=None if left_us is None else instant_text(since_us + left_us),
        **told,
    )


def exact_fields(told: Mapping[str, Any]) -> dict[str, Any]:
    """Ratios as they are written; amounts are decimal text, and read as such."""
    return {
        name: as_written(value) if isinstance(value, float) else value
        for name, value in told.items()
    }
