"""The servers that a deployment brings along, and the directory they live in."""
