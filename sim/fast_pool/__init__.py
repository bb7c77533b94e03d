"""Uniswap v3 pools, compiled: swaps in batches, each equal to `sim.pool`'s to the wei.

`engine` is what others use: a `FastPool` is made of a plain `Pool`, swaps, and becomes one again;
what is not a swap is asked of the plain one. Below it stand `arrays` (what a pool is as arrays, and
batches of swaps), `converting` (plain pools to arrays and back), `swapping` (the kernel), `walking`
and `observing` (its parts), `bitmap`, and the arithmetic as parts of kernels: `steps`, `prices`,
`ticks`, `division`, `words`.
"""
