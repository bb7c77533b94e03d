"""What arbitrageurs have bought in pools, as the chain's newest block has it."""

from typing import Any

from sim.chain.addresses import WETH
from sim.chain.crowd import arbitrageur_wallet
from sim.chain.known_pools import POOLS
from sim.chain.wallets import Wallets
from sim.chain.world import TRADER_UNITS, WEI
from storage.errors import wrapped
from storage.postgres.database import Link

HELD = "SELECT holder, amount FROM chain_holdings WHERE token = %s AND holder = ANY(%s)"


class BoughtEther:
    """Of each pool's arbitrageur since the first block: what it has beside what it began with.

    A block and the holdings that it changes are one commit, and a reorganisation changes no
    holding: so this is right after every block, and nothing of single blocks has to be remembered.
    """

    def __init__(self, link: Link, seed: int) -> None:
        wallets = Wallets(seed)
        self._link = link
        self._holders = [wallets.address(arbitrageur_wallet(pool_id)) for pool_id in POOLS]

    def read(self) -> list[int]:
        """Wei bought, less those sold, in the order of POOLS. Raises DatabaseUnavailable."""
        with wrapped():
            asked = self._link().execute(HELD, (WETH.address, self._holders))
            rows: list[tuple[Any, ...]] = asked.fetchall()
        held = {bytes(holder): int(amount) for holder, amount in rows}
        return [held[holder] - TRADER_UNITS * WEI for holder in self._holders]
