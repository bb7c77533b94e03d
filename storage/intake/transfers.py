"""Money in and out, through the double-entry ledger. The caller's transaction commits."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from sim.market import CHAIN_ASSETS
from sim.money.ledger import EXTERNAL, INSURANCE, EntryType
from sim.money.margin import Exposure, check_marks, withdrawable_atoms
from sim.refusals import Name, Refusal, Refused
from sim.units import DEPOSIT_UNITS_MAX, asset_decimals, format_atoms
from storage.intake.cancel_after import clear_cancel_after
from storage.intake.exposures import exposures
from storage.people.accounts import COLLATERAL, AccountKind, archived, not_active
from storage.postgres.database import now_us
from storage.postgres.unit_of_work import Connection, Row

BALANCE_UNITS_MAX = 1_000_000_000_000

LOCK = f"""
SELECT b.account_id, b.asset, b.total_atoms, b.locked_atoms, b.open_orders, b.stamped_at_us,
    a.archived_at_us IS NOT NULL
FROM balances b JOIN accounts a ON a.id = b.account_id
WHERE b.account_id = %s AND b.asset = '{COLLATERAL}'{{only}} FOR UPDATE OF b FOR SHARE OF a"""
LOCK_ACCOUNT, LOCK_OWN_ACCOUNT = LOCK.format(only=""), LOCK.format(only=" AND a.owner_id = %s")
ADD_BALANCE = """
INSERT INTO balances (account_id, asset, total_atoms, locked_atoms, open_orders)
VALUES (%s, %s, 0, 0, 0) ON CONFLICT DO NOTHING"""
READ_BALANCE = """
SELECT total_atoms, locked_atoms FROM balances WHERE account_id = %s AND asset = %s"""
OTHER_ASSETS = f"""
SELECT asset FROM balances WHERE account_id = %s AND asset <> '{COLLATERAL}' AND total_atoms <> 0"""
HELD_BY_DROIDS = """
SELECT 1 FROM droid_sessions s JOIN droids d ON d.id = s.droid_id
WHERE NOT s.ended AND d.account_id = %s LIMIT 1"""
LISTED = "SELECT DISTINCT base_asset FROM markets WHERE kind = 'SPOT'"
UPDATE_BALANCE = f"""
UPDATE balances SET version = version + 1, stamped_at_us = %(at)s,
    total_atoms = CASE asset WHEN %(asset)s THEN %(total)s ELSE total_atoms END
WHERE account_id = %(account)s AND asset IN (%(asset)s, '{COLLATERAL}')"""
"""The account's lock in any case."""

OF_SESSION = f"SELECT 1 FROM accounts WHERE id = %s AND kind = '{AccountKind.SESSION}'"
INSERT_TRANSFER = """
INSERT INTO transfers (account_id, kind, asset, amount_atoms, created_at_us)
VALUES (%s, %s, %s, %s, %s) RETURNING id"""
INSERT_LEGS = """
INSERT INTO ledger_entries (source, seq, leg, account_id, asset, entry_type, amount_atoms,
    balance_after_atoms, created_at_us, reference)
VALUES ('transfer', %(seq)s, 0, %(account)s, %(asset)s, %(type)s, %(amount)s, %(after)s, %(at)s,
        %(reference)s),
       ('transfer', %(seq)s, 1, %(other)s, %(asset)s, %(type)s,
        -%(amount)s::numeric, %(other_after)s, %(at)s, %(reference)s)"""
"""What is sent is of the smallest type that holds it: the least of that has no opposite in it."""
FORGET_PROFITS = """
UPDATE positions SET realized_before_atoms = realized_pnl_atoms
WHERE account_id = %s AND realized_before_atoms <> realized_pnl_atoms"""


