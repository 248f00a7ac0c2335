"""A BeforeAllowTraffic hook: orders once from the new version, straight, before any customer does.

TARGET names the function; the version under test is the newest one published. The verdict goes to CodeDeploy with
`PutLifecycleEventHookExecutionStatus`; saying nothing fails the deployment after an hour.
"""

import json
import os

import boto3

ORDER = {
    "action": "quote",
    "order": {"id": "smoke", "country": "DE", "lines": [{"sku": "mug", "quantity": 2, "unit_cents": 1250}]},
}


def handler(event, context):
    """Entry point: `before_traffic.handler`."""
    verdict = "Succeeded" if smoke_test(boto3.client("lambda"), os.environ["TARGET"]) else "Failed"
    boto3.client("codedeploy").put_lifecycle_event_hook_execution_status(
        deploymentId=event["DeploymentId"],
        lifecycleEventHookExecutionId=event["LifecycleEventHookExecutionId"],
        status=verdict,
    )
    return verdict


def smoke_test(client, function):
    """Whether the newest published version quotes the order correctly."""
    pages = client.get_paginator("list_versions_by_function").paginate(FunctionName=function)
    newest = max(int(v["Version"]) for page in pages for v in page["Versions"] if v["Version"] != "$LATEST")
    reply = client.invoke(FunctionName=function, Qualifier=str(newest), Payload=json.dumps(ORDER))
    body = json.load(reply["Payload"])
    print(f"version {newest} answered {body}")
    return "FunctionError" not in reply and body.get("status") == 200 and body["quote"]["goods_cents"] == 2500
