"""A droid on what a real pool's log says: its fees swap by swap, beside who has done nothing.

`run` is what others use: a Backtest lives the log block by block and gives a Result. Below it stand
`log` (what is logged, and the blocks between), `market` (the pool, in which the log happens again),
`hand` (the droid's wallet and what its transactions do), `earning` (what each swap has earned it),
`beside` (what it is compared with) and `result` (all that comes of it, and its hash). `grid` makes
many settings of one, `gwei` reads its base fee.
"""
