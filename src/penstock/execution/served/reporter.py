"""What the platform tells the Telemetry API of one environment. Follows
https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html.

Rule: nothing is computed when nobody listens.
"""

from collections.abc import Mapping

from penstock.execution.environment import End, EndKind
from penstock.execution.lines import billed
from penstock.execution.runtime_api.extension_states import Phase
from penstock.execution.runtime_api.extensions import Extension
from penstock.execution.runtime_api.telemetry import TelemetryDesk
from penstock.registry.model import FunctionVersion


class Reporter:
    """The platform's events of one environment."""

    def __init__(self, desk: TelemetryDesk, version: FunctionVersion) -> None:
        """Events go to `desk`."""
        self.desk = desk
        self._version = version
        self._request_id = ""
        self._started_at = 0.0
        self._status = "success"
        self._error: str | None = None
        self._ran_s = 0.0
        self._init_ms: float | None = None

    def init_start(self) -> None:
        """The init phase begins."""
        version = self._version
        self.desk.emit(
            "platform.initStart",
            {
                "initializationType": "on-demand",
                "phase": "init",
                "functionName": version.name,
                "functionVersion": version.version,
                "runtimeVersion": version.runtime,
                "instanceMaxMemory": version.memory_mb * 1024 * 1024,
            },
        )

    def init_done(self, end: End, took_s: float, extensions: list[Extension]) -> None:
        """It is over; nobody subscribes any more."""
        if self.desk.idle:
            return
        for one in extensions:
            state = "Ready" if one.phase is Phase.READY else str(one.phase)
            record: dict[str, object] = {"name": one.name, "state": state, "events": list(one.events)}
            if one.phase in (Phase.INIT_FAILED, Phase.EXIT_FAILED):
                record["errorType"] = f"Extension.{one.phase}"
            self.desk.emit("platform.extension", record)
        status = "success" if end.kind is EndKind.READY else "error"
        head = {"initializationType": "on-demand", "phase": "init", "status": status}
        self.desk.emit("platform.initRuntimeDone", head)
        self._init_ms = round(took_s * 1000, 3)
        self.desk.emit("platform.initReport", {**head, "metrics": {"durationMs": self._init_ms}})
        self.desk.close_registration()

    def start(self, request_id: str, trace: str, at: float) -> None:
        """An invoke begins; `at` is monotonic."""
        self._request_id, self._started_at = request_id, at
        if not self.desk.idle:
            tracing = {"type": "X-Amzn-Trace-Id", "value": trace}
            record = {"requestId": request_id, "version": self._version.version, "tracing": tracing}
            self.desk.emit("platform.start", record)

    def runtime_done(self, end: End, at: float) -> None:
        """The reply is there."""
        self._ran_s = at - self._started_at
        self._status = "success" if end.kind is EndKind.RESULT else "error"
        self._error = end.error_type
        if not self.desk.idle:
            metrics = {"durationMs": round(self._ran_s * 1000, 3), "producedBytes": len(end.payload)}
            record = {"requestId": self._request_id, "status": self._status, "metrics": metrics}
            self.desk.emit("platform.runtimeDone", self._with_error(record))

    def report(self, at: float, peak_kb: int) -> None:
        """Everybody is done with the invoke."""
        if self.desk.idle:
            return
        duration_ms = (at - self._started_at) * 1000
        metrics: dict[str, object] = {
            "durationMs": round(duration_ms, 3),
            "billedDurationMs": billed(duration_ms, self._init_ms),
            "memorySizeMB": self._version.memory_mb,
            "maxMemoryUsedMB": min(self._version.memory_mb, -(-peak_kb // 1024)),
        }
        if self._init_ms is not None:
            metrics["initDurationMs"], self._init_ms = self._init_ms, None
        record = {"requestId": self._request_id, "status": self._status, "metrics": metrics}
        self.desk.emit("platform.report", self._with_error(record))

    def _with_error(self, record: Mapping[str, object]) -> dict[str, object]:
        return {**record, "errorType": self._error} if self._error and self._status != "success" else dict(record)
