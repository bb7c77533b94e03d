"""Fills of one account as one writes them down with fractions: shares no rule with sim.money.

The basis that a partial closing takes is rounded down, the last one takes the rest; what crosses
zero is two fills. Fees are rounded up, rebates toward zero.
"""

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor

MILLION = 1_000_000


def plain_fee(notional_atoms: int, rate_ppm: int) -> int:
    return ceil(Fraction(notional_atoms * rate_ppm, MILLION))


@dataclass
class PlainAccount:
    lots: int = 0
    cost: int = 0
    realized: int = 0
    fees: int = 0

    def fill(self, signed: int, price_atoms: int, rate_ppm: int = 0) -> None:
        self.fees += plain_fee(abs(signed) * price_atoms, rate_ppm)
        if self.lots * signed < 0 and abs(signed) > abs(self.lots):
            rest = signed + self.lots
            self.fill(-self.lots, price_atoms)
            self.fill(rest, price_atoms)
        elif self.lots * signed < 0:
            long, short = (1, -1) if self.lots > 0 else (-1, 1)
            basis = floor(Fraction(abs(self.cost) * abs(signed), abs(self.lots)))
            self.realized += long * (abs(signed) * price_atoms - basis)
            self.lots, self.cost = self.lots + signed, self.cost + short * basis
        else:
            self.lots, self.cost = self.lots + signed, self.cost + signed * price_atoms
