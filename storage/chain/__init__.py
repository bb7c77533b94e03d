"""The chain's node in PostgreSQL: `node` (its head, and blocks with all that they change), `wished`
(what waits to get into a block), `pools` (how pools are rebuilt), `founding` (the first block's
state)."""
