"""Moving money and the dead-man switch: each request once, in one transaction."""

from collections.abc import Awaitable, Callable, Mapping

from api.desk.digests import digest
from sim.refusals import Name, Refusal, Refused
from sim.units import (
    DEPOSIT_UNITS_MAX,
    NotDecimal,
    OffGrid,
    asset_decimals,
    format_atoms,
    parse_atoms,
)
from storage.intake import cancel_after, transfers
from storage.intake.idempotency import Asked, Outcome, once
from storage.intake.transfers import Balance
from storage.postgres.database import AsyncPool, now_us
from storage.postgres.unit_of_work import Connection, unit_of_work

Movement = Callable[[Connection, int, str, int], Awaitable[Balance]]


async def deposit(
    pool: AsyncPool, account_id: int, asset: str, amount: str, key: str | None
) -> Balance:
    """Money from outside; the new balance. Raises Refused."""
    return await moved(pool, "deposits", transfers.deposit, account_id, asset, amount, key)


async def withdraw(
    pool: AsyncPool, account_id: int, asset: str, amount: str, key: str | None
) -> Balance:
    """Money to outside; the new balance. Raises Refused."""
    return await moved(pool, "withdrawals", transfers.withdraw, account_id, asset, amount, key)


async def moved(
    pool: AsyncPool,
    route: str,
    movement: Movement,
    account_id: int,
    asset: str,
    amount: str,
    key: str | None,
) -> Balance:
    """One movement of money, remembered under its key."""
    atoms = amount_atoms(amount, asset)

    async def work(connection: Connection) -> Outcome:
        return outcome(await movement(connection, account_id, asset, atoms))

    asked = Asked(account_id, route, digest(asset, str(atoms)), key)
    return balance(account_id, await once(pool, asked, work))


async def reset(
    pool: AsyncPool, account_id: int, balances: Mapping[str, str], key: str | None
) -> Balance:
    """A flat account anew, with these balances. Raises Refused ACCOUNT_NOT_FLAT."""
    opening = await opening_atoms(pool, balances)

    async def work(connection: Connection) -> Outcome:
        return outcome(await transfers.reset(connection, account_id, opening))

    meaning = digest("reset", *map(repr, sorted(opening.items())))
    asked = Asked(account_id, "account/reset", meaning, key)
    return balance(account_id, await once(pool, asked, work))


async def switch(pool: AsyncPool, account_id: int, timeout_ms: int, key: str | None) -> int | None:
    """Start, renew or (with 0) clear the dead-man switch; when it fires, in microseconds.

    Raises Refused ACCOUNT_ARCHIVED."""

    async def work(connection: Connection) -> Outcome:
        await cancel_after.check_in_use(connection, account_id)
        if timeout_ms == 0:
            await cancel_after.clear_cancel_after(connection, account_id)
            return {"deadline_us": None}
        deadline_us = now_us() + timeout_ms * 1_000
        await cancel_after.set_cancel_after(connection, account_id, deadline_us)
        return {"deadline_us": deadline_us}

    asked = Asked(account_id, "account/cancel-after", digest(str(timeout_ms)), key)
    deadline: int | None = (await once(pool, asked, work))["deadline_us"]
    return deadline


async def opening_atoms(pool: AsyncPool, balances: Mapping[str, str]) -> dict[str, int]:
    """What to begin anew with. The assets come first: no refusal repeats a name that is none."""
    async with unit_of_work(pool) as connection:
        for asset in balances:
            await transfers.check_asset(connection, asset, Name.BALANCES)
    return {
        asset: amount_atoms(amount, asset, f"{Name.BALANCES}.{asset}")
        for asset, amount in balances.items()
    }


def amount_atoms(text: str, asset: str, field: str = Name.AMOUNT) -> int:
    """An amount of an asset in atoms. Raises Refused INVALID_AMOUNT that names the field."""
    try:
        return parse_atoms(text, asset)
    except NotDecimal as error:
        raise Refused(Refusal.INVALID_AMOUNT, f"{field}: {error}") from None
    except OffGrid as error:
        if error.nearest_steps == 0:
            raise transfers.below_least(text, asset, field) from None
        most, decimals = transfers.units(DEPOSIT_UNITS_MAX, asset), asset_decimals(asset)
        nearest = format_atoms(min(error.nearest_steps, most), asset)
        raise Refused(
            Refusal.INVALID_AMOUNT,
            f"{field} {text} has more than {decimals} decimals; the nearest valid value is"
            f" {nearest}",
            {"field": field, "nearest": nearest},
        ) from None


def outcome(moved_to: Balance) -> Outcome:
    """A balance as the memory of a request holds it."""
    return {
        "asset": moved_to.asset,
        "total_atoms": moved_to.total_atoms,
        "locked_atoms": moved_to.locked_atoms,
    }


def balance(account_id: int, remembered: Outcome) -> Balance:
    """And back."""
    return Balance(account_id, **remembered)
