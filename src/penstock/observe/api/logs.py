"""CloudWatch Logs on the wire, all families together. Follows
https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/.
"""

from collections.abc import Mapping

from penstock.core.clock import Clock
from penstock.gateway.contract import Operation
from penstock.observe.logs.sink import BufferedLogSink
from penstock.store.database import Store


def operations(store: Store, clock: Clock, sink: BufferedLogSink) -> Mapping[str, Operation]:
    """The served operations of `logs`."""
    _ = store, clock, sink
    return {}
