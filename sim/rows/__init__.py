"""What travels between rooms and actors: COMMAND and EVENT rows, their columns and packings, the
kernels' tools and the draws that belong to traders.

Imports nothing else of the house; compiling.py alone loads numba.
"""
