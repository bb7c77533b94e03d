"""Droids in the database: what their owners want, what it costs them, and how they stand.

`rows`: a droid, who sees it, making one; `configs`: how its config is written. `changes`: what
PATCHes do, under the droid's lock; `sessions`: opening and funding one with money of the account.
`readings`: sessions, positions, history, pools; `summaries`: the figures of wallets and gas.
"""
