"""What one environment is to run. Rule: values only; made by the launcher, carried out by the environment."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Plan:
    """One environment to be."""

    command: tuple[str, ...]
    """The runtime: an absolute path and its arguments. Empty when `refusal` says why there is none."""
    variables: Mapping[str, str]
    directory: Path
    """Where everything starts: the unpacked package."""
    refusal: str = ""
    port: int = 0
    """Of the address; 0 takes any free one."""
    extensions: tuple[str, ...] = ()
    """Executables to start before the runtime."""
