"""What one market remembers: its journal, its streams, how it recovers, what it halts for."""
