"""Headlines that somebody has collected: read, or refused in one sentence."""

from pathlib import Path

import pytest

from sim.prices.headlines import Headline
from storage.files.headlines_file import HeadlinesFileError, read_headlines

GOOD = '{"at": 1767225600123, "asset": "BTC", "text": "A court rules", "score": -0.25,'


def file_of(directory: Path, *lines: str) -> Path:
    path = directory / "headlines.jsonl"
    path.write_text("\n".join(lines))
    return path


def test_headlines_are_read_to_the_millionth(tmp_path: Path) -> None:
    second = GOOD.replace("-0.25", '"0.3"')
    path = file_of(
        tmp_path, GOOD + '"source": "wire", "weight": 0.5}', "", second + '"source":"x"}'
    )
    at_us = 1_767_225_600_123_000
    assert read_headlines(path) == [
        Headline(at_us, "BTC", "A court rules", -250_000, "wire", 500_000),
        Headline(at_us, "BTC", "A court rules", 300_000, "x", 1_000_000),
    ]


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (GOOD + '"source": ""}', r"line 2: source: string should have at least 1 character\."),
        (GOOD + '"source": "x", "weight": 2}', r"line 2: weight: input should be less than"),
        (GOOD + '"source": "x", "more": 2}', r"line 2: more: extra inputs are not permitted\."),
        (GOOD.replace("-0.25", "-1.5") + '"source": "x"}', "line 2: score: input should be great"),
        (GOOD.replace("-0.25", "NaN") + '"source": "x"}', "line 2: "),
        (GOOD.replace("A court", "A\\nb") + '"source": "x"}', "line 2: text: "),
        ("[]", "line 2: "),
        ("{", r"line 2: invalid JSON"),
        ("x" * 5_000, "line 2: longer than 4096 bytes"),
    ],
)
def test_a_line_that_is_none_is_told_by_its_number(
    tmp_path: Path, line: str, sentence: str
) -> None:
    with pytest.raises(HeadlinesFileError, match=sentence) as one:
        read_headlines(file_of(tmp_path, GOOD + '"source": "x"}', line))
    assert "\n" not in str(one.value)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(HeadlinesFileError, match=r"none cannot be read: No such file"):
        read_headlines(tmp_path / "none")
