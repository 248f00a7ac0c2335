"""A canary release of an alias with provisioned concurrency: no caller meets a cold start."""

import base64

from running import wait_until
from shop import GOOD, Shop


def test_a_canary_on_provisioned_concurrency_never_starts_cold(fast_server, name) -> None:
    shop, client = Shop(fast_server, name), fast_server.client("lambda")
    alias = {"FunctionName": name, "Qualifier": "live"}

    def state():
        found = client.get_provisioned_concurrency_config(**alias)
        return found["Status"], found["AvailableProvisionedConcurrentExecutions"]

    client.put_provisioned_concurrency_config(**alias, ProvisionedConcurrentExecutions=4)
    wait_until(lambda: state() == ("READY", 4), what="four environments")
    target = shop.publish(GOOD)
    seen: list[tuple[str, bool]] = []

    def shifted() -> bool:
        reply = client.invoke(**alias, Payload=b"{}", LogType="Tail")
        assert "FunctionError" not in reply
        seen.append((reply["ExecutedVersion"], "Init Duration" in base64.b64decode(reply["LogResult"]).decode()))
        return shop.alias() == (target, {})

    one = shop.deploy("1", target)
    wait_until(shifted, 60, what="all traffic on the new version")
    wait_until(lambda: shifted() and seen[-1][0] == target, what="traffic follows the alias")
    assert shop.over(one)["status"] == "Succeeded"
    assert {version for version, _ in seen} == {"1", target}
    assert not any(cold for _, cold in seen)
    wait_until(lambda: state() == ("READY", 4), what="four environments of the new version")
