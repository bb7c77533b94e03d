"""What signal agents leave goes by age and by number; never what a position that is open came of.

A verdict is PENDING while its position is, and WISHED before its order is sent: it stays, and so do
the consensus that it was made of and the signals that won that vote, for these are told what became
of it: the sum over all that was opened on them, so that what was decided about then stays, too.
"""

from typing import Any

import psycopg

from sim.signals.terms import CYCLE_S_MAX
from sim.signals.voting import CYCLES_MAX
from storage.errors import wrapped
from storage.upkeep.kept import DAY_US, Kept
from storage.upkeep.rows import Rows

HEADLINES_KEPT_US = 60 * DAY_US
"""More than agents may be set to look back."""

TOGETHER_US = CYCLES_MAX * CYCLE_S_MAX * 1_000_000
"""Between two votes that a signal takes part in."""

LAST_BEYOND = "SELECT seq FROM decisions ORDER BY seq DESC OFFSET %s LIMIT 1"
WAITS = "{0}.outcome = 'PENDING' OR {0}.order_state = 'WISHED'"
NEEDED = f"""
    SELECT d.id FROM decisions d WHERE {WAITS.format("d")}
    UNION ALL SELECT d.cause_id FROM decisions d
    WHERE d.cause_id IS NOT NULL AND ({WAITS.format("d")})
    UNION ALL SELECT winner::uuid FROM decisions d JOIN decisions c ON c.id = d.cause_id
    CROSS JOIN LATERAL jsonb_array_elements_text(c.context::jsonb -> 'winners') AS winner
    WHERE {WAITS.format("d")}"""
TOGETHER = f"""
    kind <> 'signal' AND action <> 'HOLD' AND EXISTS (
        SELECT FROM decisions d WHERE d.kind = 'risk_approval' AND ({WAITS.format("d")})
        AND d.symbol = decisions.symbol AND d.created_at_us BETWEEN
            decisions.created_at_us - {TOGETHER_US} AND decisions.created_at_us + {TOGETHER_US})"""
FREE = f"id NOT IN ({NEEDED}) AND NOT ({TOGETHER})"


def old_of_agents(connection: psycopg.Connection[Any], now_us: int, kept: Kept) -> list[Rows]:
    """Decisions with what was said of them, audit entries, headlines, and what sessions that ended
    long ago were worth by the minute."""
    with wrapped():
        row = connection.execute(LAST_BEYOND, (kept.decisions_max,)).fetchone()
    last_beyond, before_us = int(row[0]) if row is not None else 0, now_us - kept.decisions_us
    return [
        Rows("decisions", "seq", f"seq <= %s AND {FREE}", (last_beyond,)),
        Rows(
            "decisions",
            "created_at_us, seq",
            f"created_at_us < %s AND seq > %s AND {FREE}",
            (before_us, last_beyond),
        ),
        Rows("control_entries", "id", "at_us < %s", (now_us - kept.audit_us,)),
        Rows("headlines", "at_us, id", "at_us < %s", (now_us - HEADLINES_KEPT_US,)),
        Rows(
            "session_equity",
            "session_id, minute_us",
            "session_id IN (SELECT id FROM trading_sessions WHERE stopped_at_us < %s)",
            (before_us,),
        ),
    ]
