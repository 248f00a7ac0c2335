"""kill -9 at random instants of four deployments at once: a healthy one, one stopped by its alarm, two with bad hooks.

A reader looks at the store all the while: at every instant alias weights, deployment and marker must agree. After the
last restart each deployment has ended as it would have without a single kill.
"""

import contextlib
import json
import os
import random
import sqlite3
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from running import ROLE, RunningServer, wait_until, zip_of

KILLS = int(os.environ.get("PENSTOCK_DRILL_KILLS", "25"))
"""For each of the four seeds: a hundred in all."""
KILLS_A_ROUND = 7
FINISHED = {"Succeeded", "Failed", "Stopped"}
SOURCE = "def handler(event, context):\n    return context.function_version\n"
HOOK = """
import boto3, os
def handler(event, context):
    if os.environ["VERDICT"] == "raise":
        raise RuntimeError("the new version is broken")
    boto3.client("codedeploy").put_lifecycle_event_hook_execution_status(
        deploymentId=event["DeploymentId"],
        lifecycleEventHookExecutionId=event["LifecycleEventHookExecutionId"],
        status=os.environ["VERDICT"],
    )
"""


@dataclass
class Case:
    """One function behind an alias, its deployment group, and how its deployments must end."""

    name: str
    configuration: str
    hooks: dict[str, str]
    ends: str
    alarm: str | None = None
    live: str = "1"
    deployments: list[str] = field(default_factory=list)

    @property
    def target(self) -> str:
        return "2" if self.live == "1" else "1"


def cases() -> list[Case]:
    return [
        Case(
            "healthy",
            "CodeDeployDefault.LambdaLinear10PercentEvery1Minute",
            {"BeforeAllowTraffic": "hook-Succeeded", "AfterAllowTraffic": "hook-Succeeded"},
            "Succeeded",
        ),
        Case("alarmed", "CodeDeployDefault.LambdaCanary10Percent30Minutes", {}, "Stopped", alarm="alarmed-errors"),
        Case(
            "unfit", "CodeDeployDefault.LambdaCanary10Percent5Minutes", {"AfterAllowTraffic": "hook-Failed"}, "Failed"
        ),
        Case("broken", "CodeDeployDefault.LambdaAllAtOnce", {"BeforeAllowTraffic": "hook-raise"}, "Failed"),
    ]


def set_up(server: RunningServer, made: list[Case]) -> None:
    functions, deployments, alarms = (server.client(s) for s in ("lambda", "codedeploy", "cloudwatch"))

    def create(name: str, source: str, **more) -> None:
        settings = {"Runtime": "python3.11", "Role": ROLE, "Handler": "app.handler", "Timeout": 20}
        functions.create_function(FunctionName=name, Code={"ZipFile": zip_of({"app.py": source})}, **settings, **more)
        functions.get_waiter("function_active_v2").wait(FunctionName=name)

    for verdict in ("Succeeded", "Failed", "raise"):
        # Memory is processor share: a hook must be able to finish between two kills.
        create(f"hook-{verdict}", HOOK, MemorySize=1769, Environment={"Variables": {"VERDICT": verdict}})
    deployments.create_application(applicationName="shop", computePlatform="Lambda")
    for case in made:
        create(case.name, SOURCE)
        functions.publish_version(FunctionName=case.name)
        functions.update_function_code(FunctionName=case.name, ZipFile=zip_of({"app.py": SOURCE + "# two\n"}))
        functions.get_waiter("function_updated_v2").wait(FunctionName=case.name)
        functions.publish_version(FunctionName=case.name)
        functions.create_alias(FunctionName=case.name, Name="live", FunctionVersion="1")
        if case.alarm:
            alarms.put_metric_alarm(  # on a metric nobody writes: it stays where SetAlarmState puts it
                AlarmName=case.alarm,
                Namespace="Drill",
                MetricName="Nothing",
                Statistic="Sum",
                Period=60,
                EvaluationPeriods=1,
                Threshold=1,
                ComparisonOperator="GreaterThanThreshold",
                TreatMissingData="ignore",
            )
        deployments.create_deployment_group(
            applicationName="shop",
            deploymentGroupName=case.name,
            serviceRoleArn=ROLE,
            deploymentConfigName=case.configuration,
            deploymentStyle={"deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL"},
            alarmConfiguration={"enabled": True, "alarms": [{"name": case.alarm}]}
            if case.alarm
            else {"enabled": False},
            autoRollbackConfiguration={
                "enabled": True,
                "events": ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM", "DEPLOYMENT_STOP_ON_REQUEST"],
            },
        )


def start(server: RunningServer, case: Case) -> None:
    appspec = {
        "version": 0.0,
        "Resources": [
            {
                case.name: {
                    "Type": "AWS::Lambda::Function",
                    "Properties": {
                        "Name": case.name,
                        "Alias": "live",
                        "CurrentVersion": case.live,
                        "TargetVersion": case.target,
                    },
                }
            }
        ],
        "Hooks": [{event: hook} for event, hook in case.hooks.items()],
    }
    revision = {"revisionType": "AppSpecContent", "appSpecContent": {"content": json.dumps(appspec)}}
    started = server.client("codedeploy").create_deployment(
        applicationName="shop", deploymentGroupName=case.name, revision=revision
    )
    case.deployments.append(started["deploymentId"])


