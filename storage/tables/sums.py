"""The type of a number that grows as long as a deployment lives."""

from typing import Any

from sqlalchemy import Numeric

SUM_DIGITS = 60
SUM: Any = Numeric(SUM_DIGITS, 0)
"""What is summed up from values that a client can repeat (profit, fees, turnover, volume, balances)
leaves 64 bits some day. Sixty digits are 10**44 of the largest orders; postgres/database.py reads
them as int."""
