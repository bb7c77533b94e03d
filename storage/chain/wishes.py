"""Transactions that are wished for: whoever builds blocks signs them and takes them in."""

from sim.chain.acts import Wish, act_text
from storage.postgres.unit_of_work import Connection

INSERT = """
INSERT INTO chain_wishes (label, wallet, act, max_fee_wei, priority_fee_wei, last_block)
VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (label) DO NOTHING"""


async def wish(connection: Connection, wished: Wish) -> None:
    """Wishes it once, however often its label comes. The caller's transaction commits."""
    values = (
        wished.label,
        wished.wallet,
        act_text(wished.act),
        wished.max_fee_wei,
        wished.priority_fee_wei,
        wished.last_block,
    )
    await connection.execute(INSERT, values)
