"""From an `ApiError` to a `Fault`: the wire's code, status and members, by the service's model.

Rule: the model decides; `quirks.py` speaks only where the model is silent.
"""

from collections.abc import Mapping
from typing import Any

from penstock.core.errors import ApiError
from penstock.gateway import quirks
from penstock.gateway.models import Service
from penstock.gateway.protocols.codec import Fault
from penstock.gateway.shapes import Shape


def settle(error: ApiError, service: Service | None, protocol: str) -> Fault:
    """The refusal as it will be spelled in `protocol`."""
    modelled = service is not None and error.code in service.errors
    code = error.code if modelled else quirks.auth_code(error.code, protocol)
    shape = service.errors.get(code) if service else None
    trait = shape.error if shape else None
    status = error.status or (trait.status if trait else quirks.status_of(code, protocol))
    sender = status < 500
    return Fault(
        code=shape.name if shape else code,
        query_code=trait.code if trait else code,
        message=error.message,
        status=status,
        sender=sender,
        shape=shape,
        values=_values(error, service, shape, sender=sender),
        query_compatible=service is not None and service.query_compatible,
    )


def _values(error: ApiError, service: Service | None, shape: Shape | None, *, sender: bool) -> Mapping[str, Any]:
    members = shape.members if shape else {}
    message_member = next((name for name in members if name.lower() == "message"), "message")
    values: dict[str, Any] = {}
    # Lambda's errors say whose fault it was; the SDKs show it. Errors outside the model get it too, so that a reader
    # of the body finds it always.
    if "Type" in members or (service is not None and service.name == "lambda" and shape is None):
        values["Type"] = "User" if sender else "Service"
    values.update(error.fields)
    values[message_member] = error.message
    return values
