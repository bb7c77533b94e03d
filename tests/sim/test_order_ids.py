"""Ids of simulated traders' orders, live and in simulations."""

import numpy as np

from sim.rows.order_ids import LIVE, SIMULATED, Widths, ids_of_batch, ids_of_traders
from sim.scenario.scenario import ACCOUNTS_MAX, STEPS_MAX

ROWS = LIVE.number_max
STRATEGY_MAX, BATCH_MAX = 2**14 - 1, 2**32 - 1


def test_live_ids_are_negative_unique_and_fall_with_the_batch() -> None:
    batches = [(1, 1), (2, 1), (STRATEGY_MAX, 1), (1, 2), (2, 2), (1, BATCH_MAX)]
    ids = np.concatenate([ids_of_batch(no, batch, 3) for no, batch in batches])
    assert np.all(ids < 0)
    assert np.all(np.diff(ids) < 0)


def test_simulated_ids_are_negative_unique_and_fall_with_the_step() -> None:
    last = ACCOUNTS_MAX + 1
    orders = [(1, 1), (1, 2), (1, last), (2, 1), (2, last), (STEPS_MAX, 1), (STEPS_MAX, last)]
    ids = np.concatenate(
        [ids_of_traders(step, np.full(1024, who), np.arange(1024)) for step, who in orders]
    )
    assert np.all(ids < 0)
    assert np.all(np.diff(ids) < 0)


def moment_max(widths: Widths) -> int:
    """The last step or batch there is room for below bit 62."""
    return (2**62 - 1) >> (widths.maker_bits + widths.number_bits)


def test_an_id_has_room_for_every_batch_and_for_every_step() -> None:
    assert moment_max(LIVE) == BATCH_MAX
    assert moment_max(SIMULATED) >= STEPS_MAX
    assert ids_of_batch(STRATEGY_MAX, BATCH_MAX, ROWS).min() >= -(2**63)
    assert ids_of_traders(moment_max(SIMULATED), np.array([ACCOUNTS_MAX + 1]), 1023)[0] < -(2**62)


def test_no_id_that_earlier_versions_made_is_made_again() -> None:
    """They were strategy << 48 | batch << 16 | row: all of them above all new ones."""
    oldest = [-((no << 48) | (BATCH_MAX << 16) | ROWS) for no in (1, STRATEGY_MAX)]
    first = ids_of_batch(0, 0, 1)[0]
    assert first < min(oldest)
    seed = 20_261_127
    print(f"seed {seed}")
    dice = np.random.default_rng(seed)
    no, batch = dice.integers(1, 2**14, 5_000), dice.integers(1, 2**32, 5_000)
    old = -((no << 48) | (batch << 16) | dice.integers(0, ROWS, 5_000))
    new = np.concatenate(
        [
            ids_of_batch(int(one), int(when), 20)
            for one, when in zip(no[:500], batch[:500], strict=True)
        ]
    )
    assert old.min() > first >= new.max()
    assert np.intersect1d(old, new).size == 0
