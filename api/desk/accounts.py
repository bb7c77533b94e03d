"""Opening, renaming and archiving accounts, and moving money between two of a user's own."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from api.desk.digests import digest
from api.desk.transfers import amount_atoms, opening_atoms
from storage.intake import own_accounts
from storage.intake.idempotency import Asked, Outcome, once
from storage.intake.own_accounts import Transferred
from storage.intake.transfers import Balance
from storage.people.accounts import AccountKind
from storage.people.owned_accounts import OwnedAccount
from storage.postgres.database import AsyncPool
from storage.postgres.unit_of_work import Connection, unit_of_work

OPEN_ROUTE = "accounts"
TRANSFER_ROUTE = "accounts/transfers"


@dataclass(frozen=True)
class TransferWish:
    """Money from one account to another, in a client's words."""

    source_id: int
    target_id: int
    asset: str
    amount: str


async def open_account(
    pool: AsyncPool, user_id: int, name: str, balances: Mapping[str, str], key: str | None
) -> OwnedAccount:
    """A new PAPER account with these balances. Raises Refused TOO_MANY_ACCOUNTS."""
    opening = await opening_atoms(pool, balances)

    async def work(connection: Connection) -> Outcome:
        return asdict(await own_accounts.open_account(connection, user_id, name, opening))

    meaning = digest(repr(name), *map(repr, sorted(opening.items())))
    made = await once(pool, Asked(user_id, OPEN_ROUTE, meaning, key), work)
    return OwnedAccount(**{**made, "kind": AccountKind(made["kind"])})


async def change_account(
    pool: AsyncPool, account_id: int, user_id: int, name: str | None, archived: bool | None
) -> OwnedAccount:
    """Another name, put away or taken up again; None changes nothing. Raises Refused."""
    async with unit_of_work(pool) as connection:
        return await own_accounts.change(connection, account_id, user_id, name, archived)


async def transfer(
    pool: AsyncPool, user_id: int, wish: TransferWish, key: str | None
) -> Transferred:
    """Money from one of the user's accounts to another. Raises Refused.

    The key is one of the MAIN account, whose id is the least of the user's: remembering it locks
    that one first, so all locks are taken in ascending order.
    """
    atoms, ends = amount_atoms(wish.amount, wish.asset), (wish.source_id, wish.target_id)

    async def work(connection: Connection) -> Outcome:
        return asdict(await own_accounts.transfer(connection, user_id, ends, wish.asset, atoms))

    meaning = digest(*map(str, ends), wish.asset, str(atoms))
    done = await once(pool, Asked(user_id, TRANSFER_ROUTE, meaning, key), work)
    return Transferred(done["seq"], Balance(**done["source"]), Balance(**done["target"]))
