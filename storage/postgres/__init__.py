"""How PostgreSQL is reached: connections, transactions, roles and grants."""
