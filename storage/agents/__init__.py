"""What signal agents leave in the database, and the sessions that trade on it: symbols, agents,
decisions, configuration, sessions, positions as round trips."""
