"""A handler that keeps its environment busy, so that as many are needed as there are calls."""

import time


def handler(event, _context):
    time.sleep(event["hold_s"])
    return event
