"""Applications, groups, configurations and tags as a CodeDeploy client sees them; every refusal changes nothing."""

import asyncio

import pytest

from penstock.core.errors import ApiError
from penstock.release.plan import PREDEFINED
from release.office import ALL, ROLE, STYLE, Office

APPLICATION = "arn:aws:codedeploy:us-east-1:000000000000:application:shop"
GROUP = "arn:aws:codedeploy:us-east-1:000000000000:deploymentgroup:shop/orders"


def run(store, scenario):
    asyncio.run(scenario(Office(store)))


def refused(code: str, words: str = ""):
    return pytest.raises(ApiError, match=f"^{code}: .*{words}")


def test_the_life_of_an_application(store) -> None:
    async def scenario(office):
        made = await office.call("CreateApplication", applicationName="shop", computePlatform="Lambda")
        found = (await office.call("GetApplication", applicationName="shop"))["application"]
        assert (found["applicationId"], found["computePlatform"]) == (made["applicationId"], "Lambda")
        with refused("ApplicationAlreadyExistsException"):
            await office.call("CreateApplication", applicationName="shop", computePlatform="Lambda")
        await office.call("CreateApplication", applicationName="other", computePlatform="Lambda")
        assert (await office.call("ListApplications"))["applications"] == ["other", "shop"]
        batch = await office.call("BatchGetApplications", applicationNames=["shop", "other"])
        assert [one["applicationName"] for one in batch["applicationsInfo"]] == ["shop", "other"]
        with refused("ApplicationDoesNotExistException"):
            await office.call("BatchGetApplications", applicationNames=["shop", "nope"])
        with refused("BatchLimitExceededException"):
            await office.call("BatchGetApplications", applicationNames=["a"] * 101)
        await office.call("DeleteApplication", applicationName="shop")
        await office.call("DeleteApplication", applicationName="shop")
        with refused("ApplicationDoesNotExistException", "No application found for name: shop"):
            await office.call("GetApplication", applicationName="shop")

    run(store, scenario)


@pytest.mark.parametrize("platform", [None, "Server", "ECS"])
def test_other_platforms_are_refused(store, platform) -> None:
    async def scenario(office):
        given = {"computePlatform": platform} if platform else {}
        with refused("InvalidComputePlatformException", "computePlatform=Lambda"):
            await office.call("CreateApplication", applicationName="shop", **given)
        assert (await office.call("ListApplications"))["applications"] == []

    run(store, scenario)


def test_a_renamed_application_keeps_groups_deployments_and_tags(store) -> None:
    async def scenario(office):
        office.function("1", "2")
        await office.group()
        await office.call("TagResource", ResourceArn=GROUP, Tags=[{"Key": "team", "Value": "red"}])
        one = await office.deploy()
        await office.call("CreateApplication", applicationName="taken", computePlatform="Lambda")
        with refused("ApplicationAlreadyExistsException"):
            await office.call("UpdateApplication", applicationName="shop", newApplicationName="taken")
        await office.call("UpdateApplication", applicationName="shop", newApplicationName="store")
        assert (await office.info(one))["applicationName"] == "store"
        assert (await office.call("ListDeploymentGroups", applicationName="store"))["deploymentGroups"] == ["orders"]
        tags = await office.call("ListTagsForResource", ResourceArn=GROUP.replace("shop", "store"))
        assert tags["Tags"] == [{"Key": "team", "Value": "red"}]
        await office.tick()
        await office.later(300.0)
        assert (await office.info(one))["status"] == "Succeeded"

    run(store, scenario)


