"""Whatever stands in a scenario, it is refused in one sentence or runs to its end."""

import dataclasses
import random
from typing import Any

from sim.populations.registry import STRATEGIES
from sim.scenario.fields import ScenarioError
from sim.scenario.markets import SPEC_OPTIONS
from sim.scenario.scenario import Scenario, parse_scenario
from sim.scenario.world import SEED_MAX
from sim.signals.terms import AgentsTerms
from sim.stepping.world import Timing
from tests.sim.scenario_texts import world_of

SEED, TEXTS, STEPS_MAX = 11, 300, 12
SENTENCE_MAX = 1_000
HEADS_MAX = 40
DECIMALS = ("0.00000001", "0.000001", "0.001", "1", "7", "1000", "99999", "999999999")
IDS = ("AAA-PERP", "BBB-PERP", "CCC-PERP")


def edge(dice: random.Random, least: int, most: int) -> int:
    """Bounds more often than what lies between; seldom what lies beside them."""
    if dice.random() < 0.01:
        return dice.choice([least - 1, most + 1])
    near = (least, min(least + 1, most), (least + most) // 2, most)
    return dice.choice(near) if dice.random() < 0.4 else dice.randint(least, most)


def entries(**values: Any) -> str:
    return "".join(f"{name} = {value}\n" for name, value in values.items())


def market(dice: random.Random, market_id: str) -> str:
    text = "[[markets]]\n" + entries(id=f'"{market_id}"', base='"ABC"', quote='"USDC"')
    tick, lot = dice.choice([("0.1", "0.001"), ("1", "0.000001"), ("0.000001", "1"), ("1", "1")])
    most = dice.choice([lot, "1", "7", "1000", "1000000"])
    text += entries(tick_size=f'"{tick}"', lot_size=f'"{lot}"', max_quantity=f'"{most}"')
    for name in dice.sample(list(SPEC_OPTIONS), dice.randint(0, 2)):
        text += entries(**{name: edge(dice, *SPEC_OPTIONS[name])})
    start = f'"{dice.choice([tick, "1", "7", "1000", "99999"])}"'
    process = dice.choice(["constant", "synthetic", "synthetic"])
    about = {"price": start} if process == "constant" else {"start": start}
    if process == "synthetic":
        about["volatility_ppm_per_year"] = str(edge(dice, 0, 10_000_000))
        about["reversion_s"] = str(edge(dice, 1, 31_536_000))
    return text + "[markets.price]\n" + entries(process=f'"{process}"', **about)


def population(dice: random.Random, number: int) -> str:
    strategy = dice.choice(list(STRATEGIES))
    text = "[[populations]]\n" + entries(name=f'"p{number}"', strategy=f'"{strategy}"')
    text += entries(heads=dice.randint(1, HEADS_MAX), capital=f'"{dice.choice(DECIMALS[1:])}"')
    text += entries(latency_us_max=edge(dice, 0, 10_000_000))
    if STRATEGIES[strategy].read is not None:
        return text + terms(dice)
    text += "[populations.parameters]\n"
    for field in dataclasses.fields(STRATEGIES[strategy].parameters):
        bounds = field.metadata["minimum"], field.metadata["maximum"]
        if dice.random() < 0.4 and field.name not in ("levels", "orders_max"):
            text += entries(**{field.name: edge(dice, *bounds)})
    return text


def terms(dice: random.Random) -> str:
    """A few settings of a strategy of agents, at the edges of what they may be."""
    text = f"[populations.parameters]\ncandle_s = {dice.choice([1, 3, 60, 61])}\n"
    for agent in dice.sample(dataclasses.fields(AgentsTerms), 2):
        text += f"[populations.parameters.agents.{agent.name}]\n"
        for field in dataclasses.fields(getattr(AgentsTerms(), agent.name)):
            bound = field.metadata["bound"]
            if dice.random() < 0.1:
                value = dice.choice([bound.low, bound.high])
                text += entries(**{field.name: int(value) if bound.is_whole else float(value)})
    return text


def shock(dice: random.Random, ids: list[str]) -> str:
    kind = dice.choice(["buy", "sell", "index"])
    text = entries(market=f'"{dice.choice(ids)}"', kind=f'"{kind}"', at_s=dice.randint(0, 1))
    if kind == "index":
        return "[[shocks]]\n" + text + entries(jump_ppm=edge(dice, -900_000, 10_000_000))
    return "[[shocks]]\n" + text + entries(quantity=f'"{dice.choice(DECIMALS[3:6])}"')


def scenario_text(dice: random.Random) -> str:
    ids = list(IDS[: dice.randint(1, len(IDS))])
    text = 'name = "edge"\n' + entries(seed=dice.choice([0, 1, SEED_MAX]), duration_s=3)
    text += entries(
        step_us=edge(dice, 250_000, 1_000_000), margin_check_ms=dice.choice([1, 100, 1_000, 9_000])
    )
    text += entries(insurance=f'"{dice.choice(DECIMALS[1:])}"')
    text += "".join(market(dice, one) for one in ids)
    text += "".join(population(dice, number) for number in range(dice.choice([0, 1, 2, 2, 3, 3])))
    return text + "".join(shock(dice, ids) for _ in range(dice.randint(0, 3)))


def read(text: str) -> Scenario | str:
    """The scenario, or why it is none."""
    try:
        return parse_scenario(text)
    except ScenarioError as error:
        return str(error)


def test_every_text_is_refused_in_one_sentence_or_runs() -> None:
    ran = 0
    for number in range(TEXTS):
        text = scenario_text(random.Random(SEED + number))
        print(f"seed {SEED + number}\n{text}")
        scenario = read(text)
        if isinstance(scenario, str):
            assert "\n" not in scenario
            assert len(scenario) < SENTENCE_MAX
            continue
        world = world_of(scenario)
        world.run(STEPS_MAX)
        world.record(Timing())
        ran += 1
    assert ran > TEXTS // 10
