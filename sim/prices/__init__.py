"""Reference prices: where they come from, and what a market makes of them step by step."""
