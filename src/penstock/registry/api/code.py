"""Serves the zips behind `Code.Location`. Rule: the link's token is the permission; a wrong one learns nothing."""

import base64

from penstock.core.context import RequestContext
from penstock.gateway.contract import HttpRequest, HttpResponse
from penstock.registry.artifacts import DamagedPackageError
from penstock.registry.desk import Desk


async def serve(desk: Desk, context: RequestContext, request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - RawHandler
    name = desk.links.check(request.path, request.query)
    if name is None:
        return _refusal(403, "This link is not valid or has expired: call GetFunction again for a fresh one.")
    if request.method not in ("GET", "HEAD"):
        return _refusal(405, "Code is only read here: use GET.")
    sha = base64.b64encode(bytes.fromhex(name)).decode()
    try:
        content = await desk.artifacts.load(sha)
    except DamagedPackageError:
        return _refusal(404, "This package is gone: its versions were deleted.")
    disposition = f'attachment; filename="{name[:16]}.zip"'
    return HttpResponse(200, {"content-type": "application/zip", "content-disposition": disposition}, content)


def _refusal(status: int, why: str) -> HttpResponse:
    return HttpResponse(status, {"content-type": "text/plain; charset=utf-8"}, f"{why}\n".encode())
