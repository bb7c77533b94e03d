"""What a run says of its signal agents: figures for --json, a table of its report, arrays."""

from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from actors.simulate.results import summary_of
from sim.record.run import RunRecord
from sim.report.page_of_run import html_report
from sim.signals.agents import AGENTS
from storage.runs.run_directory import RECORD, RunDirectory
from tests.sim.agents_runs import CROWD, ETH, agents_of, agents_scenario, ran
from tests.sim.scenario_texts import SPOT


@pytest.fixture(scope="module")
def record() -> RunRecord:
    return ran(agents_scenario(duration_s=600))[1]


def test_shares_of_agents_sum_to_what_sessions_realised(record: RunRecord) -> None:
    [told] = summary_of(record)["agents"]
    trips = [trip for trips in agents_of(record).course.trips for trip in trips]
    assert told["round_trips"] == sum(trip.reason is not None for trip in trips) > 10
    assert told["winning_round_trips"] + told["losing_round_trips"] == told["round_trips"]
    assert sum(told["decisions"].values()) == told["decisions_kept"] == 60
    assert [one["agent"] for one in told["attribution"]] == list(AGENTS)
    shares = sum(Decimal(one["pnl"]) for one in told["attribution"])
    assert shares == Decimal(told["realised"]) == Decimal(sum(t.net_atoms for t in trips)) / 10**6


def test_a_report_has_a_table_of_agents_where_there_are_any(record: RunRecord) -> None:
    page = html_report(record)
    assert '<section id="agents">' in page
    assert all(f"<th>{agent}" in page or f">{agent}<" in page for agent in AGENTS)
    _, without = ran(agents_scenario(ETH + SPOT + CROWD, duration_s=2))
    assert 'id="agents"' not in html_report(without)
    assert summary_of(without)["agents"] == []


def test_equity_of_every_session_is_kept_by_the_minute(record: RunRecord, tmp_path: Path) -> None:
    RunDirectory(tmp_path).write_record(record)
    kept = np.load(tmp_path / RECORD)
    course = agents_of(record).course
    assert np.array_equal(kept["agents.session_equity_atoms"], course.equity_atoms)
    assert np.array_equal(kept["agents.session_equity_us"], course.equity_times_us)
    assert kept["agents.session_equity_atoms"].shape == (10, 3)
