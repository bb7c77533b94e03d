"""Reference prices: where they come from, step by step or many steps in one call."""
