"""A whole simulation, step by step: markets, parts of strategies, and what goes between them."""
