"""The benchmark of pools runs, with the same swaps to both; what it measures is not judged here."""

import pytest

from actors.bench.pool import bench_pool


def test_both_pools_are_measured_in_range_and_crossing(capsys: pytest.CaptureFixture[str]) -> None:
    found = bench_pool(length=40, seed=3, runs=1)
    for name in ("in_range", "crossing"):
        assert found[name]["ratio"] == found[name]["median"] / found[name]["plain_median"] > 0
    assert capsys.readouterr().out.count("/s median") == 2