def test_the_life_of_a_group(store) -> None:
    async def scenario(office):
        alarms = {"enabled": True, "ignorePollAlarmFailure": True, "alarms": [{"name": "errors"}]}
        await office.group(alarmConfiguration=alarms)
        names = {"applicationName": "shop", "deploymentGroupName": "orders"}
        found = (await office.call("GetDeploymentGroup", **names))["deploymentGroupInfo"]
        assert found["alarmConfiguration"] == alarms
        assert found["autoRollbackConfiguration"] == ALL
        assert (found["deploymentStyle"], found["computePlatform"], found["serviceRoleArn"]) == (STYLE, "Lambda", ROLE)
        with refused("DeploymentGroupAlreadyExistsException"):
            await office.call("CreateDeploymentGroup", **office.group_members())
        await office.call(
            "UpdateDeploymentGroup",
            applicationName="shop",
            currentDeploymentGroupName="orders",
            deploymentConfigName="CodeDeployDefault.LambdaAllAtOnce",
        )
        changed = (await office.call("GetDeploymentGroup", **names))["deploymentGroupInfo"]
        assert changed["deploymentConfigName"] == "CodeDeployDefault.LambdaAllAtOnce"
        assert (changed["alarmConfiguration"], changed["deploymentGroupId"]) == (alarms, found["deploymentGroupId"])
        batch = await office.call(
            "BatchGetDeploymentGroups", applicationName="shop", deploymentGroupNames=["orders", "nope"]
        )
        assert (len(batch["deploymentGroupsInfo"]), "nope" in batch["errorMessage"]) == (1, True)
        assert await office.call("DeleteDeploymentGroup", **names) == {"hooksNotCleanedUp": []}
        assert await office.call("DeleteDeploymentGroup", **names) == {"hooksNotCleanedUp": []}
        with refused("DeploymentGroupDoesNotExistException"):
            await office.call("GetDeploymentGroup", **names)

    run(store, scenario)


GROUPS = {
    "no application": ({"applicationName": "nope"}, "ApplicationDoesNotExistException"),
    "no style": ({"deploymentStyle": None}, "InvalidDeploymentStyleException"),
    "in place": ({"deploymentStyle": {"deploymentType": "IN_PLACE"}}, "InvalidDeploymentStyleException"),
    "without control": (
        {"deploymentStyle": {"deploymentType": "BLUE_GREEN", "deploymentOption": "WITHOUT_TRAFFIC_CONTROL"}},
        "InvalidDeploymentStyleException",
    ),
    "role that is no ARN": ({"serviceRoleArn": "admin"}, "InvalidRoleException"),
    "role that is a user": ({"serviceRoleArn": "arn:aws:iam::000000000000:user/ann"}, "InvalidRoleException"),
    "unknown config": ({"deploymentConfigName": "nope"}, "DeploymentConfigDoesNotExistException"),
    "alarms on, none named": ({"alarmConfiguration": {"enabled": True}}, "InvalidAlarmConfigException"),
    "alarm without a name": ({"alarmConfiguration": {"alarms": [{}]}}, "InvalidAlarmConfigException"),
    "alarm with a long name": (
        {"alarmConfiguration": {"alarms": [{"name": "x" * 256}]}},
        "InvalidAlarmConfigException",
    ),
    "rollback on nothing": ({"autoRollbackConfiguration": {"enabled": True}}, "InvalidAutoRollbackConfigException"),
    "EC2 tags": ({"ec2TagFilters": [{"Key": "a"}]}, "InvalidEC2TagException"),
    "Auto Scaling": ({"autoScalingGroups": ["a"]}, "InvalidAutoScalingGroupException"),
    "load balancer": ({"loadBalancerInfo": {"elbInfoList": [{"name": "a"}]}}, "InvalidLoadBalancerInfoException"),
    "ECS": ({"ecsServices": [{"serviceName": "a"}]}, "InvalidECSServiceException"),
    "triggers": ({"triggerConfigurations": [{"triggerName": "a"}]}, "InvalidTriggerConfigException"),
    "bad tag": ({"tags": [{"Key": "aws:x", "Value": "y"}]}, "InvalidTagsToAddException"),
}


@pytest.mark.parametrize(("changes", "code"), GROUPS.values(), ids=GROUPS)
def test_groups_that_are_refused(store, changes, code) -> None:
    async def scenario(office):
        await office.call("CreateApplication", applicationName="shop", computePlatform="Lambda")
        with refused(code):
            await office.call("CreateDeploymentGroup", **office.group_members(**changes))
        assert (await office.call("ListDeploymentGroups", applicationName="shop"))["deploymentGroups"] == []

    run(store, scenario)


