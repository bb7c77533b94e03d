"""What is read: projections of the journals, lists, and whether the books add up."""
