"""The trading app: people and roles, browsers with cookies, JSON numbers."""
