"""Which actors a world needs, and what each is told."""

import time
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction

from actors.cluster.agent_roster import AgentRoster
from actors.cluster.comings import Comings
from actors.cluster.handles import MarketHandle, PoolHandle, RiskHandle
from actors.cluster.remote import RayCluster, Wanted
from actors.cluster.roster import DroidRoster, Together
from actors.commands.beginning import Beginning, Prices
from actors.live.auditor import Auditor
from actors.live.pool_hedge import PoolHedge
from actors.live.strategy import Means
from actors.models.terms import terms_of
from actors.simulate.queue import SimulationQueue
from sim.chain.known_pools import POOLS
from sim.chain.world import TRADER_USD
from sim.money.spot_orders import UNLENT
from sim.populations.command_rows import lots_of_quote
from sim.populations.registry import build_population
from sim.rows.order_ids import LIVE
from sim.scenario.world import PopulationDescription, World
from sim.signals.agents import AGENTS, ORCHESTRATOR, RISK_AGENT
from sim.units import ATOMS_PER_UNIT
from storage.agents.founding import name_markets
from storage.agents.settings import forget_runtime_settings
from storage.chain.arbitrage import BoughtEther
from storage.chain.founding import found_chain
from storage.chain.spot import ether_market
from storage.intake.accept_state import OpenOrdersMax
from storage.postgres.database import Link, connect
from storage.postgres.database_roles import DatabaseUrls
from storage.reading.strategy_holdings import StrategyHoldings
from storage.servers.bootstrap import create_strategy_accounts
from storage.servers.inventories import Inventory, buy_inventories
from storage.settings import Settings
from storage.upkeep.kept import kept_by

SUPERVISOR = "supervisor"
ETHER_PRICE_ELSEWHERE = Fraction(3_000)
HEDGE_STRATEGY_NO = (1 << LIVE.maker_bits) - 1
"""The last one, which no population of a world comes to."""

HEDGES_PER_SECOND = 1


def wanted_actors(
    settings: Settings, urls: DatabaseUrls, beginning: Beginning, cluster: RayCluster
) -> list[Wanted]:
    """Every actor of a deployment: those that give work after those that do it.

    Strategies' accounts are opened on the way.
    """
    assert settings.redis_url is not None
    world, prices = beginning.world, beginning.prices
    redis_url = settings.redis_url.get_secret_value()
    servers = {"database_url": urls.engine, "redis_url": redis_url}
    chain_seed = founded(urls, world, prices) if world.has_chain else None
    ids = [market.spec.market_id for market in world.markets]
    risk = {
        "database_url": urls.engine,
        "markets": prices,
        "followed": followed(world),
        "guest_ttl_s": settings.guest_ttl_s,
        "news": beginning.news,
    }
    keeper = {"database_url": urls.engine, "kept": kept_by(settings)}
    workers = [
        Wanted("recorder", "recorder", {"market_ids": ids, **servers}),
        *(
            Wanted("market", market_name(market), {"market_id": market, **servers})
            for market in ids
        ),
        Wanted("relay", "relay", servers),
        Wanted("risk", "risk", risk),
        *strategies(urls, world, prices),
        *chain(settings, urls, world, chain_seed),
        *pool_hedge(urls, world, prices, chain_seed),
        Wanted("keeper", "keeper", keeper),
    ]
    arguments = {
        "wanted": workers,
        "cluster": cluster,
        "simulations": Together(comings(settings, urls, world, chain_seed)),
        "auditor": Auditor(
            urls.engine,
            {market: market_name(market) for market in ids},
            chain_seed=chain_seed,
        ),
    }
    return [*workers, Wanted("supervisor", SUPERVISOR, arguments)]


def comings(
    settings: Settings, urls: DatabaseUrls, world: World, chain_seed: int | None
) -> list[Comings]:
    """Who starts what does not run from the beginning. What the world calls its markets is written
    on the way, and what the last start was told of agents forgotten."""
    with connect(urls.owner, "founding") as connection:
        name_markets(connection, dict(world.symbols))
        forget_runtime_settings(connection)
    found: list[Comings] = [SimulationQueue(urls.engine, settings.simulations_max)]
    if chain_seed is not None:
        found.append(DroidRoster(urls.engine, chain_seed))
    if world.has_agents:
        quoted = [
            market for market in quoted_markets(world) if market in dict(world.symbols).values()
        ]
        found.append(AgentRoster(urls.engine, agents(settings, urls), quoted))
    return found


def founded(urls: DatabaseUrls, world: World, prices: Prices) -> int:
    """The chain of a world, which is founded where it is not there yet: its seed."""
    with connect(urls.owner, "founding") as connection:
        return found_chain(connection, world.seed, first_ether_price(prices), int(time.time()))


def chain(settings: Settings, urls: DatabaseUrls, world: World, seed: int | None) -> list[Wanted]:
    """The chain, its pools and its indexer, where the world has one."""
    if seed is None:
        return []
    pools = {pool_id: PoolHandle(pool_name(pool_id)) for pool_id in POOLS}
    arguments = {
        "database_url": urls.engine,
        "pools": pools,
        "seed": seed,
        "speed": settings.chain_speed,
        "is_quiet": not world.populations,
    }
    return [
        *(
            Wanted("pool", pool_name(pool_id), {"pool_id": pool_id, "database_url": urls.engine})
            for pool_id in POOLS
        ),
        Wanted("chain", "chain", arguments),
        Wanted("indexer", "indexer", {"database_url": urls.engine}),
    ]


