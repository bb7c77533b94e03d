"""The double-entry ledger's vocabulary: accounts of the house, and what an entry is for.

Clients' accounts have ids from CLIENTS_FIRST on, strategies' from STRATEGIES_FIRST on.
"""

from enum import StrEnum

EXTERNAL = 1
"""Where deposits come from and withdrawals go to: the world outside."""
FEES = 2
INSURANCE = 3
DUST = 4
"""What rounding leaves over when funding is paid."""
CHAIN = 5
"""Faces what accounts have on the chain, in the wallets of their droids."""
CLEARING_FIRST = 100
"""The clearing account of the market with ordinal n is 100 + n; the ids end below CLIENTS_FIRST."""
CLIENTS_FIRST = 1_000
"""Clients' accounts begin here; ids below are the house's."""
ENDOWMENT = "endowment"
"""The source of the ledger transactions by which simulated traders get what they begin with."""
STRATEGIES_FIRST = 1_000_000_000
"""Accounts of simulated traders begin here; clients' ids stay below."""


def clearing_account(market_ordinal: int) -> int:
    """The account that faces every trader's profit and loss in one market."""
    if not 0 < market_ordinal < CLIENTS_FIRST - CLEARING_FIRST:
        raise ValueError(f"no clearing account for market ordinal {market_ordinal}")
    return CLEARING_FIRST + market_ordinal


class EntryType(StrEnum):
    """Why money moved. The names are Flux's; RESET and those from TRANSFER on are ours."""

    DEPOSIT = "DEPOSIT"
    WITHDRAW = "WITHDRAW"
    RESET = "RESET"
    TRADING_FEE = "TRADING_FEE"
    REALIZED_PNL = "REALIZED_PNL"
    FUNDING_PAYMENT = "FUNDING_PAYMENT"
    LIQUIDATION_LOSS = "LIQUIDATION_LOSS"
    INSURANCE_FUND_TRANSFER = "INSURANCE_FUND_TRANSFER"
    INSURANCE_FUND_CREDIT = "INSURANCE_FUND_CREDIT"
    ADL_SETTLEMENT = "ADL_SETTLEMENT"
    CARRIED_FORWARD = "CARRIED_FORWARD"
    """The sum of a strategy's entries that are no longer kept one by one."""
    TRANSFER = "TRANSFER"
    """Between two accounts of one user."""
    TRADE = "TRADE"
    """What changes hands in a spot market: one leg for each of both assets."""
    TO_CHAIN = "TO_CHAIN"
    """Into a droid's wallet."""
    FROM_CHAIN = "FROM_CHAIN"
    """What is left in a droid's wallet, back."""


ENTRY_CODES = {entry_type: code for code, entry_type in enumerate(EntryType, start=1)}
"""How strategies' entries are stored. A new type comes last: the codes are in databases."""
