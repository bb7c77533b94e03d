"""A droid's wallet and open rungs, and what its transactions do to them."""

from collections.abc import Sequence
from dataclasses import dataclass

from sim.chain.acts import Close, Mint, SwapIn
from sim.chain.execution import pool_call
from sim.chain.fees import effective_gas_price
from sim.chain.gas import REVERTED_GAS, pool_gas
from sim.chain.pool_host import PoolAnswer, after, answered
from sim.droid.acts import Result
from sim.droid.ladder import Rung
from sim.droid.lattice import Lattice
from sim.droid.session import Wished
from sim.pool.pool import Pool
from sim.pool.positions import PositionKey
from sim.pool.words import Pair


@dataclass(frozen=True, slots=True)
class Sent:
    """A transaction in its block, or in none: then `answer` is None and nothing was paid."""

    wished: Wished
    answer: PoolAnswer | None
    gas_used: int
    fee_wei: int

    @property
    def result(self) -> Result:
        if self.answer is None:
            return Result.DROPPED
        return Result.DONE if self.answer.revert is None else Result.FAILED


class Hand:
    """tokens      in the chain's order, without ether
    rungs       liquidity by bucket
    """

    def __init__(self, holder: bytes, lattice: Lattice, tokens: Pair, ether_wei: int) -> None:
        self._holder, self._lattice = holder, lattice
        self.tokens, self.ether_wei = tokens, ether_wei
        self._liquidity: dict[int, int] = {}

    @property
    def rungs(self) -> tuple[Rung, ...]:
        return tuple(Rung(*one) for one in sorted(self._liquidity.items()))

    @property
    def ranges(self) -> tuple[Pair, ...]:
        """The ticks of its rungs."""
        return tuple(self._lattice.ticks(one.bucket) for one in self.rungs)

    @property
    def keys(self) -> Sequence[PositionKey]:
        return [PositionKey(self._holder, *ticks) for ticks in self.ranges]

    def send(self, pool: Pool, time_s: int, base_fee_wei: int, wished: Wished) -> Sent:
        """Into the block that is under way."""
        act = wished.act
        assert isinstance(act, Mint | Close | SwapIn), "nothing else is done before a droid closes"
        gas_price = effective_gas_price(base_fee_wei, wished.max_fee_wei, wished.priority_fee_wei)
        if gas_price is None:
            return Sent(wished, None, 0, 0)
        answer = answered(pool, time_s, self.tokens, pool_call(self._holder, act))
        gas_used = REVERTED_GAS if answer.revert is not None else pool_gas(act, answer)
        fee_wei = gas_used * gas_price
        assert fee_wei <= self.ether_wei, "a droid sends what it can pay at its worst"
        self.ether_wei -= fee_wei
        self.tokens = after(self.tokens, answer)
        if answer.revert is None:
            self._book(act)
        return Sent(wished, answer, gas_used, fee_wei)

    def _book(self, act: Mint | Close | SwapIn) -> None:
        if isinstance(act, SwapIn):
            return
        bucket = self._lattice.bucket_of(act.tick_lower)
        if isinstance(act, Mint):
            self._liquidity[bucket] = self._liquidity.get(bucket, 0) + act.liquidity
        else:
            del self._liquidity[bucket]
