"""A market in a simulation: takes the batches of a step, accounts for them, tells what it saw."""

from collections.abc import Sequence
from functools import partial
from hashlib import blake2b
from typing import Any

import numpy as np
import numpy.typing as npt

from sim.book.engine import MarketEngine
from sim.hosting.host import MarketHost
from sim.money.accounts import COUNTS, OPENED, TOTALS, TRADED_LOTS, TRADES, MarketAccounts
from sim.money.funding import HOUR_US, SAMPLE_US, Premiums, book_premium_ppm, crosses, rate_ppm
from sim.money.mark import Quotes, next_mark
from sim.money.mark_path import follow_mark
from sim.populations.activity import MarketActivity
from sim.populations.population import MarketView
from sim.prices.processes import ReferencePrice
from sim.record.run import OtherGain, ShockDone
from sim.rows.messages import EVENT, CommandKind, MarketStatus, Rows, Side
from sim.rows.messages import empty_commands as empty
from sim.rows.messages import joined as joined_rows
from sim.rows.packed import NO_PACKED
from sim.scenario.scenario import (
    MarketShock,
    Scenario,
    StatusChange,
    moved_scale_ppm,
)
from sim.stepping.arrivals import in_order
from sim.stepping.calendar import OwnSteps, jumps_of
from sim.stepping.closings import Closings, equities_of, joined
from sim.stepping.part import Batch, PartDescription, Reply
from sim.stepping.shocks import Shocks
from sim.stepping.tape import Tape
from sim.units import PPM

Integers = npt.NDArray[np.int64]

CHECK_STEPS = 100
"""How often conservation is checked, in steps; and always at the end."""

FEES, FUND, DUST, SHOCKS = "fees of the exchange", "insurance fund", "dust of funding", "shocks"
INVENTORIES = "price of inventories"
"""Who else gains or loses; the last is what the inventories of spot markets have become worth less,
which their holders lost and nobody gained."""

NO_EVENTS = np.empty(0, EVENT)
TAKEN = ["account_id", "maker_account_id", "quantity_lots", "side"]