UPDATES = {name: case for name, case in GROUPS.items() if name not in ("no style", "bad tag", "no application")}


@pytest.mark.parametrize(("changes", "code"), UPDATES.values(), ids=UPDATES)
def test_updates_of_groups_that_are_refused(store, changes, code) -> None:
    async def scenario(office):
        await office.group()
        names = {"applicationName": "shop", "deploymentGroupName": "orders"}
        before = await office.call("GetDeploymentGroup", **names)
        with refused(code):
            await office.call(
                "UpdateDeploymentGroup", applicationName="shop", currentDeploymentGroupName="orders", **changes
            )
        assert await office.call("GetDeploymentGroup", **names) == before

    run(store, scenario)


def canary(percent=20, interval=7):
    inner = {"canaryPercentage": percent, "canaryInterval": interval}
    return {"type": "TimeBasedCanary", "timeBasedCanary": inner}


def test_the_life_of_a_configuration(store) -> None:
    async def scenario(office):
        office.function("1", "2")
        await office.call(
            "CreateDeploymentConfig",
            deploymentConfigName="careful",
            computePlatform="Lambda",
            trafficRoutingConfig=canary(),
        )
        found = (await office.call("GetDeploymentConfig", deploymentConfigName="careful"))["deploymentConfigInfo"]
        assert found["trafficRoutingConfig"] == canary()
        assert found["computePlatform"] == "Lambda"
        assert set((await office.call("ListDeploymentConfigs"))["deploymentConfigsList"]) == {*PREDEFINED, "careful"}
        with refused("DeploymentConfigAlreadyExistsException"):
            await office.call(
                "CreateDeploymentConfig",
                deploymentConfigName="careful",
                computePlatform="Lambda",
                trafficRoutingConfig=canary(),
            )
        await office.group(deploymentConfigName="careful")
        with refused("DeploymentConfigInUseException", "shop/orders"):
            await office.call("DeleteDeploymentConfig", deploymentConfigName="careful")
        await office.deploy()
        await office.tick()
        assert office.alias() == ("1", {"2": 0.2})
        await office.call("DeleteDeploymentGroup", applicationName="shop", deploymentGroupName="orders")
        with refused("DeploymentConfigInUseException", "under way"):
            await office.call("DeleteDeploymentConfig", deploymentConfigName="careful")
        await office.later(420.0)
        assert office.alias() == ("2", {})
        await office.call("DeleteDeploymentConfig", deploymentConfigName="careful")
        with refused("DeploymentConfigDoesNotExistException"):
            await office.call("GetDeploymentConfig", deploymentConfigName="careful")

    run(store, scenario)


@pytest.mark.parametrize("name", PREDEFINED)
def test_predefined_configurations_are_shown_and_cannot_be_deleted(store, name) -> None:
    async def scenario(office):
        found = (await office.call("GetDeploymentConfig", deploymentConfigName=name))["deploymentConfigInfo"]
        assert (found["deploymentConfigName"], found["trafficRoutingConfig"]["type"]) == (
            name,
            PREDEFINED[name].routing.value,
        )
        with refused("InvalidOperationException"):
            await office.call("DeleteDeploymentConfig", deploymentConfigName=name)

    run(store, scenario)


