"""Links from which a caller may fetch a function's code without signing. Rule: a link is good for ten minutes, for one
package, and for this run of the server; it is authenticated, so it cannot be guessed or stretched.
"""

import hashlib
import hmac
import re
from urllib.parse import parse_qs, urlencode

from penstock.core.clock import Clock
from penstock.core.dice import Dice
from penstock.registry.artifacts import hex_name

PREFIX = "/_penstock/code"
LIFETIME_S = 600
HEX = re.compile(r"[0-9a-f]{64}")


class CodeLinks:
    """Makes and checks links with a secret of its own."""

    def __init__(self, *, clock: Clock, dice: Dice) -> None:
        """Draws the secret."""
        self._clock = clock
        self._secret = dice.token(32)

    def make(self, endpoint: str, code_sha256: str) -> str:
        """The address of a package at `endpoint` (`http://127.0.0.1:4566`)."""
        name, expires = hex_name(code_sha256), str(int(self._clock.real()) + LIFETIME_S)
        query = urlencode({"expires": expires, "token": self._token(name, expires)})
        return f"{endpoint}{PREFIX}/{name}?{query}"

    def check(self, path: str, query: str) -> str | None:
        """The hexadecimal name of the package that a request may fetch, or None."""
        name = path.removeprefix(f"{PREFIX}/")
        given = parse_qs(query)
        expires, token = given.get("expires", [""])[0], given.get("token", [""])[0]
        if not HEX.fullmatch(name) or not re.fullmatch(r"[0-9]{1,15}", expires):
            return None
        good = hmac.compare_digest(token.encode(), self._token(name, expires).encode())
        return name if good and int(expires) >= self._clock.real() else None

    def _token(self, name: str, expires: str) -> str:
        return hmac.new(self._secret, f"{name}/{expires}".encode(), hashlib.sha256).hexdigest()
