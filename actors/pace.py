"""Pace: a loop with work to do begins its rounds no more often than is worth their fixed cost."""

import time


def pause(began: float, round_s_min: float) -> None:
    """Sleep until `round_s_min` seconds after `began`, a time.monotonic(). Call it after work only:

    what comes alone into an idle loop is then never held up.
    """
    left = began + round_s_min - time.monotonic()
    if left > 0:
        time.sleep(left)
