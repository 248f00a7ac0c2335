"""The composition root. Rule: the only package that knows all rooms; nothing imports it."""
