"""Everything an operator can choose, read once at start and passed down. Rule: nobody else reads the environment."""

import json
import os
from dataclasses import asdict, dataclass, fields
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
    isolation: str = "auto"
    """`auto` (the strongest that this machine allows), `required` (full, or no start) or `process`."""
    interpreters_path: str = os.defpath
    """Where function interpreters are looked for: the operator's PATH."""
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


def config_to_json(config: Config) -> str:
    """The whole configuration as one line, to hand from `penstock up` to the server's own process."""
    return json.dumps({**asdict(config), "data": str(config.data)})


def config_from_json(text: str) -> Config:
    """What `config_to_json` wrote. Raises `ValueError` for anything else, naming the field that does not fit."""
    values = json.loads(text)
    if not isinstance(values, dict) or not isinstance(values.get("data"), str):
        raise ValueError(  # noqa: TRY004 - one kind of error for all that is wrong with the text
            "a configuration is a JSON object with at least `data`, the path of the data directory"
        )
    if unknown := sorted(set(values) - {field.name for field in fields(Config)}):
        raise ValueError(f"unknown configuration: {', '.join(unknown)}")
    return Config(**{**values, "data": Path(values["data"])})
