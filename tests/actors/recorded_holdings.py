"""What a recorder has of markets in this process: its own settlement, without its tables."""

from collections.abc import Sequence

import numpy as np

from sim.market import BTC_PERP
from sim.money.ledger import FEES, clearing_account
from sim.money.settlement import Settlement
from sim.populations.population import Integers
from tests.sim.simulated_market import SimulatedMarket


class RecordedHoldings:
    """Settles everything that was traded whenever it is asked."""

    def __init__(self, markets: Sequence[SimulatedMarket]) -> None:
        self.markets, self.behind = list(markets), False

    def read(self, market: int, accounts: range, event_seq: int) -> Integers | None:
        if self.behind:
            return None
        settlement = Settlement(BTC_PERP, FEES, clearing_account(1), {}, {})
        for batch_no, trades in enumerate(self.markets[market].trades, start=1):
            settlement.apply(batch_no, trades)
        held = np.zeros((len(accounts), 3), np.int64)
        for account_id, one in settlement.touched_holdings.items():
            if account_id in accounts:
                position = one.position
                held[account_id - accounts.start] = (
                    position.quantity_lots,
                    position.cost_atoms,
                    one.realized_pnl_atoms,
                )
        return held
