"""Penstock runs AWS Lambda functions on machines you own and releases them safely."""

__version__ = "0.1.0"
