"""What a user writes: worlds of markets and populations, and scenarios of steps, seeds and
happenings, read and checked.
"""
