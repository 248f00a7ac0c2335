"""A marker's JSON in words: what changed, how it ended, who did it, why. Pure.

Rule: a failed change and a change taken back can be told from the rest without colour, by their own symbol and word.
"""

import re
from collections.abc import Mapping
from typing import Any

from penstock.cli.moments import ago, local
from penstock.cli.screen import Cell

Marker = Mapping[str, Any]
LOOKS = {
    "PENDING": ("… planned", "yellow"),
    "RUNNING": ("▶ running", "bold cyan"),
    "SUCCESS": ("✓ success", "green"),
    "FAILED": ("✗ FAILED", "bold red"),
    "CANCELED": ("– canceled", "bold yellow"),
}
ROLLBACK_LOOKS = {
    "PENDING": ("↩ planned", "bold magenta"),
    "RUNNING": ("↩ rolling back", "bold magenta"),
    "SUCCESS": ("↩ ROLLED BACK", "bold magenta"),
    "FAILED": ("✗ ROLLBACK FAILED", "bold red"),
    "CANCELED": ("– rollback canceled", "bold yellow"),
}
SILENT_KINDS = {"deployment", "rollback", "planned", "alias-moved", "weights-shifted"}
"""Kinds that the versions and weights tell already."""
ARN_RESOURCE = re.compile(r"arn:[^:]*:[^:]*:[^:]*:[^:]*:(?:[a-z-]+[/:])?(.+)")


def when(marker: Marker, now: float) -> str:
    """`03:08:20  4 min ago`."""
    at = float(marker["opened_at"])
    return f"{local(at, now)}  {ago(at, now)}"


def component(marker: Marker) -> str:
    """`lambda/orders:live`; an environment that says more than the alias stands behind it."""
    name, alias, environment = str(marker.get("component", "")), marker.get("alias"), marker.get("environment")
    qualified = f"{name}:{alias}" if alias else name
    return f"{qualified} ({environment})" if environment and environment != alias else qualified


def change(marker: Marker) -> str:
    """`version 3 → 4, 10 % → 100 %`, `configuration changed: memory_size`."""
    kind = str(marker.get("kind") or "")
    said = [] if kind in SILENT_KINDS else [kind.replace("-", " ")]
    said += filter(None, (_versions(marker), _shares(marker)))
    if details := _details(marker):
        said.append(details)
    return ", ".join(said) or kind.replace("-", " ")


def status(marker: Marker) -> Cell:
    """How it stands or ended."""
    word = str(marker.get("status") or "")
    looks = ROLLBACK_LOOKS if marker.get("rollback") else LOOKS
    return Cell(*looks.get(word, (word, "")))


def who(marker: Marker) -> str:
    """`admin`; when somebody else had planned it, `deploy-bot for admin`."""
    by, planned_by = short_name(str(marker.get("by") or "")), short_name(str(marker.get("planned_by") or ""))
    return f"{by} for {planned_by}" if planned_by and planned_by != by else by


def short_name(arn: str) -> str:
    """The last part of an ARN: `admin` of `arn:aws:iam::…:user/admin`."""
    found = ARN_RESOURCE.fullmatch(arn)
    return found[1] if found else arn


def reasons(marker: Marker) -> list[Cell]:
    """Why it was done, and why it failed."""
    said = []
    if marker.get("reason"):
        said.append(Cell(str(marker["reason"]), "dim"))
    if marker.get("failure_reason"):
        said.append(Cell(f"failed: {marker['failure_reason']}", "red"))
    return said


def _versions(marker: Marker) -> str:
    target, previous = marker.get("target_version"), marker.get("previous_version")
    if target and previous and target != previous:
        return f"version {previous} → {target}"
    return f"version {target or previous}" if target or previous else ""


def _shares(marker: Marker) -> str:
    """The target's share of the traffic, step by step; nothing to say when it went over at once."""
    target = marker.get("target_version")
    steps = [float(shares.get(target, 0)) for _, shares in marker.get("shifts") or () if isinstance(shares, Mapping)]
    if not steps or steps == [100.0]:
        return ""
    shown = steps if len(steps) <= 4 else [steps[0], steps[1], None, steps[-1]]
    return " → ".join("…" if step is None else f"{step:g} %" for step in shown)


def _details(marker: Marker) -> str:
    """What exactly, for kinds whose detail is short; deployments keep theirs for --json."""
    kind, detail = marker.get("kind"), marker.get("detail") or {}
    if kind in {"deployment", "rollback"} or not isinstance(detail, Mapping):
        return ""
    return "; ".join(f"{name.replace('_', ' ')} {_plain(value)}" for name, value in detail.items() if value)


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_plain(inner)}" for name, inner in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
