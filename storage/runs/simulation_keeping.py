"""Which ended simulations are kept, and for how long.

Nobody is refused for what has ended, and nobody's acts remove what somebody else was promised.
Who has its own number replaces its own oldest. Beyond the number of an address or of everybody
a simulation is lent: it runs as any other does and goes an hour after its end. What never took a
step is no result, and what stays an hour at most makes no claim on any number.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from storage.people.accounts import UNUSABLE_HASH
from storage.postgres.unit_of_work import Connection

LENT_S = 3_600
"""How long what is lent stays after its end, and what ended while it waited."""

NEVER_BEGAN_MAX = 5
"""Of one account's that ended while they waited."""

TRACE_S = 86_400
"""How long it is known that a forgotten one has run, so that forgetting wins no turn."""

FORGOTTEN_AT_ONCE_MAX = 100
FORGOTTEN = "FORGOTTEN"
"""The status of a trace. No list shows one, and no id finds it."""

NOT_FORGOTTEN = f"status <> '{FORGOTTEN}'"
KEPT_UNTIL_US = f"""ended_at_us + 1000000::bigint *
    CASE WHEN started_at_us IS NULL THEN least(kept_s, {LENT_S}) ELSE kept_s END"""
OVER = f"ended_at_us IS NOT NULL AND {KEPT_UNTIL_US} <= %s"
"""Of the rows of simulations: those that are kept no longer."""

FORGET_OLDEST = f"""
DELETE FROM simulations WHERE id IN (
    SELECT id FROM simulations WHERE account_id = %s AND ended_at_us IS NOT NULL
        AND (started_at_us IS NOT NULL) = %s AND {NOT_FORGOTTEN}
    ORDER BY id DESC OFFSET %s LIMIT {FORGOTTEN_AT_ONCE_MAX})"""
COUNT_KEPT = f"""
SELECT count(*), count(*) FILTER (WHERE origin = %(origin)s),
    count(*) FILTER (WHERE account_id = %(account)s)
FROM simulations WHERE kept_s > {LENT_S} AND {NOT_FORGOTTEN}
    AND (ended_at_us IS NULL OR started_at_us IS NOT NULL)"""
IS_GUEST = f"SELECT password_hash = '{UNUSABLE_HASH}' FROM users WHERE id = %s"
OWNED = f"""id = %(id)s AND (%(owner)s::bigint IS NULL OR account_id = %(owner)s)
    AND {NOT_FORGOTTEN}"""
FORGET = f"""
DELETE FROM simulations WHERE {OWNED} AND ended_at_us IS NOT NULL
RETURNING id, account_id, origin, created_at_us, started_at_us, ended_at_us"""
LEAVE_TRACE = f"""
INSERT INTO simulations (id, account_id, origin, created_at_us, started_at_us, ended_at_us,
    status, kept_s, name, scenario, seed, traders, markets, steps, step_us, run_no, tries, step,
    orders, fills, steps_per_second, orders_per_second, fills_per_second)
VALUES (%s, %s, %s, %s, %s, %s, '{FORGOTTEN}', {TRACE_S}, '', '', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0)"""


@dataclass(frozen=True)
class Asker:
    """Who asks for a simulation. origin: the address, as limits group addresses."""

    account: int
    origin: str


@dataclass(frozen=True)
class KeptLimits:
    """How many ended simulations stay beyond an hour, and how long.

    own_max            of the account (None: no limit at all)
    all_max            of everybody
    users_an_address   of an address as many as of so many accounts
    user_s, guest_s    how long after the end, of a user and of a guest
    """

    own_max: int | None
    all_max: int
    users_an_address: int
    user_s: int
    guest_s: int


async def kept_s_of_new(connection: Connection, asker: Asker, limits: KeptLimits) -> int:
    """How long a simulation will stay that is asked for now. The caller holds the entrance."""
    promised_s = limits.guest_s if await _is_guest(connection, asker.account) else limits.user_s
    if limits.own_max is None:
        return promised_s
    row = await (await connection.execute(COUNT_KEPT, vars(asker))).fetchone()
    assert row is not None
    everybodys, of_address, own = row
    is_full = of_address >= limits.users_an_address * limits.own_max
    if own < limits.own_max and (is_full or everybodys >= limits.all_max):
        return min(LENT_S, promised_s)
    return promised_s


async def _is_guest(connection: Connection, account: int) -> bool:
    return await (await connection.execute(IS_GUEST, (account,))).fetchone() == (True,)


async def forget_oldest(connection: Connection, account: int, own_max: int | None) -> None:
    """Remove an account's oldest beyond its own numbers."""
    await connection.execute(FORGET_OLDEST, (account, False, NEVER_BEGAN_MAX))
    if own_max is not None:
        await connection.execute(FORGET_OLDEST, (account, True, own_max))


async def forget(connection: Connection, asked: Mapping[str, object]) -> bool:
    """Remove one that has ended, with all it left; False where none of this id and owner has.

    Where it had begun a trace stays, by which turns go on being fair. The caller commits.
    """
    row = await (await connection.execute(FORGET, asked)).fetchone()
    if row is None:
        return False
    if row[4] is not None:
        await connection.execute(LEAVE_TRACE, row)
    return True
