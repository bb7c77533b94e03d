"""Strategies of simulated traders, one a file, and what they share.

A file declares its strategy as STRATEGY; registry.py collects what is declared.
"""
