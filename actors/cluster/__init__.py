"""Ray: the head node and its agents, and our classes as its actors. Nothing else imports Ray."""
