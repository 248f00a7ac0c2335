"""A deployment's marker: computed from the deployment alone, so the two cannot disagree. Pure."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from penstock.release.markers.model import DEPLOYMENT, ROLLBACK, Marker, MarkerStatus
from penstock.release.model import Creator, Deployment, DeploymentStatus, ErrorCode, Shift

STATUS: Mapping[DeploymentStatus, MarkerStatus] = MappingProxyType(
    {
        DeploymentStatus.CREATED: MarkerStatus.RUNNING,
        DeploymentStatus.QUEUED: MarkerStatus.RUNNING,
        DeploymentStatus.IN_PROGRESS: MarkerStatus.RUNNING,
        DeploymentStatus.READY: MarkerStatus.RUNNING,
        DeploymentStatus.SUCCEEDED: MarkerStatus.SUCCESS,
        DeploymentStatus.FAILED: MarkerStatus.FAILED,
        DeploymentStatus.STOPPED: MarkerStatus.FAILED,
    }
)


def marker_status(deployment: Deployment) -> MarkerStatus:
    """A deployment that a person stopped was called off; everything else that did not succeed failed."""
    if deployment.error is not None and deployment.error.code is ErrorCode.MANUAL_STOP:
        return MarkerStatus.CANCELED
    return STATUS[deployment.status]


def marker_of(deployment: Deployment) -> Marker:
    """The marker a deployment opens."""
    is_rollback = deployment.creator is Creator.ROLLBACK
    fresh = Marker(
        scope=deployment.scope,
        id=deployment.marker_id,
        component=f"lambda/{deployment.target.function}",
        kind=ROLLBACK if is_rollback else DEPLOYMENT,
        status=MarkerStatus.RUNNING,
        opened_at=deployment.created_at,
        by=deployment.by,
        environment=deployment.target.alias,
        alias=deployment.target.alias,
        target_version=deployment.target.version,
        previous_version=deployment.target.current,
        reason=deployment.description,
        deployment_id=deployment.id,
        rollback=is_rollback,
        detail={"application": deployment.application, "group": deployment.group, "config": deployment.config},
    )
    return followed(fresh, deployment)


def followed(marker: Marker, deployment: Deployment) -> Marker:
    """The marker after the deployment changed."""
    return replace(
        marker,
        status=marker_status(deployment),
        closed_at=deployment.completed_at,
        failure_reason=deployment.error.message if deployment.error else None,
        shifts=tuple((shift.at, _shares(deployment, shift)) for shift in deployment.shifts),
        detail={**marker.detail, "event": event.name.value}
        if (event := deployment.current_event)
        else {key: value for key, value in marker.detail.items() if key != "event"},
    )


def _shares(deployment: Deployment, shift: Shift) -> Mapping[str, float]:
    target, rest = deployment.target, round(100 - shift.percent, 4)
    shares = {target.version: shift.percent, target.current: rest}
    return {version: share for version, share in shares.items() if version is not None and share}
