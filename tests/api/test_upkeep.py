"""Whether the database is looked after can be watched."""

from storage.upkeep.notes import note_failure, note_success
from tests.api.deployment import Deployment


def test_metrics_tell_when_pruning_last_went_well_and_how_often_it_has_failed_since(
    exchange: Deployment,
) -> None:
    def told(name: str) -> float:
        lines = exchange.metrics().splitlines()
        (line,) = [line for line in lines if line.startswith(f"{name} ")]
        return float(line.split()[1])

    note_success(exchange.database, 1_795_000_000_000_000)
    assert told("sandpit_pruned_at_seconds") == 1_795_000_000
    assert told("sandpit_upkeep_failures") == 0
    for _ in range(2):
        note_failure(exchange.database, 1_795_000_000_000_001, "prune: no room")
    assert told("sandpit_pruned_at_seconds") == 1_795_000_000
    assert told("sandpit_upkeep_failures") == 2
