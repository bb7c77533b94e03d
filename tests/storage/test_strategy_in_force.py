"""What the API has changed of the configuration is what agents and sessions go by."""

from sim.signals.terms import StrategyTerms
from storage.agents.settings import change_settings
from storage.agents.strategy_in_force import terms_in_force
from storage.postgres.database import open_pool
from storage.postgres.database_roles import DatabaseUrls


async def test_what_was_changed_takes_the_place_of_defaults(database_urls: DatabaseUrls) -> None:
    pool = await open_pool(database_urls.api, 1)
    assert await terms_in_force(pool) == StrategyTerms()
    await change_settings(pool, '{"max_drawdown": 0.3, "llm_max_tokens": 7}', [], persist=True)
    await change_settings(pool, '{"min_confidence": 0.55}', [], persist=False)
    terms = await terms_in_force(pool)
    assert (terms.agents.risk.max_drawdown, terms.voting.min_confidence) == (0.3, 0.55)
    await pool.close()


async def test_what_is_more_than_a_strategy_may_have_is_the_most_of_it(
    database_urls: DatabaseUrls,
) -> None:
    pool = await open_pool(database_urls.api, 1)
    changes = '{"max_positions": 5000, "default_take_profit": 1000000}'
    await change_settings(pool, changes, [], persist=True)
    risk = (await terms_in_force(pool)).agents.risk
    assert (risk.max_positions, risk.default_take_profit) == (1_000, 100)
    await pool.close()
