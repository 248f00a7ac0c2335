"""ARNs as values. Rule: no ARN is cut apart with `split(":")` anywhere else.

See https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
"""

from dataclasses import dataclass

from penstock.core.context import Scope


@dataclass(frozen=True, slots=True)
class Arn:
    """`arn:partition:service:region:account:resource`; `resource` keeps its own colons and slashes."""

    partition: str
    service: str
    region: str
    account: str
    resource: str

    def __str__(self) -> str:
        """The ARN as text."""
        return f"arn:{self.partition}:{self.service}:{self.region}:{self.account}:{self.resource}"

    @property
    def scope(self) -> Scope:
        """The account and region that own the resource."""
        return Scope(self.account, self.region)


def parse_arn(text: str) -> Arn | None:
    """The parts of an ARN, or None when `text` is not one."""
    parts = text.split(":", 5)
    if len(parts) != 6 or parts[0] != "arn" or not parts[1] or not parts[2] or not parts[5]:
        return None
    return Arn(*parts[1:])


def arn(service: str, scope: Scope, resource: str) -> str:
    """The ARN text of a resource in `scope`."""
    return f"arn:aws:{service}:{scope.region}:{scope.account}:{resource}"


def function_arn(scope: Scope, name: str, qualifier: str | None = None) -> str:
    """A Lambda function's ARN, qualified by a version number or alias name when one is given."""
    tail = f":{qualifier}" if qualifier else ""
    return arn("lambda", scope, f"function:{name}{tail}")
