"""How long the vector of market context is, for those who keep it and do not make it."""

DIMENSION = 32