def agents(settings: Settings, urls: DatabaseUrls) -> list[Wanted]:
    """Who gives signals on symbols, who judges, and who trades on them for sessions."""
    database, models = {"database_url": urls.engine}, terms_of(settings)
    trading = {
        "risk": RiskHandle(RISK_AGENT),
        "open_orders_max": OpenOrdersMax(settings.open_orders_max, settings.user_open_orders_max),
        "model_timeout_s": 0 if models is None else models.timeout_s,
    }
    asking = {**database, "models": models}
    return [
        Wanted("risk_agent", RISK_AGENT, asking),
        Wanted("orchestrator", ORCHESTRATOR, {**database, **trading}),
        *(Wanted("agent", name, {"name": name, **asking}) for name in AGENTS),
    ]


def pool_hedge(urls: DatabaseUrls, world: World, prices: Prices, seed: int | None) -> list[Wanted]:
    """Who trades on the book what arbitrageurs trade in pools, where there are any and a book.

    Of its capital half is ether in the beginning, as far as one order goes.
    """
    if seed is None or not world.populations:
        return []
    with connect(urls.owner, "hedge") as connection:
        market_id = ether_market(connection)
    if market_id is None:
        return []
    spec, price = next(one for one in prices if one[0].market_id == market_id)
    capital_atoms = 2 * TRADER_USD * ATOMS_PER_UNIT
    accounts = create_strategy_accounts(
        urls.owner, HEDGE_STRATEGY_NO, "pool-arbitrage", len(POOLS), capital_atoms
    )
    lots = lots_of_quote(spec, price.price_ticks, TRADER_USD)
    buy_inventories(urls.owner, accounts, [Inventory(spec, lots, price.price_ticks)])
    stored = StrategyHoldings(urls.engine, [market_id])
    waits = (market_id in quoted_markets(world),)
    arguments = {
        "strategy_no": HEDGE_STRATEGY_NO,
        "population": PoolHedge(accounts, BoughtEther(Link(urls.engine, "hedge"), seed)),
        "markets": [MarketHandle(market_name(market_id))],
        "means": Means(capital_atoms, UNLENT, (spec,), waits, stored),
        "steps_per_second": HEDGES_PER_SECOND,
    }
    return [Wanted("strategy", "hedge", arguments)]


def first_ether_price(prices: Prices) -> Fraction:
    """Where the world's index of ether begins; of a world without ether, a price of some day."""
    for spec, price in prices:
        if spec.base_asset == "ETH":
            return Fraction(spec.tick_size) * price.price_ticks
    return ETHER_PRICE_ELSEWHERE


def pool_name(pool_id: int) -> str:
    """The name of a pool's actor."""
    return f"pool:{pool_id}"


def followed(world: World) -> dict[str, str]:
    """Of each market whose index is another's, which one that is."""
    found = {}
    for market in world.markets:
        market_id = market.spec.market_id
        if world.priced(market_id) is not market:
            found[market_id] = world.priced(market_id).spec.market_id
    return found


def strategies(urls: DatabaseUrls, world: World, prices: Prices) -> list[Wanted]:
    """One actor for each population, with accounts of its own, and what they hold at the start."""
    wanted = []
    specs = {market.spec.market_id: market.spec for market in world.markets}
    for number, described in enumerate(world.populations, start=1):
        accounts = create_strategy_accounts(
            urls.owner, number, described.name, described.heads, described.capital_atoms
        )
        buy_inventories(urls.owner, accounts, inventories(described, prices))
        population = build_population(
            described.strategy,
            described.parameters,
            accounts,
            len(described.markets),
            world.seed,
            number,
        )
        arguments = {
            "strategy_no": number,
            "population": population,
            "markets": [MarketHandle(market_name(market)) for market in described.markets],
            "means": Means(
                described.capital_atoms,
                described.leverage,
                tuple(specs[market] for market in described.markets),
                waits_for_quotes(world, described),
                StrategyHoldings(urls.engine, described.markets),
            ),
            "steps_per_second": world.steps_per_second,
        }
        wanted.append(Wanted("strategy", f"strategy:{described.name}", arguments))
    return wanted


def waits_for_quotes(world: World, described: PopulationDescription) -> tuple[bool, ...]:
    """Of each market of a population, whether others come first there: those who make it."""
    made = quoted_markets(world)
    return tuple(
        market in made and not described.kind.makes_markets for market in described.markets
    )


def inventories(described: PopulationDescription, prices: Prices) -> list[Inventory]:
    """What each trader of a population has of assets from the beginning, at the first index."""
    priced = {spec.market_id: (spec, price.price_ticks) for spec, price in prices}
    return [
        Inventory(priced[market_id][0], lots, priced[market_id][1])
        for market_id, lots in zip(described.markets, described.inventory_lots, strict=True)
        if lots
    ]


def told(wanted: Sequence[Wanted]) -> str:
    """The actors in a few words: relay, 2 markets, …"""
    counts = Counter(one.kind for one in wanted)
    plurals = {"strategy": "strategies"}
    return ", ".join(
        kind if count == 1 else f"{count} {plurals.get(kind, kind + 's')}"
        for kind, count in counts.items()
    )


def market_name(market_id: str) -> str:
    """The name of a market's actor."""
    return f"market:{market_id}"


def quoted_markets(world: World) -> list[str]:
    """Markets that somebody makes: these show a book when the world is ready."""
    made = {
        market
        for described in world.populations
        if described.kind.makes_markets
        for market in described.markets
    }
    return sorted(made)
