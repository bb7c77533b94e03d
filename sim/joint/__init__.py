"""Books and a chain in one simulation: pools, droids and arbitrageurs beside markets.

`opening` is what others use: it gives a scenario's world, with a chain where it has one. That is
`world`, a SimulatedWorld that builds a block of `chain` whenever twelve simulated seconds have
passed, at the middle of a book, and trades on that book what arbitrageurs have traded in the pool.
`droids` are those that work there.
"""
