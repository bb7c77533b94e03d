"""A market as traders meet it, live and in simulations: what they see of it, and hear."""
