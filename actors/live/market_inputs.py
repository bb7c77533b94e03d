"""What a market has been given, as the rows of one batch."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from actors.live.inbox import ClientRows, Item, StrategyBatch
from actors.live.strategy_desk import StrategyDesk
from sim.rows.messages import COMMAND, Rows


class Gathered(NamedTuple):
    """COMMAND rows to apply, the cursor after them, new strategy cursors, whom to answer."""

    inputs: Rows
    command_seq: int
    strategies: dict[int, int]
    answered: list[StrategyBatch]


def gathered(group: Sequence[Item], command_seq: int, desk: StrategyDesk, time_us: int) -> Gathered:
    """The rows of `group` that are new, in its order.

    command_seq   of the last command that was applied
    time_us       what strategies' rows are stamped with

    Raises AssertionError where a command is missing.
    """
    parts: list[Rows] = []
    strategies: dict[int, int] = {}
    answered = []
    for item in group:
        if isinstance(item, ClientRows):
            rows = item.rows[item.rows["command_seq"] > command_seq]
            if rows.size:
                assert rows["command_seq"][0] == command_seq + 1, "a command is missing"
                command_seq = int(rows["command_seq"][-1])
                parts.append(rows)
        elif isinstance(item, StrategyBatch):
            answered.append(item)
            last = strategies.get(item.strategy_no, desk.last_batch(item.strategy_no))
            if item.batch_no == last + 1:
                strategies[item.strategy_no] = item.batch_no
                parts.append(desk.stamped(item.rows, time_us))
    inputs = np.concatenate(parts) if parts else np.empty(0, dtype=COMMAND)
    return Gathered(inputs, command_seq, strategies, answered)
