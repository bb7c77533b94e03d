"""The vector that decisions are compared by, and the metrics of a session."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.signals.books import Book
from sim.signals.candles import Candles
from sim.signals.context import COMPONENTS, LONG_CANDLES, SHORT_CANDLES, context_of
from sim.signals.dimension import DIMENSION
from sim.signals.metrics import metrics_of
from tests.sim.agents_markets import SIZES, any_candles, book_of, candles_of, scaled, wandering

BOOK = book_of([3.0, 2.0, 5.0], [1.0, 1.0, 4.0])


def named(candles: Candles, book: Book | None = None) -> dict[str, float]:
    vector = context_of(candles, book)
    return {one.name: float(vector[place]) for place, one in enumerate(COMPONENTS)}


def test_every_component_has_a_name_of_its_own() -> None:
    assert DIMENSION == 32
    assert len({one.name for one in COMPONENTS}) == DIMENSION
    assert len({one.about for one in COMPONENTS}) == DIMENSION


@settings(max_examples=150, deadline=None)
@given(any_candles(fewest=0), st.none() | st.builds(book_of, SIZES, SIZES))
def test_whatever_the_market_the_vector_is_bounded(candles: Candles, book: Book | None) -> None:
    vector = context_of(candles, book)
    assert vector.dtype == np.float32
    assert vector.shape == (DIMENSION,)
    assert np.isfinite(vector).all()
    assert np.abs(vector).max() <= 1
    assert vector @ vector > 0
    assert context_of(candles, book).tobytes() == vector.tobytes()


def test_what_is_not_known_yet_is_nothing_and_says_so() -> None:
    closes = wandering(1, 100).close.tolist()
    flags = ("short_known", "long_known", "book_known")
    for count, known in ((SHORT_CANDLES - 1, 0), (SHORT_CANDLES, 1), (LONG_CANDLES, 2)):
        told = named(candles_of(closes[:count]))
        assert [told[flag] for flag in flags] == [known > 0, known > 1, 0]
        assert (told["rsi_14"] != 0) == (known > 0)
        assert (told["return_60"] != 0) == (known > 1)
    assert sum(value != 0 for value in named(candles_of([])).values()) == 1
    assert named(candles_of([]), BOOK)["book_known"] == 1


@pytest.mark.parametrize("seed", range(5))
def test_the_vector_has_one_scale_for_all_symbols(seed: int) -> None:
    candles = wandering(seed, 100)
    vector = context_of(candles, BOOK)
    assert context_of(scaled(candles, 2.0**-30), BOOK).tobytes() == vector.tobytes()
    assert context_of(scaled(candles, 0.0123), BOOK) == pytest.approx(vector, abs=1e-5)
    dearer = book_of([3.0, 2.0, 5.0], [1.0, 1.0, 4.0], 12_300.0, 1.23)
    assert context_of(candles, dearer) == pytest.approx(vector, abs=1e-5)


def test_components_say_what_they_are_called() -> None:
    up = named(candles_of([100 * 1.001**place for place in range(80)]), BOOK)
    down = named(candles_of([100 * 0.999**place for place in range(80)]), BOOK)
    for name in ("return_1", "return_5", "return_60", "rsi_14", "ema_9_50", "risen_20", "range_60"):
        assert down[name] < 0 < up[name], name
    assert up["imbalance_1"] == pytest.approx(0.5)
    assert up["imbalance_20"] == pytest.approx(0.25)
    assert up["adx"] == pytest.approx(1)


def test_alike_markets_are_nearer_than_others() -> None:
    def cosine(one: np.ndarray, other: np.ndarray) -> float:
        return float(one @ other / np.sqrt((one @ one) * (other @ other)))

    rising, falling = (
        [context_of(candles_of([by**place for place in range(count)]), BOOK) for count in (70, 90)]
        for by in (1.001, 0.999)
    )
    assert cosine(*rising) > 0.99 > 0.5 > cosine(rising[0], falling[0])


def test_a_session_is_told_by_its_positions_and_its_equity() -> None:
    equity = [100, 120, 90, 120, 60, 130, 130, 143, 130, 117, 130]
    found = metrics_of([5, -3, 0, 7], equity)
    assert (found.total_trades, found.winning_trades, found.losing_trades) == (4, 2, 2)
    assert found.win_rate == 0.5
    assert found.max_drawdown == 0.5
    returns = np.array([0.2, -0.25, 1 / 3, -0.5, 7 / 6, 0, 0.1, -1 / 11, -0.1, 1 / 9])
    sharpe = returns.mean() / returns.std(ddof=1) * np.sqrt(525_600)
    assert found.sharpe_ratio == pytest.approx(sharpe)
    assert metrics_of([], equity[:-1]).sharpe_ratio is None  # too few say nothing


@pytest.mark.parametrize(
    "equity",
    [
        [],
        [5],
        [5, 5],
        [5, 5, 5],
        [10**6, 1_100_000, 1_210_000, 1_331_000],
        [0, 0, 0],
        [5, 0, 5],
        [-1, 5, 5],
    ],
)
def test_what_a_formula_leaves_undefined_is_none(equity: list[int]) -> None:
    found = metrics_of([], equity)
    assert (found.total_trades, found.win_rate, found.sharpe_ratio) == (0, 0, None)
    assert 0 <= found.max_drawdown <= 1


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(-(10**15), 10**15)), st.lists(st.integers(-(10**15), 10**15)))
def test_metrics_are_numbers_whatever_happened(pnl: list[int], equity: list[int]) -> None:
    found = metrics_of(pnl, equity)
    assert found.winning_trades + found.losing_trades == found.total_trades == len(pnl)
    assert 0 <= found.win_rate <= 1
    assert found.max_drawdown >= 0
    assert found.sharpe_ratio is None or np.isfinite(found.sharpe_ratio)
