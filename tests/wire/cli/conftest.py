"""A function behind an alias, as most commands want it."""

import pytest

from running import zip_of

SOURCE = """
import logging
def handler(event, context):
    print("order", event.get("id"))
    if event.get("bad"):
        raise ValueError("no stock")
    return {"version": context.function_version}
"""


@pytest.fixture
def alias(server, make_function) -> str:
    """`orders:live` on version 2, which came after version 1."""
    function = make_function(SOURCE)
    client = server.client("lambda")
    client.publish_version(FunctionName=function)
    client.create_alias(FunctionName=function, Name="live", FunctionVersion="1")
    client.update_function_code(FunctionName=function, ZipFile=zip_of({"app.py": SOURCE + "\n# faster"}))
    client.get_waiter("function_updated_v2").wait(FunctionName=function)
    client.publish_version(FunctionName=function)
    client.get_waiter("published_version_active").wait(FunctionName=function, Qualifier="2")
    client.update_alias(FunctionName=function, Name="live", FunctionVersion="2")
    return f"{function}:live"
