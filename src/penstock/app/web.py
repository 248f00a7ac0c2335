"""Penstock's own JSON over HTTP, for what no AWS API says. Rule: read-only facts; changes go through the rooms."""

import orjson

from penstock.gateway.contract import HttpResponse


def json_response(value: object, status: int = 200) -> HttpResponse:
    """`value` as a JSON reply."""
    return HttpResponse(status, {"content-type": "application/json"}, orjson.dumps(value))
