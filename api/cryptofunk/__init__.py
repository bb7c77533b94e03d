"""What people who run and watch trading agents ask: agents, positions, orders, sessions,
configuration, decisions. snake_case, and JSON numbers that are exact."""
