"""The `penstock` command. Rule: thin; every command talks to the running server over HTTP."""


def main() -> None:
    """Run the command line."""
