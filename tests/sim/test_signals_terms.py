"""Strategies are read from plain dicts and written back, and all that is wrong is told at once."""

import json
from dataclasses import fields, is_dataclass
from decimal import Decimal
from typing import Any

import pytest

from sim.signals.bounds import Bound, TermsRefused, read, written
from sim.signals.terms import RiskTerms, StrategyTerms, TechnicalTerms

WEIGHTS = {
    "technical": 0.25,
    "orderbook": 0.20,
    "sentiment": 0.15,
    "trend": 0.30,
    "reversion": 0.25,
    "arbitrage": 0.20,
}


def faults(given: object) -> dict[str, str]:
    with pytest.raises(TermsRefused) as refused:
        read(StrategyTerms, given)
    told = refused.value.faults
    assert len(dict(told)) == len(told), "nothing is refused twice"
    assert all(sentence in str(refused.value) for _, sentence in told)
    return dict(told)


def bounds_of(kind: Any) -> list[tuple[Any, str, Bound]]:
    return [(kind, one.name, one.metadata["bound"]) for one in fields(kind) if one.metadata] + [
        found for one in fields(kind) if is_dataclass(one.type) for found in bounds_of(one.type)
    ]


def test_what_is_left_out_has_its_default() -> None:
    terms = read(StrategyTerms, {})
    assert terms == StrategyTerms()
    assert {name: getattr(terms.agents, name).weight for name in WEIGHTS} == WEIGHTS
    assert terms.agents.total_weight == pytest.approx(1.35)
    assert (terms.voting.quorum, terms.voting.min_votes) == (0.6, 2)
    assert (terms.agents.risk.max_position_size, terms.agents.risk.max_positions) == (0.1, 3)


def test_what_is_written_is_read_as_the_same() -> None:
    given = {"agents": {"trend": {"ema_fast": 5, "weight": Decimal("0.1")}}, "candle_s": 300}
    terms = read(StrategyTerms, given)
    assert (terms.agents.trend.ema_fast, terms.agents.trend.weight) == (5, 0.1)
    assert read(StrategyTerms, written(terms)) == terms
    assert read(StrategyTerms, json.loads(json.dumps(written(terms)))) == terms


def test_every_default_is_within_its_bound() -> None:
    found = bounds_of(StrategyTerms)
    assert len(found) > 90
    for kind, name, bound in found:
        assert bound.holds(getattr(kind(), name)), (kind, name)
        assert bound.low < bound.high


def test_all_faults_are_told_at_once() -> None:
    told = faults(
        {
            "candle_s": True,
            "name": "x",
            "voting": {"quorum": 1.5, "min_votes": "2", "wisdom": 1},
            "agents": {"risk": 7, "trend": {"ema_fast": 2.5}, "oracle": {}},
        }
    )
    assert set(told) == {
        *("candle_s", "name", "voting.quorum", "voting.min_votes", "voting.wisdom"),
        *("agents.risk", "agents.trend.ema_fast", "agents.oracle"),
    }
    assert told["voting.quorum"] == (
        "voting.quorum must be a number of at least 0 and at most 1: "
        "it is the least share of all weight that is present."
    )
    assert told["agents.risk"] == "agents.risk must be a section of names and values."


@pytest.mark.parametrize(
    "value",
    [
        *(True, None, "0.5", [], {}, 1j, -1, 2, 10**400),
        *(float("nan"), float("inf"), -float("inf")),
        *map(Decimal, ("NaN", "1e400000", "-Infinity")),
    ],
)
def test_what_is_no_number_of_the_range_is_refused(value: object) -> None:
    assert set(faults({"voting": {"quorum": value}})) == {"voting.quorum"}


@pytest.mark.parametrize("given", [None, [], "", 1, True])
def test_a_strategy_is_a_section(given: object) -> None:
    assert faults(given) == {"": "A strategy must be a section of names and values."}


def test_whole_numbers_may_be_written_with_a_point() -> None:
    assert read(StrategyTerms, {"candle_s": 300.0}).candle_s == 300
    assert isinstance(read(StrategyTerms, {"candle_s": Decimal("3e2")}).candle_s, int)


def test_fields_that_are_wrong_together_are_told() -> None:
    told = faults({"agents": {"technical": {"rsi_low": 80, "macd_fast": 26, "volume_weight": 0.2}}})
    assert set(told) == {
        f"agents.technical.{name}" for name in ("rsi_low", "macd_fast", "rsi_weight")
    }
    assert told["agents.technical.rsi_low"].endswith("must be below rsi_high, which is 70.")
    silent = {"agents": {name: {"weight": 0} for name in WEIGHTS}}
    assert set(faults(silent)) == {"agents.technical.weight"}


def test_a_limit_of_nothing_is_refused_and_all_of_it_is_allowed() -> None:
    for name in ("max_position_size", "max_daily_loss", "max_drawdown", "default_stop_loss"):
        assert getattr(read(RiskTerms, {name: 1}), name) == 1
        with pytest.raises(TermsRefused, match="above 0 and at most 1"):
            read(RiskTerms, {name: 0})
    assert read(TechnicalTerms, {"weight": 0}).weight == 0
