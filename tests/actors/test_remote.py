"""An actor in a process of its own."""

from pathlib import Path

import numpy as np
import pytest
import structlog

from actors.cluster.packed_arguments import PIECE_BYTES, packed, unpacked
from actors.cluster.remote import hosted
from sim.prices.processes import ReplayPrice

SEED = 5


class Impossible:
    """An actor that can never be made."""

    def __init__(self, run: bool) -> None:
        raise ValueError(f"no such world, run or not: {run}")


def test_an_actor_that_cannot_be_made_leaves_its_reason_in_its_log(tmp_path: Path) -> None:
    try:
        with pytest.raises(ValueError, match="no such world"):
            hosted(Impossible)(str(tmp_path), "info", "impossible:1", *packed({}))
    finally:
        structlog.reset_defaults()
    (line,) = (tmp_path / "impossible-1.log").read_text().splitlines()
    assert '"event": "actor_not_started"' in line
    assert "ValueError: no such world, run or not: True" in line


def test_recorded_prices_travel_in_pieces_that_ray_keeps_with_the_order_to_make_an_actor() -> None:
    print(f"seed {SEED}")
    times_us = np.cumsum(np.random.default_rng(SEED).integers(0, 1_000_000, 200_000))
    price = ReplayPrice(times_us, 660_000 + times_us % 1_000, loop=True)
    pieces = packed({"price": price, "market_id": "BTC-PERP"})
    assert len(pieces) > 1
    assert max(map(len, pieces)) <= PIECE_BYTES
    arrived = unpacked(pieces)
    assert arrived["market_id"] == "BTC-PERP"
    assert (arrived["price"].advance(500) == price.advance(500)).all()
