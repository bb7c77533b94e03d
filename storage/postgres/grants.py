"""What the engine and the API may do to every table: the one place that says so.

A table that is not here is nobody's but the owner's, and a test fails until it is. Commands of a
right are PostgreSQL's words; a list of columns may follow one, as in UPDATE (status). UPDATE has
one everywhere: UPDATE of a whole table, as DELETE, would let its user LOCK TABLE against everybody.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import psycopg
from psycopg import sql

from storage.postgres.database_roles import API, ENGINE


class Rights(NamedTuple):
    """What may be done to a table. Nothing, where nothing is said."""

    api: str = ""
    engine: str = ""


MONEY = "UPDATE (total_atoms, locked_atoms, open_orders, version, stamped_at_us)"
"""Of a balance: whose it is and in which asset, nobody changes."""

ROUND_TRIP = (
    "UPDATE (entry_lots, entry_tick_lots, exit_lots, exit_tick_lots, fees_atoms,"
    " realized_pnl_atoms, last_order_id, last_fill_id, updated_at_us, closed_at_us, reason)"
)
"""Whoever looks at an account's positions brings them up to its last fill."""

TABLES: Mapping[str, Rights] = {
    # Triggers write frames with the rights of whoever has changed what they tell of.
    "account_frames": Rights(api="SELECT, INSERT", engine="SELECT, INSERT, DELETE"),
    # Nobody gets another's account by the API: no owner changes, and no id is chosen.
    "accounts": Rights(
        api="SELECT, INSERT (kind, name, owner_id, created_at_us),"
        " UPDATE (name, archived_at_us), DELETE",
        # Who accepts an order of a session locks its account, which PostgreSQL allows to none who
        # may change nothing of it.
        engine="SELECT, UPDATE (name), DELETE",
    ),
    "agent_backtests": Rights(
        api="SELECT, INSERT, UPDATE (cancelled_at_us), DELETE", engine="SELECT, DELETE"
    ),
    "agent_settings": Rights(
        api="SELECT, INSERT, UPDATE (persistent, runtime, start_no)",
        engine="SELECT, INSERT, UPDATE (runtime, start_no)",
    ),
    "agent_signals": Rights(
        api="SELECT",
        engine="SELECT, INSERT, UPDATE (action, confidence, numbers, reasoning, at_us,"
        " decision_id), DELETE",
    ),
    "agents": Rights(
        api="SELECT",
        engine="SELECT, INSERT, UPDATE (agent_type, status, started_at_us, last_seen_us,"
        " last_signal_us, signals, errors, last_error), DELETE",
    ),
    "amendments": Rights(api="SELECT, INSERT", engine="SELECT, DELETE"),
    "api_keys": Rights(
        api="SELECT, INSERT (user_id, name, prefix, key_hash, scopes, created_at_us,"
        " expires_at_us), UPDATE (last_used_at_us), DELETE"
    ),
    "app_tokens": Rights(api="SELECT, INSERT, UPDATE (prefix, token_hash, created_at_us), DELETE"),
    "audit_readings": Rights(
        api="SELECT", engine="SELECT, INSERT, UPDATE (value, gap, at_us), DELETE"
    ),
    "balances": Rights(
        api=f"SELECT, INSERT (account_id, asset, total_atoms, locked_atoms, open_orders), {MONEY}",
        engine=f"SELECT, INSERT, {MONEY}, DELETE",
    ),
    "cancel_after": Rights(
        api="SELECT, INSERT, UPDATE (deadline_us), DELETE",
        engine="SELECT, UPDATE (deadline_us), DELETE",
    ),
    "candles": Rights(
        api="SELECT",
        engine="SELECT, INSERT, UPDATE (high_ticks, low_ticks, close_ticks, volume_lots,"
        " notional_atoms, trade_count), DELETE",
    ),
    "chain_accounts": Rights(api="SELECT", engine="SELECT, INSERT, UPDATE (nonce, wei)"),
    "chain_blocks": Rights(api="SELECT", engine="SELECT, INSERT, DELETE"),
    "chain_head": Rights(
        api="SELECT",
        engine="SELECT, INSERT, UPDATE (epoch, number, hash, time_s, next_base_fee_wei,"
        " state_hash, burnt_wei, last_token_id, halt_reason, mine_to, reorg_wish)",
    ),
    "chain_holdings": Rights(api="SELECT", engine="SELECT, INSERT, UPDATE (amount)"),
    "chain_positions": Rights(api="SELECT", engine="SELECT, INSERT, UPDATE (liquidity), DELETE"),
    "chain_transactions": Rights(api="SELECT", engine="SELECT, INSERT, DELETE"),
    "chain_wishes": Rights(
        api="SELECT, INSERT (label, wallet, act, max_fee_wei, priority_fee_wei, last_block)",
        engine="SELECT, INSERT, UPDATE (status, block_number, place, outcome), DELETE",
    ),
    "commands": Rights(
        api="SELECT, INSERT (market_id, account_id, order_id, payload, created_at_us)",
        engine="SELECT, INSERT, UPDATE (command_seq, time_us), DELETE",
    ),
    "control_entries": Rights(
        api="SELECT, INSERT (user_id, action, subject, outcome, details, at_us)",
        engine="SELECT, DELETE",
    ),
    "decision_feedback": Rights(
        api="SELECT, INSERT (id, decision_id, user_id, rating, comment, tags, created_at_us,"
        " updated_at_us), UPDATE (rating, comment, tags, updated_at_us), DELETE",
        engine="SELECT, DELETE",
    ),
    "decisions": Rights(
        api="SELECT",
        engine="SELECT, INSERT (id, agent_name, symbol, kind, action, confidence, reasoning,"
        " context, prompt, response, model, prompt_tokens, completion_tokens, cost_usd,"
        " latency_ms, session_id, cause_id, outcome, pnl_atoms, order_state, quantity_lots,"
        " reduce_only, order_id, note, created_at_us, embedding),"
        " UPDATE (outcome, pnl_atoms, order_state, order_id, note), DELETE",
    ),
    "droid_bots": Rights(api="SELECT", engine="SELECT, INSERT, UPDATE (status, closed_block)"),
    "droid_history": Rights(api="SELECT", engine="SELECT, INSERT, DELETE"),
    "droid_sessions": Rights(
        api="SELECT, INSERT (droid_id, status, ended, funded_quote_atoms, started_at_us),"
        " UPDATE (funded_quote_atoms)",
        engine="SELECT, INSERT, UPDATE (status, note, ended, stopped_at_us)",
    ),
    "droid_states": Rights(
        api="SELECT",
        engine="SELECT, INSERT, UPDATE (epoch, block_number, revision, mind, figures)",
    ),
    "droids": Rights(
        api="SELECT, INSERT (owner_id, account_id, pool_id, config, active, resets, revision,"
        " created_at_us), UPDATE (config, active, resets, revision)",
        engine="SELECT, UPDATE (active)",
    ),
    "ended_sessions": Rights(api="SELECT, INSERT", engine="SELECT, DELETE"),
    "first_admin": Rights(),
    "explorer_appearances": Rights(api="SELECT", engine="SELECT, INSERT, DELETE"),
    "explorer_blocks": Rights(api="SELECT", engine="SELECT, INSERT, DELETE"),
    "explorer_cursor": Rights(api="SELECT", engine="SELECT, INSERT, UPDATE (number, hash), DELETE"),
    "explorer_transactions": Rights(api="SELECT", engine="SELECT, INSERT, DELETE"),
    "explorer_transfers": Rights(api="SELECT", engine="SELECT, INSERT, DELETE"),
    "fills": Rights(api="SELECT", engine="SELECT, INSERT, DELETE"),
    "headlines": Rights(
        engine="SELECT, INSERT (at_us, asset, text, score_ppm, source, weight_ppm), DELETE"
    ),
    "idempotency": Rights(api="SELECT, INSERT, UPDATE (response)", engine="SELECT, DELETE"),
    "journal": Rights(engine="SELECT, INSERT, DELETE"),
    "journal_packs": Rights(engine="SELECT, INSERT, DELETE"),
    "ledger_entries": Rights(
        api="SELECT, INSERT (source, seq, leg, account_id, asset, entry_type, amount_atoms,"
        " balance_after_atoms, reference, created_at_us)",
        engine="SELECT, INSERT, DELETE",
    ),
    "leverages": Rights(
        api="SELECT, INSERT, UPDATE (leverage)", engine="SELECT, INSERT, UPDATE (leverage), DELETE"
    ),
    "listened_accounts": Rights(
        api="SELECT, INSERT, UPDATE (seq, until_us)",
        engine="SELECT, UPDATE (seq), DELETE",
    ),
    "login_addresses": Rights(api="SELECT, INSERT, UPDATE (last_at_us), DELETE"),
    "login_sessions": Rights(
        api="SELECT, INSERT, UPDATE (generation, token_hash, refreshed_at_us, expires_at_us),"
        " DELETE",
        engine="SELECT (id, expires_at_us), DELETE",
    ),
    "market_heads": Rights(
        engine="SELECT, UPDATE (epoch, batch_no, command_seq, event_seq, chain)"
    ),
    "market_prices": Rights(
        api="SELECT",
        engine="SELECT, INSERT, UPDATE (index_ticks, mark_ticks, ema_state, price_state,"
        " updated_at_us)",
    ),
    "market_sequences": Rights(engine="SELECT, UPDATE (command_seq, time_us)"),
    "market_views": Rights(
        api="SELECT",
        engine="SELECT, UPDATE (event_seq, at_us, best_bid_ticks, best_ask_ticks,"
        " last_price_ticks, bids, asks)",
    ),
    "markets": Rights(
        api="SELECT",
        engine="SELECT, UPDATE (status, halt_reason, takes_cancels, wish, wish_no, wish_answer)",
    ),
    "model_days": Rights(
        api="SELECT",
        engine="SELECT, INSERT (day_no, tokens, cost_usd), UPDATE (tokens, cost_usd)",
    ),
    "orders": Rights(
        api="SELECT, INSERT",
        engine="SELECT, INSERT (id, account_id, market_id, client_order_id, body_hash, side,"
        " order_type, time_in_force, price_ticks, quantity_lots, filled_lots, leverage,"
        " reduce_only, post_only, may_open, reserved_atoms, status, reason, created_at_us,"
        " updated_at_us, trigger_ticks, on_mark, expires_us, link_id, link_order_id),"
        " UPDATE (quantity_lots, filled_lots, filled_tick_lots, reserved_atoms,"
        " status, reason, updated_at_us, price_ticks, trigger_ticks, triggered_at_us,"
        " amend_reason, may_open)",
    ),
    "pool_snapshots": Rights(engine="SELECT, INSERT, DELETE"),
    "pools": Rights(
        api="SELECT",
        engine="SELECT, INSERT, UPDATE (block_number, sqrt_price_x96, tick, liquidity, amount0,"
        " amount1, price, state_hash)",
    ),
    "positions": Rights(
        api="SELECT, UPDATE (realized_before_atoms)",
        engine="SELECT, INSERT, UPDATE (quantity_lots, cost_atoms, realized_pnl_atoms,"
        " updated_at_us)",
    ),
    "projections": Rights(api="SELECT", engine="SELECT, UPDATE (batch_no, command_seq, event_seq)"),
    "recorded_quotes": Rights(),
    "recorded_runs": Rights(),
    "recorded_standings": Rights(),
    "recorded_trades": Rights(),
    "round_trip_cursors": Rights(
        api="SELECT, INSERT, UPDATE (fill_id)", engine="SELECT, INSERT, UPDATE (fill_id), DELETE"
    ),
    "round_trips": Rights(
        api=f"SELECT, INSERT, {ROUND_TRIP}", engine=f"SELECT, INSERT, {ROUND_TRIP}, DELETE"
    ),
    "session_equity": Rights(api="SELECT", engine="SELECT, INSERT, DELETE"),
    "simulation_checkpoints": Rights(
        engine="SELECT, INSERT, UPDATE (step, wall_ms, state), DELETE"
    ),
    "simulation_reports": Rights(api="SELECT", engine="SELECT, INSERT"),
    "simulations": Rights(
        api="SELECT, INSERT, UPDATE (status, ended_at_us), DELETE",
        engine="SELECT, UPDATE (run_no, tries, due_at_us, status, step, orders, fills,"
        " steps_per_second, orders_per_second, fills_per_second, state_hash, summary, error,"
        " started_at_us, ended_at_us), DELETE",
    ),
    "snapshots": Rights(engine="SELECT, INSERT, UPDATE (is_anchor), DELETE"),
    "strategy_ledger": Rights(engine="SELECT, INSERT, DELETE"),
    "symbols": Rights(api="SELECT", engine="SELECT, INSERT, UPDATE (market_id), DELETE"),
    "table_sizes": Rights(engine="SELECT, INSERT, DELETE"),
    "trades": Rights(api="SELECT", engine="SELECT, INSERT, DELETE"),
    "trading_sessions": Rights(
        api="SELECT, INSERT (id, user_id, account_id, symbol, market_id, status, initial_atoms,"
        " started_at_us, updated_at_us, trades, winning_trades, losing_trades),"
        " UPDATE (status, updated_at_us)",
        engine="SELECT, UPDATE (status, final_atoms, updated_at_us, stopped_at_us, note, trades,"
        " winning_trades, losing_trades, max_drawdown, sharpe_ratio)",
    ),
    "transfers": Rights(
        api="SELECT, INSERT (account_id, kind, asset, amount_atoms, created_at_us)",
        engine="INSERT (account_id, kind, asset, amount_atoms, created_at_us), SELECT (id)",
    ),
    "upkeep": Rights(
        api="SELECT",
        engine="SELECT, INSERT, UPDATE (pruned_at_us, failed_at_us, failures, reason)",
    ),
    # Nobody is given a role by the API: the column's default is what a new user has, and the
    # functions below change it by their own rules.
    "users": Rights(
        api="SELECT, INSERT (id, email, password_hash, status, created_at_us, guest_since_us),"
        " UPDATE (password_hash, opened_at_us)",
        engine="SELECT (id, role, status, guest_since_us), UPDATE (guest_since_us), DELETE",
    ),
}
SEQUENCES: Mapping[str, Rights] = {
    "fill_ids": Rights(engine="USAGE"),
    "order_ids": Rights(api="USAGE", engine="USAGE"),
}
"""Those that are not a column's own: these come with the table."""

