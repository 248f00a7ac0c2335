"""Environments that speak the Runtime API: any executable, Node.js, the official runtime clients. Rule: the same
`Environment` and `Launcher` as the forked ones; what differs stays in here.
"""
