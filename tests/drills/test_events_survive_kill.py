"""kill -9 with asynchronous events in flight: what was answered 202 runs at least once, whatever happens."""

import itertools
import os
import random
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from running import ROLE, RunningServer, wait_until, zip_of

EVENTS = int(os.environ.get("PENSTOCK_DRILL_EVENTS", "500"))
KILLS = 3
SENDERS = 6
GROUP = "/ran"
# The proof of a run is a row in the store of the server itself, so it survives what is being drilled.
SOURCE = f"""
import boto3
logs = boto3.client("logs")
def handler(event, context):
    try:
        logs.create_log_stream(logGroupName="{GROUP}", logStreamName=event["id"])
    except logs.exceptions.ResourceAlreadyExistsException:
        pass
"""


def test_nothing_accepted_is_lost(tmp_path: Path):
    dice = random.Random(1)
    # Fast business time, so that what was throttled comes again soon.
    server = RunningServer(tmp_path / "data", "--clock-speed", "120").start()
    try:
        set_up(server)
        accepted: set[str] = set()
        numbers = itertools.count()
        with ThreadPoolExecutor(SENDERS) as threads:
            senders = [threads.submit(send, server, numbers, accepted) for _ in range(SENDERS)]
            for kill in range(1, KILLS + 1):
                share = kill / (KILLS + 1)
                wait_until(lambda share=share: len(accepted) >= EVENTS * share, 60, what="sending")
                wait_until(lambda kill=kill: len(ran(server)) >= 20 * kill, 60, what="events that ran")
                time.sleep(dice.random() / 2)
                server.kill()
                server.start()
            for sender in senders:
                sender.result(60)
        assert len(accepted) >= EVENTS
        wait_until(lambda: accepted <= ran(server), 90, every=0.5, what="the run of every accepted event")
    finally:
        server.stop()


def set_up(server: RunningServer) -> None:
    functions = server.client("lambda")
    server.client("logs").create_log_group(logGroupName=GROUP)
    settings: dict[str, Any] = {"Runtime": "python3.11", "Role": ROLE, "Handler": "app.handler", "Timeout": 20}
    functions.create_function(FunctionName="f", Code={"ZipFile": zip_of({"app.py": SOURCE})}, **settings)
    functions.get_waiter("function_active_v2").wait(FunctionName="f")
    # Fewer environments than events in hand: most deliveries are throttled and come again, which is part of the drill.
    functions.put_function_concurrency(FunctionName="f", ReservedConcurrentExecutions=6)


def send(server: RunningServer, numbers: Any, accepted: set[str]) -> None:
    """Send until enough were accepted. What was not answered with 202 may have run or not: nobody promised."""
    client = server.client("lambda", read_timeout=5, connect_timeout=2)
    while len(accepted) < EVENTS:
        name = f"event-{next(numbers):05d}"
        try:
            reply = client.invoke(FunctionName="f", InvocationType="Event", Payload=f'{{"id": "{name}"}}'.encode())
        except (BotoCoreError, ClientError):
            time.sleep(0.05)
            continue
        assert reply["StatusCode"] == 202
        accepted.add(name)
        time.sleep(0.02)


def ran(server: RunningServer) -> set[str]:
    pages = server.client("logs").get_paginator("describe_log_streams").paginate(logGroupName=GROUP)
    return {stream["logStreamName"] for page in pages for stream in page["logStreams"]}
