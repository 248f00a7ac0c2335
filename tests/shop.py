"""A function behind an alias and its deployment group, over boto3 alone: what release tests and drills start from."""

import json
from typing import Any

from running import ROLE, RunningServer, wait_until, zip_of

STYLE = {"deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL"}
ALL_EVENTS = ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM", "DEPLOYMENT_STOP_ON_REQUEST"]
CANARY = "CodeDeployDefault.LambdaCanary10Percent5Minutes"
OVER = ("Succeeded", "Failed", "Stopped")
GOOD = "def handler(event, context):\n    return context.function_version\n"
BAD = "def handler(event, context):\n    raise RuntimeError('bad release')\n"
HOOK = """
import os

import boto3

deployments = boto3.client("codedeploy")


def handler(event, context):
    deployments.put_lifecycle_event_hook_execution_status(
        deploymentId=event["DeploymentId"],
        lifecycleEventHookExecutionId=event["LifecycleEventHookExecutionId"],
        status=os.environ["SAYS"],
    )
"""


class Shop:
    """One function with version 1 behind alias `live`, and a deployment group of the same name."""

    def __init__(self, server: RunningServer, name: str, **group: Any):
        self.server = server
        self.name = name
        self.functions = server.client("lambda")
        self.deployments = server.client("codedeploy")
        self.group = {"applicationName": name, "deploymentGroupName": name}
        self.function(name, GOOD)
        self.functions.publish_version(FunctionName=name)
        self.functions.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
        self.deployments.create_application(applicationName=name, computePlatform="Lambda")
        members = {
            "serviceRoleArn": ROLE,
            "deploymentConfigName": CANARY,
            "deploymentStyle": STYLE,
            "autoRollbackConfiguration": {"enabled": True, "events": ALL_EVENTS},
        }
        self.deployments.create_deployment_group(**self.group, **{**members, **group})

    def function(self, name: str, source: str, **variables: str) -> str:
        self.functions.create_function(
            FunctionName=name,
            Runtime="python3.11",
            Role=ROLE,
            Handler="app.handler",
            Timeout=10,
            MemorySize=256,
            Code={"ZipFile": zip_of({"app.py": source})},
            Environment={"Variables": variables},
        )
        self.functions.get_waiter("function_active_v2").wait(FunctionName=name)
        return name

    def hook(self, says: str) -> str:
        return self.function(f"{self.name}-hook-{says.lower()}", HOOK, SAYS=says)

    def publish(self, source: str) -> str:
        code = zip_of({"app.py": source + f"# {len(self.versions())}\n"})
        self.functions.update_function_code(FunctionName=self.name, ZipFile=code)
        self.functions.get_waiter("function_updated_v2").wait(FunctionName=self.name)
        return str(self.functions.publish_version(FunctionName=self.name)["Version"])

    def versions(self) -> list[str]:
        found = self.functions.list_versions_by_function(FunctionName=self.name)["Versions"]
        return [version["Version"] for version in found]

    def deploy(self, current: str, target: str, hooks: dict[str, str] | None = None, **members: Any) -> str:
        properties = {"Name": self.name, "Alias": "live", "CurrentVersion": current, "TargetVersion": target}
        resource = {"Type": "AWS::Lambda::Function", "Properties": properties}
        content = {
            "version": 0.0,
            "Resources": [{self.name: resource}],
            "Hooks": [{event: function} for event, function in (hooks or {}).items()],
        }
        revision = {"revisionType": "AppSpecContent", "appSpecContent": {"content": json.dumps(content)}}
        made = self.deployments.create_deployment(**self.group, revision=revision, **members)
        return str(made["deploymentId"])

    def info(self, deployment_id: str) -> dict[str, Any]:
        return dict(self.deployments.get_deployment(deploymentId=deployment_id)["deploymentInfo"])

    def target(self, deployment_id: str) -> dict[str, Any]:
        found = self.deployments.get_deployment_target(deploymentId=deployment_id, targetId=f"{self.name}:live")
        return dict(found["deploymentTarget"]["lambdaTarget"])

    def over(self, deployment_id: str, seconds: float = 60.0) -> dict[str, Any]:
        """The deployment when it has ended."""

        def ended() -> dict[str, Any] | None:
            info = self.info(deployment_id)
            return info if info["status"] in OVER else None

        return dict(wait_until(ended, seconds, what=f"the end of {deployment_id}"))

    def alias(self) -> tuple[str, dict[str, float]]:
        found = self.functions.get_alias(FunctionName=self.name, Name="live")
        return found["FunctionVersion"], found.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})

    def alarm(self) -> str:
        """An alarm on the alias's errors."""
        dimensions = {"FunctionName": self.name, "Resource": f"{self.name}:live"}
        self.server.client("cloudwatch").put_metric_alarm(
            AlarmName=self.name,
            Namespace="AWS/Lambda",
            MetricName="Errors",
            Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanOrEqualToThreshold",
            TreatMissingData="notBreaching",
        )
        return self.name
