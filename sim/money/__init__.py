"""The rules of money: positions, margin, marks, funding, liquidation, which orders are
accepted and what they reserve, what trades do to accounts.
"""
