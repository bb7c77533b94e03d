"""Random numbers that belong to traders, not to whoever computes them.

A counter-based generator (Philox 4×64, Salmon et al. 2011) is keyed by seed,
strategy and market, and counts blocks of traders, steps and lives. So a trader
draws the same numbers however a strategy is spread over actors.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sim.units import PPM

BLOCK_TRADERS = 4096
"""Traders who share one generator. A part of a population begins at a multiple of it."""

DRAWS_PER_WORD = 4
UNIT_BITS = 16
UNIT = 1 << UNIT_BITS
"""Draws are uniform integers from 0 to UNIT − 1."""

Draws = npt.NDArray[np.uint16]
"""(traders, 4 × words). To be widened before any arithmetic, which for those awake is cheap."""

WAKE_HIGH, WAKE_LOW = 0, 1
"""The columns that say whether a trader acts at all."""

BIRTH_STEP = 2**64 - 1
"""The step in which traders draw the character they keep for ever."""


@dataclass(frozen=True)
class Dice:
    """The draws of a run of traders.

    seed           of the world, 0 to 2**64 − 1
    stream         number of the strategy, 0 to 2**32 − 1
    first_trader   place of the first trader in the whole strategy, a multiple of BLOCK_TRADERS
    """

    seed: int
    stream: int
    traders: int
    first_trader: int = 0

    def __post_init__(self) -> None:
        if self.first_trader % BLOCK_TRADERS:
            raise ValueError(f"first_trader {self.first_trader} is not a multiple of a block")

    def draw(self, market: int, life: int, step: int, words: int) -> Draws:
        """uint16 (traders, 4 × words), each uniform in [0, UNIT)."""
        blocks = [
            self._block(market, life, step, words, first)
            for first in range(0, self.traders, BLOCK_TRADERS)
        ]
        return blocks[0] if len(blocks) == 1 else np.concatenate(blocks)

    def wake(
        self, market: int, life: int, step: int, activity_ppm: int, words: int
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Who acts in a step, each with the same chance, and what only they draw.

        Places int64 (awake,), ascending, and draws int64 (awake, 4 × words) in [0, UNIT).
        Costs half a word for a trader who sleeps. Not to be mixed with `draw` in one strategy.
        """
        chance = activity_ppm * UNIT * UNIT // PPM
        woken = [
            self._wake_block(market, life, step, chance, words, first)
            for first in range(0, self.traders, BLOCK_TRADERS)
        ]
        places, draws = zip(*woken, strict=True)
        return np.concatenate(places), np.concatenate(draws)

    def birth(self, market: int, words: int) -> Draws:
        """As `draw`, the same in every life."""
        return self.draw(market, 0, BIRTH_STEP, words)

    def _block(self, market: int, life: int, step: int, words: int, first: int) -> Draws:
        count = min(BLOCK_TRADERS, self.traders - first)
        pieces = self._sixteenths(self._generator(market, life, step, first), count * words)
        return pieces.reshape(count, words * DRAWS_PER_WORD)

    def _wake_block(
        self, market: int, life: int, step: int, chance: int, words: int, first: int
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        generator = self._generator(market, life, step, first)
        drawn = generator.random_raw(BLOCK_TRADERS // 2).astype("<u8", copy=False).view("<u4")
        places = np.flatnonzero(drawn[: self.traders - first] < chance)
        pieces = self._sixteenths(generator, len(places) * words).astype(np.int64)
        return places + first, pieces.reshape(len(places), words * DRAWS_PER_WORD)

    def _generator(self, market: int, life: int, step: int, first: int) -> np.random.Philox:
        block = (self.first_trader + first) // BLOCK_TRADERS
        key = np.array([self.seed, (self.stream << 16) | market], dtype=np.uint64)
        counter = np.array([0, block, step, life], dtype=np.uint64)
        return np.random.Philox(key=key, counter=counter)

    @staticmethod
    def _sixteenths(generator: np.random.Philox, words: int) -> Draws:
        return generator.random_raw(words).astype("<u8", copy=False).view("<u2")


def awake(draws: Draws, activity_ppm: int) -> npt.NDArray[np.int64]:
    """Places of the traders who act in this step, each with the same chance: int64, ascending."""
    chance = activity_ppm * UNIT * UNIT // PPM
    drawn = draws[:, WAKE_HIGH].astype(np.uint32) << UNIT_BITS | draws[:, WAKE_LOW]
    return np.flatnonzero(drawn < chance)
