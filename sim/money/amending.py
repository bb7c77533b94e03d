"""What becomes of an order's reservation when the order is amended. Integers, no I/O.

What is asked for reserves at once what it needs beyond what its order has, whatever of the order
trades on the way: when the market has done it, the order keeps what it needs from then on and the
rest is free; when the market has not, what was reserved for it is.
"""

from dataclasses import dataclass

from sim.money.margin import released_atoms


@dataclass(frozen=True)
class Amendment:
    """What an order is to become.

    added_lots              by how many more it is to be for, below 0 by how many fewer
    price_ticks             its new limit, 0 for the one that it has
    trigger_ticks           its new trigger or distance, 0 for the one that it has
    reserved_atoms          what is locked for it beside the order's own reservation
    needed_atoms            what so many needed_lots of the amended order need; both are 0 where it
                            only becomes smaller
    may_open                whether it may open a position from then on; None where that stays
    """

    added_lots: int
    price_ticks: int
    trigger_ticks: int
    reserved_atoms: int = 0
    needed_atoms: int = 0
    needed_lots: int = 0
    may_open: bool | None = None

    def kept_atoms(self, reserved_atoms: int, lots: int, lots_before: int) -> int:
        """Of what the order has reserved, with what was for this, so many lots keep so much."""
        if self.needed_lots:
            return min(reserved_atoms, -(-self.needed_atoms * lots // self.needed_lots))
        fewer = max(0, lots_before - lots)
        return reserved_atoms - released_atoms(reserved_atoms, fewer, lots_before)


NOTHING_RESERVED = Amendment(0, 0, 0)


@dataclass(frozen=True)
class ChangedTerms:
    """What of an order is no longer as it was ordered; 0 where it is, None for amend_reason and
    may_open.

    updated_at_us   when its amendment was refused, which nothing else of the order tells the time
                    of; 0 where it was not
    """

    price_ticks: int = 0
    trigger_ticks: int = 0
    triggered_at_us: int = 0
    amend_reason: int | None = None
    updated_at_us: int = 0
    may_open: bool | None = None


def extra_atoms(needed_atoms: int, lots: int, added_lots: int, reserved_atoms: int) -> int:
    """What an amendment reserves beside its order, which has reserved so much for all its lots but
    the added ones. Any number of those may trade before the amendment is done.

    Needed and reserved change evenly with them, so the most is missing when none has traded, or
    all.
    """
    for_added = -(-needed_atoms * max(0, added_lots) // lots)
    return max(0, needed_atoms - reserved_atoms, for_added)
