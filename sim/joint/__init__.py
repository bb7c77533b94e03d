"""Books and a chain in one simulation: pools, droids and arbitrageurs beside markets.

`world` is what others use: a SimulatedWorld that, whenever twelve simulated seconds have passed,
builds a block of `chain` at the middle of a book, and trades on that book what arbitrageurs have
traded in the pool. `droids` are those that work there.
"""
