"""What is sent to and answered by /simulations."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictStr,
    model_validator,
)

from api.door.answers import example
from api.door.wire import Asked, QueryTruth, Sent, Wire
from api.exact_json import DecimalText, ExactNumber, WholeNumber
from sim.backtest.gwei import base_fee_wei
from sim.scenario.scenario import DURATION_S_MAX
from sim.scenario.world import SEED_MAX
from sim.units import DECIMAL_TEXT
from storage.runs.sent_log import SENT_BYTES_MAX, SentLog

LOG_BODY_BYTES_MAX = SENT_BYTES_MAX + 250_000
"""A log's ends of lines are two bytes each in JSON; and there is a droid beside it."""

LOG_TEXT = """block,time,tx_hash,log_index,op,kind,amount_specified,sqrt_price_limit,amount0,\
amount1,sqrt_price_x96,liquidity,tick,owner,tick_lower,tick_upper,liquidity_delta
18937552,1704414863,,306,swap,in,5922025486057113707,\
1461446703485210103287273052203988822378723970341,-13418156267,5922025486057113707,\
1661981852743265260023373548621151,,,,,,
"""
START_TEXT = """{"fee": 3000, "tickSpacing": 60,
 "token0": {"address": "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48",
            "symbol": "USDC", "decimals": 6},
 "token1": {"address": "0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2",
            "symbol": "WETH", "decimals": 18},
 "start": {"sqrtPriceX96": "1661902247488239778583400955918697", "tick": 199032,
           "liquidity": "5876290753422535546",
           "positions": [["filler", 199020, 199080, "5876290753422535546"]]}}
"""
SCENARIO_TEXT = """name = "two-crowds"
seed = 1
duration_s = 60

[[markets]]
id = "BTC-PERP"
base = "BTC"
quote = "USDC"
tick_size = "0.1"
lot_size = "0.001"
max_quantity = "1000"
price = {process = "synthetic", start = "66000"}

[[populations]]
name = "makers"
strategy = "ladder"
heads = 3
capital = "1000000000"

[[populations]]
name = "noise"
strategy = "noise"
heads = 500
capital = "100000"
"""
DROID: dict[str, Any] = {
    "fundingUSD": 50000,
    "triggerType": "EMA",
    "tickBuckets": 1,
    "bucketOffset": 0,
    "fundingCurveType": "LINEAR",
    "maxBots": 5,
    "maxPrice": 4000,
    "minPrice": 1500,
    "maxGasPrice": 50,
    "txPriority": 1,
    "derivativeThreshold": 0.01,
    "ladderPercMargin": 0.0005,
    "fallingRebalanceTrigger": 0.004,
    "risingRebalanceTrigger": 0.004,
}


def _name_or_table(value: object) -> object:
    if isinstance(value, str | dict):
        return value
    raise ValueError("must be a scenario's name, or an object with its fields")


def _of_gwei(text: str) -> str:
    try:
        base_fee_wei(text)
    except ValueError as error:
        raise ValueError(f"must be {error}") from None
    return text


BaseFee = Annotated[DecimalText, AfterValidator(_of_gwei)]


def _given(sent: Mapping[str, Any]) -> dict[str, Any]:
    """null is the same as nothing."""
    return {name: value for name, value in sent.items() if value is not None}


def _number(value: Any) -> Any:
    """Also one that is sent as text, as a droid's may be; no word of a droid is one."""
    if isinstance(value, str) and DECIMAL_TEXT.fullmatch(value):
        return ExactNumber(f"{Decimal(value):f}")
    return value


class SimulationSent(Sent):
    """Which scenario: `scenario` is the name of one that ships, or an object with the fields of a
    scenario file; `scenarioText` is such a file (TOML). Or a backtest: `droid` with `swaps`, the
    name of the pool's log that it is to live, or with a log of one's own, `swapsText` and
    `startText`; `grid`, `asCalled` and `baseFee`. One of the three."""

    scenario: Annotated[str | dict[str, Any] | None, BeforeValidator(_name_or_table)] = None
    scenario_text: StrictStr | None = None
    droid: dict[str, Any] | None = None
    swaps: StrictStr | None = None
    swaps_text: StrictStr | None = None
    start_text: StrictStr | None = None
    grid: dict[str, list[Any]] | None = None
    as_called: StrictBool | None = None
    base_fee: BaseFee | None = None
    seed: Annotated[WholeNumber, Field(ge=0, le=SEED_MAX)] | None = None
    duration_s: Annotated[WholeNumber, Field(ge=1, le=DURATION_S_MAX)] | None = None

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"scenario": "flash-crash", "seed": 7, "durationS": 900},
                {"scenarioText": SCENARIO_TEXT, "seed": 7},
                {"droid": DROID, "swaps": "usdc-weth-3000-2024-01-05"},
                {
                    "droid": DROID,
                    "swaps": "usdc-weth-3000-2024-01-05",
                    "grid": {"tickBuckets": [1, 2, 5], "maxBots": [3, 5]},
                },
                {"droid": DROID, "swapsText": LOG_TEXT, "startText": START_TEXT},
            ]
        }
    )

    @model_validator(mode="after")
    def _one_of_three(self) -> "SimulationSent":
        if [self.scenario, self.scenario_text, self.droid].count(None) != 2:
            raise ValueError("give either scenario or scenarioText, or droid with swaps")
        if (self.swaps_text is None) != (self.start_text is None):
            raise ValueError("swapsText and startText go together")
        logs = [self.swaps, self.swaps_text].count(None)
        if (self.droid is None) != (logs == 2):
            raise ValueError("droid goes with swaps, or with swapsText and startText")
        if logs == 0:
            raise ValueError("give either swaps or swapsText")
        if self.droid is None and (self.as_called, self.base_fee, self.grid) != (None, None, None):
            raise ValueError("asCalled, baseFee and grid go with droid")
        return self

    @property
    def log(self) -> SentLog | None:
        """The log that was sent."""
        if self.swaps_text is None or self.start_text is None:
            return None
        return SentLog(self.swaps_text, self.start_text, ("swapsText", "startText"))

    @property
    def table(self) -> Mapping[str, Any] | None:
        """What was sent as an object; a droid beside its log as the object that both make."""
        if self.droid is None:
            return self.scenario if isinstance(self.scenario, dict) else None
        setting: dict[str, Any] = {"as_called": self.as_called, "base_fee": self.base_fee}
        droid = {name: _number(value) for name, value in _given(self.droid).items()}
        if self.grid is not None:
            setting["grid"] = {name: [*map(_number, many)] for name, many in self.grid.items()}
        swaps = self.swaps if self.log is None else self.log.name
        return {"swaps": swaps} | _given(setting) | {"droid": droid}


