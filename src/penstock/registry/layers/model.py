"""What a layer and its versions are. Rule: a published version never changes; numbers grow and are never reused."""

from collections.abc import Mapping
from dataclasses import dataclass

from penstock.core.arns import arn
from penstock.core.context import Scope


@dataclass(frozen=True, slots=True)
class LayerVersion:
    """One published zip."""

    scope: Scope
    name: str
    number: int
    code_sha256: str
    """Base64 of the package's SHA-256, as AWS shows it."""
    code_size: int
    unpacked_size: int
    created_at: float
    description: str = ""
    runtimes: tuple[str, ...] = ()
    """What it says it fits; shown and searched by, not enforced, as in AWS."""
    architectures: tuple[str, ...] = ()
    license_info: str | None = None
    policy_revision_id: str | None = None
    statements: tuple[Mapping[str, object], ...] = ()
    """Who else may use it: IAM statements in the order they were added."""

    @property
    def arn(self) -> str:
        """With the number: `…:layer:pillow:3`."""
        return layer_arn(self.scope, self.name, self.number)

    @property
    def layer_arn(self) -> str:
        """Of the layer."""
        return layer_arn(self.scope, self.name)

    def fits(self, runtime: str | None, architecture: str | None) -> bool:
        """Whether it says that it fits these; None asks for nothing. One that names no architecture fits x86_64."""
        return (runtime is None or runtime in self.runtimes) and (
            architecture is None or architecture in (self.architectures or ("x86_64",))
        )


def layer_arn(scope: Scope, name: str, number: int | None = None) -> str:
    """A layer's ARN, or that of one of its versions."""
    return arn("lambda", scope, f"layer:{name}" if number is None else f"layer:{name}:{number}")
