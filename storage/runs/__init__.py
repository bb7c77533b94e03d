"""Simulations that were asked for, and what was recorded of them."""
