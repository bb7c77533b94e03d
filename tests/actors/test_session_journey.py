"""A session from signals to orders, positions, exits and its end, step by step."""

from fractions import Fraction
from itertools import pairwise
from math import sqrt
from statistics import mean, stdev

import pytest

from sim.money.candles import MINUTE_US
from sim.rows.messages import Side
from sim.signals.metrics import MINUTES_PER_YEAR, RETURNS_MIN
from sim.signals.signal import Action
from sim.units import format_steps
from storage.agents.session_ending import CLOSING_TRIES_MAX
from storage.errors import Superseded
from storage.intake.session_accounts import SessionStatus
from tests.actors.house import House
from tests.actors.lived_session import INITIAL_ATOMS, MIDDLE_TICKS, LivedSession
from tests.auditor import audit
from tests.markets import ETH_PERP
from tests.waiting import eventually

NO_DEPTH = "The visible depth within 5 % of mark does not complete this MARKET order"


@pytest.fixture
def lived(house: House) -> LivedSession:
    return LivedSession(house)


def test_signals_become_a_decision_an_order_and_a_position(lived: LivedSession) -> None:
    lived.agents_say(Action.BUY)
    lived.decides()
    assert lived.rows("SELECT kind, action FROM decisions ORDER BY seq") == [
        ("consensus", "BUY"),
        ("risk_approval", "BUY"),
    ]
    lived.sends()
    lived.trades()
    (order,) = lived.orders()
    assert order[0].startswith("decision:")
    assert lived.position_lots() == order[2] == order[3]
    assert lived.verdicts() == [("BUY", "SENT", "PENDING", None)]


def test_a_veto_is_a_decision_and_no_order(lived: LivedSession) -> None:
    lived.judge.is_away = True
    lived.agents_say(Action.BUY)
    lived.decides()
    lived.sends()
    assert lived.orders() == []
    assert lived.verdicts() == [("HOLD", None, None, None)]
    (reasoning,) = lived.rows("SELECT reasoning FROM decisions WHERE kind = 'risk_approval'")[0]
    assert "risk agent is away" in reasoning


def test_a_veto_is_kept_when_it_says_something_new(lived: LivedSession) -> None:
    def vetoed(action: Action, is_away: bool) -> None:
        lived.judge.is_away = is_away
        lived.agents_say(action)
        lived.decides()

    for _ in range(3):
        vetoed(Action.BUY, is_away=True)
    assert len(lived.verdicts()) == 1
    vetoed(Action.SELL, is_away=True)
    assert len(lived.verdicts()) == 2
    vetoed(Action.BUY, is_away=True)
    assert len(lived.verdicts()) == 2
    vetoed(Action.BUY, is_away=False)
    lived.stand(SessionStatus.PAUSED)
    lived.sends()
    lived.stand(SessionStatus.RUNNING)
    vetoed(Action.BUY, is_away=False)
    assert [action for action, *_ in lived.verdicts()] == ["HOLD", "HOLD", "BUY", "BUY"]
    lived.sends()
    lived.trades()
    assert lived.position_lots() > 0


def test_a_session_that_is_paused_before_its_order_has_none(lived: LivedSession) -> None:
    lived.agents_say(Action.BUY)
    lived.decides()
    lived.stand(SessionStatus.PAUSED)
    lived.sends()
    lived.decides()
    assert lived.orders() == []
    assert lived.verdicts() == [("BUY", "DROPPED", None, "The session was PAUSED by then.")]


def test_whoever_is_killed_between_two_commits_leaves_one_order(lived: LivedSession) -> None:
    """Every step is done by a process that knows nothing but the tables, and some twice."""
    lived.agents_say(Action.BUY)
    for step in (lived.decides, lived.decides, lived.sends, lived.sends, lived.decides):
        lived.another()
        step()
    assert len(lived.orders()) == 1
    lived.trades()
    for step in (lived.decides, lived.sends, lived.cares, lived.cares, lived.trades, lived.cares):
        lived.another()
        step()
    names = [one[0].split(":")[0] for one in lived.orders()]
    assert names == ["decision", "stop", "take"]
    assert len(lived.verdicts()) == 1


