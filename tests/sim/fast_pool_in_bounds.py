"""A process of its own in which numba looks at each index of the fast pools' kernels."""

import sys

import numpy as np

from sim.fast_pool.arrays import FIRST_WORD, Outcomes
from sim.fast_pool.converting import arrays_of
from sim.fast_pool.engine import AskedSwap, batch_of
from sim.fast_pool.operating import operate_all
from sim.pool.swapping import Order
from tests.sim.fast_pool_lives import lived, seeded, wide_pool
from tests.sim.pool_lives import unlimited


def is_told_of_an_index_too_far() -> bool:
    arrays = arrays_of(wide_pool())
    arrays.numbers[FIRST_WORD] -= 10_000
    batch = batch_of([AskedSwap(2, Order(True, 10**18, unlimited(True)))])
    numbers, table = np.zeros(1, np.int64), np.zeros((2, 4), np.uint64)
    told = Outcomes(numbers, table, table, numbers)
    try:
        operate_all(arrays, batch.operations, told, numbers)
    except IndexError:
        return True
    return False


def main() -> None:
    assert is_told_of_an_index_too_far()
    lived(seeded(), int(sys.argv[1]))


if __name__ == "__main__":
    main()
