"""The AppSpec of a Lambda deployment: JSON or YAML text to a target and its hooks. Pure.

Rule: whatever is wrong is said in words. Names are read without regard to case, as AWS's own examples write them both
ways; every scalar is text (see `appspec_text.py`).
See https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-resources.html
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from penstock.core.arns import parse_arn
from penstock.release.appspec_text import AppSpecError, read_text
from penstock.release.model import EventName, Target

VERSION = re.compile(r"[1-9][0-9]{0,16}")
FUNCTION = re.compile(r"[A-Za-z0-9_-]{1,64}")
ALIAS = re.compile(r"(?!^[0-9]+$)[A-Za-z0-9_-]{1,128}")
HOOK = re.compile(r"[A-Za-z0-9_:.$/-]{1,256}")
HOOK_EVENTS = (EventName.BEFORE_ALLOW_TRAFFIC, EventName.AFTER_ALLOW_TRAFFIC)


@dataclass(frozen=True, slots=True)
class AppSpec:
    """What to move, and which functions validate it."""

    target: Target
    hooks: Mapping[EventName, str]


def read_appspec(text: str) -> AppSpec:
    """The AppSpec, or `AppSpecError`."""
    spec = _lowered(read_text(text), "the AppSpec")
    if spec.get("version") not in ("0.0", "0"):
        raise AppSpecError(f"version must be 0.0, not {spec.get('version')!r}")
    unknown = sorted(set(spec) - {"version", "resources", "hooks"})
    if unknown:
        raise AppSpecError(f"{', '.join(unknown)}: an AppSpec has version, Resources and Hooks")
    return AppSpec(_target(spec.get("resources")), _hooks(spec.get("hooks")))


def _target(resources: Any) -> Target:
    entries = _entries(resources, "Resources")
    if len(entries) != 1:
        raise AppSpecError(f"Resources must name exactly one Lambda function, not {len(entries)}")
    (name, resource), *_ = entries
    members = _lowered(resource, f"the resource {name}")
    if members.get("type") != "AWS::Lambda::Function":
        raise AppSpecError(f"the resource {name} must have Type AWS::Lambda::Function, not {members.get('type')!r}")
    given = _lowered(members.get("properties"), f"the Properties of {name}")
    return Target(
        function=_function(_text(given, "name", "Name")),
        alias=_matching(ALIAS, _text(given, "alias", "Alias"), "Alias", "the name of an alias"),
        version=_version(_text(given, "targetversion", "TargetVersion"), "TargetVersion"),
        # AWS demands CurrentVersion; without it we make the alias of a first deployment (see preconditions.py).
        current=_version(_text(given, "currentversion", "CurrentVersion"), "CurrentVersion")
        if given.get("currentversion") is not None
        else None,
    )


def _hooks(hooks: Any) -> Mapping[EventName, str]:
    known = {event.value.lower(): event for event in HOOK_EVENTS}
    found: dict[EventName, str] = {}
    for name, function in _entries(hooks, "Hooks") if hooks is not None else []:
        event = known.get(name.lower())
        if event is None:
            raise AppSpecError(f"Hooks: {name} is neither BeforeAllowTraffic nor AfterAllowTraffic")
        if event in found:
            raise AppSpecError(f"Hooks: {event} is given twice")
        found[event] = _matching(HOOK, function, f"Hooks: {event}", "the name or ARN of a function")
    return found


def _entries(value: Any, what: str) -> list[tuple[str, Any]]:
    """The entries of a list of one-entry mappings, or of one mapping."""
    if isinstance(value, Mapping):
        pairs = list(value.items())
    elif isinstance(value, list) and all(isinstance(entry, Mapping) for entry in value):
        pairs = [pair for entry in value for pair in entry.items()]
    else:
        raise AppSpecError(f"{what} must be a list of mappings" + (", and is missing" if value is None else ""))
    if not all(isinstance(name, str) for name, _ in pairs):
        raise AppSpecError(f"{what}: every key must be text")
    return pairs


def _lowered(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise AppSpecError(f"{what} must be a mapping" + (", and is missing" if value is None else ""))
    return {key.lower(): member for key, member in value.items()}


def _text(members: Mapping[str, Any], key: str, shown: str) -> str:
    value = members.get(key)
    if not isinstance(value, str) or not value:
        raise AppSpecError(f"{shown} is missing" if value in (None, "") else f"{shown} must be text, not {value!r}")
    return value


def _matching(pattern: re.Pattern[str], value: Any, what: str, kind: str) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise AppSpecError(f"{what} must be {kind}, not {value!r}")
    return value


def _version(text: str, what: str) -> str:
    return _matching(VERSION, text, what, "the number of a published version")


def _function(text: str) -> str:
    arn = parse_arn(text)
    name = arn.resource.removeprefix("function:") if arn and arn.service == "lambda" else text
    return _matching(FUNCTION, name, "Name", "the name of a function, without a version or alias")
