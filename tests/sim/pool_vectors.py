"""What the contracts answered: the files of tests/data/v3, and logs of sim/swap_logs."""

import csv
import gzip
import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from sim.pool.replaying import replayed
from tests.pool_logs import kept

SEQUENCE_FILES = [f"pool_sequences_ts{spacing}" for spacing in (1, 10, 60, 200)]


@cache
def text(name: str) -> str:
    return gzip.decompress(kept(f"{name}.gz").read_bytes()).decode()


def vectors(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text(f"{name}.json"))
    return found


def log_rows(name: str) -> Iterator[dict[str, str]]:
    yield from csv.DictReader(text(f"{name}.csv").splitlines())


def start_of(log: str) -> dict[str, Any]:
    return vectors(f"{log}.start")


def without_answers(document: dict[str, Any]) -> dict[str, Any]:
    """As somebody would write it: what is asked, and nothing of what comes of it."""
    asked = ("time", "op", "in")
    sequences = [
        one | {"steps": [{name: step[name] for name in asked} for step in one["steps"]]}
        for one in document["sequences"]
    ]
    return document | {"sequences": sequences}


def answered(document: dict[str, Any]) -> dict[str, Any]:
    """With all that its lives are answered, as the file of it is told."""
    answers = replayed(document)
    lives = [life.fields | {"steps": list(life.steps)} for life in answers.sequences]
    return {**answers.fields, "sequences": lives}
