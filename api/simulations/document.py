"""What the document says of /simulations beside the schemas: fields and refusals."""

from api.door.openapi import Words
from api.door.refusal_examples import LIMIT_OVER
from api.door.wire import MILLISECONDS

FIELDS: dict[str, str] = {
    "simulationId": "The simulation's id.",
    "simulation_id": "The simulation's id, such as simulation_12.",
    "ProgressAnswer.orders": "Orders sent so far.",
    "ListedAnswer.status": "QUEUED, RUNNING, STOPPING, then FINISHED, STOPPED or FAILED.",
    "SimulationAnswer.status": "QUEUED, RUNNING, STOPPING, then FINISHED, STOPPED or FAILED.",
    "StoppedAnswer.status": "STOPPED, or STOPPING until what it has so far is written.",
    "startedAt": f"When it began to run, in {MILLISECONDS}; absent while it waits.",
    "endedAt": f"When it ended, in {MILLISECONDS}; absent before.",
    "keptUntil": f"When an ended one goes by itself, in {MILLISECONDS}; absent before its end.",
    "ListedAnswer.error": "Why it FAILED; absent otherwise.",
    "SimulationAnswer.error": "Why it FAILED; absent otherwise.",
    "scenario": "Its name; of a backtest `droid-` and its log's.",
    "SimulationSent.scenario": "The name of a scenario that ships, or an object with the fields of "
    "a scenario file.",
    "scenarioText": "A scenario file (TOML).",
    "SimulationSent.droid": "A droid as `POST /api/droids` takes it; `poolId` may be left out: the "
    "log says which pool it is.",
    "swaps": "The name of a log of a pool that ships.",
    "swapsText": "A log of a pool: the CSV text of a file that `sandpit simulate droid --swaps` "
    "takes; instead of `swaps`.",
    "startText": "How the pool stood before the log: the JSON text of its `start.json`.",
    "grid": "Some values of some of the droid's fields: each combination is a backtest, and "
    "`result` ranks them.",
    "asCalled": "true: the log's swaps are called as they were; else each is as large as brings "
    "the price to where it was.",
    "baseFee": "Of every block, in gwei; without it 12.5.",
    "seed": "The seed: the same scenario and seed come to the same `stateHash`.",
    "durationS": "How many simulated seconds; without it, the scenario's own. Not with `droid`.",
    "traders": "How many traders take part.",
    "markets": "How many markets there are; 0 where a droid works in a pool.",
    "progress": "How far it is.",
    "step": "Steps taken; those of a backtest are blocks.",
    "steps": "Steps in all.",
    "simulatedMs": "Simulated time so far, in milliseconds.",
    "fills": "Fills so far.",
    "stepsPerSecond": "Steps of the last second.",
    "ordersPerSecond": "Orders of the last second.",
    "fillsPerSecond": "Fills of the last second.",
    "secondsLeft": "How long it still takes at this speed.",
    "stateHash": "The hash of everything at the end; absent before.",
    "rerunOf": "The simulation that it repeats; absent where none.",
    "ahead": "How many wait before it; absent when it does not wait.",
    "result": "What `sandpit simulate --json` prints, of a backtest what `sandpit simulate droid "
    "--json` does; absent before the end.",
}

OPERATION_IDS = {
    "post_simulation": "runSimulation",
    "post_run": "runSimulationAgain",
    "delete_simulation": "stopSimulation",
    "get_report": "getSimulationReport",
}

WORDS = Words(
    "api.simulations",
    FIELDS,
    refusals={"getSimulations": {400: LIMIT_OVER}},
    tags={"Simulations": "Scenarios that run beside the exchange, faster than time."},
    operation_ids=OPERATION_IDS,
    parts_of_paths={"simulation_id": "simulation_12"},
)
