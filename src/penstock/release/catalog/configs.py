"""Deployment configurations: the predefined ones and an account's own. Rule: predefined ones are not in the store."""

from collections.abc import Mapping
from typing import Any

from penstock.core.context import Scope
from penstock.core.errors import ApiError
from penstock.release.catalog.model import LAMBDA
from penstock.release.catalog.records import read_config
from penstock.release.plan import PREDEFINED, PREFIX, Routing, TrafficPlan
from penstock.store.database import Connection


def plan_named(connection: Connection, scope: Scope, name: str) -> TrafficPlan:
    """The plan of a configuration. Raises `DeploymentConfigDoesNotExistException`."""
    if name in PREDEFINED:
        return PREDEFINED[name]
    config = read_config(connection, scope, name)
    if config is None:
        hint = f" Of the predefined ones Lambda has: {', '.join(PREDEFINED)}." if name.startswith(PREFIX) else ""
        raise ApiError(
            "DeploymentConfigDoesNotExistException", f"No Deployment Configuration found for name: {name}.{hint}"
        )
    return config.plan


def new_plan(params: Mapping[str, Any]) -> TrafficPlan:
    """The plan that CreateDeploymentConfig describes. Raises `ApiError`."""
    if params["deploymentConfigName"].startswith(PREFIX):
        raise ApiError(
            "InvalidDeploymentConfigNameException",
            f"A configuration's name cannot begin with {PREFIX}: that is kept for the predefined ones.",
        )
    if (platform := params.get("computePlatform") or "Server") != LAMBDA:
        raise ApiError(
            "InvalidComputePlatformException",
            f"Penstock deploys Lambda functions only: pass computePlatform=Lambda, not {platform}.",
        )
    if params.get("minimumHealthyHosts"):
        raise ApiError(
            "InvalidMinimumHealthyHostValueException", "minimumHealthyHosts is not for the Lambda compute platform."
        )
    if params.get("zonalConfig"):
        raise ApiError(
            "InvalidZonalDeploymentConfigurationException", "zonalConfig is not for the Lambda compute platform."
        )
    return _plan(params.get("trafficRoutingConfig"))


def _plan(member: Mapping[str, Any] | None) -> TrafficPlan:
    kind = (member or {}).get("type")
    if member is None or kind not in set(Routing):
        raise _refused(f"trafficRoutingConfig needs a type: {', '.join(Routing)}.")
    shapes = {
        Routing.CANARY: ("timeBasedCanary", "canaryPercentage", "canaryInterval"),
        Routing.LINEAR: ("timeBasedLinear", "linearPercentage", "linearInterval"),
    }
    plan = TrafficPlan(Routing.ALL_AT_ONCE)
    for routing, (name, percent, interval) in shapes.items():
        inner = member.get(name)
        if (inner is not None) != (kind == routing):
            raise _refused(f"{name} must be given for the type {routing}, and for no other.")
        if inner is not None:
            plan = TrafficPlan(routing, inner.get(percent) or 0, inner.get(interval) or 0)
    fault = plan.fault()
    if fault:
        raise _refused(f"In a configuration of type {kind} {fault}.")
    return plan


def _refused(words: str) -> ApiError:
    return ApiError("InvalidTrafficRoutingConfigurationException", words)
