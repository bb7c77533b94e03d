"""Files of users: worlds, scenarios, recorded trades, lives of pools."""
