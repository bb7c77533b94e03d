"""The family of simulations."""
