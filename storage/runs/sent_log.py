"""Logs of pools that somebody sent, as they are kept with the simulation that lives them."""

import json
import zlib
from dataclasses import dataclass
from hashlib import blake2b

from sim.backtest.log import PoolLog
from sim.scenario.fields import ScenarioError
from storage.files.swap_log_file import SwapLogError, swap_log_in

SENT_BYTES_MAX = 4_000_000
"""Of both texts: some sixteen thousand rows."""

NAME_BYTES, COMPRESSION_LEVEL = 4, 1


@dataclass(frozen=True)
class SentLog:
    """swaps, start   what stands in LOG.csv and in LOG.start.json
    called            the two, in what is said of them
    """

    swaps: str
    start: str
    called: tuple[str, str] = ("swaps", "start")

    @property
    def name(self) -> str:
        """Of these very texts."""
        texts = f"{self.start}\0{self.swaps}".encode("utf-8", "surrogatepass")
        return f"sent-{blake2b(texts, digest_size=NAME_BYTES).hexdigest()}"

    def checked(self) -> "SentLog":
        """Raises ScenarioError where it is larger than what is read, or no text."""
        try:
            size = len(self.swaps.encode()) + len(self.start.encode())
        except UnicodeEncodeError:
            raise self._refuse("half a character", "Unicode") from None
        if size > SENT_BYTES_MAX:
            raise self._refuse(f"{size} bytes with {self.called[1]}", f"{SENT_BYTES_MAX} in all")
        return self

    def packed(self) -> bytes:
        """As it is kept."""
        texts = [self.swaps, self.start, *self.called]
        return zlib.compress(json.dumps(texts).encode(), COMPRESSION_LEVEL)

    def read(self) -> PoolLog:
        """Raises ScenarioError, which names the line and what is wrong in it."""
        try:
            return swap_log_in(self.name, self.swaps, self.start, self.called)
        except SwapLogError as error:
            raise ScenarioError(str(error).removesuffix(".")) from error

    def _refuse(self, found: str, allowed: str) -> ScenarioError:
        return ScenarioError(f"{self.called[0]}: found {found}, allowed is {allowed}")


def unpacked(kept: bytes) -> SentLog:
    """What `packed` has made."""
    swaps, start, *called = json.loads(zlib.decompress(kept))
    return SentLog(swaps, start, (called[0], called[1]))
