"""Transactions as they are decided at a pool's price: with their labels, and what they are sent
with."""

from collections.abc import Sequence
from dataclasses import dataclass

from sim.droid.acts import ActKind, CloseRung, MintRung, Offer, SwapExactIn
from sim.droid.config import DroidConfig
from sim.droid.gas import gas_limit
from sim.droid.ladder import Rung, rung_amounts
from sim.droid.swapping import SLIPPAGE
from sim.pool.swapping import Order
from sim.pool.terms import PoolTerms
from sim.pool.words import Pair


@dataclass(frozen=True)
class Drafts:
    """attempt_label   session/plan/stage/attempt"""

    terms: PoolTerms
    config: DroidConfig
    sqrt_price_x96: int
    attempt_label: str

    def closes(self, rungs: Sequence[Rung]) -> list[CloseRung]:
        offer, ticks = self._offer(ActKind.CLOSE), self.config.lattice(self.terms).ticks
        return [
            CloseRung(self._label(bucket), offer, bucket, ticks(bucket), liquidity)
            for bucket, liquidity in rungs
        ]

    def swap(self, order: Order) -> SwapExactIn:
        return SwapExactIn(
            self.attempt_label,
            self._offer(ActKind.SWAP),
            order.zero_for_one,
            order.amount_specified,
            order.sqrt_price_limit_x96,
        )

    def mints(self, rungs: Sequence[Rung]) -> list[MintRung]:
        return [self._mint(rung) for rung in rungs]

    def _mint(self, rung: Rung) -> MintRung:
        lattice, (low_x96, high_x96) = self.config.lattice(self.terms), self._within_x96()
        lower_x96, upper_x96 = lattice.ratios_x96(rung.bucket)
        may_be_in_range = lower_x96 <= high_x96 and low_x96 <= upper_x96
        return MintRung(
            self._label(rung.bucket),
            self._offer(ActKind.MINT, may_be_in_range),
            rung.bucket,
            lattice.ticks(rung.bucket),
            rung.liquidity,
            self._amounts_max(rung, (low_x96, high_x96)),
            may_be_in_range,
        )

    def _amounts_max(self, rung: Rung, within_x96: Pair) -> Pair:
        """Most of token0 where the price is lowest, most of token1 where it is highest."""
        lattice = self.config.lattice(self.terms)
        lowest, highest = (rung_amounts(lattice, rung, at, round_up=True) for at in within_x96)
        return lowest[0], highest[1]

    def _offer(self, kind: ActKind, may_be_in_range: bool = True) -> Offer:
        return Offer(
            self._within_x96(),
            gas_limit(kind, self.terms.tick_spacing, may_be_in_range),
            self.config.fee_per_gas_wei_max,
            self.config.priority_per_gas_wei,
        )

    def _within_x96(self) -> Pair:
        limit_x96 = self.terms.limit_x96
        return (
            limit_x96(self.sqrt_price_x96, True, SLIPPAGE),
            limit_x96(self.sqrt_price_x96, False, SLIPPAGE),
        )

    def _label(self, bucket: int) -> str:
        return f"{self.attempt_label}/{bucket}"
