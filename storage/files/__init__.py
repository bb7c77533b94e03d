"""Files of users: worlds, scenarios, recorded trades."""
