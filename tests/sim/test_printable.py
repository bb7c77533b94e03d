"""Foreign text is shown as what it is, and does nothing."""

import sys

from sim.printable import printable, printable_lines


def test_what_can_be_seen_stays_and_the_rest_is_written_out() -> None:
    assert printable("é – 価格 0.5") == "é – 価格 0.5"
    assert printable("a\x1b]0;x\x07\r\n\x9b\u202e\ud800\x7f") == (
        r"a\x1b]0;x\x07\r\n\x9b\u202e\ud800\x7f"
    )
    assert printable_lines("one\x07\ntwo\n") == "one\\x07\ntwo\n"


def test_nothing_is_left_that_cannot_be_seen() -> None:
    whole = "".join(map(chr, range(sys.maxunicode + 1)))
    assert printable(whole).isprintable()
    printable(whole).encode()
