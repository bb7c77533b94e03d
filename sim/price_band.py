"""How far from mark an order may take: the two edges of a market's price band.

Plain functions of integers, for Python and for kernels alike, like those of sim/money/rules.py.
They stand here because the book keeps to them as well, and it knows nothing of money.
"""

from sim.rows.kernels import rule
from sim.units import PPM


@rule
def highest_purchase_ticks(mark_ticks: int, price_band_ppm: int) -> int:
    """The highest price that an order may buy at while mark stands there."""
    return mark_ticks * (PPM + price_band_ppm) // PPM


@rule
def lowest_sale_ticks(mark_ticks: int, price_band_ppm: int) -> int:
    """The lowest price that an order may sell at while mark stands there."""
    return max(1, -(-mark_ticks * (PPM - price_band_ppm) // PPM))
