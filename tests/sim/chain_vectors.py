"""What chains, their libraries and contracts answered: the files of tests/data/chain."""

import gzip
import json
from functools import cache
from pathlib import Path
from typing import Any

DATA = Path(__file__).parents[1] / "data" / "chain"


@cache
def vectors(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(gzip.decompress((DATA / f"{name}.json.gz").read_bytes()))
    return found


def blocks(fork: str) -> list[dict[str, Any]]:
    return [block for block in vectors("blocks")["blocks"] if block["fork"] == fork]


def unhexed(text: str) -> bytes:
    assert text.startswith("0x")
    return bytes.fromhex(text[2:])
