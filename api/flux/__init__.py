"""The Flux family: perpetual futures by REST."""
