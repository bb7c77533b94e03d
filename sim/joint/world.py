"""Books and a chain, stepped together in one process.

Everything on the chain follows from the middles of the book at the ends of blocks, which are
samples of the market's tape: whoever goes on from a checkpoint of the books builds all blocks anew.
"""

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from sim.joint.chain import JointChain
from sim.prices.processes import ReferencePrice
from sim.record.chain import ChainRecord
from sim.record.run import RunRecord
from sim.rows.messages import Side
from sim.scenario.scenario import Scenario
from sim.stepping.world import SimulatedWorld, Timing, combined_hash

ETHER_WEI = 10**18


class JointWorld(SimulatedWorld):
    """A scenario with a chain."""

    def __init__(
        self, scenario: Scenario, prices: Sequence[ReferencePrice], spread: int = 1
    ) -> None:
        super().__init__(scenario, prices, spread)
        assert scenario.chain is not None, "a scenario without a chain has a world without one"
        self._about = about = scenario.chain
        self._spec = scenario.world.markets[about.market_no].spec
        first = prices[about.market_no].price_ticks * Fraction(self._spec.tick_size)
        self._chain = JointChain(about, scenario.world.seed, first)
        self._market = self.markets[about.market_no]
        self._traded_lots = [0, 0]

    def run(self, until: int | None = None, called: Callable[[], bool] | None = None) -> None:
        """As of books alone, with a block whenever its time has passed."""
        last = self.scenario.steps if until is None else min(until, self.scenario.steps)
        while self.step_no < last:
            target = min(last, (self._chain.blocks + 1) * self._about.block_steps)
            super().run(target, called)
            if self.step_no < target:
                return
            self._build(are_new=True)

    def resume(self, data: bytes) -> None:
        super().resume(data)
        self._build(are_new=False)

    def _build(self, *, are_new: bool) -> None:
        """Blocks whose time has passed. What arbitrageurs trade in new ones they trade on the
        book; of others the book knows."""
        due = self.step_no // self._about.block_steps
        quotes = self._market.tape.quotes if self._chain.blocks < due else None
        while quotes is not None and self._chain.blocks < due:
            samples = (self._chain.blocks + 1) * self._about.block_steps
            quote = quotes[samples // self.scenario.sample_steps - 1]
            bought_wei = self._chain.block(self._middle(quote))
            self._hedge(bought_wei, are_new)

    def _middle(self, quote: Any) -> Fraction | None:
        bid, ask = int(quote["best_bid_ticks"]), int(quote["best_ask_ticks"])
        if not bid or not ask:
            return None
        return Fraction(bid + ask, 2) * Fraction(self._spec.tick_size)

    def _hedge(self, bought_wei: int, is_new: bool) -> None:
        """What was bought in a pool is sold on the book, in whole lots."""
        lots = int(abs(bought_wei) / (Fraction(self._spec.lot_size) * ETHER_WEI))
        if not lots:
            return
        side = Side.SELL if bought_wei > 0 else Side.BUY
        self._traded_lots[side == Side.SELL] += lots
        if is_new:
            self._market.trade_from_outside(side, lots)

    def state_hash(self) -> str:
        return combined_hash([bytes.fromhex(super().state_hash()), self._chain.state_hash])

    def record(self, timing: Timing) -> RunRecord:
        record = super().record(timing)
        record.state_hash = self.state_hash()
        chain, (bought, sold) = self._chain, self._traded_lots
        record.chain = ChainRecord(
            self._spec.market_id,
            chain.blocks,
            chain.transactions,
            (bought, sold),
            chain.state_hash,
            chain.pools(),
            chain.droids(),
        )
        return record
