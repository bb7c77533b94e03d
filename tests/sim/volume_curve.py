"""A market of makers with a client whose volume follows a curve, and agents who execute in it."""

from dataclasses import dataclass

import numpy as np

from sim.populations.parent_orders import ParentOrders
from sim.rows.messages import Side
from tests.sim.lone_traders import INDEX, client, crowd, exchange

SEED = 59
START, DURATION, SLICE = 100, 400, 5
HEADS = 4


@dataclass(frozen=True)
class Executed:
    """Per step of the duration: what the agents had traded and what the market had, in lots."""

    agents: np.ndarray
    market: np.ndarray
    traders: ParentOrders

    @property
    def whole_lots(self) -> np.ndarray:
        """What each was to execute."""
        parents = self.traders.parents[0]
        assert parents is not None
        return parents.whole_lots


def client_lots(elapsed: int) -> int:
    """Much at the end of the duration and little at its beginning; the mean is 40."""
    return 20 if elapsed < DURATION * 3 // 4 else 100


def executed(strategy: str, **fields: int) -> Executed:
    terms = {"start_step": START, "duration_steps": DURATION, "slice_steps": SLICE}
    traders = crowd(strategy, HEADS, 1, SEED, **(terms | fields))
    ran = exchange(traders, crowd("ladder", 3, 2, SEED))
    market, done, traded = ran.markets[0], [], []
    for step in range(START + DURATION + 20):
        ran.step()
        lots = 40 if step < START else client_lots(step - START)
        side = Side.BUY if step % 2 else Side.SELL
        client(market, side, INDEX + (2_000 if side == Side.BUY else -2_000), lots)
        done.append(int(np.abs(traders.holdings[0].positions_lots).sum()))
        traded.append(market.volume_lots)
    begin = START + 1
    return Executed(np.array(done)[begin:], np.array(traded)[begin:] - traded[begin - 1], traders)


def shares(path: np.ndarray) -> np.ndarray:
    """A running total as parts of what it was at the end of the duration."""
    parts: np.ndarray = path[:DURATION] / path[DURATION]
    return parts
