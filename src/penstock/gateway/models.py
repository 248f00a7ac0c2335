"""botocore's service models, loaded the first time a service is asked for and kept by the server that asked.

Rule: nothing here is global; each `Models` has its own cache, and no name from outside reaches the file system unless
botocore itself lists it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from penstock.gateway.model_files import ModelFiles
from penstock.gateway.routing import PathRouter
from penstock.gateway.shapes import Member, Shape, ShapeTable


@dataclass(slots=True, eq=False)
class Operation:
    """One operation with everything the codecs need, worked out once."""

    name: str
    method: str
    uri: str
    status: int
    input: Shape | None
    output: Shape | None
    result_wrapper: str | None
    unsigned: bool
    errors: tuple[str, ...]
    located: tuple[Member, ...] = ()
    """Input members that travel outside the body."""
    body: tuple[Member, ...] = ()
    """Input members in the body of a REST request."""
    out_located: tuple[Member, ...] = ()
    out_body: tuple[Member, ...] = ()


@dataclass(slots=True, eq=False)
class Service:
    """One service model. `name` is botocore's; the signature may name it otherwise (`monitoring` for cloudwatch)."""

    name: str
    signing_name: str
    protocols: tuple[str, ...]
    api_version: str
    json_version: str
    target_prefix: str
    xml_namespace: str
    query_compatible: bool
    operations: dict[str, Operation]
    errors: dict[str, Shape]
    """Error shapes by shape name and by query error code."""
    router: PathRouter = field(repr=False)

    @property
    def is_rest(self) -> bool:
        """Whether operations are told apart by method and path."""
        return self.protocols[0].startswith("rest-")


class Models:
    """The models one server has loaded."""

    def __init__(self) -> None:
        """An empty cache over botocore's bundled models."""
        self._files = ModelFiles()
        self._services: dict[str, Service] = {}

    def service(self, name: str) -> Service | None:
        """The model of botocore's service `name`; None when botocore does not know it."""
        found = self._services.get(name)
        if found is None and (raw := self._files.load(name)):
            found = self._services[name] = build_service(name, raw)
        return found

    def by_signing_name(self, signing_name: str, preferred: Iterable[str]) -> Service | None:
        """The service a signature means: one of `preferred` (the mounted ones) if its model says so."""
        found = self._services.get(signing_name)
        if found is not None and found.signing_name == signing_name:
            return found  # nearly every service signs by its own name
        for name in preferred:
            service = self.service(name)
            if service is not None and service.signing_name == signing_name:
                return service
        return self.service(signing_name)


def build_service(name: str, model: Mapping[str, Any]) -> Service:
    """Link a raw botocore model."""
    metadata = model["metadata"]
    table = ShapeTable(model["shapes"])
    operations = {key: _operation(key, raw, table) for key, raw in model["operations"].items()}
    protocols = tuple(metadata.get("protocols") or (metadata["protocol"],))
    return Service(
        name=name,
        signing_name=metadata.get("signingName", metadata["endpointPrefix"]),
        protocols=protocols,
        api_version=metadata["apiVersion"],
        json_version=metadata.get("jsonVersion", "1.0"),
        target_prefix=metadata.get("targetPrefix", ""),
        xml_namespace=metadata.get("xmlNamespace", ""),
        query_compatible="awsQueryCompatible" in metadata,
        operations=operations,
        errors=_errors(table),
        router=PathRouter(operations.values()) if protocols[0].startswith("rest-") else PathRouter(()),
    )


def _errors(table: ShapeTable) -> dict[str, Shape]:
    shapes = table.errors()
    by_code = {shape.error.code: shape for shape in shapes if shape.error}
    return by_code | {shape.name: shape for shape in shapes}


def _operation(name: str, raw: Mapping[str, Any], table: ShapeTable) -> Operation:
    http = raw["http"]
    given = table.shape(raw["input"]["shape"]) if "input" in raw else None
    output = table.shape(raw["output"]["shape"]) if "output" in raw else None
    inputs = tuple(given.members.values()) if given else ()
    outputs = tuple(output.members.values()) if output else ()
    return Operation(
        name=name,
        method=http.get("method", "POST"),
        uri=http.get("requestUri", "/"),
        status=http.get("responseCode", 200),
        input=given,
        output=output,
        result_wrapper=raw.get("output", {}).get("resultWrapper"),
        unsigned=raw.get("authtype") == "none",
        errors=tuple(error["shape"] for error in raw.get("errors", ())),
        located=tuple(member for member in inputs if member.location),
        body=tuple(member for member in inputs if not member.location),
        out_located=tuple(member for member in outputs if member.location),
        out_body=tuple(member for member in outputs if not member.location),
    )
