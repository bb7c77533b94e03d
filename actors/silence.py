"""How long somebody has said nothing, as far as we were awake to listen; and how long is long."""

SILENT_S_MAX = 15.0
"""Without an answer after which a process that has answered before is taken for stuck."""

START_S_MAX = 600.0
"""For a start: the process, its imports, and its state out of PostgreSQL, on a busy machine, were
it by a journal without a snapshot. Who is ended before starts again from the beginning."""

STEP_S_MAX = 2.0
"""What one look adds at the most: whoever was stopped himself has not listened meanwhile."""


class Silence:
    """Seconds without an answer. Times are of one monotone clock, in seconds."""

    def __init__(self, now: float) -> None:
        self._looked_at = now
        self.seconds = 0.0

    def heard(self, now: float) -> None:
        """There was an answer."""
        self._looked_at, self.seconds = now, 0.0

    def listened(self, now: float) -> float:
        """There was none until now; the silence so far."""
        self.seconds += min(now - self._looked_at, STEP_S_MAX)
        self._looked_at = now
        return self.seconds
