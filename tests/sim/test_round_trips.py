"""Positions as round trips, against a slow model that plays them lot by lot."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sim.money.position import FLAT, fill_position
from sim.money.round_trips import AccountFill, RoundTrip, fold
from sim.rows.messages import Side

FILLS = st.lists(
    st.tuples(st.sampled_from(Side), st.integers(1, 9), st.integers(1, 50), st.integers(-20, 20)),
    max_size=30,
)


def fills_of(drawn: list[tuple[Side, int, int, int]]) -> list[AccountFill]:
    """With the profit that sim/money/position.py realises for each."""
    position, fills = FLAT, []
    for number, (side, lots, ticks, fee) in enumerate(drawn, 1):
        signed = lots if side == Side.BUY else -lots
        position, realized = fill_position(position, signed, ticks, 1)
        order_id = 1_000 + number // 2
        fills.append(AccountFill(number, order_id, side, ticks, lots, fee, realized, 10 * number))
    return fills


def lot_by_lot(fills: list[AccountFill]) -> list[dict[str, Any]]:
    """Round trips as somebody counts them on their fingers; without fees."""
    trips: list[dict[str, Any]] = []
    held = 0
    for fill in fills:
        step = 1 if fill.side == Side.BUY else -1
        for _ in range(fill.quantity_lots):
            if held == 0:
                trips.append({"opened": fill.fill_id, "direction": step, "in": [], "out": []})
            side = "in" if trips[-1]["direction"] == step else "out"
            trips[-1][side].append(fill.price_ticks)
            trips[-1]["last"] = fill.fill_id
            held += step
            trips[-1]["closed"] = fill.at_us if held == 0 else None
    return trips


def as_counted(trip: RoundTrip) -> tuple[Any, ...]:
    entered, left = (trip.entry_lots, trip.entry_tick_lots), (trip.exit_lots, trip.exit_tick_lots)
    opened = (trip.opened_fill_id, trip.direction)
    return (*opened, *entered, *left, trip.last_fill_id, trip.closed_at_us)


@given(FILLS)
def test_round_trips_are_what_is_counted_lot_by_lot(drawn: Any) -> None:
    fills = fills_of(drawn)
    expected = [
        (
            *(one["opened"], one["direction"], len(one["in"]), sum(one["in"])),
            *(len(one["out"]), sum(one["out"]), one["last"], one["closed"]),
        )
        for one in lot_by_lot(fills)
    ]
    assert list(map(as_counted, fold(None, fills))) == expected


@given(FILLS)
def test_no_fee_and_no_profit_is_lost(drawn: Any) -> None:
    fills = fills_of(drawn)
    trips = fold(None, fills)
    assert sum(trip.fees_atoms for trip in trips) == sum(fill.fee_atoms for fill in fills)
    assert sum(trip.realized_pnl_atoms for trip in trips) == sum(
        fill.realized_pnl_atoms for fill in fills
    )
    for trip in trips:
        if trip.closed_at_us is not None:
            gained = trip.direction * (trip.exit_tick_lots - trip.entry_tick_lots)
            assert trip.realized_pnl_atoms == gained


@given(FILLS, st.data())
def test_it_does_not_matter_where_the_fills_are_cut(drawn: Any, data: Any) -> None:
    fills = fills_of(drawn)
    whole = {trip.opened_fill_id: trip for trip in fold(None, fills)}
    kept: dict[int, RoundTrip] = {}
    start = 0
    while start < len(fills):
        end = data.draw(st.integers(start + 1, len(fills)))
        still = [trip for trip in kept.values() if trip.closed_at_us is None]
        changed = fold(still[0] if still else None, fills[start:end])
        kept |= {trip.opened_fill_id: trip for trip in changed}
        start = end
    assert kept == whole


def test_a_flip_divides_its_fee_by_quantity_down_for_what_closes() -> None:
    drawn = [(Side.BUY, 2, 10, 4), (Side.SELL, 3, 12, 10)]
    closed, opened = fold(None, fills_of(drawn))
    assert (closed.fees_atoms, opened.fees_atoms) == (4 + 6, 4)
    assert (closed.realized_pnl_atoms, opened.realized_pnl_atoms) == (4, 0)
    assert (opened.direction, opened.held_lots, closed.held_lots) == (-1, 1, 0)


def test_nothing_new_changes_nothing() -> None:
    (trip,) = fold(None, fills_of([(Side.SELL, 2, 10, 4)]))
    assert fold(trip, []) == []
    assert fold(None, []) == []
