"""The way to the running server: `server.json` says where, `credentials.json` with which key, SigV4 signs.

Rule: every way a request can go wrong ends as a `CommandError` with its own exit code; a traceback is our bug.
"""

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from penstock.cli.credentials import Credentials, read_credentials
from penstock.cli.failure import CommandError, unreachable
from penstock.cli.screen import working
from penstock.core.serverfile import ServerFile, read_server_file

SERVICE = "penstock"
"""The service name in the signature of `/_penstock/…` requests."""
ANSWER_WITHIN_S = {"GET": 10.0, "POST": 60.0}
"""A question has a quick answer or none; a change may have to wait for the disk."""

Query = Mapping[str, str | int | float | None]


@dataclass(frozen=True, slots=True)
class Connection:
    """A server that was running a moment ago, and the key to it."""

    data: Path
    server: ServerFile
    credentials: Credentials

    def get(self, path: str, query: Query | None = None) -> Any:
        """The JSON of a signed GET. Values of `query` that are None are left out."""
        return self._signed("GET", path, query, b"")

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """The JSON reply to a signed POST. Members of `body` that are None are left out."""
        content = {name: value for name, value in body.items() if value is not None}
        return self._signed("POST", path, None, json.dumps(content).encode())

    def _signed(self, method: str, path: str, query: Query | None, body: bytes) -> Any:
        url = f"{self.server.endpoint}{quote(path, safe='/:')}{_query_string(query)}"
        headers = sign(method, url, body, self.credentials, self.server.region)
        with working("asking the server"):
            return request(self.server, method, url, body, headers)


def find_server(data: Path) -> ServerFile:
    """Where the server of `data` is; exit code 3 when none runs."""
    server = read_server_file(data)
    if server is None:
        raise unreachable(
            f"no Penstock server is running for {data}. Start one with `penstock up`, or name the directory of a "
            "running one with --data DIR or PENSTOCK_DATA."
        )
    return server


def connect(data: Path) -> Connection:
    """The server of `data` and the key to it."""
    return Connection(data, find_server(data), read_credentials(data))


def fetch_health(server: ServerFile) -> dict[str, Any]:
    """`/_penstock/health`, which needs no key: among others `business_time`, the server's now."""
    health = request(server, "GET", f"{server.endpoint}/_penstock/health", b"", {})
    if not isinstance(health, dict):
        raise CommandError(f"{server.endpoint} answers, but not as a Penstock server does: {health!r}")
    return health


def sign(method: str, url: str, body: bytes, credentials: Credentials, region: str) -> dict[str, str]:
    """The headers of a SigV4 signature."""
    from botocore.auth import SigV4Auth  # noqa: PLC0415 - 120 ms that commands without a request need not pay
    from botocore.awsrequest import AWSRequest  # noqa: PLC0415
    from botocore.credentials import Credentials as Signer  # noqa: PLC0415

    content = {"Content-Type": "application/json"} if body else {}
    unsigned = AWSRequest(method=method, url=url, data=body, headers=content)
    SigV4Auth(Signer(credentials.access_key, credentials.secret_key), SERVICE, region).add_auth(unsigned)
    return dict(unsigned.headers.items())


def request(server: ServerFile, method: str, url: str, body: bytes, headers: Mapping[str, str]) -> Any:
    """Send it, and the reply's JSON; a refusal becomes a `CommandError` with the server's code and message."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=ANSWER_WITHIN_S[method])
    try:
        connection.request(method, url[len(f"{parts.scheme}://{parts.netloc}") :], body or None, dict(headers))
        reply = connection.getresponse()
        content = reply.read()
    except (OSError, http.client.HTTPException) as error:
        raise unreachable(
            f"the server at {server.endpoint} (process {server.pid}) does not answer: {error or type(error).__name__}. "
            "Look at its own output, and run `penstock doctor`."
        ) from error
    finally:
        connection.close()
    return _read_reply(server, reply.status, reply.headers.get("x-amzn-errortype"), content)


def _read_reply(server: ServerFile, status: int, error_type: str | None, content: bytes) -> Any:
    try:
        value = json.loads(content)
    except ValueError as error:
        raise CommandError(
            f"{server.endpoint} answered HTTP {status} with something that is not JSON. Is it another program?"
        ) from error
    if 200 <= status < 300:
        return value
    fields = value if isinstance(value, dict) else {}
    message = fields.get("message") or fields.get("Message") or f"HTTP {status}"
    code = fields.get("code") or fields.get("__type") or error_type or f"HTTP {status}"
    raise CommandError(str(message), code=str(code))


def _query_string(query: Query | None) -> str:
    present = {name: str(value) for name, value in (query or {}).items() if value is not None}
    # SigV4 wants %20 for a blank, and botocore signs the query as it stands.
    return f"?{urlencode(sorted(present.items()), quote_via=quote)}" if present else ""
