"""The commands of `sandpit`, but those of simulations and benchmarks."""
