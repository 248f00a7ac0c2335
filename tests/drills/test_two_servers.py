"""Two servers: in one process, with a directory each, they do not meet; on one directory the second is refused."""

import asyncio
import json
import subprocess
import urllib.request
from pathlib import Path

import boto3

from penstock.app.compose import App
from penstock.config import Config
from running import ROLE, RunningServer, environment, penstock, zip_of


def test_two_servers_in_one_process_share_nothing(tmp_path: Path) -> None:
    async def scenario() -> None:
        apps = [App(Config(data=tmp_path / name, port=0, durable=False)) for name in ("one", "two")]
        endpoints = [await app.start() for app in apps]
        try:
            await asyncio.gather(
                *(asyncio.to_thread(use, app.config.data, at) for app, at in zip(apps, endpoints, strict=True))
            )
        finally:
            for app in apps:
                await app.stop()

    def use(data: Path, endpoint: str) -> None:
        key = json.loads((data / "credentials.json").read_text())
        client = boto3.client(
            "lambda",
            endpoint_url=endpoint,
            region_name="us-east-1",
            aws_access_key_id=key["access_key_id"],
            aws_secret_access_key=key["secret_access_key"],
        )
        assert client.list_functions()["Functions"] == []
        source = f"def handler(event, context):\n    return '{data.name}'\n"
        client.create_function(
            FunctionName="same",
            Runtime="python3.11",
            Role=ROLE,
            Handler="a.handler",
            Code={"ZipFile": zip_of({"a.py": source})},
        )
        client.get_waiter("function_active_v2").wait(FunctionName="same")
        assert json.load(client.invoke(FunctionName="same")["Payload"]) == data.name

    asyncio.run(scenario())


def test_a_second_server_on_the_same_directory_is_refused_and_harms_nothing(tmp_path: Path) -> None:
    first = RunningServer(tmp_path / "data").start()
    try:
        second = subprocess.run(
            penstock("up", "--data", str(tmp_path / "data"), "--port", "0"),
            capture_output=True,
            check=False,
            text=True,
            env=environment(),
            timeout=60,
        )
        assert second.returncode == 1
        assert first.endpoint in second.stderr
        with urllib.request.urlopen(first.endpoint + "/_penstock/health", timeout=5) as reply:
            assert json.load(reply)["status"] == "ok"
    finally:
        assert first.stop() == 0
