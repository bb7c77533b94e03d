"""What a scenario says of a chain beside its books:

    [chain]                    blocks of twelve simulated seconds, with a crowd that provides
    market = "ETH_USDC"        liquidity and swaps; arbitrageurs keep each pool's price at this
    pools = [42]               market's, and trade there what they have traded in the pool

    [[droids]]                 a droid in one of the pools: `name` and the fields of a droid's file
    name = "ladder"

Samples of quotes must fall on the ends of blocks.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from sim.droid.config import ConfigRefused, DroidConfig, read_config
from sim.droid.spelling import SPELLED, sentence
from sim.pool.terms import PoolTerms
from sim.scenario.fields import Fields, ScenarioError
from sim.scenario.markets import SECOND_US
from sim.scenario.world import World

CHAIN_FIELDS = ("market", "pools")
DROIDS_MAX = 100
NAME, NAME_ALLOWED = r"[a-z0-9-]{1,32}", "at most 32 small letters, digits and -"
BASE, QUOTE = "ETH", "USDC"


@dataclass(frozen=True)
class DroidDescription:
    name: str
    pool_id: int
    config: DroidConfig


@dataclass(frozen=True)
class ChainDescription:
    """market_no   of the market whose middle is the price, among the scenario's
    block_steps   steps of one block
    """

    market_no: int
    pool_ids: tuple[int, ...]
    droids: tuple[DroidDescription, ...]
    block_steps: int


def read_chain(
    fields: Fields, world: World, step_us: int, sample_steps: int
) -> ChainDescription | None:
    """Of a scenario's fields; None where it has no chain. Raises ScenarioError."""
    if not fields.has("chain"):
        if fields.has("droids"):
            raise fields.error("droids", "found droids, and no [chain] that they could be on")
        return None
    return _chain(fields, world, step_us, sample_steps)


def _chain(fields: Fields, world: World, step_us: int, sample_steps: int) -> ChainDescription:
    """Ethereum's libraries are loaded for such scenarios alone."""
    from sim.chain.building import BLOCK_S
    from sim.chain.known_pools import POOLS

    chain = fields.table("chain")
    chain.only(*CHAIN_FIELDS)
    ids = [one.spec.market_id for one in world.markets]
    market_no = ids.index(chain.choice("market", ids))
    spec = world.markets[market_no].spec
    if (spec.base_asset, spec.quote_asset, spec.is_spot) != (BASE, QUOTE, True):
        raise chain.refuse("market", f"a spot market of {BASE} for {QUOTE}")
    pool_ids = chain.integers("pools", min(POOLS), max(POOLS), tuple(POOLS))
    if len(set(pool_ids)) < len(pool_ids):
        raise chain.refuse("pools", "each pool once")
    block_steps, rest = divmod(BLOCK_S * SECOND_US, step_us)
    if rest or block_steps % sample_steps:
        raise ScenarioError(
            f"step_us, sample_ms: found such as do not divide {BLOCK_S} s, which a block takes"
        )
    tables = fields.tables("droids", 0)
    if len(tables) > DROIDS_MAX:
        raise fields.refuse("droids", f"at most {DROIDS_MAX} droids")
    terms = {pool_id: POOLS[pool_id].terms for pool_id in pool_ids}
    droids = tuple(_droid(one, terms) for one in tables)
    if len({one.name for one in droids}) < len(droids):
        raise fields.error("droids", "found two of one name, allowed is one")
    return ChainDescription(market_no, pool_ids, droids, block_steps)


def _droid(table: Fields, terms: Mapping[int, PoolTerms]) -> DroidDescription:
    table.only("name", *SPELLED.values())
    name = table.text("name", NAME, NAME_ALLOWED)
    where = SPELLED["pool_id"]
    pool_id = table.integer(where, 0, 2**31)
    if pool_id not in terms:
        raise table.refuse(where, f"one of the chain's pools, {', '.join(map(str, terms))}")
    given = {
        field: exact(table.value(spelled))
        for field, spelled in SPELLED.items()
        if spelled != where and table.has(spelled)
    }
    try:
        return DroidDescription(name, pool_id, read_config(given, terms[pool_id]))
    except ConfigRefused as refused:
        fault = refused.faults[0]
        field = table.path(SPELLED.get(fault.field, fault.field))
        raise ScenarioError(f"{field}: {sentence(fault)}", field) from refused


def exact(value: object) -> object:
    """A number with a point as it was written."""
    return Decimal(repr(value)) if isinstance(value, float) else value
