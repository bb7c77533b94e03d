"""From frames, which say what has changed, to the rows as every GET reads them now."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from api.door.stream_topics import Channel, Told, Topic
from storage.postgres.database import AsyncPool
from storage.reading import order_lists, views
from storage.reading.account_frames import Frame, FrameKind, newest_of_each
from storage.reading.market_data import MarketCatalog
from storage.reading.standing import Standing, standing

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


async def read_frames(
    pool: AsyncPool, markets: MarketCatalog, account_id: int, frames: Sequence[Frame]
) -> list[Told]:
    """What frames of an account tell, in their order. Of several of one row the last is told, for
    it tells all of them; every fill is. Raises DatabaseUnavailable."""
    newest = newest_of_each(frames)
    rows: dict[tuple[FrameKind, str], Any] = {}
    for kind in {one.kind for one in newest}:
        named = [one.reference for one in newest if one.kind == kind]
        rows |= {(kind, name): row for name, row in (await read(pool, account_id, kind, named))}
    listed = await markets.markets()
    found = []
    for seq, kind, reference in newest:
        row = rows.get((kind, reference))
        if row is not None:
            market = listed.get(reference if isinstance(row, str) else market_of(row))
            topic = Topic(CHANNELS[kind], account_id=account_id)
            found.append(Told(topic, seq, row, market.spec if market else None))
    return found


async def read(
    pool: AsyncPool, account_id: int, kind: FrameKind, named: Sequence[str]
) -> list[tuple[str, Any]]:
    """The rows of one kind by what frames call them."""
    if kind == FrameKind.ORDER:
        orders = await order_lists.these_orders(pool, account_id, list(map(int, named)))
        return [(str(one.order_id), one) for one in orders]
    if kind == FrameKind.FILL:
        fills = await views.these_fills(pool, account_id, list(map(int, named)))
        return [(str(one.fill_id), one) for one in fills]
    if kind == FrameKind.POSITION:
        held = {one.market_id: one for one in await views.positions(pool, account_id)}
        return [(name, held.get(name, name)) for name in named]
    stands = await standing(pool, account_id)
    return [(one.asset, HeldIn(stands, one.asset)) for one in stands.balances]


def market_of(row: Any) -> str:
    """The market that a row is about; nothing where it is about none."""
    return str(getattr(row, "market_id", ""))
