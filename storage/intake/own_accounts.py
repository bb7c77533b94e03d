"""What a user does with accounts of their own: open, change, move money between two of them.

The caller's transaction commits. Balances are locked in the order of their accounts.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sim.money.ledger import EntryType
from sim.refusals import Refusal, Refused
from storage.intake.transfers import (
    LOCK_OWN_ACCOUNT,
    Balance,
    balance_of,
    book,
    changed,
    check_asset,
    check_flat,
    check_no_session,
    check_room,
    check_withdrawable,
    endow,
    locked_balance,
    usable,
    write_balance,
)
from storage.people.accounts import COLLATERAL, no_such_account, not_active
from storage.people.owned_accounts import OwnedAccount, add_account, change_account
from storage.postgres.database import now_us
from storage.postgres.unit_of_work import Connection

LOCK_MONEY = f"""
SELECT account_id, asset, total_atoms, locked_atoms, open_orders, stamped_at_us FROM balances
WHERE account_id = %s AND asset = '{COLLATERAL}' FOR UPDATE"""
"""Whether the account is archived or not."""

NEXT_VERSION = "UPDATE balances SET version = version + 1 WHERE account_id = %s"
"""An order that is being decided meanwhile is decided again."""


@dataclass(frozen=True)
class Transferred:
    """A ledger transaction between two accounts, and what they have after it."""

    seq: int
    source: Balance
    target: Balance


async def open_account(
    connection: Connection, user_id: int, name: str, opening_atoms: Mapping[str, int]
) -> OwnedAccount:
    """A new account of the user with this money. Raises Refused."""
    await locked_balance(connection, user_id, COLLATERAL)
    account = await add_account(connection, user_id, name)
    await endow(connection, account.account_id, opening_atoms)
    return account


async def change(
    connection: Connection, account_id: int, user_id: int, name: str | None, archived: bool | None
) -> OwnedAccount:
    """Another name, put away or taken up again. Raises Refused ACCOUNT_NOT_FLAT where an account
    with orders, positions or sessions of droids is to be put away."""
    row = await (await connection.execute(LOCK_MONEY, (account_id,))).fetchone()
    if row is None:
        raise not_active()
    await check_no_session(connection, account_id)
    if archived:
        if account_id == user_id:
            raise Refused(Refusal.INVALID_REQUEST, "The main account cannot be archived")
        await check_flat(connection, Balance(*row))
        await connection.execute(NEXT_VERSION, (account_id,))
    return await change_account(connection, account_id, name, archived)


async def transfer(
    connection: Connection, user_id: int, ends: tuple[int, int], asset: str, amount_atoms: int
) -> Transferred:
    """Money from one account of the user to another, as much as could be withdrawn there. Raises
    Refused, ACCOUNT_NOT_FOUND where one of both is not the user's."""
    source_id, target_id = ends
    balances = {
        account_id: await own_balance(connection, user_id, account_id, asset)
        for account_id in sorted(set(ends))
    }
    if source_id == target_id:
        raise Refused(Refusal.INVALID_REQUEST, "Money moves between two different accounts")
    source, target = balances[source_id], balances[target_id]
    await check_withdrawable(connection, source, amount_atoms)
    check_room(target, amount_atoms)
    at_us = max(now_us(), source.stamped_at_us, target.stamped_at_us)
    source, target = changed(source, -amount_atoms, at_us), changed(target, amount_atoms, at_us)
    seq = await book(
        connection, EntryType.TRANSFER, -amount_atoms, source, target_id, target.total_atoms
    )
    for after in (source, target):
        await write_balance(connection, after)
    return Transferred(seq, source, target)


async def own_balance(connection: Connection, user_id: int, account_id: int, asset: str) -> Balance:
    """The balance of the user's account under its lock; of nobody else's is locked any."""
    await check_asset(connection, asset)
    row = await (await connection.execute(LOCK_OWN_ACCOUNT, (account_id, user_id))).fetchone()
    if row is None:
        raise no_such_account()
    await check_no_session(connection, account_id)
    return await balance_of(connection, usable(row), asset)
