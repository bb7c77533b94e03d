"""What the trading app answers of droids, how they stand, and their pools: in JSON numbers."""

from typing import Annotated

from pydantic import Field

from api.door.answers import example
from api.door.wire import ExactDecimal, Wire
from api.havencap.droid_schemas import DROID

BLOCK_CHAIN = "ethereum"

SHOWN = {
    "id": 1,
    "blockChain": BLOCK_CHAIN,
    "active": 1,
    **{name: value for name, value in DROID.items() if name != "gasBudgetLimit"},
    "createdAt": "2026-01-15T08:00:00.000Z",
    "gasBudgetLimit": 100,
    "gasSpentUSD": 12.4,
}
SESSION = {
    "id": 101,
    "startedAt": "2026-04-30T12:00:00.000Z",
    "stoppedAt": None,
    "status": "RUNNING",
    "note": None,
}
BOT = {
    "id": 201,
    "positionId": "0x5f3c5b1a7c3e9d1f0b2a4c6e8d0f1a3b5c7e9d1f0b2a4c6e8d0f1a3b5c7e9d1f",
    "status": "ACTIVE",
    "bucket": 325,
    "lowerTick": 195_000,
    "upperTick": 195_600,
    "lowerPrice": 3203.411,
    "upperPrice": 3401.493,
    "liquidity": 9928007477293465,
    "inRange": True,
}
FIGURES = {
    "status": "RUNNING",
    "note": None,
    "walletAddress": "0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045",
    "equityUSD": 50312.77,
    "feesEarnedUSD": 341.1,
    "gasSpentUSD": 12.4,
    "impermanentLossUSD": 15.93,
}
HISTORY = {
    "id": 501,
    "timeStamp": "2026-05-01T09:00:00.000Z",
    "aum": 51240.75,
    "price": 3215.5,
    "token0Positions": 8.42,
    "token1Positions": 24112.3,
    "ethWallet": 0.18,
}
POOL = {
    "id": 42,
    "poolAddress": "0x8ad599c3a0ff1de082011efddc58f1908eb6e6d8",
    "feeTier": 3000,
    "token0": "USDC",
    "token1": "WETH",
    "price": 3215.5,
    "tick": 195_562,
    "liquidity": 20443184931250000000,
    "tvlUSD": 81_000_000.12,
}


class DroidCreatedAnswer(Wire):
    """A droid's id."""

    id: int

    model_config = example(id=1)


class ShownDroid(Wire):
    """What a droid's owner wants of it, and what its gas has cost in its newest session."""

    id: int
    block_chain: str
    active: int
    pool_id: int
    funding_usd: Annotated[ExactDecimal, Field(alias="fundingUSD")]
    trigger_type: str
    tick_buckets: int
    bucket_offset: int
    funding_curve_type: str
    max_bots: int
    max_price: ExactDecimal
    min_price: ExactDecimal
    falling_rebalance_trigger: ExactDecimal
    rising_rebalance_trigger: ExactDecimal
    max_gas_price: ExactDecimal
    tx_priority: ExactDecimal
    derivative_threshold: ExactDecimal
    ladder_perc_margin: ExactDecimal
    created_at: str
    gas_budget_limit: ExactDecimal | None
    gas_spent_usd: Annotated[ExactDecimal, Field(alias="gasSpentUSD")]

    model_config = example(**SHOWN)


class DroidsAnswer(Wire):
    """Droids, newest first."""

    droids: list[ShownDroid]

    model_config = example(droids=[SHOWN])


class ShownSession(Wire):
    """A droid at work, from placing to closing."""

    id: int
    started_at: str
    stopped_at: str | None
    status: str
    note: str | None


class ShownBot(Wire):
    """A position of a droid, from its mint to its closing."""

    id: int
    position_id: str
    status: str
    bucket: int
    lower_tick: int
    upper_tick: int
    lower_price: ExactDecimal
    upper_price: ExactDecimal
    liquidity: int
    in_range: bool | None


class ShownFigures(Wire):
    """How a droid stands in its newest session."""

    status: str | None
    note: str | None
    wallet_address: str | None
    equity_usd: Annotated[ExactDecimal | None, Field(alias="equityUSD")]
    fees_earned_usd: Annotated[ExactDecimal | None, Field(alias="feesEarnedUSD")]
    gas_spent_usd: Annotated[ExactDecimal | None, Field(alias="gasSpentUSD")]
    impermanent_loss_usd: Annotated[ExactDecimal | None, Field(alias="impermanentLossUSD")]


class DroidAnswer(Wire):
    """A droid, its sessions and positions, newest first, and how it stands."""

    droid: ShownDroid
    sessions: list[ShownSession]
    bots: list[ShownBot]
    figures: ShownFigures | None

    model_config = example(droid=SHOWN, sessions=[SESSION], bots=[BOT], figures=FIGURES)


class ActiveAnswer(Wire):
    """What the droid is from now on."""

    id: int
    active: int

    model_config = example(id=1, active=1)


class DroidChangedAnswer(Wire):
    """The fields that were sent, as they are from now on."""

    id: int
    funding_usd: Annotated[ExactDecimal | None, Field(alias="fundingUSD")] = None
    max_bots: int | None = None
    max_price: ExactDecimal | None = None
    min_price: ExactDecimal | None = None
    max_gas_price: ExactDecimal | None = None
    tx_priority: ExactDecimal | None = None
    derivative_threshold: ExactDecimal | None = None
    ladder_perc_margin: ExactDecimal | None = None
    falling_rebalance_trigger: ExactDecimal | None = None
    rising_rebalance_trigger: ExactDecimal | None = None
    gas_budget_limit: ExactDecimal | None = None

    model_config = example(id=1, maxBots=8, fundingUSD=75000)


class HistoryEntry(Wire):
    """How a droid stood at a time."""

    id: int
    time_stamp: str
    aum: ExactDecimal
    price: ExactDecimal
    token0_positions: Annotated[ExactDecimal, Field(alias="token0Positions")]
    token1_positions: Annotated[ExactDecimal, Field(alias="token1Positions")]
    eth_wallet: ExactDecimal


class HistoryAnswer(Wire):
    """How a droid stood, newest first."""

    history: list[HistoryEntry]

    model_config = example(history=[HISTORY])


class ShownAccount(Wire):
    """A wallet of a droid: both have the same id."""

    id: int


class DroidAccountsAnswer(Wire):
    """The wallets of droids, newest first."""

    accounts: list[ShownAccount]

    model_config = example(accounts=[{"id": 2}, {"id": 1}])


class ShownPool(Wire):
    """A pool after the chain's newest block."""

    id: int
    pool_address: str
    fee_tier: int
    token0: str
    token1: str
    price: ExactDecimal | None
    tick: int | None
    liquidity: int | None
    tvl_usd: Annotated[ExactDecimal | None, Field(alias="tvlUSD")]


class PoolsAnswer(Wire):
    """The pools that droids work in."""

    pools: list[ShownPool]

    model_config = example(pools=[POOL])