@dataclass(frozen=True)
class Balance:
    """One account's money in one asset; `locked_atoms` of it is reserved by open orders.

    open_orders     of the account, in whatever asset they lock
    stamped_at_us   the time of what the account saw last; known under the account's lock only
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
    await check_no_session(connection, account_id)
    return await deposited(connection, balance, amount_atoms)


async def deposited(
    connection: Connection, balance: Balance, amount_atoms: int, field: str = Name.AMOUNT
) -> Balance:
    """The balance after a deposit. Raises Refused that names the field."""
    asset = balance.asset
    if amount_atoms <= 0:
        raise below_least(format_atoms(amount_atoms, asset), asset, field)
    if amount_atoms > units(DEPOSIT_UNITS_MAX, asset):
        amount, most = format_atoms(amount_atoms, asset), str(DEPOSIT_UNITS_MAX)
        raise Refused(
            Refusal.INVALID_AMOUNT,
            f"{field} {amount} is above the most that a deposit may be, which is {most}",
            {"field": field, "nearest": most},
        )
    check_room(balance, amount_atoms)
    return await move(connection, balance, EntryType.DEPOSIT, amount_atoms)


def check_room(balance: Balance, amount_atoms: int) -> None:
    """Raises Refused where the balance would be more than one may be."""
    if balance.total_atoms + amount_atoms > units(BALANCE_UNITS_MAX, balance.asset):
        raise Refused(Refusal.INVALID_AMOUNT, f"A balance may be at most {BALANCE_UNITS_MAX}")


def units(count: int, asset: str) -> int:
    """Whole units of an asset, in atoms."""
    return int(10 ** asset_decimals(asset)) * count


async def withdraw(
    connection: Connection, account_id: int, asset: str, amount_atoms: int
) -> Balance:
    """Money to outside, as far as neither orders nor positions need it. Raises Refused."""
    balance = await locked_balance(connection, account_id, asset)
    await check_no_session(connection, account_id)
    await check_withdrawable(connection, balance, amount_atoms)
    return await move(connection, balance, EntryType.WITHDRAW, -amount_atoms)


async def check_withdrawable(connection: Connection, balance: Balance, amount_atoms: int) -> None:
    """Raises Refused where orders or positions need so much of the balance, or it is nothing."""
    asset = balance.asset
    if amount_atoms <= 0:
        raise below_least(format_atoms(amount_atoms, asset), asset)
    free = await free_atoms(connection, balance)
    if amount_atoms > free:
        required, there_is = (format_atoms(atoms, asset) for atoms in (amount_atoms, free))
        raise Refused(
            Refusal.INSUFFICIENT_BALANCE,
            "Withdrawable balance is below the amount",
            {"required": required, "available": there_is},
        )


async def free_atoms(connection: Connection, balance: Balance) -> int:
    """What neither orders nor positions need of the balance. Raises Refused PRICE_UNAVAILABLE."""
    if balance.asset != COLLATERAL:
        return balance.total_atoms - balance.locked_atoms
    held = await held_by(connection, balance.account_id)
    return withdrawable_atoms(balance.total_atoms, balance.locked_atoms, held)


def below_least(amount: str, asset: str, field: str = Name.AMOUNT) -> Refused:
    """The refusal of what is less than one atom."""
    least = format_atoms(1, asset)
    return Refused(
        Refusal.INVALID_AMOUNT,
        f"{field} {amount} is below the least amount, which is {least}",
        {"field": field, "nearest": least},
    )


async def reset(
    connection: Connection, account_id: int, opening_atoms: Mapping[str, int]
) -> Balance:
    """A fresh account with this money, by ledger transactions; profits of before are forgotten.

    A debt is paid by the insurance fund. The balance of the collateral; raises Refused, where there
    is an order, a position or a droid's session.
    """
    balance = await locked_balance(connection, account_id, COLLATERAL)
    await check_no_session(connection, account_id)
    await check_flat(connection, balance)
    if balance.total_atoms > 0:
        balance = await move(connection, balance, EntryType.RESET, -balance.total_atoms)
    elif balance.total_atoms < 0:
        paid = EntryType.INSURANCE_FUND_TRANSFER
        balance = await move(connection, balance, paid, -balance.total_atoms, INSURANCE)
    for (asset,) in await (await connection.execute(OTHER_ASSETS, (account_id,))).fetchall():
        other = await balance_of(connection, balance, asset)
        await move(connection, other, EntryType.RESET, -other.total_atoms)
    await endow(connection, account_id, opening_atoms)
    await connection.execute(FORGET_PROFITS, (account_id,))
    await clear_cancel_after(connection, account_id)
    return await locked_balance(connection, account_id, COLLATERAL)


async def endow(connection: Connection, account_id: int, opening_atoms: Mapping[str, int]) -> None:
    """What an account begins with, as deposits. Raises Refused."""
    for asset, atoms in opening_atoms.items():
        balance = await locked_balance(connection, account_id, asset)
        if atoms:
            await deposited(connection, balance, atoms, f"{Name.BALANCES}.{asset}")


async def check_no_session(connection: Connection, account_id: int) -> None:
    """Raises Refused for the account of a trading session: what it gains is told by its ledger."""
    if await (await connection.execute(OF_SESSION, (account_id,))).fetchone() is not None:
        raise Refused(
            Refusal.INVALID_REQUEST,
            "This account is a trading session's: its money comes and goes with the session",
        )


async def check_flat(connection: Connection, balance: Balance) -> None:
    """Raises Refused ACCOUNT_NOT_FLAT, where the account has an order or a position, or droids have
    money of it: a session opens under the account's lock, which is held here."""
    if balance.open_orders or balance.locked_atoms or await held_by(connection, balance.account_id):
        raise Refused(
            Refusal.ACCOUNT_NOT_FLAT, "Cancel the open orders and close the positions first"
        )
    if await (await connection.execute(HELD_BY_DROIDS, (balance.account_id,))).fetchone():
        raise Refused(
            Refusal.ACCOUNT_NOT_FLAT,
            "Droids hold money of this account: close them, and wait until their sessions are"
            " STOPPED",
        )


