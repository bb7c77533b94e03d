"""Strategies of simulated traders, one a file, and what they share."""
