"""What a deployment needs in its database before anything runs: schema, markets, accounts."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import psycopg

from sim.market import MarketSpec
from sim.money.ledger import (
    CHAIN,
    DUST,
    ENDOWMENT,
    EXTERNAL,
    FEES,
    INSURANCE,
    STRATEGIES_FIRST,
    EntryType,
    clearing_account,
)
from storage.agents.settings import forget_runtime_settings
from storage.errors import first_line, wrapped
from storage.market.markets import create_markets, load_specs
from storage.migrations.run import upgrade
from storage.people.accounts import COLLATERAL
from storage.postgres.database import connect, now_us
from storage.postgres.database_roles import DatabaseUrls, user_of
from storage.postgres.grants import apply_grants
from storage.settings import ConfigurationError

STRATEGY_SPAN = STRATEGIES_FIRST
"""Strategy n's accounts begin at n × this."""

SYSTEM_ACCOUNT = """
INSERT INTO accounts (id, kind, name, created_at_us) VALUES (%s, 'SYSTEM', %s, %s)
ON CONFLICT DO NOTHING"""
STRATEGY_ACCOUNTS = """
INSERT INTO accounts (id, kind, name, created_at_us)
SELECT id, 'STRATEGY', %(name)s, %(now)s
FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS id
ON CONFLICT DO NOTHING RETURNING id"""
STRATEGY_BALANCES = """
INSERT INTO balances (account_id, asset, total_atoms, locked_atoms, open_orders)
SELECT id, %(asset)s, %(capital)s, 0, 0 FROM unnest(%(ids)s::bigint[]) AS id"""
STRATEGY_LEDGER = f"""
INSERT INTO ledger_entries (source, seq, leg, account_id, asset, entry_type, amount_atoms,
    balance_after_atoms, created_at_us)
SELECT '{ENDOWMENT}', id, leg, CASE leg WHEN 0 THEN id ELSE %(outside)s END, %(asset)s, %(type)s,
    CASE leg WHEN 0 THEN %(capital)s ELSE -%(capital)s::numeric END,
    CASE leg WHEN 0 THEN %(capital)s END, %(now)s
FROM unnest(%(ids)s::bigint[]) AS id, (VALUES (0), (1)) AS legs(leg)"""


def prepare_database(urls: DatabaseUrls, specs: Sequence[MarketSpec]) -> None:
    """Newest schema, each user's rights, the house's accounts, and every market listed.

    Raises ConfigurationError where the database has markets that are not these.
    """
    with wrapped():
        upgrade(urls.owner)
        with connect(urls.owner, "bootstrap") as connection:
            _grant(connection, urls)
            refuse_other_markets(load_specs(connection), specs)
            create_markets(connection, specs)
            create_system_accounts(connection)
            forget_runtime_settings(connection)


def _grant(connection: psycopg.Connection[Any], urls: DatabaseUrls) -> None:
    try:
        apply_grants(connection, urls.roles)
    except psycopg.errors.InsufficientPrivilege as error:
        raise ConfigurationError(
            f"{user_of(urls.owner)} of DATABASE_URL does not own the tables of its database "
            f"({first_line(error)}): name the user that has made them."
        ) from None


def refuse_other_markets(listed: Mapping[str, MarketSpec], specs: Sequence[MarketSpec]) -> None:
    """Orders and money were counted in the listed ticks and lots: a world cannot change them."""
    elsewhere = "start that world, or use another data directory or database."
    wanted = {spec.market_id: spec for spec in specs}
    for market_id, spec in listed.items():
        if market_id not in wanted:
            raise ConfigurationError(
                f"This database belongs to a world that has {market_id}: {elsewhere}"
            )
        differing = [
            one.name
            for one in fields(spec)
            if getattr(spec, one.name) != getattr(wanted[market_id], one.name)
        ]
        if differing:
            raise ConfigurationError(
                f"This database belongs to a world with another {differing[0]} of {market_id}: "
                + elsewhere
            )


LISTED = "SELECT market_id, ordinal FROM markets ORDER BY ordinal"


def create_system_accounts(connection: psycopg.Connection[Any]) -> None:
    """The accounts that face clients' in the ledger."""
    names = {EXTERNAL: "external", FEES: "fees", INSURANCE: "insurance", DUST: "dust"}
    names[CHAIN] = "chain"
    for market_id, ordinal in connection.execute(LISTED).fetchall():
        names[clearing_account(ordinal)] = f"clearing {market_id}"
    with connection.transaction():
        for account_id, name in names.items():
            connection.execute(SYSTEM_ACCOUNT, (account_id, name, now_us()))


def create_strategy_accounts(
    database_url: str, strategy_no: int, name: str, head_count: int, capital_atoms: int
) -> range:
    """The accounts of a strategy, endowed through the ledger; those that exist stay as they are."""
    accounts = range(strategy_no * STRATEGY_SPAN, strategy_no * STRATEGY_SPAN + head_count)
    wish = {
        "name": name,
        "now": now_us(),
        "first": accounts[0],
        "last": accounts[-1],
        "asset": COLLATERAL,
        "capital": capital_atoms,
        "outside": EXTERNAL,
        "type": EntryType.DEPOSIT,
    }
    with wrapped(), connect(database_url, "bootstrap") as connection, connection.transaction():
        ids = [row[0] for row in connection.execute(STRATEGY_ACCOUNTS, wish)]
        connection.execute(STRATEGY_BALANCES, {**wish, "ids": ids})
        connection.execute(STRATEGY_LEDGER, {**wish, "ids": ids})
    return accounts
