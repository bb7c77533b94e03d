"""All that comes of a backtest. Amounts are whole base units; worth is in those of the quote."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass

from sim.backtest.log import PoolLog
from sim.backtest.market import Replays
from sim.chain.crowd import BASE_FEE_WEI
from sim.chain.pool_host import DIGEST_BYTES, hashed
from sim.droid.acts import Result as Outcome
from sim.droid.config import DroidConfig
from sim.droid.session import GAS_WEI
from sim.droid.states import Note, Why
from sim.droid.written import written
from sim.pool.words import Pair

"""What a droid gets for gas, as a deployment gives it."""


@dataclass(frozen=True)
class Setting:
    """What a backtest is made with, beside its log.

    seed           makes the droid's address; nothing else is left to chance
    base_fee_wei   of every block
    """

    config: DroidConfig
    seed: int = 1
    replays: Replays = Replays.PRICE
    base_fee_wei: int = BASE_FEE_WEI
    ether_wei: int = GAS_WEI


@dataclass(frozen=True, slots=True)
class Standing:
    """How all stands at a block's end.

    signal            the double that the droid goes by
    ranges            of its open rungs, in ticks
    aum               positions, their fees and the wallet with its ether
    fees              that it has earned so far, at this price
    gas               that it has paid so far, each fee at its block's price, rounded up
    impermanent_loss  of positions that have closed, at the price then, and of the open ones now
    held              what it began with
    halves            half of it in base from the beginning
    full_range        all of it in one position, with its fees
    """

    block: int
    time_s: int
    sqrt_price_x96: int
    signal: float
    ranges: tuple[Pair, ...]
    aum: int
    fees: int
    gas: int
    impermanent_loss: int
    held: int
    halves: int
    full_range: int


@dataclass(frozen=True, slots=True)
class SwapFees:
    """What a swap has earned the droid: of the log's by its index, of the droid's own −1."""

    block: int
    index: int
    fees: Pair


@dataclass(frozen=True, slots=True)
class Done:
    """A transaction of the droid's.

    ticks       of its rung, with the liquidity that came or went; of a swap nothing
    amounts     what it took from the wallet of both tokens; negative is what it gave
    fees        that a close gave, among them
    """

    block: int
    time_s: int
    label: str
    kind: str
    ticks: Pair
    liquidity: int
    outcome: Outcome
    revert: str | None
    amounts: Pair
    fees: Pair
    gas_used: int
    fee_wei: int
    sqrt_price_x96: int


@dataclass(frozen=True, slots=True)
class Rebalance:
    """A plan that was completed with at least one transaction; the first is the placement.

    whys      it was made for
    begun_s   the time of the block at whose end it was decided
    signal    that it was made at
    gas       it has cost, in base units of the quote
    """

    number: int
    whys: tuple[Why, ...]
    begun_s: int
    block: int
    time_s: int
    signal: float
    closed: tuple[Pair, ...]
    opened: tuple[Pair, ...]
    gas: int


@dataclass(frozen=True)
class Result:
    """standings   of every block in which something happened, of every hour's first, of the last
    blocks       that it went through
    swaps        of the log
    refused      rows of the log that the pool refused, because the droid had changed it
    note         why the droid did nothing at the end, if it should have
    fees         of both tokens, earned in all
    full_range_fees   the same of the full-range position
    wallet       what is in it at the end, without ether
    """

    log: PoolLog
    setting: Setting
    standings: tuple[Standing, ...]
    swap_fees: tuple[SwapFees, ...]
    done: tuple[Done, ...]
    rebalances: tuple[Rebalance, ...]
    blocks: int
    swaps: int
    refused: int
    note: Note | None
    fees: Pair
    full_range_fees: Pair
    wallet: Pair
    ether_wei: int

    @property
    def first(self) -> Standing:
        return self.standings[0]

    @property
    def last(self) -> Standing:
        return self.standings[-1]

    @property
    def gas_wei(self) -> int:
        return sum(one.fee_wei for one in self.done)

    @property
    def moves(self) -> Sequence[Rebalance]:
        """Rebalances after the placement."""
        return [one for one in self.rebalances if Why.START not in one.whys]

    def state_hash(self) -> str:
        """Of what it was made with and of every number that came of it; the same everywhere."""
        setting = self.setting
        found = hashed(bytes(DIGEST_BYTES), (
            setting.seed,
            setting.replays.value,
            setting.base_fee_wei,
            setting.ether_wei,
            repr(written(setting.config)),
            *(self.log.pool.address, self.log.sqrt_price_x96, len(self.log.rows)),
            *(self.blocks, self.swaps, self.refused, self.note and self.note.value),
            *(self.fees, self.full_range_fees, self.wallet, self.ether_wei),
        ))  # fmt: skip
        rows: Sequence[Standing | SwapFees | Done | Rebalance]
        for rows in (self.standings, self.swap_fees, self.done, self.rebalances):
            for one in rows:
                found = hashed(found, plain(astuple(one)))
        return found.hex()


def plain(values: tuple[object, ...]) -> tuple[object, ...]:
    """Words as text: what Python writes of an enum is not for ever."""
    return tuple(
        plain(one) if isinstance(one, tuple) else str(one) if isinstance(one, str) else one
        for one in values
    )
