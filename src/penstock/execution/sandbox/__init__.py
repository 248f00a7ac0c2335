"""How environments are kept apart: what this machine allows, and the closed places it makes for them.

Rule: two levels, told apart once at start; nothing above this package knows which namespaces or cgroups there are.
"""
