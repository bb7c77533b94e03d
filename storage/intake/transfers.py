"""Money in and out, through the double-entry ledger. The caller's transaction commits."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from sim.money.ledger import EXTERNAL, INSURANCE, EntryType
from sim.money.margin import Exposure, withdrawable_atoms
from sim.refusals import Name, Refusal, Refused
from sim.units import ATOMS_PER_UNIT, format_atoms
from storage.intake.cancel_after import clear_cancel_after
from storage.intake.exposures import check_marks, exposures
from storage.people.accounts import COLLATERAL
from storage.postgres.database import now_us
from storage.postgres.unit_of_work import Connection

DEPOSIT_ATOMS_MAX = 1_000_000_000 * ATOMS_PER_UNIT
BALANCE_ATOMS_MAX = 1_000_000_000_000 * ATOMS_PER_UNIT

LOCK_BALANCE = """
SELECT total_atoms, locked_atoms, open_orders, stamped_at_us FROM balances
WHERE account_id = %s AND asset = %s FOR UPDATE"""
UPDATE_BALANCE = """
UPDATE balances SET total_atoms = %s, version = version + 1, stamped_at_us = %s
WHERE account_id = %s AND asset = %s"""
INSERT_TRANSFER = """
INSERT INTO transfers (account_id, kind, asset, amount_atoms, created_at_us)
VALUES (%s, %s, %s, %s, %s) RETURNING id"""
INSERT_LEGS = """
INSERT INTO ledger_entries (source, seq, leg, account_id, asset, entry_type, amount_atoms,
    balance_after_atoms, created_at_us)
