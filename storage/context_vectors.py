"""How long the vector of market context is that decisions are compared by."""

CONTEXT_DIMENSIONS = 32
