"""Which ticks are initialised: one bit for each multiple of the spacing, 256 of them a word."""

from collections.abc import Mapping

from sim.pool.reverts import require

WORD_BITS = 256


def flipped_word(words: Mapping[int, int], tick: int, tick_spacing: int) -> tuple[int, int]:
    """Number of a tick's word, and the word with the tick's bit turned over. Raises Reverted where
    the tick is no multiple of the spacing."""
    require(tick % tick_spacing == 0)
    number, bit = divmod(tick // tick_spacing, WORD_BITS)
    return number, words[number] ^ 1 << bit


def past_empty_words(
    words: Mapping[int, int], tick: int, tick_spacing: int, limit_tick: int, downwards: bool
) -> int:
    """From where a search goes on that has come to the end of all empty words before the limit's:
    the tick itself, unless its own word is one."""
    compressed, last = tick // tick_spacing, limit_tick // tick_spacing // WORD_BITS
    found = number = (compressed if downwards else compressed + 1) // WORD_BITS
    if downwards:
        while found > last and found not in words:
            found -= 1
        return tick if found == number else ((found + 1) * WORD_BITS - 1) * tick_spacing
    while found < last and found not in words:
        found += 1
    return tick if found == number else (found * WORD_BITS - 1) * tick_spacing


def next_initialized_tick(
    words: Mapping[int, int], tick: int, tick_spacing: int, downwards: bool
) -> tuple[int, bool]:
    """The nearest initialised tick, or the last tick of the word; and whether it is initialised.

    Downwards it may be the tick itself, upwards it lies above. The search ends at the edge of a
    word, whatever lies beyond.
    """
    compressed = tick // tick_spacing
    if downwards:
        number, bit = divmod(compressed, WORD_BITS)
        found = words[number] & ((2 << bit) - 1)
        place = found.bit_length() - 1 if found else 0
    else:
        number, bit = divmod(compressed + 1, WORD_BITS)
        found = words[number] >> bit << bit
        place = (found & -found).bit_length() - 1 if found else WORD_BITS - 1
    return (number * WORD_BITS + place) * tick_spacing, found != 0