async def listed_assets(connection: Connection) -> list[str]:
    """What accounts may have: the collateral, what spot markets trade and what the chain takes."""
    rows = await (await connection.execute(LISTED)).fetchall()
    return [COLLATERAL, *sorted({*CHAIN_ASSETS, *(str(asset) for (asset,) in rows)})]


async def check_asset(connection: Connection, asset: str, field: str = Name.ASSET) -> None:
    """Raises Refused UNKNOWN_ASSET that names the field, and what is listed."""
    if asset == COLLATERAL:
        return
    listed = await listed_assets(connection)
    if asset not in listed:
        *most, last = listed
        known = f"{', '.join(most)} or {last}" if most else last
        raise Refused(Refusal.UNKNOWN_ASSET, f"The asset must be {known}", {"field": field})


async def locked_balance(connection: Connection, account_id: int, asset: str) -> Balance:
    """The balance under the account's lock. Raises Refused where the account is archived, or the
    asset is none."""
    await check_asset(connection, asset)
    row = await (await connection.execute(LOCK_ACCOUNT, (account_id,))).fetchone()
    if row is None:
        raise not_active()
    return await balance_of(connection, usable(row), asset)


async def balance_of(connection: Connection, money: Balance, asset: str) -> Balance:
    """The balance in any asset of the account whose collateral is locked; nothing, where there was
    none."""
    if asset == money.asset:
        return money
    place = (money.account_id, asset)
    await connection.execute(ADD_BALANCE, place)
    row = await (await connection.execute(READ_BALANCE, place)).fetchone()
    assert row is not None, "it was there or was added"
    return replace(money, asset=asset, total_atoms=row[0], locked_atoms=row[1])


def usable(row: Row) -> Balance:
    """A row of LOCK_ACCOUNT. Raises Refused where the account is archived."""
    *balance, is_archived = row
    if is_archived:
        raise archived()
    return Balance(*balance)


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
    reference: str | None = None,
) -> Balance:
    """Change the balance by a signed amount: transfer, two ledger legs, new total.

    reference   what it was for, as who reads the ledger knows it
    """
    after = changed(balance, amount_atoms, max(now_us(), balance.stamped_at_us))
    await book(connection, entry_type, amount_atoms, after, other_account, reference=reference)
    await write_balance(connection, after)
    return after


def changed(balance: Balance, amount_atoms: int, at_us: int) -> Balance:
    """The balance as it will be."""
    return replace(balance, total_atoms=balance.total_atoms + amount_atoms, stamped_at_us=at_us)


async def book(
    connection: Connection,
    entry_type: EntryType,
    amount_atoms: int,
    after: Balance,
    other_account: int,
    other_after_atoms: int | None = None,
    reference: str | None = None,
) -> int:
    """A ledger transaction of two legs; its number."""
    at_us = after.stamped_at_us
    values = (after.account_id, entry_type, after.asset, amount_atoms, at_us)
    row = await (await connection.execute(INSERT_TRANSFER, values)).fetchone()
    assert row is not None
    legs = {
        "seq": row[0],
        "account": after.account_id,
        "other": other_account,
        "asset": after.asset,
        "type": entry_type,
        "amount": amount_atoms,
        "after": after.total_atoms,
        "other_after": other_after_atoms,
        "at": at_us,
        "reference": reference,
    }
    await connection.execute(INSERT_LEGS, legs)
    return int(row[0])


async def write_balance(connection: Connection, after: Balance) -> None:
    """Keep a balance that has changed under the account's lock."""
    values = {
        "account": after.account_id,
        "asset": after.asset,
        "total": after.total_atoms,
        "at": after.stamped_at_us,
    }
    await connection.execute(UPDATE_BALANCE, values)
