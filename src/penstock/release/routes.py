"""Where an alias points according to a deployment, and whether it still does. Pure.

Rule: what counts is where the traffic goes. An alias whose description was edited has a new revision but was not moved.
"""

from penstock.registry.model import Alias
from penstock.release.model import Deployment, Weights


def expected_route(deployment: Deployment) -> Weights | None:
    """The route the deployment last wrote, or found when it started; None while a first deployment has no alias."""
    target, percent = deployment.target, deployment.percent
    if percent >= 100:
        return Weights(target.version)
    if target.current is None:
        return None
    return Weights(target.current, {target.version: round(percent / 100, 4)} if percent else {})


def is_route(alias: Alias | None, route: Weights | None) -> bool:
    """Whether the alias sends its traffic exactly there (None: there is no alias)."""
    if alias is None or route is None:
        return alias is None and route is None
    return alias.version == route.version and dict(alias.weights) == dict(route.additional)


def described(alias: Alias | None) -> str:
    """An alias's route in words: `version 3`, or `version 3 with 10 % to version 4`."""
    if alias is None:
        return "nowhere (the alias does not exist)"
    shares = "".join(f" with {weight * 100:g} % to version {version}" for version, weight in alias.weights.items())
    return f"version {alias.version}{shares}"
