"""The chain's node in PostgreSQL, and the chain as people look it up.

`node` (its head, and blocks with all that they change), `mining` (blocks that somebody wishes for),
`wished` (what waits to get into a block),
`pools` (how pools are rebuilt), `founding` (the first block's state).
`spot` (the exchange's price of ether), `arbitrage` (what is to be traded there for pools).
`explored_blocks` (a block's bytes, read, with its `transfers`), `indexing` (they become rows),
`explorer` (the rows are read).
"""
