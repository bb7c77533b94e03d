"""Users, their accounts, credentials and sessions."""
