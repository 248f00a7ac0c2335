"""A handler that imports boto3, as most do."""

import boto3


def handler(event, _context):
    return {"boto3": boto3.__version__, "event": event}
