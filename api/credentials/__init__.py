"""Who somebody is: passwords, tokens, keys, and how often they may be guessed."""
