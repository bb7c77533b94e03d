"""Whose simulation runs next: addresses take turns, accounts of one address take turns, and
what one account asked for runs in the order in which it was asked."""

PLAN = """
WITH waiting AS (
    SELECT w.id, w.account_id, w.origin,
        row_number() OVER (PARTITION BY w.account_id ORDER BY w.id) AS turn,
        (SELECT max(s.started_at_us) FROM simulations s WHERE s.account_id = w.account_id)
            AS account_served_us,
        (SELECT max(s.started_at_us) FROM simulations s WHERE s.origin = w.origin)
            AS origin_served_us
    FROM simulations w WHERE w.ended_at_us IS NULL AND w.status = 'QUEUED'),
turns AS (
    SELECT *, row_number() OVER (
        PARTITION BY origin ORDER BY turn, account_served_us NULLS FIRST, id) AS origin_turn
    FROM waiting),
plan AS (
    SELECT id, row_number() OVER (
        ORDER BY origin_turn, origin_served_us NULLS FIRST, id) AS place
    FROM turns)"""
"""`plan`: the ids of what waits and the place of each, 1 for the next. Who was served longest ago
comes first. It is made anew for every start, so that a place is what it would be if nothing more
were asked for."""
