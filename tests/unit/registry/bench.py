"""A registry without a gateway or loops: operations are called as the gateway would, settling is done on demand."""

import asyncio
import io
import zipfile
from pathlib import Path

import pytest

from penstock.core.bus import Bus
from penstock.core.clock import MockClock
from penstock.core.context import Principal, RequestContext, Scope
from penstock.core.dice import SeededDice
from penstock.core.errors import ApiError
from penstock.registry.facts import FunctionChanged, FunctionDeleted
from penstock.registry.fakes import Cold, OpenGuard, PlainCipher, RecordedChanges
from penstock.registry.room import Registry
from penstock.store.database import SqliteStore

ROLE = "arn:aws:iam::000000000000:role/orders"


def make_zip(files: dict[str, str] | None = None) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in (files or {"app.py": "def handler(event, context):\n    return event\n"}).items():
            # A fixed time: the same files must be the same package, even across the tick of a second.
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), text)
    return buffer.getvalue()


class Bench:
    """One registry on its own event loop; `call` is synchronous so that tests read as a story."""

    def __init__(self, store: SqliteStore, data: Path, clock: MockClock, scope: Scope, account_concurrency: int = 1000):
        self.store, self.clock, self.scope, self.data = store, clock, scope, data
        self.changes, self.guard, self.bus, self.facts = RecordedChanges(), OpenGuard(), Bus(), []
        for fact in (FunctionChanged, FunctionDeleted):
            self.bus.subscribe(fact, self.facts.append)
        self.thermometer = Cold()
        self.runner = asyncio.Runner()
        self.registry = Registry(
            store=store, clock=clock, dice=SeededDice(3), cipher=PlainCipher(), changes=self.changes, guard=self.guard,
            data=data, account_concurrency=account_concurrency, bus=self.bus, settle_s=0.0,
            thermometer=self.thermometer,
        )  # fmt: skip

    def context(self, operation: str = "Test", **changes) -> RequestContext:
        who = Principal("arn:aws:iam::000000000000:user/admin", "id", "key")
        given = {"scope": self.scope, "headers": {"host": "127.0.0.1:4566"}} | changes
        return RequestContext(
            "req", given["scope"], who, "lambda", operation, self.clock.now(), headers=given["headers"]
        )

    async def start_call(self, operation: str, **params):
        scope = params.pop("scope", self.scope)
        act = self.registry.operations()["lambda"][operation]
        return await act(self.context(operation, scope=scope), params)

    def call(self, operation: str, **params):
        result = self.runner.run(self.start_call(operation, **params))
        return {key: value for key, value in result.items() if value is not None}

    def refused(self, operation: str, **params) -> ApiError:
        before = self.rows()
        with pytest.raises(ApiError) as caught:
            self.call(operation, **params)
        assert self.rows() == before, "a refused request changed something"
        return caught.value

    def close(self) -> None:
        self.runner.run(self.registry.stop())
        self.runner.close()

    def settle(self) -> None:
        async def settled() -> None:
            await self.registry._settler.step()
            await self.registry._settler.idle()

        self.runner.run(settled())

    def rows(self) -> list:
        tables = ("functions", "function_versions", "function_aliases", "function_policies", "function_provisioned",
                  "layers", "layer_versions")  # fmt: skip
        return self.store.read_now(lambda c: [c.exec_driver_sql(f"SELECT * FROM {t}").fetchall() for t in tables])

    def create(self, name: str = "orders", *, settle: bool = True, **params):
        given = {"FunctionName": name, "Runtime": "python3.12", "Handler": "app.handler", "Role": ROLE}
        code = {"Code": {"ZipFile": make_zip()}}
        result = self.call("CreateFunction", **(given | code | params))
        if settle:
            self.settle()
        return result

    def publish_changed(self, name: str = "orders", **params) -> str:
        """A version that differs from the one before."""
        text = f"# {self.clock.now()} {len(self.changes.changes)}"
        self.call("UpdateFunctionCode", FunctionName=name, ZipFile=make_zip({"app.py": text}))
        if params:
            self.settle()
            self.call("UpdateFunctionConfiguration", FunctionName=name, **params)
        self.settle()
        return self.call("PublishVersion", FunctionName=name)["Version"]

    def actions(self) -> list[str]:
        return [change.action for change in self.changes.changes]
