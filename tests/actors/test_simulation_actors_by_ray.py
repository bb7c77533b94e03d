"""From a wish at the desk to the result, through the supervisor and a Ray actor."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import psycopg
import pytest

from actors.cluster.remote import RayCluster
from actors.live.supervisor import Supervisor
from actors.simulate.queue import SimulationQueue, simulation_name
from api.desk import simulations as desk
from api.desk.agent_backtests import BacktestPlan, run
from api.desk.backtest_text import Traded, on_history, with_session
from api.desk.scenario_reader import ScenarioReader
from sim.backtest.run import Backtest
from sim.roles import Role
from sim.signals.strategy import Strategy
from sim.stepping.world import SimulatedWorld
from storage.files.scenario_file import scenario_prices
from storage.runs.agent_backtests import AgentBacktest, BacktestStatus, own_backtest
from storage.runs.kept_candles import KeptCandles
from storage.runs.simulations import SimulationStatus
from storage.runs.stored_backtest import read_backtest
from storage.runs.stored_scenario import read_scenario
from storage.servers.database_hold import DatabaseHold
from storage.settings import Settings
from tests.builders import trader
from tests.markets import ETH_PERP
from tests.pool_logs import BUSY, DAY, droid_text
from tests.simulations import SECONDS_OF_A_LONG_ONE, SMALL, hash_of, view, with_pool
from tests.waiting import eventually

pytestmark = [pytest.mark.ray, pytest.mark.slow]
KILLED_DURATION_S = 600
AT_ONCE = 0.0
END_S_MAX = 120.0


@pytest.fixture
def requester(settings: Settings, database_url: str) -> desk.Requester:
    with psycopg.connect(database_url, autocommit=True) as connection:
        return desk.Requester(trader(connection), Role.ADMIN, "127.0.0.1", settings)


@pytest.fixture
def supervised(ray_session: str, database_url: str) -> Iterator[None]:
    """As in a deployment, which holds its database."""
    hold = DatabaseHold(database_url)
    hold.take()
    supervisor = Supervisor([], RayCluster(), SimulationQueue(database_url, 2, AT_ONCE), run=True)
    yield
    supervisor.stop()
    hold.release()


def ask(
    database_url: str, requester: desk.Requester, duration_s: int | None = None, text: str = SMALL
) -> int:
    sent = desk.ScenarioSent(None, None, text, None, duration_s)
    return with_pool(
        database_url,
        lambda pool: desk.request_simulation(
            desk.Scenarios(pool, ScenarioReader()), requester, sent, None
        ),
    )


def ended_us(database_url: str, number: int) -> int | None:
    return view(database_url, number).ended_at_us


def test_a_wish_is_run_by_an_actor_and_again_by_its_id(
    supervised: None, database_url: str, requester: desk.Requester
) -> None:
    first = ask(database_url, requester)
    again = with_pool(
        database_url,
        lambda pool: desk.run_again(desk.Scenarios(pool, ScenarioReader()), requester, first, None),
    )
    endless = ask(database_url, requester, SECONDS_OF_A_LONG_ONE)
    expected = hash_of()
    for number in (first, again):
        eventually(partial(ended_us, database_url, number), END_S_MAX)
        ended = view(database_url, number)
        assert (ended.status, ended.state_hash) == (SimulationStatus.FINISHED, expected)
    assert view(database_url, again).rerun_of == first
    eventually(lambda: view(database_url, endless).step, END_S_MAX)
    with_pool(database_url, lambda pool: desk.stop(pool, requester, endless))
    eventually(lambda: view(database_url, endless).ended_at_us, END_S_MAX)
    assert view(database_url, endless).status == SimulationStatus.STOPPED


def test_a_backtest_is_run_by_an_actor(
    supervised: None, database_url: str, requester: desk.Requester
) -> None:
    text = f'swaps = "{DAY}"\n[droid]\n{droid_text(**BUSY)}'
    number = ask(database_url, requester, text=text)
    eventually(lambda: view(database_url, number).ended_at_us, END_S_MAX)
    ended, asked = view(database_url, number), read_backtest(text)
    assert (ended.status, ended.error) == (SimulationStatus.FINISHED, None)
    assert ended.state_hash == Backtest(asked.log, asked.setting).run().state_hash()


def test_the_combinations_of_a_grid_of_agents_run_in_actors_of_their_own_one_of_which_is_killed(
    supervised: None, database_url: str, requester: desk.Requester
) -> None:
    kept = KeptCandles(0, 60, {"ETH-PERP": np.array([[3500, 3520, 3480, 3510, 5]] * 120)})
    traded = Traded(["ETH-PERP"], "10000", None)
    text = with_session(on_history([ETH_PERP], kept, traded, 3, 3_600), traded, Strategy())
    asked: dict[str, Any] = {"name": "grid", "sent": "", "asked": {}, "combinations": [{}, {}]}
    plan = BacktestPlan(
        **asked, texts=[text, text], seed=None, duration_s=None, history=kept.packed()
    )
    backtest_id = with_pool(
        database_url,
        lambda pool: run(desk.Scenarios(pool, ScenarioReader()), requester, plan, None),
    )

    def found() -> AgentBacktest:
        return with_pool(
            database_url, lambda pool: own_backtest(pool, backtest_id, requester.user_id)
        )

    eventually(lambda: all(one.step for one in found().runs), END_S_MAX)
    RayCluster().kill(simulation_name(found().runs[0].simulation_id))
    eventually(lambda: found().has_ended, END_S_MAX)
    ended = found()
    assert ended.status == BacktestStatus.COMPLETED
    (one, other), whole = ended.runs, world_of_text(text, kept)
    whole.run()
    assert one.state_hash == other.state_hash == whole.state_hash()
    assert one.result == other.result


def world_of_text(text: str, kept: KeptCandles) -> SimulatedWorld:
    """What an actor runs."""
    scenario = read_scenario(text, candles=kept)
    return SimulatedWorld(scenario, scenario_prices(scenario, kept.paths))


def last_kept(database_url: str) -> int:
    """The step of the checkpoint, 0 for none."""
    with psycopg.connect(database_url) as connection:
        row = connection.execute("SELECT step FROM simulation_checkpoints").fetchone()
    return int(row[0]) if row is not None else 0


def test_a_killed_actor_changes_nothing_in_the_result(
    supervised: None, database_url: str, requester: desk.Requester
) -> None:
    number = ask(database_url, requester, KILLED_DURATION_S)
    eventually(lambda: last_kept(database_url), END_S_MAX)
    RayCluster().kill(simulation_name(number))
    eventually(lambda: view(database_url, number).ended_at_us, END_S_MAX)
    ended = view(database_url, number)
    assert (ended.status, ended.error) == (SimulationStatus.FINISHED, None)
    assert ended.state_hash == hash_of(duration_s=KILLED_DURATION_S)
    with psycopg.connect(database_url) as connection:
        runs = connection.execute("SELECT run_no FROM simulations").fetchone()
    assert runs == (2,)
