"""What the traders of a strategy hold and have realised, as the recorder has it."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from sim.money.accounts import COST_ATOMS_MAX
from storage.errors import wrapped
from storage.postgres.database import connect

HELD = """
SELECT p.event_seq, x.account_id, x.quantity_lots, x.cost_atoms, x.realized_pnl_atoms
FROM projections p LEFT JOIN positions x
    ON x.market_id = p.market_id AND x.account_id BETWEEN %s AND %s
WHERE p.market_id = %s"""


class StrategyHoldings:
    """Reads them by market. It is asked seldom, so it keeps no connection."""

    def __init__(self, database_url: str, market_ids: Sequence[str]) -> None:
        self._database_url, self._market_ids = database_url, tuple(market_ids)

    def read(self, market: int, accounts: range, event_seq: int) -> npt.NDArray[np.int64] | None:
        """int64 (accounts, 3): lots, their cost, what was realised less fees.

        None while an event up to `event_seq` is not recorded. Raises DatabaseUnavailable.
        """
        wish = (accounts.start, accounts.stop - 1, self._market_ids[market])
        with wrapped(), connect(self._database_url, "holdings") as connection:
            rows = connection.execute(HELD, wish).fetchall()
        if not rows or int(str(rows[0][0])) < event_seq:
            return None
        held = np.zeros((len(accounts), 3), np.int64)
        for _, account_id, *numbers in rows:
            if account_id is not None:
                held[int(str(account_id)) - accounts.start] = [
                    min(max(int(str(one)), -COST_ATOMS_MAX), COST_ATOMS_MAX) for one in numbers
                ]
        return held
