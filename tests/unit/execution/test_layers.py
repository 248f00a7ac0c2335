"""Layers from inside a function: where modules, programs and libraries are found, in whose order, at each level."""

import json
from shutil import which

import pytest

from penstock.execution.model import OutcomeKind
from penstock.execution.sandbox.model import Level
from penstock.execution.variables import layer_paths

ANSWER = "def handler(event, context):\n    return {}\n"
SITE = "python/lib/python3.11/site-packages"
FILES = {
    "python/shared.py": "who = 'layer'\n",
    "python/both.py": "who = 'python'\n",
    f"{SITE}/both.py": "who = 'site-packages'\n",
    "python/mine.py": "who = 'layer'\n",
    "bin/tool": "#!/bin/sh\necho from the layer\n",
}


def value(outcome):
    assert outcome.kind is OutcomeKind.SUCCEEDED, outcome
    return json.loads(outcome.payload)


@pytest.fixture(params=["process", "auto"])
def ask(bench, request):
    """`ask(source, files)`: what a function with a layer returns, and the directory it sees its layer at."""

    def ask(source: str | dict[str, str], files: dict[str, str] = FILES, **settings):
        async def scenario(b):
            layer = b.layer(files)
            version = b.function(source, layers=(layer,), **settings)
            full = b.room._fence.isolation.level is Level.FULL
            opt = "/opt" if full else str(b.code.layer_root / layer.code_sha256)
            return value(await b.invoke(version)), opt

        return bench(scenario, isolation=request.param)

    return ask


def test_modules_come_from_the_package_then_from_site_packages_then_from_python(ask) -> None:
    source = "import both, mine, shared\n" + ANSWER.format("[mine.who, both.who, shared.who]")
    found, _ = ask({"app.py": source, "mine.py": "who = 'package'\n"})
    assert found == ["package", "site-packages", "layer"]


def test_the_import_path_is_in_the_order_of_aws(ask) -> None:
    found, opt = ask("import sys\n" + ANSWER.format("sys.path[1:3]"))
    assert found == [f"{opt}/{SITE}", f"{opt}/python"]


def test_programs_are_found_on_the_path(ask) -> None:
    found, _ = ask("import subprocess\n" + ANSWER.format("subprocess.check_output(['tool'], text=True)"))
    assert found == "from the layer\n"


def test_in_a_cell_layers_cannot_be_changed_and_no_other_layer_is_seen(ask) -> None:
    source = """
import os
def handler(event, context):
    refused = 0
    for path in ("/opt/python/shared.py", "/opt/new"):
        try:
            open(path, "w")
        except OSError:
            refused += 1
    return [refused, sorted(os.listdir("/opt"))]
"""
    found, opt = ask(source)
    if opt != "/opt":
        pytest.skip("at level process /opt is the machine's own")
    assert found == [2, ["bin", "python"]]


def test_variables_name_where_the_layer_is(ask) -> None:
    names = "[os.environ['PATH'].split(':')[-1], os.environ['LD_LIBRARY_PATH'].split(':')[-1]]"
    found, opt = ask("import os\n" + ANSWER.format(names))
    assert found == [f"{opt}/bin", f"{opt}/lib"]


def test_a_layers_own_boto3_wins_over_the_runtimes(ask) -> None:
    files = {"python/boto3/__init__.py": "__version__ = 'of the layer'\n"}
    found, _ = ask("import boto3\n" + ANSWER.format("boto3.__version__"), files)
    assert found == "of the layer"


BOOTSTRAP = """#!/bin/sh
next="http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation"
while true; do
  id=$(curl -s -o /dev/null -D - "$next/next" | tr -d '\\r' | sed -n 's/^[Ll]ambda-[Rr]untime-[Aa]ws-[Rr]equest-[Ii]d: //p')
  curl -s -X POST -d "\\"$(tool)\\"" "$next/$id/response" > /dev/null
done
"""  # noqa: E501 - a header in one expression


def test_a_layer_can_be_the_runtime(ask) -> None:
    found, _ = ask({"data": ""}, {"bootstrap": BOOTSTRAP, "bin/tool": FILES["bin/tool"]}, runtime="provided.al2023")
    assert found == "from the layer"


@pytest.mark.skipif(not which("node"), reason="no Node.js")
def test_node_looks_in_the_package_then_in_its_own_directory_then_in_the_common_one(ask) -> None:
    files = {
        f"nodejs/{place}node_modules/{module}/index.js": f"exports.who = '{place or 'common'}'\n"
        for place, module in (("", "common"), ("", "both"), ("node20/", "both"), ("", "mine"), ("node20/", "mine"))
    }
    names = "[require('mine').who, require('both').who, require('common').who]"
    package = {
        "app.js": f"exports.handler = async () => {names}\n",
        "node_modules/mine/index.js": "exports.who = 'package'\n",
    }
    found, _ = ask(package, files, runtime="nodejs20.x")
    assert found == ["package", "node20/", "common"]


@pytest.mark.skipif(not which("node"), reason="no Node.js")
def test_a_wrapper_in_a_layer_starts_the_runtime(ask) -> None:
    wrapper = {"wrap": '#!/bin/sh\nexport WRAPPED=yes\nexec "$@"\n'}
    source = {"app.js": "exports.handler = async () => process.env.WRAPPED\n"}
    found, _ = ask(source, wrapper, runtime="nodejs20.x", environment={"AWS_LAMBDA_EXEC_WRAPPER": "/opt/wrap"})
    assert found == "yes"


def test_without_layers_nothing_is_added_to_the_import_path() -> None:
    assert layer_paths(None, "python3.12") == []


def test_layers_that_cannot_be_read_are_the_platforms_failure(bench) -> None:
    async def scenario(b):
        version = b.function(ANSWER.format("1"), layers=(b.layer({"x": "1"}),))

        async def broken(_):
            raise FileNotFoundError("no package")

        b.code.layers = broken
        return await b.invoke(version)

    outcome = bench(scenario)
    assert outcome.kind is not OutcomeKind.SUCCEEDED
    assert "the layers of" in str(outcome)