LINEAR = {"type": "TimeBasedLinear", "timeBasedLinear": {"linearPercentage": 10, "linearInterval": 1}}
CONFIGS = {
    "predefined name": (
        {"deploymentConfigName": "CodeDeployDefault.Mine", "trafficRoutingConfig": LINEAR},
        "InvalidDeploymentConfigNameException",
    ),
    "Server": ({"computePlatform": "Server"}, "InvalidComputePlatformException"),
    "no platform": ({"computePlatform": None}, "InvalidComputePlatformException"),
    "hosts": ({"minimumHealthyHosts": {"type": "HOST_COUNT", "value": 1}}, "InvalidMinimumHealthyHostValueException"),
    "zones": ({"zonalConfig": {"monitorDurationInSeconds": 1}}, "InvalidZonalDeploymentConfigurationException"),
    "no routing": ({"trafficRoutingConfig": None}, "InvalidTrafficRoutingConfigurationException"),
    "no type": ({"trafficRoutingConfig": {}}, "InvalidTrafficRoutingConfigurationException"),
    "zero percent": ({"trafficRoutingConfig": canary(0)}, "InvalidTrafficRoutingConfigurationException"),
    "hundred percent": ({"trafficRoutingConfig": canary(100)}, "InvalidTrafficRoutingConfigurationException"),
    "no wait": ({"trafficRoutingConfig": canary(10, 0)}, "InvalidTrafficRoutingConfigurationException"),
    "three days": ({"trafficRoutingConfig": canary(10, 4320)}, "InvalidTrafficRoutingConfigurationException"),
    "both": ({"trafficRoutingConfig": {**canary(), **LINEAR}}, "InvalidTrafficRoutingConfigurationException"),
    "neither": ({"trafficRoutingConfig": {"type": "TimeBasedLinear"}}, "InvalidTrafficRoutingConfigurationException"),
}


@pytest.mark.parametrize(("changes", "code"), CONFIGS.values(), ids=CONFIGS)
def test_configurations_that_are_refused(store, changes, code) -> None:
    async def scenario(office):
        members = {"deploymentConfigName": "mine", "computePlatform": "Lambda", "trafficRoutingConfig": LINEAR}
        with refused(code):
            await office.call("CreateDeploymentConfig", **{**members, **changes})
        assert (await office.call("ListDeploymentConfigs"))["deploymentConfigsList"] == sorted(PREDEFINED)

    run(store, scenario)


def test_tags(store) -> None:
    async def scenario(office):
        await office.call(
            "CreateApplication",
            applicationName="shop",
            computePlatform="Lambda",
            tags=[{"Key": "team", "Value": "red"}],
        )
        await office.call("TagResource", ResourceArn=APPLICATION, Tags=[{"Key": "cost", "Value": "9"}, {"Key": "x"}])
        await office.call("UntagResource", ResourceArn=APPLICATION, TagKeys=["x", "never"])
        tags = (await office.call("ListTagsForResource", ResourceArn=APPLICATION))["Tags"]
        assert tags == [{"Key": "cost", "Value": "9"}, {"Key": "team", "Value": "red"}]
        await office.call("DeleteApplication", applicationName="shop")
        await office.call("CreateApplication", applicationName="shop", computePlatform="Lambda")
        assert (await office.call("ListTagsForResource", ResourceArn=APPLICATION))["Tags"] == []

    run(store, scenario)


@pytest.mark.parametrize(
    ("arn", "code"),
    [
        ("shop", "InvalidArnException"),
        ("arn:aws:lambda:us-east-1:000000000000:function:x", "InvalidArnException"),
        (APPLICATION.replace("shop", "nope"), "ApplicationDoesNotExistException"),
        (GROUP.replace("orders", "nope"), "DeploymentGroupDoesNotExistException"),
        (APPLICATION.replace("us-east-1", "eu-west-1"), "ArnNotSupportedException"),
        (APPLICATION.replace("application:shop", "deploymentconfig:nope"), "DeploymentConfigDoesNotExistException"),
        (APPLICATION.replace("application:", "instance:"), "ArnNotSupportedException"),
    ],
)
def test_what_cannot_be_tagged(store, arn, code) -> None:
    async def scenario(office):
        await office.group()
        for operation, members in (
            ("TagResource", {"Tags": [{"Key": "a", "Value": "b"}]}),
            ("UntagResource", {"TagKeys": ["a"]}),
            ("ListTagsForResource", {}),
        ):
            with refused(code):
                await office.call(operation, ResourceArn=arn, **members)

    run(store, scenario)
