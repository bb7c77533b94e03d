"""The use cases, which do not know how they are asked."""
