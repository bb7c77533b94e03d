"""What each swap has earned a droid, told by how much more it could collect after it."""

from collections.abc import Sequence

from sim.droid.valuation import uncollected
from sim.pool.pool import Pool
from sim.pool.positions import PositionKey
from sim.pool.words import Pair


class Earning:
    """Fees grow with swaps alone: what was owed before one is owed after it."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._owed: Pair = (0, 0)
        self.earned: Pair = (0, 0)

    def swapped(self, keys: Sequence[PositionKey], time_s: int) -> Pair:
        """Of the swap that has just been made."""
        owed = uncollected(self._pool, keys, time_s)
        fees = owed[0] - self._owed[0], owed[1] - self._owed[1]
        self._owed = owed
        self.earned = self.earned[0] + fees[0], self.earned[1] + fees[1]
        return fees

    def placed(self, keys: Sequence[PositionKey], time_s: int) -> None:
        """Positions have come or gone, and what those had earned went with them."""
        self._owed = uncollected(self._pool, keys, time_s)
