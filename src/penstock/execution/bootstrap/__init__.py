"""What runs inside function processes. Rule: standard library only, Python 3.9 and newer, nothing else of Penstock.

These files are executed by the interpreter a function's runtime names, not by the server's; the server imports only
`frames`, so that both ends share one wire format.
"""
