"""Layers: zips that functions share, published as numbered versions and merged under `/opt`."""
