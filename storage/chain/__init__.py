"""The chain as it is kept, and as people look it up.

`explored_blocks`: a block's bytes, read, with its `transfers`; `indexing`: they become rows;
`explorer`: rows are read.
"""
