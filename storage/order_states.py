"""Which rows of orders are open, and how their indexes tell.

An order's status changes while it is open, mostly twice. No index has the column, so PostgreSQL
writes such a change into the page of the row before it (a "HOT" update) and leaves every index
alone; what indexes have is `ended_status`, which changes once.
"""

from sim.orders import LAST_OPEN_STATUS

ENDED_STATUS = f"CASE WHEN status > {LAST_OPEN_STATUS:d} THEN status END"
"""The column's value: null while an order is open."""

OPEN, ENDED = "ended_status IS NULL", "ended_status IS NOT NULL"
"""Of a row, in the words that the indexes are about."""
