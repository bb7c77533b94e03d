"""The schema, from nothing to now."""
