"""Uniswap v3 pools, compiled: operations in batches, each equal to `sim.pool`'s to the wei.

`engine` is what others use: a `FastPool` is made of a plain `Pool`, swaps, mints, burns and
collects, and becomes one again; all else is asked of the plain one. Below it stand `arrays` (what a
pool is as arrays, operations, outcomes), `converting` (plain pools to arrays and back), `operating`
(the kernel), `swapping` with its parts `walking` and `observing`, `changing` with its part
`liquidity` (mints, burns and collects), `bitmap`, and the arithmetic as parts of kernels: `steps`,
`prices`, `ticks`, `division`, `words`.
"""
