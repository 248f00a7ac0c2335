"""The one way a codec says that a request cannot be read. Rule: always the client's fault, always a 4xx."""


class Malformed(Exception):  # noqa: N818 - it names the request, not an error of ours
    """A request whose body, path or headers do not decode into the operation's input.

    `path` grows from the inside out while the walk unwinds, so the message can say where the trouble is.
    """

    def __init__(self, reason: str) -> None:
        """`reason` is a phrase for the caller, without the place."""
        super().__init__(reason)
        self.reason = reason
        self._path: list[str] = []

    def inside(self, step: str) -> "Malformed":
        """Remember one more step outward."""
        self._path.append(step)
        return self

    @property
    def message(self) -> str:
        """The reason, with the place in front when it is known."""
        place = ".".join(reversed(self._path))
        return f"{place}: {self.reason}" if place else self.reason