class SteppedMarket:
    """Market number `market_no` of a scenario, and the parts of strategies that trade on it."""

    def __init__(
        self,
        scenario: Scenario,
        market_no: int,
        price: ReferencePrice,
        parts: Sequence[PartDescription],
    ) -> None:
        self._scenario, self._price = scenario, price
        self.spec = spec = scenario.world.markets[market_no].spec
        here = [part for part in parts if market_no in part.markets]
        self._parts = [part.accounts for part in here]
        populations = scenario.world.populations
        self._margin_rooms = [np.empty((2, len(ids)), np.int64) for ids in self._parts]
        self._capitals = [populations[part.strategy].capital_atoms for part in here]
        self._outsider = scenario.accounts + 1
        first_ticks = price.price_ticks
        self._host = MarketHost(MarketEngine(spec), first_ticks, first_ticks)
        self._host.tell_to(self._parts)
        strategies = _strategies(scenario, spec.market_id)
        self.accounts = MarketAccounts(
            spec,
            scenario.accounts + 2,
            scenario.insurance_atoms,
            [*strategies, range(self._outsider, self._outsider + 1)],
        )
        self._give_inventories(first_ticks)
        self.closings = Closings(self.accounts)
        happenings = [one for one in scenario.happenings if one.market_id == spec.market_id]
        self._jumps = jumps_of(scenario, spec.market_id)
        shocks = [one for one in happenings if isinstance(one, MarketShock)]
        self._shocks = Shocks(shocks, self._outsider, spec)
        self._changes = [one for one in happenings if isinstance(one, StatusChange)]
        self.tape = Tape(scenario.record, strategies)
        self._scale_ppm, self._basis_q20, self._premiums = PPM, 0, Premiums()
        self._step = self.orders = self.fills = 0
        self._activity = MarketActivity(scenario.activity)
        self._since_sample = np.zeros(4, np.int64)
        funding_hours = spec.funding_interval_hours
        self._own_steps = OwnSteps(scenario, spec.market_id, funding_hours, CHECK_STEPS)
        self._next_own = self._own_steps.next_after(0)
        self._view = self._seen()
        self.replies = [Reply(self._view, NO_PACKED)] * len(self._parts)
        if any(any(one.inventory_lots) for one in populations):
            self.replies = self._told(0, NO_EVENTS)  # only we know what inventories were paid with

    def _give_inventories(self, first_ticks: int) -> None:
        market_id = self.spec.market_id
        for strategy, population in enumerate(self._scenario.world.populations):
            held = dict(zip(population.markets, population.inventory_lots, strict=True))
            if held.get(market_id):
                self.accounts.give(strategy, held[market_id], first_ticks)

    @property
    def busy_step(self) -> int:
        """The next step in which more happens than that prices move; checks of margins, which
        the parts make of its replies, included."""
        checks = self._step % self._scenario.margin_steps == 0
        return self._step + 1 if checks or self._host.engine.has_terms else self._next_own

    @property
    def tells(self) -> bool:
        """Whether `replies` say anything but new prices."""
        return any(one.stirred or one.margin is not None for one in self.replies[:1])

    def step(self, step: int, batches: Sequence[Batch]) -> list[Reply]:
        """One step on; the replies to the parts, in their order."""
        watched = self._host.engine.has_terms
        if step < self._next_own and not watched and not any(batch.asks for batch in batches):
            return self.pass_by(step)
        self._step, self._next_own = step, self._own_steps.next_after(step)
        self._settle_shortfalls(batches)
        rows = self._rows(step, batches)
        events = self._host.apply(rows) if len(rows) else NO_EVENTS
        if len(events):
            self._account(events)
            self._shocks.note(step, events)
        taken = self._take_over(step, batches)
        events = joined_rows([events, taken]) if len(taken) else events
        for jump in self._jumps:
            if jump.step == step:
                self._scale_ppm = moved_scale_ppm(self._scale_ppm, jump.jump_ppm)
        self._move_prices(1)
        self._view = self._seen()
        self._fund(step * self._scenario.step_us)
        self.replies = self._told(step, events)
        self._keep_watch(step)
        self._keep_shocking()
        return self.replies

    def _keep_shocking(self) -> None:
        """Who has not sold enough asks again in the next step."""
        if self._shocks.ask(self._step + 1, self._host.engine):
            self._next_own = self._step + 1

    def trade_from_outside(self, side: Side, quantity_lots: int) -> None:
        """Somebody who is no trader buys or sells so much, from the next step on."""
        self._shocks.add(MarketShock(self.spec.market_id, self._step + 1, side, quantity_lots, 1))
        self._keep_shocking()

    def pass_by(self, step: int) -> list[Reply]:
        """On to a step before `busy_step`, in all of which nobody asks for anything."""
        self._move_prices(step - self._step)
        self._step = step
        self._view = self._seen()
        self.replies = [Reply(self._view, NO_PACKED)] * len(self._parts)
        return self.replies

    def _move_prices(self, steps: int) -> None:
        """Index and mark after so many steps of a book that stands still."""
        host, engine = self._host, self._host.engine
        spec, step_us = self.spec, self._scenario.step_us
        touch = (engine.best_bid_ticks, engine.best_ask_ticks, engine.last_price_ticks)
        path = self._price.advance(steps)
        state = np.array([host.index_ticks, host.mark_ticks, self._basis_q20], np.int64)
        taken = follow_mark(state, path, self._scale_ppm, spec.max_price_ticks, touch, step_us)
        host.index_ticks, host.mark_ticks, self._basis_q20 = state.tolist()
        for price_ticks in path[taken:].tolist():
            moved = price_ticks * self._scale_ppm // PPM
            host.index_ticks = min(max(1, moved), spec.max_price_ticks)
            mark = next_mark(host.index_ticks, Quotes(*touch), self._basis_q20, step_us)
            host.mark_ticks, self._basis_q20 = mark.mark_ticks, mark.basis_ema_q20
        self._activity.note(*touch[:2])

    def _fund(self, now_us: int) -> None:
        """Sample the premium every 5 s; at the end of an interval, funding is paid. Not so where
        nobody has a position that could pay."""
        if self.spec.is_spot:
            return
        before_us, view = now_us - self._scenario.step_us, self._view
        if crosses(before_us, now_us, SAMPLE_US):
            premium = book_premium_ppm(self.spec, view.bids, view.asks, self._host.index_ticks)
            self._premiums = self._premiums.with_sample(premium)
        if crosses(before_us, now_us, self.spec.funding_interval_hours * HOUR_US):
            rate = rate_ppm(self._premiums.average_ppm, self.spec.funding_cap_ppm)
            self.accounts.pay_funding(self._host.index_ticks, rate)
            self._premiums = Premiums()

    def _rows(self, step: int, batches: Sequence[Batch]) -> Rows:
        """What the market itself does first, then the strategies' rows as they arrive."""
        begin_us = (step - 1) * self._scenario.step_us
        sent = in_order([batch.rows for batch in batches if len(batch.rows)], begin_us)
        self.orders += len(sent)
        if not self._befalls(step, batches):
            return sent if len(sent) else self._host.waking_rows(begin_us)
        shocks = self._shocks.rows(step, self._host.engine)
        own = [*self._closing_rows(step, batches), shocks]
        own.insert(0, self._status_rows(step))
        if not any(len(rows) for rows in own):
            return sent
        first = joined_rows(own)
        first["time_us"] = begin_us
        return joined_rows([first, sent])

    def _befalls(self, step: int, batches: Sequence[Batch]) -> bool:
        """Whether the market itself may have rows in a step."""
        own = bool(self._changes) or self._shocks.ask(step, self._host.engine)
        return own or any(len(one.closings) for one in batches)

    def _closing_rows(self, step: int, batches: Sequence[Batch]) -> list[Rows]:
        """Nobody's orders stand in the way of others that are closed."""
        closings = [batch.closings for batch in batches if len(batch.closings)]
        if not closings:
            return []
        pairs = joined(closings)
        if self.spec.is_spot:
            return [self.closings.withdrawals(pairs)]  # what they hold is theirs
        orders = self.closings.rows(step, pairs, self._host.mark_ticks)
        return [self.closings.withdrawals(pairs), orders]

    def _status_rows(self, step: int) -> Rows:
        due = [change for change in self._changes if change.step == step]
        rows = empty(len(due))
        rows["kind"], rows["status"] = CommandKind.SET_STATUS, [change.status for change in due]
        return rows

    def _account(self, events: Rows) -> None:
        totals = self.accounts.apply(events)
        self.fills += int(totals[TRADES])
        self._since_sample[:COUNTS] += totals[:COUNTS]
        if totals[TRADES]:
            opened, highest, lowest = totals[OPENED:TOTALS].tolist()
            self._host.note_traded(int(totals[TRADED_LOTS]), (opened, highest, lowest))
            self.tape.note_trades(events)

    def _take_over(self, step: int, batches: Sequence[Batch]) -> Rows:
        """Auto-deleveraging at the end of a step, while the market is open: what was taken over,
        then what the book cut of orders that would have reduced it."""
        if not any(len(batch.closings) for batch in batches):
            return NO_EVENTS
        if self._host.engine.status != MarketStatus.ACTIVE:
            self.closings.forget()
        beyond = [
            capital if batch.elsewhere is None else batch.elsewhere
            for batch, capital in zip(batches, self._capitals, strict=True)
        ]
        equities = partial(equities_of, list(zip(self._parts, beyond, strict=True)))
        time_us = step * self._scenario.step_us
        taken = self.closings.settle(time_us, equities)
        self._since_sample[3] += len(taken)
        cuts = [
            self._host.engine.transfer(closed, other, lots if side == Side.SELL else -lots, time_us)
            for closed, other, lots, side in taken[TAKEN].tolist()
        ]
        return joined_rows([taken, *cuts])

    def _settle_shortfalls(self, batches: Sequence[Batch]) -> None:
        """The fund pays in order of accounts, as far as it goes; the rest stays owed."""
        asked = [batch.shortfalls for batch in batches if len(batch.shortfalls)]
        if asked:
            pairs = np.concatenate(asked)
            for account_id, atoms in pairs[np.argsort(pairs[:, 0], kind="stable")].tolist():
                self.accounts.cover(account_id, atoms)

    def _seen(self) -> MarketView:
        time_us = self._step * self._scenario.step_us
        return self._host.view(time_us, self._activity.factor_ppm(time_us))

    def _told(self, step: int, events: Rows) -> list[Reply]:
        """To every part what happened to its own accounts; margins, where they are checked, in
        memory that the next check writes over, for new memory costs more than the values."""
        view, stirred, own = self._view, len(events) > 0, self._host.told(events)
        if step % self._scenario.margin_steps:
            return [Reply(view, packed, stirred) for packed in own]
        margins = [
            self.accounts.margins(ids.start, ids.stop, self._host.mark_ticks, room)
            for ids, room in zip(self._parts, self._margin_rooms, strict=True)
        ]
        told = zip(own, margins, strict=True)
        return [Reply(view, packed, stirred, margin) for packed, margin in told]

    def _keep_watch(self, step: int) -> None:
        if step % self._scenario.sample_steps == 0:
            view = self._view
            depth = (int(view.bids[:, 1].sum()), int(view.asks[:, 1].sum()))
            touch = (view.best_bid_ticks, view.best_ask_ticks, view.last_price_ticks)
            marks = (view.index_ticks, view.mark_ticks)
            counted = self._since_sample.tolist()
            self.tape.note_quote((view.time_us, *touch, *marks, *depth, *counted))
            self.tape.note_standings(self.accounts, self._host.mark_ticks)
            self._since_sample[:] = 0
        if step % CHECK_STEPS == 0:
            self.check()

    def check(self) -> None:
        """Conservation, and that engine and accounts hold the same: AssertionError if not."""
        self.accounts.check()
        ids, positions = self.accounts.holders(), self._host.engine.positions()
        same = np.array_equal(ids, positions["account_id"]) and np.array_equal(
            self.accounts.traded_lots(ids), positions["position_lots"]
        )
        assert same, f"{self.spec.market_id}: the engine and the accounts disagree on positions"

    def gains_atoms(self) -> Integers:
        """What every trader gained here at the last mark: int64 (traders,)."""
        values = self.accounts.values(1, self._outsider, self._host.mark_ticks)
        gains: Integers = values[0]
        return gains

    def outsider_atoms(self) -> int:
        """What shocks gained at the last mark."""
        gain = self.accounts.values(self._outsider, self._outsider + 1, self._host.mark_ticks)[0]
        return int(gain[0])

    @property
    def done(self) -> tuple[ShockDone, ...]:
        """What shocks came to."""
        return self._shocks.done(self._scenario.step_us)

    def others(self) -> dict[str, OtherGain]:
        """What those gained who are no strategy, at the last mark."""
        house = self.accounts
        fund_atoms = house.insurance_atoms - house.insurance_start_atoms
        gains = {FEES: house.fees_atoms, FUND: fund_atoms, DUST: house.dust_atoms}
        gains[INVENTORIES] = -house.revaluation_atoms(self._host.mark_ticks)
        found = {name: OtherGain(name, atoms) for name, atoms in gains.items()}
        volume_atoms = sum(one.notional_atoms for one in self.done)
        return found | {SHOCKS: OtherGain(SHOCKS, self.outsider_atoms(), volume_atoms)}

    def state_hash(self) -> bytes:
        """32 bytes: the book, every account, fees, fund, dust, index, mark and premiums."""
        digest = blake2b(self._host.engine.snapshot(), digest_size=32)
        for rows in self.accounts.rows():
            digest.update(rows.data)
        digest.update(self._price.state())
        sampled = (self._premiums.sum_ppm, self._premiums.samples)
        prices = (self._scale_ppm, self._basis_q20, self._host.mark_ticks)
        numbers = (self._step, *prices, *self._money(), *sampled)
        digest.update(",".join(map(str, numbers)).encode())
        return digest.digest()

    def _money(self) -> tuple[int, int, int]:
        accounts = self.accounts
        return accounts.fees_atoms, accounts.insurance_atoms, accounts.dust_atoms

    def state(self) -> dict[str, Any]:
        """What `restore` takes; accounts that never traded are left out."""
        used, host = np.flatnonzero(self.accounts.accounts.any(axis=1)), self._host
        return {
            "engine": host.engine.snapshot(),
            "price": self._price.state(),
            "used": used,
            "accounts": self.accounts.accounts[used],
            "money": self._money(),
            "premiums": self._premiums,
            "activity": self._activity.state(),
            "index": (self._scale_ppm, self._basis_q20, host.index_ticks, host.mark_ticks),
            "counts": (self._step, self.orders, self.fills, host.volume_lots),
            "since": self._since_sample.copy(),
            "tape": self.tape.state(),
            "shocks": self._shocks.state(),
            "replies": self.replies,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a `state()`."""
        self._price.restore(state["price"])
        self.accounts.accounts[:] = 0
        self.accounts.accounts[state["used"]] = state["accounts"]
        accounts = self.accounts
        accounts.fees_atoms, accounts.insurance_atoms, accounts.dust_atoms = state["money"]
        self._premiums = state["premiums"]
        self._activity.restore(state["activity"])
        scale, basis, self._host.index_ticks, self._host.mark_ticks = state["index"]
        self._scale_ppm, self._basis_q20 = scale, basis
        self._step, self.orders, self.fills, volume_lots = state["counts"]
        self._host.go_on(MarketEngine.restore(self.spec, state["engine"]), volume_lots)
        self._since_sample = state["since"]
        self.tape.restore(state["tape"])
        self._next_own = self._own_steps.next_after(self._step)
        self._shocks.restore(state["shocks"])
        self._keep_shocking()
        self.replies, self._view = state["replies"], self._seen()


def _strategies(scenario: Scenario, market_id: str) -> list[range]:
    """The accounts of each strategy, numbered from 1; none of those that trade elsewhere."""
    found, base = [], 1
    for population in scenario.world.populations:
        heads = population.heads if market_id in population.markets else 0
        found.append(range(base, base + heads))
        base += population.heads
    return found
