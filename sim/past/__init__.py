"""What a world has behind it when it begins: candles of markets on which nobody has traded yet."""
