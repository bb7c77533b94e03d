"""The flow that the book is measured with is what it says it is."""

import numpy as np

from actors.bench.flow import FlowMaker
from sim.book.engine import MarketEngine
from sim.rows.messages import EventKind, Reason
from tests.sim.engine_rows import SPEC


def test_the_flow_has_its_shares_hits_live_orders_and_keeps_the_book_at_its_size() -> None:
    maker = FlowMaker(MarketEngine(SPEC), 1_000, np.random.default_rng(3))
    engine, seen, sizes = MarketEngine(SPEC), np.zeros((256, 256), np.int64), []
    for block in [maker.block(1_000) for _ in range(20)]:
        engine.apply(block.refill)
        sizes.append(engine.open_order_count)
        events = engine.apply(block.rows)
        sizes.append(engine.open_order_count)
        np.add.at(seen, (events["kind"], events["reason"]), 1)
    assert engine.state_hash() == maker.engine.state_hash()
    assert 800 < min(sizes) <= max(sizes) <= 1_100
    canceled, late = seen[EventKind.CANCELED, Reason.REQUESTED], seen[EventKind.CANCEL_REJECTED]
    assert 0.42 < canceled / 20_000 <= 0.45
    assert late.sum() / 20_000 < 0.02
    assert seen[EventKind.TRADE].sum() > 0.24 * 20_000


def test_the_same_seed_makes_the_same_flow() -> None:
    makers = [FlowMaker(MarketEngine(SPEC), 1_000, np.random.default_rng(3)) for _ in range(2)]
    first, second = (maker.block(1_000).rows for maker in makers)
    assert first.tobytes() == second.tobytes()
