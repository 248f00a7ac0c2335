"""Functions of metric math that Penstock does not have, and why. Rule: refused by name, never quietly empty."""

from collections.abc import Mapping
from types import MappingProxyType

REFUSED: Mapping[str, str] = MappingProxyType(
    {
        "SEARCH": "name the metrics in queries of their own",
        "ANOMALY_DETECTION_BAND": "there are no anomaly models; use a fixed threshold",
        "INSIGHT_RULE_METRIC": "there is no Contributor Insights",
        "SERVICE_QUOTA": "there are no service quotas as metrics",
        "DB_PERF_INSIGHTS": "there is no Performance Insights",
        "LAMBDA": "there are no data source connectors",
    }
)
