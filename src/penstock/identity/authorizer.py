"""Who may do what. Every authenticated caller may do everything until policies are evaluated; the seam is here."""

from penstock.core.context import RequestContext
from penstock.gateway.contract import Params


class AllowAll:
    """Fills `gateway.contract.Authorizer`: the key is the permission. Say so in the docs; do not expose the port."""

    async def authorize(self, context: RequestContext, params: Params) -> None:
        """Return: allowed."""
