"""Simulations: the command, worlds spread over actors, recording and results."""
