"""Stylized facts and performance, measured on what a run has left."""
