import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from decimal import Decimal
from pathlib import Path

import pytest

from actors.simulate.progress import amount, compact, fact_lines
from tests.sim.scenario_texts import EVERYONE, HEAD

CONTROL = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]|\r")
COLUMNS = 80


@pytest.mark.parametrize(
    ("rate", "text"),
    [
        (0.4, "0"),
        (812.3, "812"),
        (999.7, "1.0k"),
        (15_340, "15.3k"),
        (99_960, "100k"),
        (2_410_000, "2.4M"),
        (999_960, "1.0M"),
    ],
)
def test_a_rate_is_a_few_characters(rate: float, text: str) -> None:
    assert compact(rate) == text


def test_an_amount_is_to_the_cent_while_it_is_small() -> None:
    assert [amount(Decimal(text)) for text in ("-1466.319", "0", "110812897.52")] == [
        *("-1,466.32", "0.00", "110,812,898")
    ]


def test_facts_are_counted_in_a_line_a_market_and_one_for_the_real_trades() -> None:
    ours = {"name": "BTC-PERP", "holding": 7, "not_judged": 1, "facts": [{}] * 11}
    real = {**ours, "file": "BTCUSDT.csv", "markets": ["BTC-PERP"], "holding": 8, "not_judged": 0}
    summary = {"stylised_facts": [ours], "compared": real}
    assert fact_lines(summary) == [
        "facts: BTC-PERP 7 of 11 hold, 1 cannot be judged",
        "facts: BTCUSDT.csv 8 of 11 hold; compared with BTC-PERP",
    ]
    assert len(fact_lines({**summary, "compared": None})) == 1


def test_markets_that_say_the_same_share_a_line() -> None:
    open_facts = [{"why": "no trade was recorded"}] * 11
    ours = [
        {"name": name, "holding": 0, "not_judged": 11, "facts": open_facts}
        for name in ("BTC-PERP", "ETH-PERP")
    ]
    assert fact_lines({"stylised_facts": ours, "compared": None}) == [
        "facts: BTC-PERP, ETH-PERP none can be judged: no trade was recorded"
    ]


def test_the_bar_of_a_terminal_never_wraps_and_ends_whole(tmp_path: Path) -> None:
    scenario = tmp_path / "small.toml"
    scenario.write_text(HEAD.format(seed=3, duration_s=60) + EVERYONE)
    words = ["-m", "actors.cli", "simulate", str(scenario), "--out", str(tmp_path / "out")]
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, COLUMNS, 0, 0))
    with subprocess.Popen(
        [sys.executable, *words], stdin=slave, stdout=subprocess.DEVNULL, stderr=slave
    ) as process:
        os.close(slave)
        seen = b"".join(chunks(master)).decode()
    os.close(master)
    assert process.returncode == 0
    lines = [CONTROL.sub("", line) for line in re.split(r"\x1b\[2K|\n", seen)]
    bars = [line for line in lines if "%" in line]
    assert max(map(len, bars)) <= COLUMNS
    assert "100%" in bars[-1]
    assert "0:01:00" in bars[-1]  # and rates, unless the run ended before any was measured


def chunks(terminal: int) -> list[bytes]:
    """All that is written to a terminal until nobody holds its other end."""
    found = list[bytes]()
    while True:
        try:
            data = os.read(terminal, 65_536)
        except OSError:  # how Linux says so; others give an empty read
            return found
        if not data:
            return found
        found.append(data)
