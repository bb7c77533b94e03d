"""Tables as SQLModel classes, for migrations and tests."""