FUNCTIONS: Mapping[str, Rights] = {
    "change_role": Rights(api="EXECUTE"),
    "seat_newcomer": Rights(api="EXECUTE"),
}
"""Those that do more than who calls them may; see storage/intake/joining.py."""

GRANTS_LOCK = 7_236_004
"""Advisory lock number, next to the migrations'."""

EXISTING = """
SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = current_schema() AND c.relname = ANY(%(names)s)
UNION SELECT p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname = current_schema() AND p.proname = ANY(%(names)s)"""

Connection = psycopg.Connection[Any]


def apply_grants(connection: Connection, roles: Mapping[str, str]) -> None:
    """Give the roles what is declared, and take whatever else they or everybody had.

    roles   names of the engine's and the API's users; empty where the owner does for both

    The connection is the owner's. All in one transaction: whoever works meanwhile sees the old
    rights or the new ones.
    """
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [GRANTS_LOCK])
        names = [*TABLES, *SEQUENCES, *FUNCTIONS]
        there = connection.execute(EXISTING, {"names": names}).fetchall()
        row = connection.execute("SELECT current_schema()").fetchone()
        assert row is not None
        wishes = statements(roles, str(row[0]), {name for (name,) in there})
        connection.execute(sql.SQL(";\n").join(wishes))


def statements(
    roles: Mapping[str, str], schema: str = "public", there: set[str] | None = None
) -> Iterator[sql.Composed]:
    """The SQL that gives the roles their rights to what is there; None: to everything."""
    names = [sql.Identifier(name) for name in roles.values()]
    if names:
        usage = sql.SQL("GRANT USAGE ON SCHEMA {} TO {}")
        yield usage.format(sql.Identifier(schema), sql.SQL(", ").join(names))
    for kind, declared in (("TABLE", TABLES), ("SEQUENCE", SEQUENCES), ("FUNCTION", FUNCTIONS)):
        for name, rights in declared.items():
            if there is None or name in there:
                yield from _on(kind, name, rights, roles)


def _on(kind: str, name: str, rights: Rights, roles: Mapping[str, str]) -> Iterator[sql.Composed]:
    thing = sql.SQL(f"{kind} {{}}").format(sql.Identifier(name))
    losing = sql.SQL(", ").join([sql.SQL("PUBLIC"), *map(sql.Identifier, roles.values())])
    yield sql.SQL("REVOKE ALL ON {} FROM {}").format(thing, losing)
    for role, given in ((ENGINE, rights.engine), (API, rights.api)):
        if role in roles and given:
            words = sql.SQL(given)
            yield sql.SQL("GRANT {} ON {} TO {}").format(words, thing, sql.Identifier(roles[role]))
