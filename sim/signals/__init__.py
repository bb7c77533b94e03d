"""The rules of the signal agents: what they see in a market, how they vote, what risk allows.

All are pure functions of what they are shown; times are ages and seconds that the caller tells.
Indicators are TA-Lib's, our rules only combine them.

`terms` has all that may be set, as one strategy; `bounds` reads it and tells every fault at once;
`strategy` is how people keep it, with its name; `grid` tries some values of some of its terms.
An agent's rule is one module: `technical`, `orderbook`, `sentiment`, `trend`, `reversion`,
`arbitrage`, each with `signal_of`. They look at `candles` and `books`, `indicators` reads candles,
and what they say is `signal`'s Signal. `agents` lists who there is and what each is shown, `sights`
makes that of ticks and lots.
`voting` makes one consensus of many signals; `steps` says what a session does with that and where
its exits lie; `risk` has the last word on how much; `moments` is where all three meet.
`course` is what a simulation leaves of all this, `packed_decisions` in little room, and
`attribution` shares its result among agents.
`metrics` tells how a session went, `context` what a market looked like, as a vector that decisions
are compared by and whose `dimension` others need.
"""
