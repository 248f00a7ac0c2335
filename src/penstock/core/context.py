"""Who asks, and in which account and region. Rule: every record belongs to a `Scope`; nothing is global.

A `RequestContext` is made once per request by the gateway and handed to the operation.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Scope:
    """The account (12 digits) and region that own a resource, as in its ARN."""

    account: str
    region: str


@dataclass(frozen=True, slots=True)
class Principal:
    """The authenticated caller. `arn` is what audit trails and markers show, e.g. `arn:aws:iam::…:user/admin`."""

    arn: str
    user_id: str
    access_key: str


ANONYMOUS = Principal(arn="anonymous", user_id="anonymous", access_key="")


@dataclass(frozen=True, slots=True)
class RequestContext:
    """One request, from authentication to reply. `received_at` is business time."""

    request_id: str
    scope: Scope
    principal: Principal
    service: str
    operation: str
    received_at: float
    source_ip: str = ""
    user_agent: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    """The request's headers, names in lower case, for the few members that no model carries."""
