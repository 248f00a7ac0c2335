"""How a command fails: one line on stderr that says what, why and what to do, and an exit code that a script can read.

Exit codes: 1 the server or a rule refused, 2 the command line was wrong, 3 no server could be reached.
"""

REFUSED = 1
USAGE = 2
UNREACHABLE = 3


class CommandError(Exception):
    """Ends the command. `code` is the server's error code when it has one, e.g. `ResourceNotFoundException`."""

    def __init__(self, message: str, *, code: str = "", exit_code: int = REFUSED) -> None:
        """See the class."""
        super().__init__(message)
        self.message = message
        self.code = code
        self.exit_code = exit_code

    def line(self) -> str:
        """What stderr shows."""
        return f"Error ({self.code}): {self.message}" if self.code else f"Error: {self.message}"


def unreachable(message: str) -> CommandError:
    """No server answers."""
    return CommandError(message, exit_code=UNREACHABLE)


def usage(message: str) -> CommandError:
    """The command line does not make sense; nothing was sent."""
    return CommandError(message, exit_code=USAGE)
