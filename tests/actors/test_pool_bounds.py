"""What one file may ask of `sandpit pool replay`: no more than is answered in bounded memory and
time, and what is more is refused in one sentence."""

import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

import sim.pool.replaying
import storage.files.answers_file
import storage.files.sequences_file
from sim.pool.replaying import replayed
from storage.files.answers_file import text_of
from tests.actors.test_pool_command import FIRST_PRICE, one_life, replay, step, written

SLOTS = 8_000
PRICES = {True: "4295128740", False: str(1461446703485210103287273052203988822378723970341)}


def lives(count: int) -> dict[str, Any]:
    prepared = step("increaseObservationCardinalityNext", observationCardinalityNext=SLOTS)
    (life,) = one_life(FIRST_PRICE, prepared)["sequences"]
    return {"sequences": [life] * count}


def swap(down: bool) -> dict[str, Any]:
    return step(
        "swap", zeroForOne=down, amountSpecified=str(2**250), sqrtPriceLimitX96=PRICES[down]
    )


def crossings(count: int) -> dict[str, Any]:
    """Through all prices where there is liquidity everywhere."""
    mint = step("mint", owner="A", tickLower=-887220, tickUpper=887220, amount="1")
    document = one_life(FIRST_PRICE, mint, *(swap(number % 2 == 0) for number in range(count)))
    document["sequences"][0]["tickSpacing"] = 1
    return document


def peak_bytes(count: int) -> int:
    tracemalloc.start()
    try:
        assert sum(map(len, text_of(replayed(lives(count))))) > count * SLOTS * 100
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_pool_is_forgotten_with_its_life() -> None:
    assert peak_bytes(5) < 1.5 * peak_bytes(1)


def refused(path: Path, *options: str | Path) -> str:
    done = replay(path, *options)
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    return done.stderr


def test_answers_that_are_too_large_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage.files.answers_file, "CONTENT_BYTES_MAX", 100_000)
    asked = written(tmp_path / "asked.json", lives(1))
    sentence = "The answers are larger than 100000 bytes: ask for less in one file."
    assert sentence in refused(asked)
    assert sentence in refused(asked, "--out", tmp_path / "told.json")
    assert [path.name for path in tmp_path.iterdir()] == ["asked.json"]


def test_long_swaps_are_counted_for_a_whole_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sim.pool.replaying, "LONG_WALK_STEPS_MAX", 12_000)
    few = written(tmp_path / "few.json", crossings(2))
    assert replay(few).exit_code == 0
    many = written(tmp_path / "many.json", crossings(4))
    assert "sequences[0].steps[4].in: found swaps that go through more than 12000" in refused(many)


def test_a_document_is_so_deep_and_no_deeper(tmp_path: Path) -> None:
    for depth in (99, 100, 980, 100_000):
        path = tmp_path / "asked.json"
        path.write_text('{"about": ' + "[" * depth + "]" * depth + ', "sequences": []}')
        if depth == 99:
            assert replay(path).exit_code == 0
        else:
            assert "is nested more than 100 deep." in refused(path)


def test_a_document_has_so_many_values_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage.files.sequences_file, "VALUES_MAX", 100)
    path = written(tmp_path / "asked.json", {"about": [[]] * 50, "sequences": []})
    assert "has more than 100 values." in refused(path)


def test_a_sentence_names_no_more_owners_than_are_read(tmp_path: Path) -> None:
    document = one_life(FIRST_PRICE, step("burn", owner="?", tickLower=0, tickUpper=1, amount="0"))
    document["sequences"][0]["owners"] = {f"owner {n}": f"0x{n:040x}" for n in range(5_000)}
    said = refused(written(tmp_path / "asked.json", document))
    assert 'found "?", allowed is owner 0, owner 1, ' in said
    assert len(said) < 700


def test_answers_are_written_to_no_link_that_leads_to_itself(tmp_path: Path) -> None:
    asked = written(tmp_path / "asked.json", one_life(FIRST_PRICE))
    (loop := tmp_path / "loop.json").symlink_to(loop)
    said = refused(asked, "--out", loop)
    assert said == f"sandpit: {loop} cannot be written: Too many levels of symbolic links.\n"


def test_what_is_told_stands_as_it_does_in_one_piece() -> None:
    about = {"about": "two", "sequences": crossings(1)["sequences"] * 2}
    text = "".join(text_of(replayed(about)))
    assert text.startswith('{"about":"two",\n"sequences":[\n{"fee":3000,"tickSpacing":1,')
    assert text.endswith("}\n]}\n]}\n")
    assert len(json.loads(text)["sequences"]) == 2