class Reader(threading.Thread):
    """Looks at the store in one read transaction after another, as fast as it can, and collects contradictions."""

    def __init__(self, database: Path) -> None:
        super().__init__(daemon=True)
        self.database = database
        self.looks = 0
        self.contradictions: list[str] = []
        self._stopping = threading.Event()

    def run(self) -> None:
        while not self._stopping.wait(0.01):
            self.look()

    def stop(self) -> None:
        self._stopping.set()
        self.join()

    def look(self) -> None:
        with contextlib.closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=10)) as connection:
            connection.row_factory = sqlite3.Row
            connection.execute("BEGIN")
            aliases = connection.execute("SELECT * FROM function_aliases").fetchall()
            for alias in aliases:
                newest = connection.execute(
                    "SELECT rowid, * FROM deployments WHERE function = ? ORDER BY rowid DESC LIMIT 1",
                    (alias["function"],),
                ).fetchone()
                if newest is not None:
                    body = json.loads(newest["body"])
                    marker = connection.execute("SELECT * FROM markers WHERE id = ?", (body["marker_id"],)).fetchone()
                    self.contradictions += contradictions(alias, newest, body, marker)
        self.looks += 1


def contradictions(alias, deployment, body, marker) -> list[str]:
    target, current = body["target"]["version"], body["target"]["current"]
    percent = body["shifts"][-1]["percent"] if body["shifts"] else 0.0
    weights = {alias["version"]: 100.0 - 100 * sum(json.loads(alias["weights"]).values())}
    weights |= {version: 100 * weight for version, weight in json.loads(alias["weights"]).items()}
    weights = {version: round(share, 6) for version, share in weights.items() if share}
    expected = {target: percent, current: 100.0 - percent}
    expected = {version: share for version, share in expected.items() if share}
    status, seen = deployment["status"], marker["status"] if marker else None
    wrong = []
    if weights != expected:
        wrong.append(f"{deployment['id']} {status} is at {expected}, its alias at {weights}")
    allowed = {
        "Created": {"RUNNING"},
        "InProgress": {"RUNNING"},
        "Succeeded": {"SUCCESS"},
        "Failed": {"FAILED"},
        "Stopped": {"FAILED", "CANCELED"},
    }
    if seen not in allowed[status]:
        wrong.append(f"{deployment['id']} is {status}, its marker {seen}")
    if marker and [percent for _, percent in _steps(marker, target)] != [one["percent"] for one in body["shifts"]]:
        wrong.append(f"{deployment['id']} shifted {body['shifts']}, its marker says {marker['body']}")
    return wrong


def _steps(marker, target: str) -> list[tuple[float, float]]:
    return [(at, weights.get(target, 0.0)) for at, weights in json.loads(marker["body"])["shifts"]]


@pytest.mark.timeout(420)
@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_every_deployment_ends_as_it_would_have(tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)
    server = RunningServer(tmp_path / "data", "--clock-speed", "60").start()
    made = cases()
    reader = Reader(server.data / "penstock.db")
    kills = 0
    try:
        set_up(server, made)
        reader.start()
        while kills < KILLS:
            server.client("cloudwatch").set_alarm_state(
                AlarmName="alarmed-errors", StateValue="OK", StateReason="drill"
            )
            for case in made:
                start(server, case)
            alarm_after = kills + dice.randint(0, 3)
            # A hook is given up after an hour, which is a minute here: nobody's kills may eat all of it.
            most = kills + KILLS_A_ROUND
            while not all(finished(server, case) for case in made):
                if kills >= alarm_after:
                    server.client("cloudwatch").set_alarm_state(
                        AlarmName="alarmed-errors", StateValue="ALARM", StateReason="drill"
                    )
                    alarm_after = 10**9
                time.sleep(dice.choice((0.0, dice.uniform(0.0, 0.2), dice.uniform(0.0, 1.5))))
                if kills < most:
                    server.kill()
                    kills += 1
                    server.start()
            for case in made:
                check(server, case)
        reader.stop()
        reader.look()
    finally:
        server.stop()
    assert reader.contradictions == []
    assert reader.looks > KILLS


def finished(server: RunningServer, case: Case) -> bool:
    """Whether the deployment and, where it failed, its rollback ended."""
    information = server.client("codedeploy").get_deployment(deploymentId=case.deployments[-1])["deploymentInfo"]
    if information["status"] not in FINISHED:
        return False
    rollback = information.get("rollbackInfo", {}).get("rollbackDeploymentId")
    if not rollback:
        return True
    return server.client("codedeploy").get_deployment(deploymentId=rollback)["deploymentInfo"]["status"] in FINISHED


def check(server: RunningServer, case: Case) -> None:
    """It ended as it would have: status, rollback, alias, and the traffic itself."""
    wait_until(lambda: finished(server, case), what=f"the end of {case.name}")
    client = server.client("codedeploy")
    information = client.get_deployment(deploymentId=case.deployments[-1])["deploymentInfo"]
    assert information["status"] == case.ends, f"{case.name}: {information}"
    if case.ends == "Succeeded":
        assert "rollbackDeploymentId" not in information.get("rollbackInfo", {})
        case.live = case.target
    else:
        rollback = client.get_deployment(deploymentId=information["rollbackInfo"]["rollbackDeploymentId"])
        assert rollback["deploymentInfo"]["status"] == "Succeeded"
        assert rollback["deploymentInfo"]["creator"] == "codeDeployRollback"
    functions = server.client("lambda")
    alias = functions.get_alias(FunctionName=case.name, Name="live")
    assert (alias["FunctionVersion"], alias.get("RoutingConfig", {})) == (case.live, {}), case.name
    reply = functions.invoke(FunctionName=case.name, Qualifier="live")
    assert reply["ExecutedVersion"] == case.live
