"""Orders that are accepted side by side, as those of many clients are."""

import asyncio
from collections.abc import Sequence

from sim.orders import PlaceOrder
from sim.refusals import Refused
from storage.intake.accept import Acceptor
from storage.intake.accept_request import Answer


async def place_many(acceptor: Acceptor, orders: Sequence[PlaceOrder]) -> list[Answer]:
    """Accept several, each by itself; their answers in their order."""

    async def placed(order: PlaceOrder) -> Answer:
        try:
            return await acceptor.place(order)
        except Refused as refused:
            return refused

    return await asyncio.gather(*map(placed, orders))
