"""Seeded news: headlines at random times, and the index that follows each of them with a delay.

Each minute of each asset has its own draws, a pure function of seed, asset and minute. So nothing
is kept: whoever asks for a time, past or to come, is told the same headlines.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from zlib import crc32

import numpy as np
import numpy.typing as npt

from sim.prices.headlines import Headline, Integers
from sim.units import PPM

MINUTE_US, HOUR_US, MINUTES_A_DAY = 60_000_000, 3_600_000_000, 1_440
HEADLINES_A_DAY_MAX = MINUTES_A_DAY

NEWS_SEED_DOMAIN = 0x4E455753 << 32
"""Second key word of the generator, beside the asset's own, so that no price shares its stream."""

WORDS_A_MINUTE = 4
HOURS_KEPT = 512
PIECE, PIECE_BITS, HALF_WORD_BITS = 0xFFFF, 16, 32

DELAY_S_MIN, DELAY_S_MAX = 15, 120
"""How long after a headline the index begins to move."""

RISE_MS, FADE_MS = 300_000, 6 * 3_600_000
"""An index drifts for five minutes, ever slower, and what it has gone fades in six hours."""

MOVE_PPM = 3_000
"""How far it goes after a headline of score 1 from a source of weight 1."""

MOVES_PPM_MAX = 20_000
"""How far all headlines together move it."""

SOURCES = (("Ledger Morning Post", PPM), ("The Tape", 700_000), ("Chain Gossip", 400_000))
"""Invented ones, and how much each is listened to."""

SUBJECTS = (
    "A pension fund",
    "A payments company",
    "A mining pool",
    "A finance ministry",
    "A custody bank",
    "A fund for institutions",
    "A group of developers",
    "A court",
)
GOOD = (
    "{subject} buys {asset} for the first time",
    "{subject} rules in favour of those who hold {asset}",
    "{subject} reports record inflows into {asset}",
    "{subject} will settle invoices in {asset}",
)
MIXED = (
    "{subject} will decide about {asset} next month",
    "{subject} publishes a report on {asset}",
    "{subject} leaves its share of {asset} unchanged",
)
BAD = (
    "{subject} sells most of its {asset}",
    "{subject} asks for stricter rules for {asset}",
    "{subject} reports outflows from {asset}",
    "{subject} stops withdrawals of {asset} for a day",
)
MIXED_PPM_MAX = 200_000
"""Up to this score, good or bad, a headline is neither."""


class SeededNews:
    """News of some assets, `a_day` of each on average.

    Times are a Poisson process seen by the minute: at most one headline in each, with the same
    chance in all. Scores are triangular: small ones are the most.
    """

    def __init__(self, seed: int, assets: Sequence[str], a_day: int) -> None:
        self._seed, self._assets, self._a_day = seed, tuple(assets), a_day

    def public(self, since_us: int, until_us: int) -> list[Headline]:
        """See News."""
        found = [one for asset in self._assets for one in self._of(asset, since_us, until_us)]
        return sorted(found, key=lambda one: (one.at_us, one.asset))

    def moves_ppm(self, asset: str, times_us: Integers) -> Integers:
        """See News."""
        total = np.zeros(len(times_us), np.int64)
        if asset not in self._assets:
            return total
        longest_us = DELAY_S_MAX * 1_000_000 + FADE_MS * 1_000
        first_us, last_us = int(times_us[0]), int(times_us[-1])
        for headline in self._of(asset, first_us - longest_us, last_us):
            from_us = headline.at_us + delay_us(headline)
            begin, end = np.searchsorted(times_us, (from_us, from_us + FADE_MS * 1_000))
            total[begin:end] += gone_ppm(headline, (times_us[begin:end] - from_us) // 1_000)
        moves: Integers = np.clip(total, -MOVES_PPM_MAX, MOVES_PPM_MAX)
        return moves

    def _of(self, asset: str, since_us: int, until_us: int) -> Iterator[Headline]:
        for hour in range(since_us // HOUR_US, (until_us - 1) // HOUR_US + 1):
            for headline in headlines_of_hour(self._seed, asset, self._a_day, hour):
                if since_us <= headline.at_us < until_us:
                    yield headline


@lru_cache(HOURS_KEPT)
def headlines_of_hour(seed: int, asset: str, a_day: int, hour: int) -> tuple[Headline, ...]:
    """The headlines of one asset in one hour since 1970, in order."""
    key = np.array([seed, NEWS_SEED_DOMAIN | crc32(asset.encode())], np.uint64)
    counter = np.array([0, hour, 0, 0], np.uint64)
    minutes = HOUR_US // MINUTE_US
    words: npt.NDArray[np.uint64] = np.random.Philox(key=key, counter=counter).random_raw(
        minutes * WORDS_A_MINUTE
    )
    found = []
    for minute, (chance, when, what, tone) in enumerate(words.reshape(minutes, -1).tolist()):
        if (chance >> HALF_WORD_BITS) * MINUTES_A_DAY < a_day << HALF_WORD_BITS:
            at_us = hour * HOUR_US + minute * MINUTE_US + when % MINUTE_US
            found.append(_headline(at_us, asset, what, tone))
    return tuple(found)


def _headline(at_us: int, asset: str, what: int, tone: int) -> Headline:
    """Its words and its score, from two words of draws."""
    score_ppm = ((tone & PIECE) + (tone >> PIECE_BITS & PIECE) - PIECE) * PPM // PIECE
    wordings: tuple[str, ...] = MIXED
    if abs(score_ppm) > MIXED_PPM_MAX:
        wordings = GOOD if score_ppm > 0 else BAD
    subject = SUBJECTS[(what & PIECE) % len(SUBJECTS)]
    wording = wordings[(what >> PIECE_BITS & PIECE) % len(wordings)]
    source, weight_ppm = SOURCES[(what >> HALF_WORD_BITS & PIECE) % len(SOURCES)]
    text = wording.format(subject=subject, asset=asset)
    return Headline(at_us, asset, text, score_ppm, source, weight_ppm)


def delay_us(headline: Headline) -> int:
    """From a headline until the index begins to move: its own, between the two bounds."""
    return (DELAY_S_MIN + headline.at_us % (DELAY_S_MAX - DELAY_S_MIN)) * 1_000_000


def gone_ppm(headline: Headline, since_ms: Integers) -> Integers:
    """How far one headline has moved an index, int64, at times since it began to, below FADE_MS."""
    far_ppm = MOVE_PPM * headline.score_ppm * headline.weight_ppm // PPM**2
    rise_ms = np.minimum(since_ms, RISE_MS)
    risen = far_ppm * rise_ms * (2 * RISE_MS - rise_ms) // RISE_MS**2
    fading_ms = np.maximum(since_ms - RISE_MS, 0)
    gone: Integers = risen - far_ppm * fading_ms // (FADE_MS - RISE_MS)
    return gone
