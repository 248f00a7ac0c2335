"""CloudWatch Logs on the wire, all families together. Follows
https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/.
"""

from collections.abc import Mapping

from penstock.core.clock import Clock
from penstock.gateway.contract import Operation
from penstock.observe.api import log_events, log_groups, log_settings, log_streams
from penstock.observe.logs.sink import BufferedLogSink
from penstock.store.database import Store


def operations(store: Store, clock: Clock, sink: BufferedLogSink) -> Mapping[str, Operation]:
    """The served operations of `logs`."""
    return {
        **log_groups.operations(store, clock, sink),
        **log_settings.operations(store),
        **log_streams.operations(store, clock, sink),
        **log_events.operations(store, clock, sink),
    }
