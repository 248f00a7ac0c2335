"""Health: is it there, and what time is it. Rule: facts at hand; asking costs next to nothing and needs no key."""

from collections.abc import Callable, Mapping

from penstock import __version__
from penstock.app.web import json_response
from penstock.config import Config
from penstock.core.clock import Clock
from penstock.core.context import RequestContext
from penstock.gateway.contract import HttpRequest, HttpResponse, Operation, RawHandler


class Status:
    """A `gateway.contract.Room` of one page."""

    def __init__(
        self,
        *,
        config: Config,
        clock: Clock,
        started_at: float,
        endpoint: Callable[[], str],
        isolation: Callable[[], str],
    ):
        """`started_at` is execution time; the endpoint and the level of isolation are known only once started."""
        self._config = config
        self._clock = clock
        self._started_at = started_at
        self._endpoint = endpoint
        self._isolation = isolation

    def operations(self) -> Mapping[str, Mapping[str, Operation]]:
        """None: AWS has no such pages."""
        return {}

    def routes(self) -> Mapping[str, RawHandler]:
        """The pages."""
        return {"/_penstock": self._index, "/_penstock/health": self._health}

    async def start(self) -> None:
        """Nothing to start."""

    async def stop(self) -> None:
        """Nothing to stop."""

    async def _health(self, _context: RequestContext, _request: HttpRequest) -> HttpResponse:
        return json_response(
            {
                "status": "ok",
                "version": __version__,
                "endpoint": self._endpoint(),
                "region": self._config.region,
                "account": self._config.account,
                "business_time": self._clock.now(),
                "clock_speed": self._config.clock_speed,
                "isolation": self._isolation(),
                "uptime_s": round(self._clock.monotonic() - self._started_at, 3),
            }
        )

    async def _index(self, _context: RequestContext, request: HttpRequest) -> HttpResponse:
        pages = "health, status, doctor, timeline, live/FUNCTION:ALIAS, rollback (POST), markers (POST)"
        words = f"Penstock has no page {request.path}. There are, under /_penstock/: {pages}."
        return json_response({"code": "NotFound", "message": words}, 404)
