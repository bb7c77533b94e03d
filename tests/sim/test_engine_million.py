"""A million random commands, and an auditor that recomputes all that follows from the events."""

import numpy as np
import numpy.typing as npt

from sim.book.engine import MarketEngine
from sim.rows.messages import EventKind, Reason
from tests.sim.engine_auditor import Auditor, BandAuditor, ReduceOnlyAuditor
from tests.sim.random_commands import ACCOUNTS, BANDED, random_commands, with_terms

SEED, COUNT, BATCH_MAX = 990_817, 1_000_000, 20_000


def compare(engine: MarketEngine, auditor: Auditor) -> None:
    """The engine's state against the auditor's."""
    names = ["order_id", "account_id", "side", "price_ticks", "remaining_lots"]
    rows = engine.resting_orders()
    columns = (rows[name].tolist() for name in names)
    assert list(zip(*columns, strict=True)) == auditor.book()
    waiting = engine.waiting_orders()
    assert waiting[["order_id", "remaining_lots"]].tolist() == auditor.waiting()
    held = np.zeros(ACCOUNTS + 1, np.int64)
    positions = engine.positions()
    held[positions["account_id"]] = positions["position_lots"]
    assert np.array_equal(held, auditor.positions)
    auditor.check_conservation()
    bid, ask = engine.best_bid_ticks, engine.best_ask_ticks
    assert bid == 0 or ask == 0 or bid < ask
    for side, sums in zip((1, 2), engine.depth(2**31), strict=True):
        mine = rows[rows["side"] == side]
        assert sums[:, 1].sum() == mine["remaining_lots"].sum()
        assert sums[:, 2].sum() == len(mine)


def check_that_all_happened(seen: npt.NDArray[np.int64], reducing: ReduceOnlyAuditor) -> None:
    """Cuts of resting and of incoming orders, whole and in part; the band's endings of both."""
    for kind in (EventKind.CANCELED, EventKind.REDUCED):
        assert min(reducing.cuts[kind, rested] for rested in (False, True)) > 50, reducing.cuts
    for kind in (EventKind.CANCELED, EventKind.EXPIRED):
        assert seen[kind, Reason.PRICE_BAND] > 100


def test_a_million_random_commands_leave_what_their_events_say() -> None:
    print(f"seed {SEED}")
    generator = np.random.default_rng(SEED)
    commands = with_terms(generator, random_commands(generator, COUNT))
    engine, auditor = MarketEngine(BANDED), Auditor(COUNT, ACCOUNTS)
    reducing, banded = ReduceOnlyAuditor(), BandAuditor(BANDED.price_band_ppm)
    seen = np.zeros((256, 256), np.int64)
    start = batches = 0
    while start < COUNT:
        batch = commands[start : start + int(generator.integers(1, BATCH_MAX))]
        first_input = engine.input_seq + 1
        events = engine.apply(batch)
        auditor.take(batch, events, first_input)
        reducing.take(events)
        banded.take(batch, events, first_input)
        compare(engine, auditor)
        np.add.at(seen, (events["kind"], events["reason"]), 1)
        start, batches = start + len(batch), batches + 1
    assert engine.input_seq == COUNT + seen[EventKind.TRIGGERED].sum()
    assert batches > 80
    assert min(reducing.checked, banded.judged) > COUNT // 10
    assert len(reducing.resting) > 0
    check_that_all_happened(seen, reducing)
    print(dict(reducing.cuts))
    assert (seen.sum(axis=1)[list(EventKind)] > 0).all()
    assert (seen.sum(axis=0)[list(Reason)] > 0).all()
    print(f"{batches} checkpoints, {engine.event_seq} events, {engine.open_order_count} rest")
