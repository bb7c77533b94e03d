"""Parts of `sandpit bench simulate` that measure us against ourselves: actors, recording, size."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from actors.bench import simulate_scenarios as scenarios
from actors.bench.simulate_peers import SEED, Extent, Line
from actors.bench.simulate_runs import alternated, command_run, steady
from storage.files.scenario_file import SHIPPED_DIRECTORY
from storage.runs.bare_copy import bare_copy
from storage.servers.embedded import EmbeddedPostgres

GIBIBYTE = 2**30
SPREAD_HEADS, SPREAD_ACTIVITY_PPM, SPREAD_STEPS = 200_000, 200_000, 150
SPREAD_RATE_AIM, SPREAD_GAIN_AIM = 5e6, 1.7
RECORD_HEADS, RECORD_ACTIVITY_PPM, RECORD_STEPS = 100_000, 50_000, 1_200
RECORD_TIME_AIM, RECORD_RATE_AIM = 1.3, 0.7
MILLION_STEPS = 300
SIZES = (10_000, 100_000, 1_000_000)
MEMORY_AIM_BYTES = 6 * GIBIBYTE
EXPONENT_AIM = 1.1
ACTOR_COUNTS = (1, 2, 4, 8, 16)
CALLS_MARKETS, CALLS_HEADS, CALLS_STEPS = 16, 1_600, 150
WARM_STEPS = 30
"""Until every actor is there and every kernel compiled."""


def spread(extent: Extent) -> Iterator[Line]:
    """2 markets and one strategy of noise traders on both, cut in two: 2 + 2 actors, or 1 process.

    A batch has 20,000 rows. Every fill is accounted for on both sides; the same state hash is asked
    of them.
    """
    steps, crowd = extent.of(SPREAD_STEPS), scenarios.noise(SPREAD_HEADS, SPREAD_ACTIVITY_PPM)
    text = scenarios.scenario_text(
        "bench-spread", SEED, WARM_STEPS + steps, 2, scenarios.ladders(20), crowd
    )
    with scenario_file(text) as (file, _):
        hashes = set()

        def rate(actors: int) -> float:
            found = steady(file, actors, WARM_STEPS, steps, 1)
            hashes.add(found["state_hash"])
            return float(found["orders"][0] / found["seconds"][0])

        actors, one = alternated(extent.runs, lambda: rate(2), lambda: rate(0))
    assert len(hashes) == 1, "actors came to another state than one process"
    yield Line(
        "spread",
        "2 strategy and 2 market actors",
        "orders/s",
        actors,
        aim=f"≥ {SPREAD_RATE_AIM:,.0f}",
        met=actors >= SPREAD_RATE_AIM,
    )
    yield Line(
        "spread",
        "the same; theirs: one process of ours",
        "orders/s",
        actors,
        theirs=one,
        ratio=actors / one,
        aim=f"≥ {SPREAD_GAIN_AIM} ×",
        met=actors / one >= SPREAD_GAIN_AIM,
    )


def recording(extent: Extent) -> Iterator[Line]:
    """A busy run recorded to PostgreSQL, with fsync on, against the same run unrecorded."""
    text = scenarios.scenario_text(
        "bench-record",
        SEED,
        extent.of(RECORD_STEPS, 10),
        1,
        scenarios.ladders(20),
        scenarios.noise(RECORD_HEADS, RECORD_ACTIVITY_PPM),
    )
    recorded: list[dict[str, Any]] = []
    with scenario_file(text) as (file, directory):
        server = EmbeddedPostgres(directory / "data")
        url = server.start()
        try:
            to = ("--record", "all", "--to", "postgres", "--data-dir", directory / "data")

            def with_record() -> float:
                recorded.append(command_run(file, directory, "--actors", 0, *to))
                return float(recorded[-1]["wall_seconds"])

            def without() -> float:
                return float(command_run(file, directory, "--actors", 0)["wall_seconds"])

            kept_s, alone_s, copied = alternated(
                extent.runs, with_record, without, lambda: bare_copy(url)
            )
        finally:
            server.stop()
    yield from _recording_lines(recorded, kept_s, alone_s, copied)


def _recording_lines(
    recorded: list[dict[str, Any]], kept_s: float, alone_s: float, copied: float
) -> Iterator[Line]:
    trades = recorded[-1]["recording"]["trades"]
    waits = sum(one["recording"]["waits"] for one in recorded)
    yield Line(
        "recording",
        f"{trades:,} trades; theirs: the run unrecorded",
        "s",
        kept_s,
        theirs=alone_s,
        ratio=kept_s / alone_s,
        aim=f"≤ {RECORD_TIME_AIM} ×",
        met=kept_s / alone_s <= RECORD_TIME_AIM,
        note=f"the run waited {waits} times for a recorder",
    )
    writing_s = median(one["recording"]["writing_seconds"] for one in recorded)
    for what, seconds, aim in (
        ("while recorders wrote", writing_s, RECORD_RATE_AIM),
        ("over the whole run", kept_s, None),
    ):
        rate = trades / seconds
        yield Line(
            "recording",
            f"{what}; theirs: bare COPY of the same rows",
            "rows/s",
            rate,
            theirs=copied,
            ratio=rate / copied,
            aim=f"≥ {aim} ×" if aim else "",
            met=rate / copied >= aim if aim else None,
        )


def million(extent: Extent) -> Iterator[Line]:
    """`million` for a few steps, at three sizes, in one process: time a step and memory."""
    text = (SHIPPED_DIRECTORY / "million.toml").read_text()
    seconds: dict[int, float] = {}
    found: dict[str, Any] = {}
    steps = extent.of(MILLION_STEPS)
    for traders in SIZES:
        with scenario_file(scenarios.scaled(text, traders)) as (file, _):
            found = steady(file, 0, WARM_STEPS, steps, extent.runs)
            seconds[traders] = median(found["seconds"]) / steps
    exponent = math.log(seconds[SIZES[-1]] / seconds[SIZES[0]], SIZES[-1] / SIZES[0])
    told = ", ".join(f"{size:,}: {1e3 * one:.2f} ms a step" for size, one in seconds.items())
    memory, rate = found["peak_memory_bytes"], median(found["orders"]) / median(found["seconds"])
    yield Line(
        "million",
        "time grows with traders to the power of",
        "",
        exponent,
        aim=f"≤ {EXPONENT_AIM}",
        met=exponent <= EXPONENT_AIM,
        note=told,
    )
    yield Line(
        "million",
        "memory of 1,000,000 traders, 8 markets",
        "GiB",
        memory / GIBIBYTE,
        aim=f"< {MEMORY_AIM_BYTES // GIBIBYTE} GiB",
        met=memory < MEMORY_AIM_BYTES,
        note=f"{rate:,.0f} orders/s in {steps * extent.runs} of its 6,000 steps",
    )


def actor_calls(extent: Extent) -> Iterator[Line]:
    """Steps a second of 16 small markets against the number of actors: what a call costs."""
    crowds = [scenarios.noise(CALLS_HEADS, 1_000), scenarios.ladders(1)]
    steps = extent.of(CALLS_STEPS, 20)
    total = WARM_STEPS + steps * extent.runs
    text = scenarios.scenario_text("bench-calls", SEED, total + 10, CALLS_MARKETS, *crowds)
    with scenario_file(text) as (file, _):
        for actors in ACTOR_COUNTS:
            found = steady(file, actors, WARM_STEPS, steps, extent.runs)
            what = f"{actors} for {CALLS_MARKETS} markets, as many for strategies"
            rate = steps / median(found["seconds"])
            yield Line("actors", what, "steps/s", rate)


@contextmanager
def scenario_file(text: str) -> Iterator[tuple[Path, Path]]:
    """A scenario's file, and the directory it stands in, gone at the end."""
    with TemporaryDirectory(prefix="sandpit-bench-") as directory:
        file = Path(directory) / "scenario.toml"
        file.write_text(text)
        yield file, Path(directory)
