"""Penstock's own JSON over HTTP: timeline, live, rollback, markers. Rule: every refusal is JSON `{code, message}`.

The gateway has authenticated the caller; parameters are checked here, as no model does it.
"""

import json
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qs, unquote

from penstock.core.context import RequestContext
from penstock.core.dice import new_uuid
from penstock.core.errors import ApiError
from penstock.gateway.contract import HttpRequest, HttpResponse, RawHandler
from penstock.release.desk import Desk
from penstock.release.markers import by_hand
from penstock.release.markers.by_hand import Note
from penstock.release.markers.model import Marker, MarkerStatus
from penstock.release.markers.records import read_timeline
from penstock.release.markers.timeline import live_shape, marker_shape, read_live, with_rates
from penstock.release.rollback import Wish, roll_back
from penstock.store.database import Connection

Answer = Mapping[str, Any]
Serve = Callable[[Desk, RequestContext, HttpRequest], Awaitable[Answer]]
COMPONENT = re.compile(r"[a-z][a-z0-9-]{0,30}/[^\s/][^\s]{0,200}")
DURATION = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?)\s*([smhdw]?)")
LIMIT = re.compile(r"[0-9]{1,9}")
NOT_TEXT = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
"""Neither a terminal nor the store takes these. A line end in a reason is fine."""
UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0, "": 1.0}
MOST_MARKERS = 1000
LONGEST_TEXT = 2048


async def get_timeline(desk: Desk, context: RequestContext, request: HttpRequest) -> Answer:
    """`?since=60m&component=&environment=&limit=`: what changed, newest first."""
    query, now = _query(request), desk.clock.now()
    limit = query.get("limit", "100")
    if not LIMIT.fullmatch(limit) or not 1 <= int(limit) <= MOST_MARKERS:
        raise _bad(f"limit must be from 1 to {MOST_MARKERS}, not {limit!r}")
    since = now - _duration(query.get("since", "60m"))

    def work(connection: Connection) -> list[Marker]:
        return read_timeline(
            connection,
            context.scope,
            since=since,
            component=query.get("component"),
            environment=query.get("environment"),
            limit=int(limit),
        )

    markers = await desk.store.read(work)
    return {"now": now, "since": since, "markers": [await with_rates(one, desk.rates, now) for one in markers]}


async def get_live(desk: Desk, context: RequestContext, request: HttpRequest) -> Answer:
    """`/_penstock/live/orders:live`."""
    function, _, alias = unquote(request.path.rpartition("/")[2]).partition(":")
    if not function or not alias:
        raise _bad("name a function and its alias: /_penstock/live/orders:live")
    live = await desk.store.read(lambda c: read_live(c, context.scope, function, alias))
    if live is None:
        raise ApiError("ResourceNotFoundException", f"There is no alias {function}:{alias}.", status=404)
    return await live_shape(live, desk.rates, desk.clock.now())


async def post_rollback(desk: Desk, context: RequestContext, request: HttpRequest) -> Answer:
    """`{function, alias, to?, reason}`."""
    body = _body(request)
    function, alias = _text(body, "function", needed=True), _text(body, "alias", needed=True)
    wish = Wish(function or "", alias or "", _text(body, "to"), _text(body, "reason"), context.principal.arn)
    return await roll_back(desk, context, wish)


async def post_marker(desk: Desk, context: RequestContext, request: HttpRequest) -> Answer:
    """`{action: plan|update|log, …}`."""
    body, now = _body(request), desk.clock.now()
    scope, by, marker_id = context.scope, context.principal.arn, new_uuid(desk.dice)
    action, failure = body.get("action"), _text(body, "failure_reason")
    if action == "plan":
        note = _note(body)
        written = await desk.store.write(lambda c: by_hand.plan(c, scope, note, marker_id, by, now))
    elif action == "log":
        note, status = _note(body), _status(body, MarkerStatus.SUCCESS)
        written = await desk.store.write(lambda c: by_hand.log(c, scope, note, status, failure, marker_id, by, now))
    elif action == "update":
        name, status = _text(body, "name", needed=True) or "", _status(body, None)
        written = await desk.store.write(lambda c: by_hand.update(c, scope, name, status, failure, now))
    else:
        raise _bad(f"action must be plan, update or log, not {action!r}")
    return marker_shape(written)


def routes(desk: Desk) -> dict[str, RawHandler]:
    """The handlers by path prefix."""
    served: dict[str, tuple[str, Serve]] = {
        "/_penstock/timeline": ("GET", get_timeline),
        "/_penstock/live": ("GET", get_live),
        "/_penstock/rollback": ("POST", post_rollback),
        "/_penstock/markers": ("POST", post_marker),
    }
    return {prefix: _handler(desk, method, serve) for prefix, (method, serve) in served.items()}


def _handler(desk: Desk, method: str, serve: Serve) -> RawHandler:
    async def handle(context: RequestContext, request: HttpRequest) -> HttpResponse:
        if request.method != method:
            return _json(405, {"code": "MethodNotAllowed", "message": f"{request.path} takes {method} only."})
        try:
            return _json(200, await serve(desk, context, request))
        except ApiError as refusal:
            return _json(refusal.status or 400, {"code": refusal.code, "message": refusal.message})

    return handle


def _json(status: int, content: Answer) -> HttpResponse:
    return HttpResponse(status, {"content-type": "application/json"}, json.dumps(content).encode())


def _bad(words: str) -> ApiError:
    return ApiError("ValidationException", f"{words}.", status=400)


def _query(request: HttpRequest) -> dict[str, str]:
    return {name: values[-1] for name, values in parse_qs(request.query).items()}


def _duration(text: str) -> float:
    found = DURATION.fullmatch(text.strip())
    if found is None:
        raise _bad(f"since must be a duration such as 90s, 60m, 24h or 7d, not {text!r}")
    return float(found[1]) * UNITS[found[2]]


def _body(request: HttpRequest) -> Mapping[str, Any]:
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError):
        raise _bad("the body must be JSON") from None
    if not isinstance(body, dict):
        raise _bad("the body must be a JSON object")
    return body


def _text(body: Mapping[str, Any], name: str, *, needed: bool = False) -> str | None:
    value = body.get(name)
    if value is None or value == "":
        if needed:
            raise _bad(f"{name} is missing")
        return None
    if not isinstance(value, str) or len(value) > LONGEST_TEXT:
        raise _bad(f"{name} must be text of at most {LONGEST_TEXT} characters")
    if NOT_TEXT.search(value):
        raise _bad(f"{name} must not hold control characters or halves of characters: {value[:80]!r}")
    return value


def _note(body: Mapping[str, Any]) -> Note:
    component = _text(body, "component", needed=True) or ""
    if not COMPONENT.fullmatch(component):
        raise _bad(f"component must read kind/name, as lambda/orders or layer/pillow do, not {component!r}")
    return Note(
        component=component,
        environment=_text(body, "environment") or "",
        name=_text(body, "name"),
        namespace=_text(body, "namespace"),
        target_version=_text(body, "target_version"),
        reason=_text(body, "reason"),
        rollback=body.get("rollback") is True,
    )


def _status(body: Mapping[str, Any], otherwise: MarkerStatus | None) -> MarkerStatus:
    given = _text(body, "status", needed=otherwise is None)
    if given is None and otherwise is not None:
        return otherwise
    try:
        return MarkerStatus((given or "").upper())
    except ValueError:
        raise _bad(f"status must be one of {', '.join(MarkerStatus)}, not {given!r}") from None
