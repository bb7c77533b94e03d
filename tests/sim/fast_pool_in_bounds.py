"""A process of its own in which numba looks at each index of the fast pools' kernels."""

import sys

from sim.fast_pool.arrays import FIRST_WORD
from sim.fast_pool.converting import arrays_of
from sim.fast_pool.engine import AskedSwap, batch_of
from sim.fast_pool.swapping import swap_all
from sim.pool.swapping import Order
from tests.sim.fast_pool_lives import lived, seeded, wide_pool
from tests.sim.pool_lives import unlimited


def is_told_of_an_index_too_far() -> bool:
    arrays = arrays_of(wide_pool())
    arrays.numbers[FIRST_WORD] -= 10_000
    try:
        swap_all(arrays, batch_of([AskedSwap(2, Order(True, 10**18, unlimited(True)))]))
    except IndexError:
        return True
    return False


def main() -> None:
    assert is_told_of_an_index_too_far()
    lived(seeded(), int(sys.argv[1]))


if __name__ == "__main__":
    main()
