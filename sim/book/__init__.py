"""The order book of one market: price levels, queues, the index of orders, matching, and the
engine that applies COMMAND rows and answers EVENT rows.

Imports `sim.rows`.
"""
