"""What a droid decides: a ladder of Uniswap v3 positions ("bots", here rungs) in one pool.

`mind` is what others use: shown what there is at a block's end, it answers with the transactions
of the next stage, and told how they went it remembers that; all it remembers is `memory`'s
MindState, which `written` writes as JSON and reads. It puts together `states` (what is wished and
what comes of it), `signal` (the price it goes by, and when that has moved enough), `plan` (which
rungs close, stay and come), `swapping` (the one swap before the mints), `gas` (what may be spent),
`acts` (transactions and what became of them) and `drafts` (which makes them).
Below them stand `config` (what may be set, and what is refused),
`lattice` (buckets), `curves` (weights), `ladder` (liquidity and amounts). `valuation` tells what it
all is worth. `session` stands above: what an actor or a backtest keeps beside a mind, and how money
goes home.
"""
