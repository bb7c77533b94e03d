"""Real logs of pools as files, and droids that may work on them."""

import gzip
from pathlib import Path

from storage.files.shipped_logs import SHIPPED_DIRECTORY

DATA = Path(__file__).parent / "data" / "v3"
DAY, MORNING = "usdc-weth-3000-2024-01-05", "usdc-weth-500-2024-01-05-first"

DROID = """\
fundingUSD = 50000
triggerType = "EMA"
tickBuckets = 10
bucketOffset = 0
fundingCurveType = "LINEAR"
maxBots = 5
maxPrice = 4000
minPrice = 1500
maxGasPrice = 50
txPriority = 1
derivativeThreshold = 0.01
ladderPercMargin = 0.02
fallingRebalanceTrigger = 0.03
risingRebalanceTrigger = 0.05
"""
BUSY = {
    "tickBuckets": "1",
    "fallingRebalanceTrigger": "0.004",
    "risingRebalanceTrigger": "0.004",
    "ladderPercMargin": "0.0005",
}
"""What makes that one follow a calm day's price."""


def droid_text(**changes: str) -> str:
    lines = [line.partition(" = ") for line in DROID.splitlines()]
    return "".join(f"{name} = {changes.pop(name, value)}\n" for name, _, value in lines)


def written_droid(directory: Path, **changes: str) -> Path:
    path = directory / "droid.toml"
    path.write_text(droid_text(**changes))
    return path


def unpacked(log: str, directory: Path) -> Path:
    """The log's two files as anybody may have them."""
    for name in (f"{log}.csv", f"{log}.start.json"):
        (directory / name).write_bytes(gzip.decompress(kept(f"{name}.gz").read_bytes()))
    return directory / f"{log}.csv"


def sent(log: str) -> dict[str, str]:
    """The same as a request has them."""
    names = {"swapsText": f"{log}.csv.gz", "startText": f"{log}.start.json.gz"}
    return {
        field: gzip.decompress(kept(name).read_bytes()).decode() for field, name in names.items()
    }


def packed(log: str) -> Path:
    return kept(f"{log}.csv.gz")


def kept(name: str) -> Path:
    """A file of the tests' own, or one that ships."""
    shipped = SHIPPED_DIRECTORY / name
    return shipped if shipped.exists() else DATA / name
