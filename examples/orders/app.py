"""A small order service on AWS Lambda: quotes and takes orders.

    {"action": "quote" | "create", "order": {"id": "o-1", "country": "DE",
                                             "lines": [{"sku": "mug", "quantity": 2, "unit_cents": 1250}]}}

Amounts are whole cents. `create` is idempotent by order id within one environment.
"""

import json
import logging
import os

import pricing

logger = logging.getLogger()
logger.setLevel(os.environ.get("LOG_LEVEL", "INFO"))

taken = {}  # survives between invokes of a warm environment, as in AWS


class BadOrderError(Exception):
    """The caller's mistake: answered, not raised."""


def handler(event, context):
    """Entry point: `app.handler`."""
    try:
        order = checked(event.get("order"))
    except BadOrderError as problem:
        return {"status": 400, "error": str(problem)}
    if event.get("action", "create") == "quote":
        return {"status": 200, "quote": pricing.price(order), "version": context.function_version}
    if order["id"] not in taken:
        taken[order["id"]] = {"order": order["id"], **pricing.price(order)}
        logger.info("took %s", json.dumps(taken[order["id"]]))
    return {"status": 201, "order": taken[order["id"]], "version": context.function_version}


def checked(order):
    """The order, or BadOrderError with what is wrong with it."""
    if not isinstance(order, dict):
        raise BadOrderError("the event needs an 'order' object")
    if not isinstance(order.get("id"), str) or not order["id"]:
        raise BadOrderError("order.id must be a non-empty string")
    if not isinstance(order.get("country"), str) or len(order["country"]) != 2:
        raise BadOrderError("order.country must be a two-letter country code")
    lines = order.get("lines")
    if not isinstance(lines, list) or not lines:
        raise BadOrderError("order.lines must be a non-empty list")
    for number, line in enumerate(lines, 1):
        if not isinstance(line, dict) or not isinstance(line.get("sku"), str):
            raise BadOrderError(f"line {number}: sku must be a string")
        for member in ("quantity", "unit_cents"):
            if not isinstance(line.get(member), int) or isinstance(line[member], bool) or line[member] < 1:
                raise BadOrderError(f"line {number}: {member} must be a whole number of at least 1")
    return order
