"""What risk allows, what a session does with a consensus, and where its exits lie."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.market import BTC_PERP
from sim.signals import risk
from sim.signals.risk import Account, History, Proposal, Rule, Ruling, judge, kelly, narrowed
from sim.signals.signal import Action
from sim.signals.steps import Exits, Step, exits_of, step_of
from sim.signals.terms import RiskTerms
from sim.units import ATOMS_PER_UNIT

TERMS = RiskTerms()
EQUITY = 10_000 * ATOMS_PER_UNIT
ACCOUNT = Account(EQUITY, EQUITY, EQUITY, EQUITY, 0, 0, 10**6)
PROPOSAL = Proposal(Step.OPEN_LONG, 400_000, 0.5)
"""At 40,000 a lot of a thousandth is worth 40."""


def verdict(terms: RiskTerms = TERMS, step: Step = Step.OPEN_LONG, **changes: Any) -> risk.Verdict:
    account = replace(ACCOUNT, **changes)
    return judge(replace(PROPOSAL, step=step), account, BTC_PERP, terms)


@pytest.mark.parametrize(
    ("action", "lots", "step"),
    [
        (Action.BUY, 0, Step.OPEN_LONG),
        (Action.BUY, -5, Step.CLOSE_SHORT),
        (Action.BUY, 5, Step.NOTHING),
        (Action.SELL, 0, Step.OPEN_SHORT),
        (Action.SELL, 5, Step.CLOSE_LONG),
        (Action.SELL, -5, Step.NOTHING),
        *((Action.HOLD, lots, Step.NOTHING) for lots in (-5, 0, 5)),
    ],
)
def test_a_session_closes_before_it_opens_the_other_way(
    action: Action, lots: int, step: Step
) -> None:
    assert step_of(action, lots) is step
    assert step.is_sale == (action is Action.SELL and step is not Step.NOTHING)


def test_the_wish_is_reduced_to_the_tightest_cap() -> None:
    """0.1 are 100 lots; a tenth of 10,000 buys 25, a quarter of Kelly's 0.325 buys 20."""
    found = verdict()
    assert (found.ruling, found.quantity_lots, found.rule) == (Ruling.REDUCED, 20, Rule.KELLY)
    bold = replace(TERMS, kelly_fraction=1.0)
    assert verdict(bold).quantity_lots == 25
    assert verdict(bold).rule is Rule.MAX_POSITION_SIZE
    assert verdict(bold, affordable_lots=7).rule is Rule.MARGIN
    assert verdict(bold, position_lots=-5).quantity_lots == 20


def test_a_wish_within_all_caps_is_approved() -> None:
    found = verdict(replace(TERMS, default_quantity=0.0199))
    assert (found.ruling, found.quantity_lots) == (Ruling.APPROVED, 19)


