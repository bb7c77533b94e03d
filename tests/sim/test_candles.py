"""Candles of longer intervals are what their minutes come to."""

import random

from sim.money.candles import INTERVALS_US, MINUTE_US, Candle, every_interval


def summed(minutes: dict[int, Candle], width_us: int) -> dict[int, Candle]:
    """The slow way: all minutes of each interval at once."""
    found = {}
    for opened_us in {at - at % width_us for at in minutes}:
        within = [minutes[at] for at in sorted(minutes) if at - at % width_us == opened_us]
        found[opened_us] = Candle(
            within[0].open_ticks,
            max(minute.high_ticks for minute in within),
            min(minute.low_ticks for minute in within),
            within[-1].close_ticks,
            sum(minute.volume_lots for minute in within),
            sum(minute.notional_atoms for minute in within),
            sum(minute.trade_count for minute in within),
        )
    return found


def test_every_interval_is_the_sum_of_its_minutes() -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    dice = random.Random(seed)
    minutes = {
        number * MINUTE_US: Candle(*(dice.randint(1, 9) for _ in range(7)))
        for number in sorted(dice.sample(range(4_000), 300))
    }
    before = {at: Candle(**vars(minute)) for at, minute in minutes.items()}
    found = every_interval(minutes)
    for width_us in INTERVALS_US.values():
        mine = {opened: candle for (width, opened), candle in found.items() if width == width_us}
        assert mine == summed(minutes, width_us)
    assert minutes == before
