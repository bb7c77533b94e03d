"""Once an hour: guests who never did anything go, and logins that are over."""

from typing import Any

from storage.people.idle_identities import ROWS_MAX, remove_expired_logins, remove_idle_guests

SWEEP_EVERY_US = 3_600_000_000


class IdentitySweep:
    """Takes a bounded number of rows a step, so that whoever calls it is not held up.

    guest_ttl_s   how long a guest may do nothing
    """

    def __init__(self, guest_ttl_s: int) -> None:
        self._guest_ttl_us = guest_ttl_s * 1_000_000
        self._due_us = 0

    def step(self, connection: Any, at_us: int) -> int:
        """Remove what is due; how many rows were looked at. Raises StorageError."""
        if at_us < self._due_us:
            return 0
        guests = remove_idle_guests(connection, at_us, self._guest_ttl_us)
        logins = remove_expired_logins(connection, at_us)
        if max(guests, logins) < ROWS_MAX:
            self._due_us = at_us + SWEEP_EVERY_US
        return guests + logins
