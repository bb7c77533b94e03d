"""`sandpit bench`: what it all costs, measured."""
