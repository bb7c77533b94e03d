"""A market's time: it never goes back, whatever becomes of the machine, its clock or the actor."""

import numpy as np

from sim.rows.messages import Rows
from storage.postgres.database import now_us


class MarketClock:
    """Stamps what a market applies. `last_us` is the last stamp, also one of an earlier life."""

    def __init__(self, last_us: int) -> None:
        self.last_us = last_us

    def now_us(self) -> int:
        """The machine's time, or the last stamp where that is later."""
        self.last_us = max(self.last_us, now_us())
        return self.last_us

    def put_in_order(self, inputs: Rows) -> None:
        """Times of COMMAND rows in the order in which they are applied.

        A client's command is stamped when it gets its number, a strategy's when it is
        applied, so a client's may be older than what was applied before it.
        """
        if inputs.size:
            times = np.maximum(inputs["time_us"], self.last_us)
            inputs["time_us"] = np.maximum.accumulate(times)
            self.last_us = int(inputs["time_us"][-1])