def test_what_is_less_than_the_least_quantity_is_vetoed() -> None:
    for found in (verdict(replace(TERMS, default_quantity=0.0009)), verdict(affordable_lots=0)):
        assert (found.ruling, found.quantity_lots) == (Ruling.VETOED, 0)


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"open_positions": 3}, Rule.MAX_POSITIONS),
        ({"day_start_equity_atoms": EQUITY * 50 // 49}, Rule.MAX_DAILY_LOSS),
        ({"peak_equity_atoms": EQUITY * 10 // 9 + 1}, Rule.MAX_DRAWDOWN),
        ({"equity_atoms": 0}, Rule.NO_EQUITY),
        ({"equity_atoms": -1}, Rule.NO_EQUITY),
    ],
)
def test_a_limit_that_is_reached_vetoes_all_opening(changes: dict[str, int], rule: Rule) -> None:
    terms = replace(TERMS, max_daily_loss=0.019) if rule is Rule.MAX_DAILY_LOSS else TERMS
    for step in (Step.OPEN_LONG, Step.OPEN_SHORT):
        found = verdict(terms, step, **changes)
        assert (found.ruling, found.quantity_lots, found.rule) == (Ruling.VETOED, 0, rule)


def test_stale_prices_and_wild_markets_are_left_alone() -> None:
    stale = judge(replace(PROPOSAL, price_age_s=10), ACCOUNT, BTC_PERP, TERMS)
    assert stale.rule is Rule.STALE_PRICE
    wild = replace(PROPOSAL, volatility=0.05)
    full = replace(ACCOUNT, available_atoms=EQUITY // 10)
    assert judge(wild, full, BTC_PERP, TERMS).rule is Rule.VOLATILITY
    assert judge(wild, ACCOUNT, BTC_PERP, TERMS).ruling is Ruling.REDUCED
    assert judge(PROPOSAL, full, BTC_PERP, TERMS).ruling is Ruling.REDUCED


RUINED = Account(-EQUITY, 0, EQUITY, EQUITY, 99, 0, 0)


@pytest.mark.parametrize(("step", "lots"), [(Step.CLOSE_LONG, 5), (Step.CLOSE_SHORT, -5)])
def test_what_only_closes_is_never_vetoed(step: Step, lots: int) -> None:
    stale = Proposal(step, 400_000, 1e9, 9.0)
    found = judge(stale, replace(RUINED, position_lots=lots), BTC_PERP, TERMS)
    assert (found.ruling, found.quantity_lots, found.rule) == (Ruling.APPROVED, 5, Rule.CLOSES)
    vast = replace(RUINED, position_lots=lots * 10**6)
    assert judge(stale, vast, BTC_PERP, TERMS).quantity_lots == BTC_PERP.max_quantity_lots


def test_nothing_is_done_where_there_is_nothing_to_do() -> None:
    assert verdict(step=Step.NOTHING, position_lots=5).rule is Rule.NOTHING_TO_DO
    assert verdict(step=Step.CLOSE_LONG, position_lots=-5).rule is Rule.NOTHING_TO_DO


def test_kelly_is_a_quarter_of_its_stake_and_of_defaults_until_there_is_history() -> None:
    assert kelly(History(), TERMS) == Fraction(325, 4000)
    assert kelly(History(wins=9, won_atoms=9), TERMS) == Fraction(325, 4000)
    even = History(wins=6, losses=4, won_atoms=600, lost_atoms=400)
    assert kelly(even, TERMS) == Fraction(1, 5) / 4
    assert kelly(History(wins=0, losses=10, lost_atoms=5), TERMS) == 0
    assert kelly(History(wins=10, won_atoms=5), TERMS) == Fraction(1, 4)
    assert kelly(History(wins=1, losses=9, won_atoms=1, lost_atoms=9), TERMS) == 0


def test_exits_lie_where_they_were_set_and_are_rounded_for_the_session() -> None:
    assert exits_of(400_000, True, BTC_PERP, TERMS) == Exits(392_000, 420_000)
    assert exits_of(400_000, False, BTC_PERP, TERMS) == Exits(408_000, 380_000)
    assert exits_of(400_001, True, BTC_PERP, TERMS) == Exits(392_001, 420_002)
    assert exits_of(400_001, False, BTC_PERP, TERMS) == Exits(408_001, 380_000)


def test_an_exit_that_no_market_has_is_left_out() -> None:
    assert exits_of(1, True, BTC_PERP, TERMS) == Exits(None, 2)
    assert exits_of(1, False, BTC_PERP, TERMS) == Exits(2, None)
    highest = BTC_PERP.max_price_ticks
    assert exits_of(highest, True, BTC_PERP, TERMS).take_ticks is None
    assert exits_of(400_000, False, BTC_PERP, replace(TERMS, default_take_profit=1.0)) == Exits(
        408_000, None
    )


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 2**31 - 1), st.floats(1e-6, 1), st.floats(1e-6, 100), st.booleans())
def test_exits_are_on_their_sides_of_the_entry(
    entry: int, loss: float, profit: float, is_long: bool
) -> None:
    terms = replace(TERMS, default_stop_loss=loss, default_take_profit=profit)
    exits = exits_of(entry, is_long, BTC_PERP, terms)
    for ticks, is_above in ((exits.stop_ticks, not is_long), (exits.take_ticks, is_long)):
        if ticks is not None:
            assert 1 <= ticks <= BTC_PERP.max_price_ticks
            assert (ticks > entry) == is_above
            assert ticks != entry


ATOMS = st.integers(-(10**9), 10**16)
ACCOUNTS = st.builds(
    Account,
    equity_atoms=ATOMS,
    available_atoms=ATOMS,
    day_start_equity_atoms=ATOMS,
    peak_equity_atoms=ATOMS,
    open_positions=st.integers(0, 5),
    position_lots=st.integers(-50, 50),
    affordable_lots=st.integers(-5, 10**7),
)


@settings(max_examples=300, deadline=None)
@given(
    account=ACCOUNTS,
    step=st.sampled_from(Step),
    price_ticks=st.integers(1, 2**31 - 1),
    size=st.floats(1e-6, 1),
    quantity=st.floats(1e-9, 1e9),
)
def test_no_verdict_passes_any_cap(
    account: Account, step: Step, price_ticks: int, size: float, quantity: float
) -> None:
    terms = replace(TERMS, max_position_size=size, default_quantity=quantity)
    found = judge(Proposal(step, price_ticks, 0.0), account, BTC_PERP, terms)
    lots = found.quantity_lots
    assert (lots == 0) == (found.ruling is Ruling.VETOED)
    assert 0 <= lots <= BTC_PERP.max_quantity_lots
    if not lots or not step.opens:
        assert lots <= abs(account.position_lots)
        return
    assert lots * BTC_PERP.lot_size <= Fraction(repr(quantity))
    assert lots * price_ticks * BTC_PERP.atoms_per_tick_lot <= size * account.equity_atoms * 1.0001
    assert lots * price_ticks * BTC_PERP.atoms_per_tick_lot * 4000 <= 325 * account.equity_atoms
    assert lots <= account.affordable_lots
    assert account.open_positions < TERMS.max_positions
    assert account.equity_atoms > account.peak_equity_atoms * 9 // 10


@given(
    lots=st.integers(0, BTC_PERP.max_quantity_lots),
    part=st.floats(0, 1),
    ruling=st.sampled_from([Ruling.APPROVED, Ruling.REDUCED]),
)
def test_what_a_model_leaves_is_never_more_and_a_veto_stays_one(
    lots: int, part: float, ruling: Ruling
) -> None:
    given = risk.Verdict(ruling, lots, Rule.KELLY, "So much.")
    left = narrowed(given, part, "Less.", BTC_PERP)
    assert left.quantity_lots <= lots
    assert left.quantity_lots == 0 or left.quantity_lots >= BTC_PERP.min_quantity_lots
    assert (left.quantity_lots == 0) == (left.ruling is Ruling.VETOED)
    vetoed = risk.Verdict(Ruling.VETOED, 0, Rule.MARGIN, "None.")
    assert narrowed(vetoed, part, "More!", BTC_PERP) == vetoed
