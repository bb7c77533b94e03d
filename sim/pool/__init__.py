"""Uniswap v3 pools, exact to the wei: what the contracts answer, in plain integers.

`pool` is what others use: one pool, its operations, what the last of them changed. Below it stand
`store` (what a pool remembers, and how a revert undoes), `liquidity` and `swapping` (what mints,
burns and swaps do), `ticks`, `bitmap`, `positions`, `observations`, and the arithmetic:
`tick_math`, `sqrt_price_math`, `swap_math`, `full_math`, `words`. `sequences` reads the lives of
pools that somebody wrote down, `fields` their fields, `replaying` lives them and writes the
answers.
"""
