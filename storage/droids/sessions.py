"""What a droid's session costs its account: its funding in the pool's quote asset, and gas.

The money goes into the wallet that stands for the exchange on the chain, and from there by wished
transfers into the droid's. The caller's transaction commits, and holds the droid's lock.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from sim.chain.acts import Act, Send, Transfer, Wish
from sim.chain.wallets import BRIDGE, droid_wallet
from sim.droid.config import Fault
from sim.droid.spelling import sentence
from sim.droid.states import Status
from sim.market import COLLATERAL, GAS_ASSET
from sim.money.ledger import CHAIN, EntryType
from sim.refusals import Refusal, Refused
from sim.units import asset_decimals, format_atoms, parse_atoms
from storage.chain.wishes import wish
from storage.droids.rows import Droid
from storage.intake.own_accounts import LOCK_MONEY
from storage.intake.transfers import Balance, balance_of, free_atoms, locked_balance, move
from storage.postgres.database import now_us
from storage.postgres.unit_of_work import Connection

WEI_AN_ATOM = 10 ** (18 - asset_decimals(GAS_ASSET))
FEE_WEI_MAX, ANY_BLOCK = 10**12, 1 << 62
PRIORITY_FEE_WEI = 10**9

LOOKED = """
SELECT revision, mind::json ->> 'resets', mind::json -> 'mind' ->> 'session' FROM droid_states
WHERE session_id = %s AND mind <> ''"""
IS_WISHED = "SELECT 1 FROM chain_wishes WHERE label = %s"
CHAIN_IS_THERE = "SELECT 1 FROM chain_head"
OPEN = """
SELECT id, funded_quote_atoms, note FROM droid_sessions
WHERE droid_id = %s AND NOT ended FOR UPDATE"""
BEGIN = f"""
INSERT INTO droid_sessions (droid_id, status, ended, funded_quote_atoms, started_at_us)
VALUES (%s, '{Status.RUNNING}', false, %s, %s) RETURNING id"""
RAISE = "UPDATE droid_sessions SET funded_quote_atoms = %s WHERE id = %s"


class Session(NamedTuple):
    """One that has not ended, the most that was brought into it, and what it says."""

    session_id: int
    funded_quote_atoms: int
    note: str | None


class Looked(NamedTuple):
    """What the droid's actor kept of its last look: the revision of the droid that it saw, how
    many resets are done, how many sessions its mind has begun."""

    revision: int
    resets: int
    sessions: int


async def last_look(connection: Connection, session: Session) -> Looked | None:
    """None before the first."""
    row = await (await connection.execute(LOOKED, (session.session_id,))).fetchone()
    return None if row is None else Looked(row[0], int(row[1] or 0), int(row[2] or 0))


async def open_session(connection: Connection, droid_id: int) -> Session | None:
    """The droid's session that has not ended, under its lock."""
    row = await (await connection.execute(OPEN, (droid_id,))).fetchone()
    return None if row is None else Session(row[0], int(row[1]), row[2])


async def begin(connection: Connection, droid: Droid, gas_atoms: int) -> None:
    """A new session with all of the droid's funding. Raises Refused where the account lacks it, or
    nobody would build blocks for it."""
    if await (await connection.execute(CHAIN_IS_THERE)).fetchone() is None:
        raise Refused(Refusal.NO_CHAIN, "The world of this exchange has no chain for droids")
    quote, quote_atoms = droid.pool.quote.symbol, funding_atoms(droid)
    await pay(connection, droid, {quote: quote_atoms, GAS_ASSET: gas_atoms})
    values = (droid.droid_id, quote_atoms, now_us())
    row = await (await connection.execute(BEGIN, values)).fetchone()
    assert row is not None
    wallet, label = droid_wallet(droid.droid_id), f"session/{row[0]}/fund"
    await bring(connection, f"{label}/quote", Transfer(quote, wallet, quote_atoms))
    await bring(connection, f"{label}/ether", Send(wallet, gas_atoms * WEI_AN_ATOM))