def test_who_was_replaced_places_nothing(lived: LivedSession) -> None:
    lived.agents_say(Action.BUY)
    lived.decides()
    replaced = lived.orchestrator
    lived.another()
    lived.decides()
    lived.orchestrator = replaced
    with pytest.raises(Superseded):
        lived.sends()
    assert lived.orders() == []


def test_an_approval_that_is_too_old_is_dropped(lived: LivedSession) -> None:
    lived.agents_say(Action.BUY)
    lived.decides()
    lived.another()
    lived.offset_us += 21_000_000
    lived.sends()
    assert lived.orders() == []
    assert lived.verdicts() == [("BUY", "DROPPED", None, "It was too old by then.")]


def test_ledger_positions_and_metrics_agree_with_the_fills_to_the_atom(
    lived: LivedSession,
) -> None:
    lived.cares()
    middles = (MIDDLE_TICKS, MIDDLE_TICKS + 37, MIDDLE_TICKS - 21, MIDDLE_TICKS + 5)
    for turn, middle_ticks in enumerate(middles):
        lived.quote(middle_ticks)
        for action in (Action.BUY, Action.SELL)[:: 1 if turn % 2 else -1]:
            lived.agents_say(action)
            lived.decides()
            lived.sends()
            lived.trades()
            lived.cares(61)
            lived.trades()
    lived.cares(61)
    position, cash, net = reckoned(lived)
    assert len(net) >= 3
    assert position == lived.position_lots()
    session = lived.session()
    assert session["trades"] == len(net)
    assert session["winning_trades"] == sum(one > 0 for one in net)
    told = lived.rows(
        "SELECT realized_pnl_atoms - fees_atoms FROM round_trips WHERE closed_at_us IS NOT NULL"
        " ORDER BY opened_fill_id"
    )
    assert [one for (one,) in told] == net
    verdicts = lived.rows(
        "SELECT pnl_atoms FROM decisions WHERE kind = 'risk_approval' AND pnl_atoms IS NOT NULL"
        " ORDER BY seq"
    )
    assert [one for (one,) in verdicts] == net
    ((money,),) = lived.rows(
        "SELECT sum(amount_atoms) FROM ledger_entries WHERE account_id = %s", (lived.account_id,)
    )
    held = lived.rows("SELECT cost_atoms FROM positions WHERE account_id = %s", (lived.account_id,))
    assert money == INITIAL_ATOMS + cash + held[0][0]
    audit(lived.database)


