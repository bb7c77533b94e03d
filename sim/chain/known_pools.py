"""The pools that there are: the document's two, at their mainnet addresses."""

from dataclasses import dataclass
from functools import cached_property

from sim.chain.addresses import USDC, USDT, WETH, Token, pool_address
from sim.pool.terms import PoolTerms


@dataclass(frozen=True)
class KnownPool:
    """Tokens in the chain's order: token0 has the lower address."""

    pool_id: int
    tokens: tuple[Token, Token]
    fee_pips: int = 3_000
    tick_spacing: int = 60

    @cached_property
    def address(self) -> bytes:
        return pool_address(self.tokens[0].address, self.tokens[1].address, self.fee_pips)

    @cached_property
    def terms(self) -> PoolTerms:
        token0, token1 = self.tokens
        return PoolTerms(
            self.pool_id,
            self.tick_spacing,
            self.fee_pips,
            token0 != WETH,
            (token0.decimals, token1.decimals),
        )

    @property
    def quote(self) -> Token:
        """The one that is worth a dollar."""
        return self.tokens[self.terms.quote_token]


POOLS = {42: KnownPool(42, (USDC, WETH)), 43: KnownPool(43, (WETH, USDT))}
TOKENS = {token.symbol: token for token in (USDC, WETH, USDT)}
