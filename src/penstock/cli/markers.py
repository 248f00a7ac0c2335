"""A marker's JSON in words: what changed, how it ended, who did it, why. Pure.

Rule: a failed change and a change taken back can be told from the rest without colour, by their own symbol and word.
"""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
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
    """`version 3 → 4, 10 % → 100 %, errors 0 % → 2 %`, `configuration changed: timeout`."""
    said = PHRASES.get(str(marker.get("kind")), _unknown)(marker)
    return f"{said}, {measured}" if (measured := _errors(marker)) else said


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


def percent(rate: Mapping[str, Any]) -> str:
    """The share of failed requests, `1.25 %`."""
    return f"{100 * rate['errors'] / rate['requests']:.3g} %"


def _errors(marker: Marker) -> str:
    """`errors 0 % → 31 %`, when both sides of the change had requests."""
    measured = marker.get("errors") or {}
    before, after = measured.get("before") or {}, measured.get("after") or {}
    if not before.get("requests") or not after.get("requests"):
        return ""
    return f"errors {percent(before)} → {percent(after)}"


def _release(marker: Marker) -> str:
    return ", ".join(filter(None, (_versions(marker), _shares(marker)))) or "planned"


def _weights(marker: Marker) -> str:
    """`version 3 90 %, version 4 10 %`."""
    others: Mapping[str, float] = marker["detail"].get("weights") or {}
    shares: dict[str, float] = {str(marker.get("target_version")): 1 - sum(others.values()), **others}
    return ", ".join(f"version {version} {100 * share:.4g} %" for version, share in shares.items())


def _alias_moved(marker: Marker) -> str:
    return f"{_versions(marker)} ({_weights(marker)})" if marker["detail"].get("weights") else _versions(marker)


def _published(marker: Marker) -> str:
    description = marker["detail"].get("description")
    return f"version {marker.get('target_version')} published" + (f": {description}" if description else "")


def _configured(marker: Marker) -> str:
    changed = (re.sub(r"_(s|ms|mb)$", "", str(name)) for name in marker["detail"].get("changed") or ())
    names = ", ".join(_layers(marker) if name == "layers" else name.replace("_", " ") for name in changed)
    return f"configuration changed: {names}" if names else "configuration changed"


def _layers(marker: Marker) -> str:
    """`layers (pillow:1 → pillow:2, none → tracing:4)`: what was there before, and what is now."""
    before = [str(one) for one in marker["detail"].get("previous_layers") or ()]
    now = [str(one) for one in marker["detail"].get("layers") or ()]
    gone, come = [one for one in before if one not in now], [one for one in now if one not in before]
    if not gone and not come:
        return f"layers in another order ({', '.join(now)})"
    old = {one.partition(":")[0]: one for one in gone}
    steps = [f"{old.pop(one.partition(':')[0], 'none')} → {one}" for one in come]
    return f"layers ({', '.join([*steps, *(f'{one} → none' for one in old.values())])})"


def _concurrency(marker: Marker) -> str:
    reserved = marker["detail"].get("reserved")
    if reserved is None:
        return "concurrency reservation removed"
    return "stopped: concurrency reserved 0" if reserved == 0 else f"concurrency reserved {reserved}"


def _function_created(marker: Marker) -> str:
    return f"function created ({marker['detail'].get('runtime')})"


def _function_deleted(marker: Marker) -> str:
    aliases: Mapping[str, str] = marker["detail"].get("aliases") or {}
    gone = ", ".join(f"{alias} (version {version})" for alias, version in aliases.items())
    return f"function deleted with alias {gone}" if gone else "function deleted"


def _unknown(marker: Marker) -> str:
    words = str(marker.get("kind") or "changed").replace("-", " ")
    return f"{words}, {versions}" if (versions := _versions(marker)) else words


PHRASES: Mapping[str, Callable[[Marker], str]] = MappingProxyType(
    {
        "deployment": _release,
        "rollback": _release,
        "planned": _release,
        "alias-moved": _alias_moved,
        "weights-shifted": _weights,
        "alias-created": lambda marker: f"alias created, {_alias_moved(marker)}",
        "alias-deleted": lambda marker: f"alias deleted, was {_versions(marker)}",
        "version-published": _published,
        "layer-published": _published,
        "layer-deleted": lambda marker: f"{_versions(marker)} deleted",
        "code-updated": lambda _: "code updated",
        "configuration-changed": _configured,
        "concurrency-set": _concurrency,
        "function-created": _function_created,
        "function-deleted": _function_deleted,
    }
)
"""How each kind of marker says what changed."""
