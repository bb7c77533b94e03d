"""Ids of simulated traders' orders: negative, unique for ever, falling in time.

Below its sign an id is a one, then when it was made, by whom, and which of theirs it is:

                 moment              maker               number
    simulated    step, 28 bits       trader, 24 bits     10 bits, among the trader's in the step
    live         batch, 32 bits      strategy, 14 bits   16 bits, among the rows of the batch

A market is either, so its ids never meet those of the other widths. The widths differ because
each host counts in what it knows whoever computes it: 32 bits of batches are 27 years of five a
second, 24 bits of traders are all that a scenario may have, and both do not fit into one number.

That one, bit 62, is what no id of earlier versions has: live ones were strategy << 48 | batch << 16
| row, of strategies below 2**14. So in a market that goes on none is made again, and new ids are
below all old ones.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from sim.rows.kernels import Number, rule

Integers = npt.NDArray[np.int64]

FIRST = 1 << 62


class Widths(NamedTuple):
    """Bits of an id for its maker and for its number; what is left is the moment's."""

    maker_bits: int
    number_bits: int

    @property
    def number_max(self) -> int:
        """The highest number there is room for."""
        return (1 << self.number_bits) - 1


SIMULATED, LIVE = Widths(24, 10), Widths(14, 16)


@rule
def order_id(
    moment: Number, maker: Number, number: Number, maker_bits: int, number_bits: int
) -> Number:
    """An id from its parts and the widths that they have; takes arrays too."""
    return -(FIRST | (((moment << maker_bits) | maker) << number_bits) | number)


def ids_of_batch(strategy_no: int, batch_no: int, count: int) -> Integers:
    """Ids of the rows of a live strategy's batch, int64 (count,)."""
    numbers = np.arange(count, dtype=np.int64)
    ids: Integers = order_id(batch_no, strategy_no, numbers, *LIVE)
    return ids


def ids_of_traders(step: int, account_ids: Integers, numbers: int | Integers) -> Integers:
    """Ids of orders of simulated traders in a step, int64 (n,)."""
    ids: Integers = order_id(step, account_ids, numbers, *SIMULATED)
    return ids