class QueuedAnswer(Wire):
    """The simulation waits for its turn, or runs already."""

    simulation_id: str

    model_config = example(simulationId="simulation_12")


class EndAsked(Asked):
    """Whether it is to be stopped or forgotten."""

    forget: Annotated[
        QueryTruth, Field(description="true: remove one that has ended, with all it left")
    ] = False


class StoppedAnswer(Wire):
    """STOPPED, or STOPPING until what it has so far is written."""

    simulation_id: str
    status: str

    model_config = example(simulationId="simulation_12", status="STOPPING")


class ForgottenAnswer(Wire):
    """FORGOTTEN: there is no such simulation any more."""

    simulation_id: str
    status: str

    model_config = example(simulationId="simulation_12", status="FORGOTTEN")


class ProgressAnswer(Wire):
    """How far it is: simulated time in milliseconds, totals, and rates of the last second."""

    step: int
    steps: int
    simulated_ms: int
    orders: int
    fills: int
    steps_per_second: int
    orders_per_second: int
    fills_per_second: int
    seconds_left: int | None = None


PROGRESS = {
    "step": 18_000,
    "steps": 18_000,
    "simulatedMs": 1_800_000,
    "orders": 68_218,
    "fills": 21_057,
    "stepsPerSecond": 0,
    "ordersPerSecond": 0,
    "fillsPerSecond": 0,
}
STATE_HASH = "23d7c2ee0f6f4a1d8a8d2f8c5a5e1f0a9b7c3d2e1f0a9b8c7d6e5f4a3b2c1d0e"
LISTED: dict[str, Any] = {
    "simulationId": "simulation_12",
    "userId": "user_1042",
    "scenario": "flash-crash",
    "seed": 7,
    "status": "FINISHED",
    "traders": 1_004,
    "markets": 1,
    "progress": PROGRESS,
    "stateHash": STATE_HASH,
    "createdAt": 1_763_700_000_000,
    "startedAt": 1_763_700_000_800,
    "endedAt": 1_763_700_021_000,
    "keptUntil": 1_766_292_021_000,
}
RESULT: dict[str, Any] = {
    "scenario": "flash-crash",
    "seed": 7,
    "state_hash": STATE_HASH,
    "actors": "one process",
    "steps": 18_000,
    "steps_planned": 18_000,
    "orders": 68_218,
    "fills": 21_057,
    "wall_seconds": 19.4,
    "orders_per_second": 3_516,
    "peak_memory_bytes": 171_966_464,
    "strategies": [
        {
            "name": "makers",
            "strategy": "avellaneda-stoikov",
            "traders": 4,
            "pnl": "1204.51",
            "fees": "310.2",
            "volume": "1551000",
            "liquidated_traders": 0,
        }
    ],
}


class ListedAnswer(Wire):
    """A simulation. `stateHash` is there when it has ended, `error` when it FAILED, `rerunOf` when
    it repeats another. `keptUntil`: when an ended one goes by itself."""

    simulation_id: str
    user_id: str
    scenario: str
    seed: int
    status: str
    traders: int
    markets: int
    progress: ProgressAnswer
    state_hash: str | None = None
    error: str | None = None
    rerun_of: str | None = None
    created_at: int
    started_at: int | None = None
    ended_at: int | None = None
    kept_until: int | None = None

    model_config = example(**LISTED)


class SimulationAnswer(ListedAnswer):
    """One simulation. `ahead`: how many wait before it. `result`: what `sandpit simulate --json`
    prints, once it has ended."""

    ahead: int | None = None
    result: dict[str, Any] | None = None

    model_config = example(**LISTED, result=RESULT)
