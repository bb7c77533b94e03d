"""Pace: the more a loop had to do, the longer it waits for company before its next round."""

import time


def pause(began: float, rows: int, row_s: float, round_s_max: float) -> None:
    """Sleep until `rows` × `row_s`, at most `round_s_max`, after `began`, a time.monotonic().

    A round has a large fixed cost (a commit, a wake-up): under load fewer and
    larger rounds do more. What comes alone is hardly held up.
    """
    left = began + min(rows * row_s, round_s_max) - time.monotonic()
    if left > 0:
        time.sleep(left)
