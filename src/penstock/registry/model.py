"""What a function, version and alias are. Rule: a published version never changes; `$LATEST` is replaced, not edited.

Values only; how they are stored is in `records.py`, how they change is in the verb modules.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from penstock.core.arns import function_arn
from penstock.core.context import Scope

LATEST = "$LATEST"
NOTHING: Mapping[str, str] = MappingProxyType({})


class State(StrEnum):
    """https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html."""

    PENDING = "Pending"
    ACTIVE = "Active"
    INACTIVE = "Inactive"
    FAILED = "Failed"


class UpdateStatus(StrEnum):
    """`LastUpdateStatus` of a function."""

    SUCCESSFUL = "Successful"
    FAILED = "Failed"
    IN_PROGRESS = "InProgress"


@dataclass(frozen=True, slots=True)
class Function:
    """What belongs to the function as a whole and is no part of any version."""

    scope: Scope
    name: str
    created_at: float
    last_version: int = 0
    """The highest number ever given to a version; deleting versions does not lower it."""
    reserved_concurrency: int | None = None
    tags: Mapping[str, str] = field(default_factory=lambda: NOTHING)

    @property
    def arn(self) -> str:
        """Unqualified."""
        return function_arn(self.scope, self.name)


class UsedLayer(NamedTuple):
    """A layer's version as a function uses it: enough to run, even when the layer's version is deleted meanwhile."""

    arn: str
    code_sha256: str
    code_size: int
    unpacked_size: int


@dataclass(frozen=True, slots=True)
class FunctionVersion:
    """Code and configuration of one version, or of `$LATEST`: everything that execution needs to run it."""

    scope: Scope
    name: str
    version: str
    """`"$LATEST"` or a decimal number."""
    runtime: str
    handler: str
    role: str
    code_sha256: str
    """Base64 of the package's SHA-256, as AWS shows it."""
    code_size: int
    revision_id: str
    last_modified_at: float
    description: str = ""
    timeout_s: int = 3
    memory_mb: int = 128
    ephemeral_mb: int = 512
    environment: Mapping[str, str] = field(default_factory=lambda: NOTHING, repr=False)
    """Plain values. Empty on what `records.py` reads until `environment.opened` decrypts `sealed_environment`."""
    sealed_environment: bytes | None = field(default=None, repr=False)
    """The variables as they lie at rest; None when there are none."""
    environment_error: str | None = None
    """Why the variables cannot be decrypted; such a version is not invoked."""
    architecture: str = "x86_64"
    package_type: str = "Zip"
    layers: tuple[UsedLayer, ...] = ()
    """Base first: files of a later one overwrite those of an earlier one."""
    unpacked_size: int = 0
    """Bytes of the package on disk, layers aside."""
    dead_letter_target: str | None = None
    tracing_mode: str = "PassThrough"
    log_group: str = ""
    log_format: str = "Text"
    application_log_level: str | None = None
    system_log_level: str | None = None
    kms_key_arn: str | None = None
    vpc_config: Mapping[str, object] | None = None
    snap_start: str = "None"
    fingerprint: str | None = None
    """Of the `$LATEST` that this version was published from: an equal one is not published again."""
    other: Mapping[str, object] = field(default_factory=dict)
    """Settings stored and returned as given (file systems, image configuration, …)."""
    state: State = State.ACTIVE
    state_reason: str | None = None
    state_reason_code: str | None = None
    update_status: UpdateStatus | None = UpdateStatus.SUCCESSFUL
    """None until the first creation has finished."""
    update_reason: str | None = None
    update_reason_code: str | None = None

    @property
    def arn(self) -> str:
        """Qualified with the version, `…:function:orders:$LATEST` included."""
        return function_arn(self.scope, self.name, self.version)

    @property
    def is_settled(self) -> bool:
        """Whether nothing is in progress: neither its creation nor an update."""
        return self.state is not State.PENDING and self.update_status is not UpdateStatus.IN_PROGRESS

    @property
    def layer_codes(self) -> tuple[str, ...]:
        """The `CodeSha256` of its layers, base first."""
        return tuple(layer.code_sha256 for layer in self.layers)

    @property
    def code_id(self) -> str:
        """Identifies what an environment may be reused for: equal ids run the same code with the same settings."""
        return f"{self.scope.account}/{self.scope.region}/{self.name}/{self.version}/{self.revision_id}"


@dataclass(frozen=True, slots=True)
class Alias:
    """A movable name for one version, or for two with weights."""

    scope: Scope
    function: str
    name: str
    version: str
    revision_id: str
    description: str = ""
    weights: Mapping[str, float] = field(default_factory=dict)
    """`AdditionalVersionWeights`: at most one other version and its share, 0.0 to 1.0."""

    @property
    def arn(self) -> str:
        """The function's ARN qualified by this alias."""
        return function_arn(self.scope, self.function, self.name)


@dataclass(frozen=True, slots=True)
class ProvisionedConfig:
    """How many environments of a published version or an alias are kept ready."""

    scope: Scope
    function: str
    qualifier: str
    """A version's number or an alias's name."""
    requested: int
    modified_at: float
    """When a user last set it."""

    @property
    def arn(self) -> str:
        """Of the version or alias."""
        return function_arn(self.scope, self.function, self.qualifier)


@dataclass(frozen=True, slots=True)
class Warmth:
    """What stands ready for a `ProvisionedConfig` at this moment."""

    allocated: int = 0
    available: int = 0
    failure: str | None = None
    """Why no more could be made; None while nothing failed."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The resource policy of one qualifier (`""` for the unqualified function)."""

    scope: Scope
    function: str
    qualifier: str
    revision_id: str
    statements: tuple[Mapping[str, object], ...] = ()
    """IAM statements as AWS prints them, in the order they were added."""


@dataclass(frozen=True, slots=True)
class Route:
    """Where invokes of one qualifier go, read from memory on every invoke."""

    primary: FunctionVersion
    additional: FunctionVersion | None = None
    additional_weight: float = 0.0
    alias: str | None = None
    reserved_concurrency: int | None = None

    def choose(self, roll: float) -> FunctionVersion:
        """The version for one invoke; `roll` is a die in [0, 1)."""
        return self.additional if self.additional is not None and roll < self.additional_weight else self.primary
