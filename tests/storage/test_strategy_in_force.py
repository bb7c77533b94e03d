"""What the API has changed of the configuration is what agents and sessions go by."""

from dataclasses import replace

from sim.signals.strategy import Strategy
from sim.signals.terms import StrategyTerms
from storage.agents.settings import change_settings
from storage.agents.strategy_in_force import put_in_force, terms_in_force
from storage.postgres.database import open_pool
from storage.postgres.database_roles import DatabaseUrls
from storage.postgres.unit_of_work import unit_of_work


async def test_what_was_changed_takes_the_place_of_defaults(database_urls: DatabaseUrls) -> None:
    pool = await open_pool(database_urls.api, 1)
    assert await terms_in_force(pool) == StrategyTerms()
    async with unit_of_work(pool) as connection:
        changes = '{"max_drawdown": 0.3, "llm_max_tokens": 7}'
        await change_settings(connection, changes, [], persist=True)
        await change_settings(connection, '{"min_confidence": 0.55}', [], persist=False)
    terms = await terms_in_force(pool)
    assert (terms.agents.risk.max_drawdown, terms.voting.min_confidence) == (0.3, 0.55)
    async with unit_of_work(pool) as connection:
        await put_in_force(connection, Strategy("calm", terms=replace(terms, candle_s=300)))
    assert await terms_in_force(pool) == replace(terms, candle_s=300)
    await pool.close()


async def test_what_is_more_than_a_strategy_may_have_is_the_most_of_it(
    database_urls: DatabaseUrls,
) -> None:
    pool = await open_pool(database_urls.api, 1)
    changes = '{"max_positions": 5000, "default_take_profit": 1000000}'
    async with unit_of_work(pool) as connection:
        await change_settings(connection, changes, [], persist=True)
    risk = (await terms_in_force(pool)).agents.risk
    assert (risk.max_positions, risk.default_take_profit) == (1_000, 100)
    await pool.close()
