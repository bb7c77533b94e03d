"""The exchange's actors: markets, strategies, relay, recorders, risk, keeper, supervisor."""
