"""`penstock` on what changed: status, timeline, live, rollback and markers against a real server."""

import json

from running import ROLE, wait_until


def test_doctor_finds_a_healthy_server(server) -> None:
    done = server.cli("doctor", "--json", check=False)
    rows = {row["check"]: row for row in json.loads(done.stdout)}
    assert rows["server"]["state"] == "ok", rows
    assert rows["lock"]["detail"] == f"held by process {server.process.pid}"
    assert rows["credentials"]["state"] == "ok"
    assert {row["state"] for row in rows.values()} <= {"ok", "warn"}
    assert done.returncode == 0


def test_status_shows_a_function_and_its_alias(server, alias) -> None:
    function = alias.partition(":")[0]
    found = json.loads(server.cli("status", "--json").stdout)
    assert found["up"] is True
    mine = next(each for each in found["functions"] if each["name"] == function)
    assert [(each["name"], each["version"]) for each in mine["aliases"]] == [("live", "2")]
    assert f"{function}  live → 2" in server.cli("status").stdout


def test_status_shows_an_alarm_and_a_deployment_under_way(server, alias, name) -> None:
    cloudwatch, codedeploy = server.client("cloudwatch"), server.client("codedeploy")
    function = alias.partition(":")[0]
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        Namespace="test",
        MetricName=name,
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
    )
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="a rehearsal")
    codedeploy.create_application(applicationName=name, computePlatform="Lambda")
    codedeploy.create_deployment_group(
        applicationName=name,
        deploymentGroupName="live",
        serviceRoleArn=ROLE,
        deploymentConfigName="CodeDeployDefault.LambdaCanary10Percent5Minutes",
        deploymentStyle={"deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL"},
    )
    target = {"Name": function, "Alias": "live", "CurrentVersion": "2", "TargetVersion": "1"}
    spec = {"version": 0.0, "Resources": [{function: {"Type": "AWS::Lambda::Function", "Properties": target}}]}
    deployment = codedeploy.create_deployment(
        applicationName=name,
        deploymentGroupName="live",
        description="one step back",
        revision={"revisionType": "AppSpecContent", "appSpecContent": {"content": json.dumps(spec)}},
    )["deploymentId"]
    try:
        wait_until(lambda: "version 2 90 %, version 1 10 %" in server.cli("live", alias).stdout, what="the shift")
        out = server.cli("status").stdout
        assert f"{alias} version 2 → 1, 10 %, next step in " in out
        assert deployment in out
        assert f"ALARM         {name}  since " in out
        live = server.cli("live", alias).stdout
        assert "one step back" in live
        done = server.cli("rollback", alias, "--reason", "enough")
        assert f"Deployment {deployment} is under way and will be stopped." in done.stderr
        assert f"is back on version 2, 100 % of the traffic.\nDeployment {deployment} was stopped." in done.stdout
        rows = server.cli("timeline", "--component", f"lambda/{function}").stdout.splitlines()
        assert "– canceled" in rows[-2]
        assert "↩ ROLLED BACK" in rows[-1]
    finally:
        cloudwatch.delete_alarms(AlarmNames=[name])
        codedeploy.delete_application(applicationName=name)


def test_the_timeline_knows_every_step(server, alias) -> None:
    function = alias.partition(":")[0]
    out = server.cli("timeline", "--component", f"lambda/{function}").stdout
    words = ["function created", "version 1 published", "alias created", "code updated", "version 2 published"]
    places = [out.index(word) for word in [*words, "version 1 → 2"]]
    assert places == sorted(places)
    assert " admin" in out


def test_live_and_rollback(server, alias) -> None:
    function = alias.partition(":")[0]
    live = json.loads(server.cli("live", alias, "--json").stdout)
    assert (live["version"], live["last_known_good"]) == ("2", "1")
    assert "version 1 (last known good)" in server.cli("live", alias).stdout

    done = server.cli("rollback", alias, "--reason", "checkout fails")
    assert "is back on version 1" in done.stdout
    route = server.client("lambda").get_alias(FunctionName=function, Name="live")
    assert (route["FunctionVersion"], route.get("RoutingConfig")) == ("1", None)
    last = server.cli("timeline", "--component", f"lambda/{function}").stdout.splitlines()[-1]
    assert "↩ ROLLED BACK" in last
    assert "version 2 → 1" in last
    assert last.endswith("checkout fails")

    again = server.cli("rollback", alias, "--reason", "once more", check=False)
    assert again.returncode == 1


def test_an_unknown_alias_is_refused(server) -> None:
    for command in (["live", "nobody:live"], ["rollback", "nobody:live", "--reason", "r"]):
        done = server.cli(*command, check=False)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith("Error (ResourceNotFoundException)")


def test_markers_by_hand(server, name) -> None:
    component = ["--component-name", f"stack/{name}", "--target-version", "v7"]
    assert server.cli("release", "plan", name, *component, "--reason", "weekly").stdout == f"{name}\n"
    assert "… planned" in server.cli("timeline", "--component", f"stack/{name}").stdout
    server.cli("release", "update", name, "--status=running")
    server.cli("release", "update", name, "--status=FAILED", "--failure-reason", "smoke test: 502")
    out = server.cli("timeline", "--component", f"stack/{name}").stdout
    assert "✗ FAILED" in out
    assert "weekly · failed: smoke test: 502" in out

    closed = server.cli("release", "update", name, "--status=SUCCESS", check=False)
    assert closed.returncode == 1
    assert closed.stderr.startswith("Error (MarkerClosed)")

    server.cli("release", "log", "--component-name", f"layer/{name}", "--target-version", "11", "--rollback")
    assert "↩ ROLLED BACK" in server.cli("timeline", "--component", f"layer/{name}").stdout


def test_a_plan_is_carried_out_by_the_real_change(server, alias, name) -> None:
    """The marker keeps its why, and Penstock closes it."""
    function = alias.partition(":")[0]
    component = ["--component-name", f"lambda/{function}", "--target-version", "1"]
    server.cli("release", "plan", f"plan-{name}", *component, "--reason", "back to the roots")
    server.client("lambda").update_alias(FunctionName=function, Name="live", FunctionVersion="1")
    last = server.cli("timeline", "--component", f"lambda/{function}").stdout.splitlines()[-1]
    assert "version 2 → 1" in last
    assert last.endswith("back to the roots")