VALUES ('transfer', %(seq)s, 0, %(account)s, %(asset)s, %(type)s, %(amount)s, %(after)s, %(at)s),
       ('transfer', %(seq)s, 1, %(other)s, %(asset)s, %(type)s, -%(amount)s, NULL, %(at)s)"""
FORGET_PROFITS = """
UPDATE positions SET realized_before_atoms = realized_pnl_atoms
WHERE account_id = %s AND realized_before_atoms <> realized_pnl_atoms"""


@dataclass(frozen=True)
class Balance:
    """One account's money in one asset; `locked_atoms` of it is reserved by open orders.

    stamped_at_us   the time of what the account saw last; known under the row lock only
    """

    account_id: int
    asset: str
    total_atoms: int
    locked_atoms: int
    open_orders: int = 0
    stamped_at_us: int = 0


async def deposit(
    connection: Connection, account_id: int, asset: str, amount_atoms: int
) -> Balance:
    """Money from outside. Raises Refused."""
    balance = await locked_balance(connection, account_id, asset)
    return await deposited(connection, balance, amount_atoms)


async def deposited(
    connection: Connection, balance: Balance, amount_atoms: int, field: str = Name.AMOUNT
) -> Balance:
    """The balance after a deposit. Raises Refused that names the field."""
    if amount_atoms <= 0:
        raise below_least(format_atoms(amount_atoms), field)
    if amount_atoms > DEPOSIT_ATOMS_MAX:
        amount, most = format_atoms(amount_atoms), format_atoms(DEPOSIT_ATOMS_MAX)
        raise Refused(
            Refusal.INVALID_AMOUNT,
            f"{field} {amount} is above the most that a deposit may be, which is {most}",
            {"field": field, "nearest": most},
        )
    if balance.total_atoms + amount_atoms > BALANCE_ATOMS_MAX:
        most = format_atoms(BALANCE_ATOMS_MAX)
        raise Refused(Refusal.INVALID_AMOUNT, f"A balance may be at most {most}")
    return await move(connection, balance, EntryType.DEPOSIT, amount_atoms)


async def withdraw(
    connection: Connection, account_id: int, asset: str, amount_atoms: int
) -> Balance:
    """Money to outside, as far as neither orders nor positions need it. Raises Refused."""
    balance = await locked_balance(connection, account_id, asset)
    if amount_atoms <= 0:
        raise below_least(format_atoms(amount_atoms))
    held = await held_by(connection, account_id)
    free = withdrawable_atoms(balance.total_atoms, balance.locked_atoms, held)
    if amount_atoms > free:
        raise Refused(
            Refusal.INSUFFICIENT_BALANCE,
            "Withdrawable balance is below the amount",
            {"required": format_atoms(amount_atoms), "available": format_atoms(free)},
        )
    return await move(connection, balance, EntryType.WITHDRAW, -amount_atoms)


def below_least(amount: str, field: str = Name.AMOUNT) -> Refused:
    """The refusal of what is less than one atom."""
    least = format_atoms(1)
    return Refused(
        Refusal.INVALID_AMOUNT,
        f"{field} {amount} is below the least amount, which is {least}",
        {"field": field, "nearest": least},
    )


async def reset(
    connection: Connection, account_id: int, opening_atoms: Mapping[str, int]
) -> Balance:
    """A fresh account with this money, by ledger transactions; profits of before are forgotten.

    A debt is paid by the insurance fund. Raises Refused, where there is an order or a position.
    """
    balance = await locked_balance(connection, account_id, COLLATERAL)
    if balance.open_orders or balance.locked_atoms or await held_by(connection, account_id):
        raise Refused(
            Refusal.ACCOUNT_NOT_FLAT, "Cancel the open orders and close the positions first"
        )
    if balance.total_atoms > 0:
        balance = await move(connection, balance, EntryType.RESET, -balance.total_atoms)
    elif balance.total_atoms < 0:
        paid = EntryType.INSURANCE_FUND_TRANSFER
        balance = await move(connection, balance, paid, -balance.total_atoms, INSURANCE)
    for asset, atoms in opening_atoms.items():
        check_asset(asset, Name.BALANCES)
        if atoms:
            balance = await deposited(connection, balance, atoms, f"{Name.BALANCES}.{asset}")
    await connection.execute(FORGET_PROFITS, (account_id,))
    await clear_cancel_after(connection, account_id)
    return balance


def check_asset(asset: str, field: str = Name.ASSET) -> None:
    """Raises Refused UNKNOWN_ASSET that names the field."""
    if asset != COLLATERAL:
        raise Refused(Refusal.UNKNOWN_ASSET, f"The asset must be {COLLATERAL}", {"field": field})


async def locked_balance(connection: Connection, account_id: int, asset: str) -> Balance:
    """The balance under its row lock, which is the account's lock."""
    check_asset(asset)
    row = await (await connection.execute(LOCK_BALANCE, (account_id, asset))).fetchone()
    if row is None:
        raise Refused(Refusal.UNAUTHENTICATED, "This account is not active")
    return Balance(account_id, asset, *row)


async def held_by(connection: Connection, account_id: int) -> list[Exposure]:
    """Where the account has a position or open orders. Raises Refused PRICE_UNAVAILABLE where one
    has no mark price."""
    found = (await exposures(connection, account_id)).values()
    check_marks(found)
    return [one for one in found if one.binds_leverage]


async def move(
    connection: Connection,
    balance: Balance,
    entry_type: EntryType,
    amount_atoms: int,
    other_account: int = EXTERNAL,
) -> Balance:
    """Change the balance by a signed amount: transfer, two ledger legs, new total."""
    at_us = max(now_us(), balance.stamped_at_us)
    total = balance.total_atoms + amount_atoms
    values = (balance.account_id, entry_type, balance.asset, amount_atoms, at_us)
    row = await (await connection.execute(INSERT_TRANSFER, values)).fetchone()
    assert row is not None
    legs = {
        "seq": row[0],
        "account": balance.account_id,
        "other": other_account,
        "asset": balance.asset,
        "type": entry_type,
        "amount": amount_atoms,
        "after": total,
        "at": at_us,
    }
    await connection.execute(INSERT_LEGS, legs)
    await connection.execute(UPDATE_BALANCE, (total, at_us, balance.account_id, balance.asset))
    return replace(balance, total_atoms=total, stamped_at_us=at_us)