def test_a_position_has_a_stop_and_a_target_that_end_with_it(lived: LivedSession) -> None:
    opened(lived)
    names = [order[0].split(":")[0] for order in lived.orders()]
    assert names == ["decision", "stop", "take"]
    lived.quote(MIDDLE_TICKS * 97 // 100)
    lived.trades()
    lived.cares()
    assert lived.position_lots() == 0
    assert all(order[4] for order in lived.orders())
    ((outcome, pnl),) = lived.rows(
        "SELECT outcome, pnl_atoms FROM decisions WHERE kind = 'consensus' AND outcome IS NOT NULL"
    )
    assert outcome == "FAILURE"
    assert pnl < 0
    assert lived.rows("SELECT reason FROM round_trips") == [("stop_loss",)]


def test_a_session_that_is_stopped_ends_flat_and_with_what_its_ledger_has(
    lived: LivedSession,
) -> None:
    opened(lived)
    lived.stand(SessionStatus.STOPPING)
    for _ in range(4):
        lived.another()
        lived.cares()
        lived.trades()
    assert lived.position_lots() == 0
    session = lived.session()
    assert session["status"] == "STOPPED"
    assert session["note"] is None
    ((ledger,),) = lived.rows(
        "SELECT sum(amount_atoms) FROM ledger_entries WHERE account_id = %s", (lived.account_id,)
    )
    assert session["final_atoms"] == ledger
    ((updated_us, stopped_us),) = lived.rows(
        "SELECT updated_at_us, stopped_at_us FROM trading_sessions"
    )
    assert updated_us == stopped_us


def test_what_a_session_began_and_ended_with_counts_in_its_metrics(lived: LivedSession) -> None:
    opened(lived)
    for minute in range(RETURNS_MIN):
        lived.database.execute(
            "INSERT INTO session_equity (session_id, minute_us, equity_atoms)"
            " SELECT id, %s, %s FROM trading_sessions",
            (minute * MINUTE_US, INITIAL_ATOMS - minute % 3),
        )
    lived.quote(MIDDLE_TICKS * 97 // 100)
    lived.stand(SessionStatus.STOPPING)
    for _ in range(4):
        lived.cares()
        lived.trades()
    ((final, deepest, sharpe, samples),) = lived.rows(
        "SELECT final_atoms, max_drawdown, sharpe_ratio, ARRAY(SELECT equity_atoms"
        " FROM session_equity WHERE session_id = s.id ORDER BY minute_us) FROM trading_sessions s"
    )
    assert final < min(samples) <= max(samples) <= INITIAL_ATOMS
    assert deepest == pytest.approx(float(1 - Fraction(int(final), INITIAL_ATOMS)))
    steps = [INITIAL_ATOMS, *map(int, samples), int(final)]
    returns = [after / before - 1 for before, after in pairwise(steps)]
    expected = mean(returns) / stdev(returns) * sqrt(MINUTES_PER_YEAR)
    assert sharpe == pytest.approx(expected)


def test_a_session_that_cannot_be_closed_says_why(lived: LivedSession) -> None:
    opened(lived)
    lived.quote(lots=0)
    lived.stand(SessionStatus.STOPPING)
    for _ in range(8):
        lived.cares()
        lived.trades()
    session = lived.session()
    assert session["status"] == "STOPPED"
    lots = lived.position_lots()
    assert lots != 0
    left = f"{format_steps(lots, ETH_PERP.lot_size)} ETH in ETH-PERP could not be closed: "
    assert session["note"] == f"{left}{NO_DEPTH}."


def test_a_session_closes_piece_by_piece_as_long_as_somebody_takes_a_piece(
    lived: LivedSession,
) -> None:
    opened(lived)
    piece = lived.position_lots() // 4
    lived.stand(SessionStatus.STOPPING)

    def has_stopped() -> bool:
        lived.quote(lots=piece)
        lived.cares()
        lived.trades()
        return bool(lived.session()["status"] == "STOPPED")

    eventually(has_stopped, 30)
    assert (lived.position_lots(), lived.session()["note"]) == (0, None)
    closing = [order for order in lived.orders() if order[0].startswith("close:")]
    assert len(closing) > CLOSING_TRIES_MAX


def test_a_session_in_a_halted_market_ends_and_says_so(lived: LivedSession) -> None:
    opened(lived)
    lived.database.execute(
        "UPDATE markets SET status = 3, halt_reason = 'it broke', takes_cancels = false"
        " WHERE market_id = 'ETH-PERP'"
    )
    lived.stand(SessionStatus.STOPPING)
    for _ in range(6):
        lived.cares()
    session = lived.session()
    assert session["status"] == "STOPPED"
    assert "is halted" in session["note"]
    assert "2 orders could not be cancelled" in session["note"]


def opened(lived: LivedSession) -> None:
    lived.agents_say(Action.BUY)
    lived.decides()
    lived.sends()
    lived.trades()
    lived.cares()
    lived.trades()


def reckoned(lived: LivedSession) -> tuple[int, Fraction, list[Fraction]]:
    """Position, cash less fees, and what each closed position came to: of the fills alone."""
    fills = lived.rows(
        "SELECT side, price_ticks, quantity_lots, fee_atoms FROM fills WHERE account_id = %s"
        " ORDER BY id",
        (lived.account_id,),
    )
    position, cash, begun = 0, Fraction(0), Fraction(0)
    net: list[Fraction] = []
    for side, ticks, lots, fee in fills:
        signed = lots if side == Side.BUY else -lots
        cash -= signed * ticks * ETH_PERP.atoms_per_tick_lot + fee
        position += signed
        if position == 0:
            net.append(cash - begun)
            begun = cash
    return position, cash, net
