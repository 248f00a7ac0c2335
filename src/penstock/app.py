"""The composition root: builds every object once, hands out dependencies, starts and stops the rooms.

Rule: the only module that knows all rooms; nothing imports it.
"""
