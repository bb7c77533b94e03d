"""What keeps a database small: packing, pruning, and the notes of both."""
