"""The example application as AWS sees it: packages, function, alias, alarm, deployment group, hook. All over boto3."""

import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FUNCTION = "orders"
ALIAS = "live"
HOOK = "orders-before-traffic"
ALARM = "orders-live-errors"
GROUP = {"applicationName": "orders", "deploymentGroupName": "live"}
CONFIGURATION = "CodeDeployDefault.LambdaCanary10Percent5Minutes"
ROLE = "arn:aws:iam::000000000000:role/orders"


def example_directory() -> Path:
    """`examples/orders`, in a checkout or inside the installed package."""
    package = Path(__file__).parents[2]
    for candidate in (package / "_examples" / "orders", package.parents[1] / "examples" / "orders"):
        if candidate.is_dir():
            return candidate
    raise FileNotFoundError("examples/orders is not part of this installation; run the demo from a checkout")


def package(*files: Path) -> bytes:
    """A deployment package of these files at its top; a later file replaces an earlier one of the same name."""
    contents = {file.name: file.read_bytes() for file in files}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), content)
    return buffer.getvalue()


@dataclass(frozen=True, slots=True)
class Application:
    """The clients it is managed with."""

    functions: Any
    deployments: Any
    alarms: Any

    def create(self) -> None:
        """Version 1 behind the alias, its hook, its alarm and its deployment group."""
        source = example_directory()
        self._create_function(FUNCTION, "app.handler", package(source / "app.py", source / "pricing.py"))
        hook = package(source / "hooks" / "before_traffic.py")
        self._create_function(HOOK, "before_traffic.handler", hook, {"TARGET": FUNCTION})
        self.functions.publish_version(FunctionName=FUNCTION, Description="the first release")
        self.functions.create_alias(FunctionName=FUNCTION, Name=ALIAS, FunctionVersion="1")
        self._create_alarm()
        self._create_group()

    def publish(self, change: str, description: str) -> str:
        """Publish the version that `changes/<change>` makes; returns its number."""
        source = example_directory()
        code = package(source / "app.py", source / "changes" / change / "pricing.py")
        self.functions.update_function_code(FunctionName=FUNCTION, ZipFile=code)
        self.functions.get_waiter("function_updated_v2").wait(FunctionName=FUNCTION)
        return str(self.functions.publish_version(FunctionName=FUNCTION, Description=description)["Version"])

    def release(self, version: str, description: str) -> str:
        """Start the canary to `version` behind the hook; returns the deployment id."""
        content = {
            "version": 0.0,
            "Resources": [
                {
                    "orders": {
                        "Type": "AWS::Lambda::Function",
                        "Properties": {
                            "Name": FUNCTION,
                            "Alias": ALIAS,
                            "CurrentVersion": self.live_version(),
                            "TargetVersion": version,
                        },
                    }
                }
            ],
            "Hooks": [{"BeforeAllowTraffic": HOOK}],
        }
        revision = {"revisionType": "AppSpecContent", "appSpecContent": {"content": json.dumps(content)}}
        started = self.deployments.create_deployment(**GROUP, revision=revision, description=description)
        return str(started["deploymentId"])

    def live_version(self) -> str:
        """The alias's primary version."""
        return str(self.functions.get_alias(FunctionName=FUNCTION, Name=ALIAS)["FunctionVersion"])

    def weights(self) -> dict[str, float]:
        """The share of each version behind the alias."""
        alias = self.functions.get_alias(FunctionName=FUNCTION, Name=ALIAS)
        additional = alias.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})
        return {alias["FunctionVersion"]: 1.0 - sum(additional.values()), **additional}

    def deployment(self, deployment_id: str) -> dict[str, Any]:
        """The deployment as CodeDeploy shows it."""
        return dict(self.deployments.get_deployment(deploymentId=deployment_id)["deploymentInfo"])

    def alarm(self) -> dict[str, Any]:
        """The alarm as CloudWatch shows it."""
        return dict(self.alarms.describe_alarms(AlarmNames=[ALARM])["MetricAlarms"][0])

    def _create_function(self, name: str, handler: str, code: bytes, variables: dict[str, str] | None = None) -> None:
        self.functions.create_function(
            FunctionName=name,
            Runtime="python3.11",
            Role=ROLE,
            Handler=handler,
            Code={"ZipFile": code},
            Timeout=10,
            MemorySize=256,
            Environment={"Variables": variables or {}},
        )
        self.functions.get_waiter("function_active_v2").wait(FunctionName=name)

    def _create_alarm(self) -> None:
        self.alarms.put_metric_alarm(
            AlarmName=ALARM,
            AlarmDescription="customers of orders:live see errors",
            Namespace="AWS/Lambda",
            MetricName="Errors",
            Dimensions=[
                {"Name": "FunctionName", "Value": FUNCTION},
                {"Name": "Resource", "Value": f"{FUNCTION}:{ALIAS}"},
            ],
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanOrEqualToThreshold",
            TreatMissingData="notBreaching",
        )

    def _create_group(self) -> None:
        self.deployments.create_application(applicationName=GROUP["applicationName"], computePlatform="Lambda")
        self.deployments.create_deployment_group(
            **GROUP,
            serviceRoleArn=ROLE,
            deploymentConfigName=CONFIGURATION,
            deploymentStyle={"deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL"},
            alarmConfiguration={"enabled": True, "alarms": [{"name": ALARM}]},
            autoRollbackConfiguration={
                "enabled": True,
                "events": ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM", "DEPLOYMENT_STOP_ON_REQUEST"],
            },
        )