async def add_gas(connection: Connection, session: Session, droid: Droid, gas_atoms: int) -> bool:
    """As much ether again as it began with, once for each look at which it had none: whether this
    is the first time. Raises Refused where the account lacks it."""
    looked = await last_look(connection, session)
    if looked is None:
        return False
    label = f"session/{session.session_id}/fund/ether-{looked.revision}"
    if await (await connection.execute(IS_WISHED, (label,))).fetchone() is not None:
        return False
    await pay(connection, droid, {GAS_ASSET: gas_atoms})
    await bring(connection, label, Send(droid_wallet(droid.droid_id), gas_atoms * WEI_AN_ATOM))
    return True


async def raise_funding(connection: Connection, session: Session, droid: Droid) -> None:
    """What the droid's funding is above the highest of its session. Raises Refused where the
    account lacks it."""
    quote, wanted = droid.pool.quote.symbol, funding_atoms(droid)
    excess = wanted - session.funded_quote_atoms
    if excess <= 0:
        return
    await pay(connection, droid, {quote: excess})
    await connection.execute(RAISE, (wanted, session.session_id))
    label = f"session/{session.session_id}/fund/{droid.revision}"
    await bring(connection, label, Transfer(quote, droid_wallet(droid.droid_id), excess))


async def bring(connection: Connection, label: str, act: Act) -> None:
    """Wish what brings money into a droid's wallet, whatever it costs there."""
    wished = Wish(label, BRIDGE, act, FEE_WEI_MAX, PRIORITY_FEE_WEI, ANY_BLOCK)
    await wish(connection, wished)


async def pay(connection: Connection, droid: Droid, needed: Mapping[str, int]) -> None:
    """Money of its account to the chain, atoms by asset. Raises Refused that names every asset that
    it lacks, what is there, and the most that its funding may be."""
    money = await locked_balance(connection, droid.account_id, COLLATERAL)
    balances = [await balance_of(connection, money, asset) for asset in needed]
    free = {one.asset: await free_atoms(connection, one) for one in balances}
    lacking = [
        f"{format_atoms(atoms, asset)} {asset} is needed and {format_atoms(free[asset], asset)}"
        " is free"
        for asset, atoms in needed.items()
        if atoms > free[asset]
    ]
    if lacking:
        said = f"Too little money: {', '.join(lacking)}{_most(droid, needed, free)}"
        raise Refused(Refusal.INSUFFICIENT_BALANCE, said)
    to_chain = {asset: -atoms for asset, atoms in needed.items()}
    await carry(connection, droid, balances, to_chain)


def _most(droid: Droid, needed: Mapping[str, int], free: Mapping[str, int]) -> str:
    """The highest funding that its account bears, where that is what it lacks and there is one:
    what the session has had, and what is free."""
    quote = droid.pool.quote.symbol
    lacking_atoms = needed.get(quote, 0) - free.get(quote, 0)
    most_atoms = funding_atoms(droid) - lacking_atoms
    if lacking_atoms <= 0 or most_atoms <= 0:
        return ""
    bound = f"at most {format_atoms(most_atoms, quote)}"
    return f"; {sentence(Fault('funding_usd', bound))}"


async def bring_home(connection: Connection, droid: Droid, home: Mapping[str, int]) -> None:
    """From the chain back to its account, atoms by asset. Who builds blocks may not lock whose the
    account is, and need not: nobody is refused what is theirs."""
    row = await (await connection.execute(LOCK_MONEY, (droid.account_id,))).fetchone()
    assert row is not None, "every account has collateral, be it nothing"
    money = Balance(*row)
    balances = [await balance_of(connection, money, asset) for asset in home]
    await carry(connection, droid, balances, home)


async def carry(
    connection: Connection,
    droid: Droid,
    balances: Sequence[Balance],
    signed_atoms: Mapping[str, int],
) -> None:
    """Over the bridge: what is negative goes to the chain. The account is locked; its ledger names
    the droid."""
    at_us, name = 0, f"droid_{droid.droid_id}"
    for balance in balances:
        atoms = signed_atoms[balance.asset]
        way = EntryType.FROM_CHAIN if atoms > 0 else EntryType.TO_CHAIN
        before = replace(balance, stamped_at_us=max(at_us, balance.stamped_at_us))
        at_us = (await move(connection, before, way, atoms, CHAIN, name)).stamped_at_us


def funding_atoms(droid: Droid) -> int:
    """The droid's funding in the quote asset, of which one is one USD."""
    return parse_atoms(f"{droid.config.funding_usd:f}", droid.pool.quote.symbol)
