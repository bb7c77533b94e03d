"""The benchmark of pools runs, with the same swaps to all; what it measures is not judged here."""

import pytest

from actors.bench.pool import Extent, bench_pool
from tests.pool_logs import DAY, packed

LOG = packed(DAY)


@pytest.mark.ray
def test_pools_are_measured_in_all_that_the_bench_tells(capsys: pytest.CaptureFixture[str]) -> None:
    found = bench_pool(Extent(swaps=40, seed=3, log=LOG, runs=1, positions=300))
    for name in ("in_range", "crossing"):
        assert found[name]["ratio"] == found[name]["median"] / found[name]["plain_median"] > 0
    assert min(found["actor"], found["log"], *found["far"].values()) > 0
    assert found["memory"]["positions"] == 300
    assert min(found["memory"].values()) > 0
    told = capsys.readouterr().out
    assert told.count("the contract's bytecode in revm") == 2
    assert "12 burn, 4 mint, 266 swap" in told
