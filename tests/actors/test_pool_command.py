"""`sandpit pool replay` reads what is asked of pools and writes what they answer."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from actors.cli import app
from tests.sim.pool_vectors import text, vectors, without_answers

NAME = "pool_sequences_ts200"


def replay(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["pool", "replay", *map(str, arguments)])


def written(path: Path, document: object) -> Path:
    content = json.dumps(document).encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def one_life(*steps: dict[str, Any]) -> dict[str, Any]:
    return {
        "sequences": [
            {
                "fee": 3000,
                "tickSpacing": 60,
                "startTime": 100,
                "owners": {"A": "0x" + "1a" * 20, "B": "0x" + "2b" * 20},
                "steps": list(steps),
            }
        ]
    }


def step(op: str, time: int = 100, **asked: object) -> dict[str, Any]:
    return {"time": time, "op": op, "in": asked}


FIRST_PRICE = step("initialize", sqrtPriceX96=str(2**96))
FIRST = "sequences[0].steps[1]"


@pytest.mark.parametrize("ending", ["json", "json.gz"])
def test_without_its_answers_a_file_comes_back_with_all_of_them(
    tmp_path: Path, ending: str
) -> None:
    asked = written(tmp_path / f"asked.{ending}", without_answers(vectors(NAME)))
    told = tmp_path / f"told.{ending}"
    done = replay(asked, "--out", told)
    assert (done.exit_code, done.output) == (0, "")
    content = told.read_bytes()
    content = gzip.decompress(content) if ending.endswith("gz") else content
    assert content.decode() == text(f"{NAME}.json")
    assert sorted(path.name for path in tmp_path.iterdir()) == [asked.name, told.name]


def test_without_a_name_for_them_the_answers_are_printed(tmp_path: Path) -> None:
    asked = written(tmp_path / "asked.json", without_answers(vectors(NAME)))
    done = replay(asked)
    assert done.exit_code == 0
    assert done.stdout == text(f"{NAME}.json")


def test_a_revert_is_an_answer_and_the_life_goes_on(tmp_path: Path) -> None:
    early = step("observe", secondsAgos=[0])
    late = step("mint", 112, owner="B", tickLower=-60, tickUpper=60, amount="1000")
    asked = written(tmp_path / "asked.json", one_life(early, FIRST_PRICE, late))
    told = json.loads(replay(asked).stdout)["sequences"][0]["steps"]
    assert told[0] == early | {"revert": "I"}
    assert told[1]["state"]["tick"] == 0
    assert told[2]["out"]["amount0"] == "3"
    assert set(told[2]["ticks"]) == {"-60", "60"}
    assert set(told[2]["positions"]) == {"B:-60:60"}


def test_the_example_of_the_documents_is_answered_as_they_say(tmp_path: Path) -> None:
    document = (Path(__file__).parents[2] / "docs" / "pools.md").read_text()
    (tmp_path / "asked.json").write_text(document.split("```json\n")[1].split("```")[0])
    (life,) = json.loads(replay(tmp_path / "asked.json").stdout)["sequences"]
    for told in life["steps"]:
        answer = {name: told[name] for name in ("out", "revert") if name in told}
        shown = json.dumps(answer, separators=(",", ":"))[1:-1]
        assert f"| {told['op']} | `{shown}` |" in document


def test_a_file_that_cannot_be_used_is_refused_in_one_sentence(tmp_path: Path) -> None:
    broken, cut = tmp_path / "broken.json", tmp_path / "cut.json.gz"
    broken.write_text('{"sequences":\n [,]}')
    cut.write_bytes(gzip.compress(b'{"sequences":[]}' * 99)[:-9])
    refused = {
        tmp_path / "none.json": "none.json cannot be read: No such file or directory.",
        tmp_path: "cannot be read: it is not a regular file.",
        broken: "broken.json is not JSON: Expecting value at line 2, column 3.",
        cut: "cut.json.gz cannot be read: Compressed file ended before",
    }
    for path, sentence in refused.items():
        done = replay(path)
        assert done.exit_code == 1
        assert sentence in done.stderr
        assert done.stderr.count("\n") == 1
        assert done.stdout == ""


def test_numbers_that_json_has_not_are_refused(tmp_path: Path) -> None:
    for number in ("NaN", "-Infinity", "1e999"):
        path = tmp_path / "asked.json"
        path.write_text(f'{{"about": {number}, "sequences": []}}')
        assert f"is not JSON: it has the number {number}." in replay(path).stderr


@pytest.mark.parametrize(
    ("once", "twice", "sentence"),
    [
        ('"fee": 3000', '"fee": 500, "fee": 3000', 'sequences[0] names a key twice: "fee"'),
        ('"op": "observe"', '"op": "x", "op": "observe"', f'{FIRST} names a key twice: "op"'),
        ("[0]", '[0], "secondsAgos": [7]', f'{FIRST}.in names a key twice: "secondsAgos"'),
        ('"A": ', '"A": "0x", "A": ', 'sequences[0].owners names a key twice: "A"'),
        ('{"seq', '{"about": [0, {"b": 1, "b": 1}], "seq', 'about[1] names a key twice: "b"'),
        (
            '{"seq',
            '{"sequences": [{"a": 1, "a": 1}], "seq',
            'the file names a key twice: "sequences"',
        ),
        ('{"seq', '{"\\ud800": 1, "\\ud800": 1, "seq', 'the file names a key twice: "\\ud800"'),
    ],
)
def test_a_key_that_is_named_twice_is_refused_with_its_place(
    tmp_path: Path, once: str, twice: str, sentence: str
) -> None:
    path = written(tmp_path / "asked.json", one_life(FIRST_PRICE, step("observe", secondsAgos=[0])))
    assert path.read_text().count(once) == 1
    path.write_text(path.read_text().replace(once, twice))
    done = replay(path, "--out", tmp_path / "told.json")
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == f"sandpit: {path}: {sentence}.\n"
    assert not (tmp_path / "told.json").exists()


def test_answers_that_cannot_be_written_are_told(tmp_path: Path) -> None:
    asked = written(tmp_path / "asked.json", one_life(FIRST_PRICE))
    nowhere, folder = tmp_path / "nowhere" / "told.json", tmp_path
    for out, why in {nowhere: "No such file or directory", folder: "Is a directory"}.items():
        done = replay(asked, "--out", out)
        assert done.exit_code == 1
        assert done.stderr == f"sandpit: {out} cannot be written: {why}.\n"
    assert [path.name for path in tmp_path.iterdir()] == ["asked.json"]


def test_answers_go_where_a_link_leads(tmp_path: Path) -> None:
    asked = written(tmp_path / "asked.json", one_life(FIRST_PRICE))
    (tmp_path / "link.json").symlink_to(tmp_path / "told.json")
    assert replay(asked, "--out", tmp_path / "link.json").exit_code == 0
    assert (tmp_path / "link.json").is_symlink()
    assert (tmp_path / "told.json").read_text() == replay(asked).stdout


def test_whatever_a_life_is_called_comes_back(tmp_path: Path) -> None:
    document = one_life(FIRST_PRICE) | {"about": "\ud800 é"}
    asked = written(tmp_path / "asked.json", document)
    assert json.loads(replay(asked).stdout)["about"] == "\ud800 é"


Change = Callable[[dict[str, Any]], object]
REFUSED: list[tuple[Change, str]] = [
    (lambda life: life.update(fee="3000"), 'sequences[0].fee: found "3000", allowed is a whole'),
    (lambda life: life.update(fees=1), "sequences[0].fees: there is no such field here, only id"),
    (lambda life: life.pop("tickSpacing"), "sequences[0].tickSpacing: found nothing, allowed is"),
    (lambda life: life.update(steps={}), "sequences[0].steps: found {}, allowed is an array"),
    (lambda life: life["owners"].update(B="0x12"), 'sequences[0].owners.B: found "0x12", allowed'),
    (
        lambda life: life["owners"].update(C="0x" + "1A" * 20),
        "sequences[0].owners.C: A has the same address",
    ),
    (lambda life: life["steps"].append(7), "sequences[0].steps[2]: found 7, allowed is an object"),
    (lambda life: life["steps"][1].update(op="melt"), f'{FIRST}.op: found "melt", allowed is'),
    (lambda life: life["steps"][1].update(op=[]), f"{FIRST}.op: found [], allowed is initialize"),
    (lambda life: life["steps"][1].update(time=99), f"{FIRST}.time: found 99, allowed is a whole"),
    (lambda life: life["steps"][1].pop("in"), f"{FIRST}.in: found nothing, allowed is an object"),
    (lambda life: asked_of(life).update(amount="1.5"), f'{FIRST}.in.amount: found "1.5", allowed'),
    (lambda life: asked_of(life).update(amount=5), f"{FIRST}.in.amount: found 5, allowed is a dec"),
    (lambda life: asked_of(life).update(amount="-1"), f'{FIRST}.in.amount: found "-1", allowed'),
    (
        lambda life: asked_of(life).update(amount=str(2**128)),
        f'{FIRST}.in.amount: found "{2**128}", allowed is a decimal string of 0 to 2^128 − 1',
    ),
    (lambda life: asked_of(life).update(owner="Z"), f'{FIRST}.in.owner: found "Z", allowed is A'),
    (
        lambda life: asked_of(life).update(tickLower=0.5),
        f"{FIRST}.in.tickLower: found 0.5, allowed",
    ),
    (lambda life: asked_of(life).update(tickLower=True), f"{FIRST}.in.tickLower: found true, allo"),
    (lambda life: asked_of(life).update(pay=["1"]), f'{FIRST}.in.pay: found ["1"], allowed is two'),
    (lambda life: asked_of(life).update(pay=["1", "x"]), f'{FIRST}.in.pay[1]: found "x", allowed'),
    (lambda life: asked_of(life).update(limit="1"), f"{FIRST}.in.limit: there is no such field"),
]


def asked_of(life: dict[str, Any]) -> dict[str, Any]:
    asked: dict[str, Any] = life["steps"][1]["in"]
    return asked


@pytest.mark.parametrize(("change", "sentence"), REFUSED)
def test_a_wrong_field_is_refused_with_its_place(
    tmp_path: Path, change: Change, sentence: str
) -> None:
    mint = step("mint", owner="A", tickLower=-60, tickUpper=60, amount="1000")
    document = one_life(FIRST_PRICE, mint)
    change(document["sequences"][0])
    path = written(tmp_path / "asked.json", document)
    done = replay(path, "--out", tmp_path / "told.json")
    assert done.exit_code == 1
    assert f"sandpit: {path}: {sentence}" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "told.json").exists()


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ([], "the file: found [], allowed is an object."),
        ({}, "sequences: found nothing, allowed is an array."),
        ({"sequences": [], "more": 1}, "more: there is no such field here, only about, sequences."),
    ],
)
def test_a_document_of_another_kind_is_refused(
    tmp_path: Path, document: object, sentence: str
) -> None:
    done = replay(written(tmp_path / "asked.json", document))
    assert done.exit_code == 1
    assert done.stderr.endswith(f"asked.json: {sentence}\n")
