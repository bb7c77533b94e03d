"""The rules of money: positions, margin, marks, funding, liquidation, what orders reserve, what
trades do to accounts.
"""
