"""What signal agents leave in the database, and the sessions that trade on it: symbols, agents,
decisions, configuration, sessions, positions as round trips.

Agents read `sights` and `news`, write `signals`, `new_decisions` and `presence`, by the
`strategy_in_force`. The orchestrator works for `open_sessions`: `repeated_vetoes` are not kept,
`session_orders` places what was approved, `protection` what limits a loss, `outcomes` tells what
became of it, `session_ending` how a session ends. `model_wishes` is how language models are asked,
`model_budget` how much of a day they may cost. `founding` is what a deployment begins with;
`changes` is for who is told what happens; all else answers the API.
"""
