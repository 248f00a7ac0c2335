"""Everything an operator can choose, read once at start and passed down. Rule: nobody else reads the environment."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Config:
    """One server. Built by `cli.up` (or a test) and handed to `app.build`."""

    data: Path
    """The data directory: database, code packages, credentials, `server.json`."""
    host: str = "127.0.0.1"
    port: int = 4566
    """0 takes a free port; `server.json` and the log say which."""
    region: str = "us-east-1"
    """The default region, for requests that name none and for `penstock env`."""
    account: str = "000000000000"
    clock_speed: float = 1.0
    """How much faster business time runs than real time. Signatures and handler time limits are never scaled."""
    strict_runtimes: bool = False
    """Refuse a function whose runtime's exact interpreter this machine lacks, instead of using the nearest."""
    account_concurrency: int = 1000
    max_body_bytes: int = 80 * 1024 * 1024
    """Largest request body: an inline 50 MB zip is 67 MB in base64."""
    idle_environment_s: float = 300.0
    """Real seconds after which an idle environment is reaped."""
    durable: bool = True
    """False only in tests: commits do not wait for the disk."""
    log_format: str = "text"
    access_log: bool = False

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.data / "penstock.db"

    @property
    def run(self) -> Path:
        """Sockets and unpacked code; may be deleted while the server is down."""
        return self.data / "run"
