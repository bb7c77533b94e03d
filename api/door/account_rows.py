"""From frames, which say what has changed, to the rows as every GET reads them now."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from api.door.stream_topics import Channel, Told, Topic
from storage.postgres.database import AsyncPool
from storage.reading import order_lists, views
from storage.reading.account_frames import Frame, FrameKind
from storage.reading.market_data import MarketCatalog
from storage.reading.standing import Standing, standings

KINDS = {
    Channel.ORDERS: FrameKind.ORDER,
    Channel.FILLS: FrameKind.FILL,
    Channel.POSITIONS: FrameKind.POSITION,
    Channel.BALANCES: FrameKind.BALANCE,
}
CHANNELS = {kind: channel for channel, kind in KINDS.items()}


class HeldIn(NamedTuple):
    """How an account stands, and the asset that is told of."""

    standing: Standing
    asset: str


class Changed(NamedTuple):
    """A frame and whose it is."""

    account_id: int
    frame: Frame


Rows = dict[tuple[int, str], Any]
"""By account, and by what its frames call them."""


async def read_frames(
    pool: AsyncPool, markets: MarketCatalog, changes: Sequence[Changed]
) -> list[Told]:
    """What frames tell, in their order; read for all accounts together.

    Raises DatabaseUnavailable.
    """
    rows = {
        kind: await read(pool, kind, [one for one in changes if one.frame.kind == kind])
        for kind in {one.frame.kind for one in changes}
    }
    listed = await markets.markets()
    found = []
    for account_id, (seq, kind, reference) in changes:
        row = rows[kind].get((account_id, reference))
        if row is not None:
            market = listed.get(reference if kind == FrameKind.POSITION else market_of(row))
            topic = Topic(CHANNELS[kind], account_id=account_id)
            found.append(Told(topic, seq, row, market.spec if market else None))
    return found


async def read(pool: AsyncPool, kind: FrameKind, changes: Sequence[Changed]) -> Rows:
    """The rows that frames of one kind are about. A position that is none any more is told by the
    name of its market."""
    accounts = sorted({one.account_id for one in changes})
    names = {one.frame.reference for one in changes}
    if kind == FrameKind.ORDER:
        orders = await order_lists.these_orders(pool, list(map(int, names)))
        return {(one.account_id, str(one.order_id)): one for one in orders}
    if kind == FrameKind.FILL:
        fills = await views.these_fills(pool, accounts, list(map(int, names)))
        return {(one.account_id, str(one.fill_id)): one for one in fills}
    if kind == FrameKind.POSITION:
        held = await views.positions_of(pool, accounts)
        closed = {(one.account_id, one.frame.reference): one.frame.reference for one in changes}
        return closed | {(one.account_id, one.market_id): one for one in held}
    return {
        (account_id, one.asset): HeldIn(stands, one.asset)
        for account_id, stands in (await standings(pool, accounts)).items()
        for one in stands.balances
    }


def market_of(row: Any) -> str:
    """The market that a row is about; nothing where it is about none."""
    return str(getattr(row, "market_id", ""))
