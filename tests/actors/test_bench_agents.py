"""The benchmark of agents runs; what it measures is not judged here."""

import asyncio
import json

import pytest

from actors.bench.agents import bench_agents
from actors.bench.agents_cycle import cycles
from actors.bench.agents_similar import searched
from actors.bench.simulate_peers import Extent
from storage.postgres.database_roles import DatabaseUrls
from storage.servers.embedded import EmbeddedPostgres

LEAST = 0.0001


def test_rules_print_one_object_with_the_machine(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench_agents("rules", 1_000, LEAST, as_json=True) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["machine"]["cores"] >= 1
    names = {line["what"].split(",")[0] for line in found["lines"]}
    assert {"technical-agent", "orderbook-agent", "arbitrage-agent"} <= names
    assert all(line["ours"] > 0 for line in found["lines"])


def test_an_unknown_part_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench_agents("speed", 1_000, 1, as_json=False) == 1
    assert "allowed is one of rules, similar, cycle, restart" in capsys.readouterr().err


def test_cycles_are_measured_with_sessions_on_every_symbol(postgres: EmbeddedPostgres) -> None:
    found = list(cycles(postgres, Extent(1, LEAST), numbers=[3]))
    assert {line.part for line in found} == {"cycle"}
    assert sum("the vote, 3 symbols" in line.what for line in found) == 2
    assert all(line.ours is not None and line.ours > 0 for line in found)


def test_all_that_is_nearest_is_found_among_a_few_decisions(database_urls: DatabaseUrls) -> None:
    found = asyncio.run(searched(database_urls, many=400, asked=20))
    assert found.recall == [1.0] * 20
    assert len(found.searched_s) == len(found.exact_s) == len(found.ids) == 20
