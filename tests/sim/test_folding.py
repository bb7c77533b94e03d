"""Large and small letters are taken for each other where both are of ASCII, or neither."""

import sys

from sim.folding import lower, upper


def test_words_and_names_are_folded() -> None:
    assert (upper("sell"), lower("SELL"), upper("straße"), lower("ÄB")) == (
        "SELL",
        "sell",
        "STRAßE",
        "äb",
    )


def test_no_letter_beyond_ascii_becomes_one_of_ascii() -> None:
    beyond = [chr(code) for code in range(128, sys.maxunicode + 1)]
    assert not [one for one in beyond if upper(one).isascii() or lower(one).isascii()]
    assert upper("\u017fell") == "\u017fELL"
    assert lower("\u212aate@example.com") == "\u212aate@example.com"
