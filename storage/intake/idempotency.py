"""The same request once: what a POST with an Idempotency-Key did is remembered with its effect.

One table for all routes, one row a key of an account, written in the transaction of the effect:
so a key is either unused, or what came of it is known. Orders are remembered by accept.py.
"""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple

from sim.market import COLLATERAL
from sim.refusals import Refusal, Refused, request_to
from storage.postgres.database import AsyncPool, now_us
from storage.postgres.unit_of_work import Connection, unit_of_work

CLAIM = f"""
WITH locked AS MATERIALIZED (
    SELECT 1 FROM balances WHERE account_id = %(account)s AND asset = '{COLLATERAL}' FOR UPDATE)
INSERT INTO idempotency (account_id, key, route, body_hash, response, order_ids, created_at_us)
SELECT %(account)s, %(key)s, %(route)s, %(hash)s, '', '{{}}', %(now)s
FROM (SELECT count(*) FROM locked) AS in_turn ON CONFLICT DO NOTHING RETURNING 1"""
"""Accepting orders takes the account's lock and then the key; the other way round, one request
would wait for the other."""

RECALL = """
SELECT route, body_hash, response, order_ids FROM idempotency WHERE account_id = %s AND key = %s"""
REMEMBER = "UPDATE idempotency SET response = %s WHERE account_id = %s AND key = %s"

MADE = ("droid_id",)
"""What of an outcome is told to whoever uses its key for something else."""

Outcome = dict[str, Any]
"""What a piece of work resulted in, as JSON holds it."""


def remembered_refusal(refused: Refused) -> Outcome:
    """A refusal as the memory of its request holds it."""
    return {"refusal": refused.refusal, "message": refused.message, "details": refused.details}


def recalled_refusal(entry: Outcome) -> Refused:
    """And back."""
    return Refused(Refusal(entry["refusal"]), entry["message"], entry["details"])


class Asked(NamedTuple):
    """A request that may come again. Without a key every time is a new request.

    asker   the user who says that the account is theirs, where that is still to be found out;
            None: the user of the account's own id, whose MAIN account it then is
    """

    account_id: int
    route: str
    body_hash: bytes
    key: str | None
    asker: int | None = None

    @property
    def user_id(self) -> int:
        """Whose the account has to be."""
        return self.account_id if self.asker is None else self.asker

    def refuse_unless(self, route: str, body_hash: bytes, made: Mapping[str, int]) -> None:
        """Raises Refused where the key was first used for another request, with what that has
        made."""
        if (route, body_hash) == (self.route, self.body_hash):
            return
        what = "for another request" if route == self.route else f"by {request_to(route)}"
        raise Refused(
            Refusal.IDEMPOTENCY_KEY_REUSED, f"This Idempotency-Key was used before {what}", {**made}
        )


async def once(
    pool: AsyncPool, asked: Asked, work: Callable[[Connection], Awaitable[Outcome]]
) -> Outcome:
    """Do the work in one transaction together with the memory of its outcome.

    A repetition gets the first outcome and does nothing. Raises Refused
    IDEMPOTENCY_KEY_REUSED where the key belongs to another request, and whatever
    the work raises; then nothing is remembered.
    """
    async with unit_of_work(pool) as connection:
        if asked.key is not None and not await claim(connection, asked):
            return await recall(connection, asked)
        outcome = await work(connection)
        if asked.key is not None:
            values = (json.dumps(outcome), asked.account_id, asked.key)
            await connection.execute(REMEMBER, values)
    return outcome


async def claim(connection: Connection, asked: Asked) -> bool:
    """Take the key; False if it is taken. Waits for a request under way with the same key."""
    values = {
        "account": asked.account_id,
        "key": asked.key,
        "route": asked.route,
        "hash": asked.body_hash,
        "now": now_us(),
    }
    return await (await connection.execute(CLAIM, values)).fetchone() is not None


async def recall(connection: Connection, asked: Asked) -> Outcome:
    """What the first request with this key resulted in."""
    row = await (await connection.execute(RECALL, (asked.account_id, asked.key))).fetchone()
    assert row is not None, "keys are never deleted while in use"
    asked.refuse_unless(row[0], bytes(row[1]), made_by(row[2], row[3]))
    outcome: Outcome = json.loads(row[2])
    return outcome


def made_by(response: str, order_ids: Sequence[int]) -> dict[str, int]:
    """The order or the droid of a request that is remembered, where it has made just one."""
    outcome = json.loads(response)
    if isinstance(outcome, dict):
        return {name: outcome[name] for name in MADE if name in outcome}
    numbers = [order_ids[one] if isinstance(one, int) else one.get("order") for one in outcome]
    orders = [number for number in numbers if number is not None]
    return {"order_id": orders[0]} if len(orders) == 1 else {}
