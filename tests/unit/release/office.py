"""The whole room over the real store and registry, its wire operations called as the gateway calls them."""

import asyncio
import json
from typing import Any

from penstock.core.bus import Bus
from penstock.core.clock import MockClock
from penstock.core.context import Principal, RequestContext
from penstock.core.dice import SeededDice
from penstock.gateway.contract import HttpRequest
from penstock.registry.model import Alias, Function
from penstock.registry.ports import Change
from penstock.registry.records import delete_version, read_alias, write_alias, write_function, write_version
from penstock.release.markers.recorder import Markers
from penstock.release.room import Release
from release.rig import Hooks, Points, Routing
from release.samples import SCOPE, version

ANN = "arn:aws:iam::000000000000:user/ann"
STYLE = {"deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL"}
ROLE = "arn:aws:iam::000000000000:role/codedeploy"
ALL = {
    "enabled": True,
    "events": ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM", "DEPLOYMENT_STOP_ON_REQUEST"],
}
CANARY = "CodeDeployDefault.LambdaCanary10Percent5Minutes"
AT_ONCE = "CodeDeployDefault.LambdaAllAtOnce"


class Rates:
    """Error rates that a test sets by version (None: the alias as a whole)."""

    def __init__(self) -> None:
        self.known = {}

    async def rate(self, scope, function, alias, version, start, end):
        assert start < end
        return self.known.get(version)


class Office:
    """One server's release room, moved by hand."""

    def __init__(self, store, clock: MockClock | None = None, answers=None):
        self.store = store
        self.clock = clock or MockClock(1000.0)
        self.dice = SeededDice(3)
        self.points = Points()
        self.markers = Markers(clock=self.clock, dice=self.dice)
        self.routing = Routing(self.points)
        self.alarms: dict[str, str | None] = {}
        self.rates = Rates()
        self.invoker = Hooks(store, self.points, answers or {})
        self.room = Release(
            store=store,
            clock=self.clock,
            dice=self.dice,
            markers=self.markers,
            routing=self.routing,
            hooks=self.invoker,
            alarms=lambda _connection, _scope, names: {name: self.alarms.get(name) for name in names},
            rates=self.rates,
            bus=Bus(),
        )
        self.operations = self.room.operations()["codedeploy"]
        self.desk = self.room._desk

    def context(self, by: str = ANN) -> RequestContext:
        return RequestContext("r", SCOPE, Principal(by, "u", "k"), "codedeploy", "x", self.clock.now())

    async def call(self, operation: str, **params: Any) -> dict[str, Any]:
        return without_none(await self.operations[operation](self.context(), params))

    async def http(self, method: str, path: str, body: object = None, query: str = "") -> tuple[int, Any]:
        prefix = next(prefix for prefix in self.room.routes() if path.startswith(prefix))
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        request = HttpRequest(method, path, query, {}, content)
        reply = await self.room.routes()[prefix](self.context(), request)
        return reply.status, json.loads(reply.body)

    async def tick(self) -> None:
        """One tick and everything that follows from it at this instant."""
        for _ in range(2):
            await self.desk.tick.run()
            for task in list(self.room._hooks._running.values()):
                await task
        await asyncio.sleep(0)

    async def later(self, seconds: float) -> None:
        self.clock.move(seconds)
        await self.tick()

    def function(self, *versions: str, at: str | None = "1", name: str = "orders") -> None:
        def write(connection):
            write_function(connection, Function(SCOPE, name, 0.0))
            for number in versions:
                write_version(connection, version(number, name=name))
            if at is not None:
                write_alias(connection, Alias(SCOPE, name, "live", at, "a0"))
                self.markers.record(connection, self.change("alias-created", at, None))

        self.store.write_now(write)

    def change(self, action: str, target: str | None, previous: str | None, alias: str | None = "live") -> Change:
        return Change(SCOPE, "lambda/orders", action, self.clock.now(), ANN, target, previous, alias)

    def by_hand(self, to: str, **weights: float) -> None:
        """Somebody's update-alias, with the marker the registry writes."""

        def write(connection):
            before = read_alias(connection, SCOPE, "orders", "live")
            shares = {number.removeprefix("v"): weight for number, weight in weights.items()}
            revision = f"hand-{self.clock.now()}-{to}"
            write_alias(connection, Alias(SCOPE, "orders", "live", to, revision, weights=shares))
            action = "alias-moved" if before.version != to else "weights-shifted"
            self.markers.record(connection, self.change(action, to, before.version))

        self.store.write_now(write)

    def drop_version(self, number: str) -> None:
        self.store.write_now(lambda c: delete_version(c, SCOPE, "orders", number))

    def alias(self) -> tuple[str, dict[str, float]] | None:
        found = self.store.read_now(lambda c: read_alias(c, SCOPE, "orders", "live"))
        return (found.version, dict(found.weights)) if found else None

    async def group(self, **changes: Any) -> None:
        await self.call("CreateApplication", applicationName="shop", computePlatform="Lambda")
        await self.call("CreateDeploymentGroup", **self.group_members(**changes))

    def group_members(self, **changes: Any) -> dict[str, Any]:
        members = {
            "applicationName": "shop",
            "deploymentGroupName": "orders",
            "deploymentConfigName": CANARY,
            "serviceRoleArn": ROLE,
            "deploymentStyle": STYLE,
            "autoRollbackConfiguration": ALL,
        }
        return {name: value for name, value in {**members, **changes}.items() if value is not None}

    async def deploy(self, current: str | None = "1", target: str = "2", hooks=None, **changes: Any) -> str:
        members = {
            "applicationName": "shop",
            "deploymentGroupName": "orders",
            "revision": revision(current, target, hooks),
        }
        return str((await self.call("CreateDeployment", **{**members, **changes}))["deploymentId"])

    async def info(self, deployment_id: str) -> dict[str, Any]:
        return dict((await self.call("GetDeployment", deploymentId=deployment_id))["deploymentInfo"])

    async def target(self, deployment_id: str) -> dict[str, Any]:
        reply = await self.call("GetDeploymentTarget", deploymentId=deployment_id, targetId="orders:live")
        return dict(reply["deploymentTarget"]["lambdaTarget"])

    async def timeline(self, **query: str) -> list[dict[str, Any]]:
        text = "&".join(f"{name}={value}" for name, value in query.items())
        status, body = await self.http("GET", "/_penstock/timeline", query=text)
        assert status == 200
        return list(body["markers"])


def revision(current: str | None, target: str, hooks=None, function: str = "orders", alias: str = "live"):
    properties = {"Name": function, "Alias": alias, "CurrentVersion": current, "TargetVersion": target}
    properties = {name: value for name, value in properties.items() if value is not None}
    resource = {"Type": "AWS::Lambda::Function", "Properties": properties}
    content = {"version": 0.0, "Resources": [{"orders": resource}], "Hooks": hooks or []}
    return {"revisionType": "AppSpecContent", "appSpecContent": {"content": json.dumps(content)}}


def without_none(value: Any) -> Any:
    """What the gateway does with absent members."""
    if isinstance(value, dict):
        return {key: without_none(member) for key, member in value.items() if member is not None}
    return [without_none(member) for member in value] if isinstance(value, list) else value
