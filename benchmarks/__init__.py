"""Penstock side by side with a floor and with others, one command: `make bench`. Imports nothing of Penstock."""
