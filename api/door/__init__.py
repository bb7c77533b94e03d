"""What every request passes, whatever its family: connections, front, limits, credentials,
refusals, pages.
"""
