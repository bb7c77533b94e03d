"""Whether the chain's books add up: with themselves, with pools, and with the accounts' ledger."""

from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import Any

import psycopg

from sim.chain.acts import Transfer, WishStatus, act_of
from sim.chain.known_pools import POOLS, TOKENS
from sim.chain.wallets import BRIDGE, Wallets
from sim.chain.world import BRIDGE_UNITS, genesis_state
from sim.money.ledger import CHAIN
from storage.errors import wrapped

Connection = psycopg.Connection[Any]

SNAPSHOT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
WEI = "SELECT coalesce(sum(wei), 0) + (SELECT burnt_wei FROM chain_head) FROM chain_accounts"
TOKENS_HELD = "SELECT token, sum(amount) FROM chain_holdings GROUP BY token"
HELD = "SELECT amount FROM chain_holdings WHERE token = %s AND holder = %s"
IN_POOLS = "SELECT id, amount0, amount1 FROM pools"
LEDGER = """
SELECT asset, sum(amount_atoms) FROM ledger_entries
WHERE account_id = %s GROUP BY asset"""
WAITING = f"SELECT act FROM chain_wishes WHERE wallet = %s AND status = {WishStatus.WAITING}"
COMING = f"""
SELECT w.act FROM chain_wishes w JOIN droid_sessions s
    ON starts_with(w.label, 'session/' || s.id || '/home/')
WHERE NOT s.ended AND w.status = {WishStatus.MINED}"""


def differences(connection: Connection, seed: int) -> list[str]:
    """What does not add up at one moment, a sentence each; of a world without a chain, nothing."""
    with wrapped(), connection.transaction():
        connection.execute(SNAPSHOT)
        if connection.execute("SELECT 1 FROM chain_head").fetchone() is None:
            return []
        return [
            *_conserved(connection),
            *_pools(connection),
            *_bridge(connection, Wallets(seed)),
        ]


@cache
def at_first() -> tuple[int, dict[bytes, int]]:
    """Wei, and each token, of everybody together before the first block."""
    state = genesis_state(Wallets(0))
    tokens: Counter[bytes] = Counter()
    for (token, _), amount in state.holdings.items():
        tokens[token] += amount
    return sum(state.wei.values()), dict(tokens)


def _conserved(connection: Connection) -> Iterator[str]:
    wei, tokens = at_first()
    found = _one(connection, WEI)
    if found != wei:
        yield f"the chain has {found - wei} wei more than it began with"
    held = {bytes(token): int(amount) for token, amount in connection.execute(TOKENS_HELD)}
    for symbol, token in TOKENS.items():
        more = held.get(token.address, 0) - tokens[token.address]
        if more:
            yield f"the chain has {more} units of {symbol} more than it began with"


def _pools(connection: Connection) -> Iterator[str]:
    """What a pool counts is what the tokens say that it has."""
    for pool_id, *amounts in connection.execute(IN_POOLS).fetchall():
        pool = POOLS[pool_id]
        for token, amount in zip(pool.tokens, amounts, strict=True):
            held = _one(connection, HELD, (token.address, pool.address))
            if held != amount:
                yield f"pool {pool_id} counts {amount} of {token.symbol} and has {held}"


def _bridge(connection: Connection, wallets: Wallets) -> Iterator[str]:
    """What accounts have on the chain has left the bridge, or is on its way."""
    given = {asset: int(atoms) for asset, atoms in connection.execute(LEDGER, (CHAIN,))}
    waiting = _sums(connection.execute(WAITING, (BRIDGE,)).fetchall())
    coming = _sums(connection.execute(COMING).fetchall())
    for symbol in ("USDC", "USDT"):
        token = TOKENS[symbol]
        bridge = _one(connection, HELD, (token.address, wallets.address(BRIDGE)))
        left = BRIDGE_UNITS * 10**token.decimals - bridge
        if given.get(symbol, 0) != left + waiting[symbol] + coming[symbol]:
            yield f"accounts have {given.get(symbol, 0)} of {symbol} on the chain, and {left} left"


def _sums(rows: list[tuple[str]]) -> Counter[str]:
    """Of what is transferred, by token."""
    found: Counter[str] = Counter()
    for (text,) in rows:
        act = act_of(text)
        if isinstance(act, Transfer):
            found[act.token] += act.amount
    return found


def _one(connection: Connection, statement: str, values: tuple[Any, ...] = ()) -> int:
    row = connection.execute(statement, values).fetchone()
    return int(row[0]) if row is not None else 0
