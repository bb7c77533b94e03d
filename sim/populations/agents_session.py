"""One session of signal agents in a simulation: its account, its round trips, its exits.

What it holds is counted from the events that it is told, by the rules of money; what nobody tells
it (funding, what a forced closing costs beside fees) is known from its equity as markets say it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sim.market import MarketSpec
from sim.money.affordable import affordable_lots
from sim.money.margin import Exposure, available_atoms, equity_atoms
from sim.money.position import FLAT, Position, fill_position
from sim.money.round_trips import AccountFill, RoundTrip, fold
from sim.money.rules import share_up
from sim.populations.population import Integers
from sim.rows.messages import EventKind, OrderType, Side
from sim.rows.order_types import is_stop
from sim.signals.course import CastVote, SessionTrip
from sim.signals.risk import Account, History
from sim.signals.steps import ExitReason

DAY_US = 86_400_000_000
NOBODY = 0
"""An order that there is none of, or whose id is not told."""

Entry = tuple[int, tuple[CastVote, ...]]
"""The number of a decision, and who voted for it."""

ENDS = (EventKind.CANCELED, EventKind.EXPIRED, EventKind.REJECTED)


class Fill(NamedTuple):
    """What a trade costs; whether it closes by force."""

    price_ticks: int
    lots: int
    fee_ppm: int
    is_forced: bool = False


@dataclass
class Place:
    """A session in one market.

    trip     the open one
    entry    what it was opened by, or is about to be
    exits    orders that wait to leave it: type and lots by id
    limits   the type of each by its limit, of those that were sent for the open position
    cause    why what closes it now does so
    """

    spec: MarketSpec
    position: Position = FLAT
    trip: RoundTrip | None = None
    entry: Entry = (-1, ())
    exits: dict[int, tuple[OrderType, int]] = field(default_factory=dict)
    limits: dict[int, OrderType] = field(default_factory=dict)
    cause: ExitReason = ExitReason.SIGNAL

    @property
    def left_lots(self) -> dict[OrderType, int]:
        """What waits, by type."""
        found: dict[OrderType, int] = {}
        for kind, lots in self.exits.values():
            found[kind] = found.get(kind, 0) + lots
        return found

    @property
    def lacks_exits(self) -> bool:
        """Whether anything of an open position may not be left by itself."""
        if self.trip is None:
            return False
        left = self.left_lots
        waiting = min(left.get(OrderType.STOP, 0), left.get(OrderType.TAKE_PROFIT, 0))
        return waiting < self.trip.held_lots

    def told(self, kind: int, order_id: int, lots: int, price_ticks: int) -> None:
        """What became of an order that waits, or of one that never was."""
        if kind == EventKind.WAITING and price_ticks in self.limits:
            self.exits[order_id] = (self.limits[price_ticks], lots)
        elif kind == EventKind.TRIGGERED and order_id in self.exits:
            met, _ = self.exits.pop(order_id)
            self.cause = ExitReason.STOP_LOSS if is_stop(met) else ExitReason.TAKE_PROFIT
        elif kind in ENDS:
            self.exits.pop(order_id, None)


class Session:
    """One head.

    cash_atoms    capital, realised profit less fees
    other_atoms   what else has come in, as far as it is known
    trips         those that are over
    """

    def __init__(self, capital_atoms: int, leverage: int, specs: Sequence[MarketSpec]) -> None:
        self.places = [Place(spec) for spec in specs]
        self.cash_atoms, self.other_atoms, self.leverage = capital_atoms, 0, leverage
        self.trips: list[SessionTrip] = []
        self.history = History()
        self.equities: list[int] = []
        self._fills, self._day = 0, -1
        self._day_start_atoms = self._peak_atoms = capital_atoms

    def filled(self, market: int, side: Side, told: Fill, now_us: int) -> None:
        """One side of a trade, ours."""
        place, (price_ticks, lots, fee_ppm, is_forced) = self.places[market], told
        spec = place.spec
        if is_forced:
            place.cause = ExitReason.LIQUIDATED
        signed = lots if side == Side.BUY else -lots
        place.position, realized = fill_position(
            place.position, signed, price_ticks, spec.atoms_per_tick_lot
        )
        fee = share_up(spec.notional_atoms(price_ticks, lots), fee_ppm)
        self.cash_atoms += realized - fee
        self._fills += 1
        numbers = (price_ticks, lots, fee, realized, now_us)
        for trip in fold(place.trip, [AccountFill(self._fills, NOBODY, side, *numbers)]):
            self._changed(place, trip)

    def _changed(self, place: Place, trip: RoundTrip) -> None:
        place.trip = trip if trip.closed_at_us is None else None
        if place.trip is not None:
            return
        decision, supporters = place.entry
        over = SessionTrip(place.spec.market_id, trip, decision, supporters, place.cause)
        self.trips.append(over)
        self.history = with_trip(self.history, over.net_atoms)
        place.limits.clear()
        place.cause = ExitReason.SIGNAL

    @property
    def all_trips(self) -> tuple[SessionTrip, ...]:
        """Those that are open among them, last."""
        still = (
            SessionTrip(one.spec.market_id, one.trip, *one.entry, None)
            for one in self.places
            if one.trip is not None
        )
        return (*self.trips, *still)

    def held(self, marks: Sequence[int]) -> list[Exposure]:
        """What it has in each market."""
        return [
            Exposure(one.spec, mark_ticks, one.position, self.leverage)
            for one, mark_ticks in zip(self.places, marks, strict=True)
        ]

    def settle(self, equity: int, marks: Sequence[int]) -> None:
        """The markets say that its equity is this much."""
        self.other_atoms = equity - equity_atoms(self.cash_atoms, self.held(marks))

    def equity(self, marks: Sequence[int]) -> int:
        """In atoms, at mark."""
        return equity_atoms(self.cash_atoms + self.other_atoms, self.held(marks))

    def sample(self, minute_us: int, equity: int) -> None:
        """Its equity at a minute."""
        self.equities.append(equity)
        self._peak_atoms = max(self._peak_atoms, equity)
        if minute_us // DAY_US != self._day:
            self._day, self._day_start_atoms = minute_us // DAY_US, equity

    def standing(self, now_us: int) -> tuple[Any, ...]:
        """All that a verdict depends on, beside the market."""
        held = tuple(one.position for one in self.places)
        wallet = self.cash_atoms + self.other_atoms
        return (wallet, held, self.day_start_atoms(now_us), self._peak_atoms, self.history)

    def day_start_atoms(self, now_us: int) -> int:
        """Its equity when the day began, or when it was last sampled before."""
        if now_us // DAY_US == self._day or not self.equities:
            return self._day_start_atoms
        return self.equities[-1]

    def account(
        self, market: int, side: Side, marks: Sequence[int], opposite: Integers, now_us: int
    ) -> Account:
        """As the risk agent judges it, before an order of a side that trades with `opposite`."""
        held, wallet = self.held(marks), self.cash_atoms + self.other_atoms
        there = [one for one in held if one.position.quantity_lots]
        return Account(
            equity_atoms=equity_atoms(wallet, held),
            available_atoms=available_atoms(wallet, 0, held),
            day_start_equity_atoms=self.day_start_atoms(now_us),
            peak_equity_atoms=self._peak_atoms,
            open_positions=len(there),
            position_lots=self.places[market].position.quantity_lots,
            affordable_lots=affordable_lots((wallet, 0), there, held[market], side, opposite),
            history=self.history,
        )


def with_trip(history: History, net_atoms: int) -> History:
    """A history with a closed position more; one that comes to nothing is lost."""
    if net_atoms > 0:
        wins, won = history.wins + 1, history.won_atoms + net_atoms
        return History(wins, history.losses, won, history.lost_atoms)
    losses, lost = history.losses + 1, history.lost_atoms - net_atoms
    return History(history.wins, losses, history.won_atoms, lost)
