"""AppSpecs: everything AWS's examples write is read, and everything broken or hostile is refused in words."""

import json
import time

import pytest

from penstock.release.appspec import read_appspec
from penstock.release.appspec_text import MOST_CHARACTERS, AppSpecError
from penstock.release.model import EventName, Target

WANTED = Target("orders", "live", "2", "1")
PROPERTIES = {"Name": "orders", "Alias": "live", "CurrentVersion": "1", "TargetVersion": "2"}


def spec(properties=None, hooks=None, **changes) -> str:
    resource = {"Type": "AWS::Lambda::Function", "Properties": properties or PROPERTIES}
    content = {"version": 0.0, "Resources": [{"orders": resource}]}
    if hooks is not None:
        content["Hooks"] = hooks
    return json.dumps({**content, **changes})


YAML = """
version: 0.0
Resources:
  - myLambdaFunction:
      Type: AWS::Lambda::Function
      Properties:
        Name: "orders"
        Alias: "live"
        CurrentVersion: "1"
        TargetVersion: "2"
"""
GOOD = {
    "json": spec(),
    "json with numbers": spec({**PROPERTIES, "CurrentVersion": 1, "TargetVersion": 2}),
    "resources as a mapping": spec(Resources={"any": {"Type": "AWS::Lambda::Function", "Properties": PROPERTIES}}),
    "version as text": spec(version="0.0"),
    "function by ARN": spec({**PROPERTIES, "Name": "arn:aws:lambda:us-east-1:000000000000:function:orders"}),
    "yaml as AWS documents it": YAML,
    "yaml in lower case": """
version: 0.0
resources:
  - orders:
      type: "AWS::Lambda::Function"
      properties:
        name: orders
        alias: live
        currentversion: 1
        targetversion: 2
""",
    "yaml that looks like json": "{version: 0.0, Resources: [{o: {Type: 'AWS::Lambda::Function', Properties: "
    "{Name: orders, Alias: live, CurrentVersion: 1, TargetVersion: 2}}}]}",
}


@pytest.mark.parametrize("text", GOOD.values(), ids=GOOD)
def test_good_appspecs(text: str) -> None:
    assert read_appspec(text).target == WANTED


@pytest.mark.parametrize(
    "hooks",
    [
        [{"BeforeAllowTraffic": "check"}, {"AfterAllowTraffic": "smoke"}],
        {"BeforeAllowTraffic": "check", "AfterAllowTraffic": "smoke"},
        [{"beforeAllowTraffic": "check", "afterallowtraffic": "smoke"}],
    ],
)
def test_hooks_in_every_form(hooks) -> None:
    found = read_appspec(spec(hooks=hooks)).hooks
    assert dict(found) == {EventName.BEFORE_ALLOW_TRAFFIC: "check", EventName.AFTER_ALLOW_TRAFFIC: "smoke"}


def test_without_a_current_version_it_is_a_first_deployment() -> None:
    first = {name: value for name, value in PROPERTIES.items() if name != "CurrentVersion"}
    assert read_appspec(spec(first)).target == Target("orders", "live", "2", None)


def without(name: str) -> dict:
    return {key: value for key, value in PROPERTIES.items() if key != name}


@pytest.mark.parametrize("alias", ["on", "1e3", "true", "0x1f"])
def test_yaml_words_stay_what_was_written(alias: str) -> None:
    assert read_appspec(YAML.replace('"live"', alias)).target.alias == alias


@pytest.mark.parametrize("nothing", ["", "~", "null"])
def test_yaml_nothing_is_nothing(nothing: str) -> None:
    assert read_appspec(YAML.replace('CurrentVersion: "1"', f"CurrentVersion: {nothing}")).target.current is None


@pytest.mark.parametrize("text", ["[" * 8_000, "[" * 16_000, "- " * 8_000, "{a: " * 4_000], ids=lambda text: text[:3])
def test_deep_text_costs_next_to_nothing(text: str) -> None:
    before = time.process_time()
    with pytest.raises(AppSpecError, match="nested too deeply"):
        read_appspec(text)
    assert time.process_time() - before < 0.3


BOMB = "a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]\nversion: 0.0\n"
BAD = {
    "empty": ("", "empty"),
    "blank": (" \n\t", "empty"),
    "not a mapping": ("[1, 2]", "must be a mapping"),
    "plain text": ("hello", "must be a mapping"),
    "a number": ("7", "must be a mapping"),
    "broken json": ('{"version": 0.0,', "neither JSON nor YAML"),
    "broken yaml": ("version: [0.0", "neither JSON nor YAML"),
    "tab in yaml": ("version:\n\t- 0", "neither JSON nor YAML"),
    "control character": ("version: 0.0\x00", "neither JSON nor YAML"),
    "python object": ("!!python/object/apply:os.system ['true']", "tags are not allowed"),
    "tag of a number": ('version: !!int ""', "tags are not allowed"),
    "tag of CloudFormation": ("version: !Ref x", "tags are not allowed"),
    "endless number in hex": ("version: 0x" + "f" * 15_000, "version must be 0.0"),
    "number of base 60": ("version: " + "1:" * 5_000 + "1", "version must be 0.0"),
    "octal version": (YAML.replace('"2"', "02"), "TargetVersion"),
    "anchors": (BOMB, "anchors"),
    "deep json": ('{"a":' * 2_500 + "1" + "}" * 2_500, "nested too deeply"),
    "deep yaml": ("[" * 5_000, "nested too deeply"),
    "huge": (" " * (MOST_CHARACTERS + 1), "more than"),
    "huge number": ('{"version": ' + "1" * 5_000 + "}", "version must be 0.0"),
    "huge number as name": (spec({**PROPERTIES, "Name": 10**4_000}), "Name"),
    "doubled key in json": ('{"version": 0.0, "version": 0.0}', "given twice"),
    "doubled key in yaml": ("version: 0.0\nVersion: 0.0\n", "given twice"),
    "no version": (spec(version=None), "version must be 0.0"),
    "other version": (spec(version=1.0), "version must be 0.0"),
    "unknown section": (spec(files=[]), "files"),
    "no resources": (json.dumps({"version": 0.0}), "Resources"),
    "resources of text": (spec(Resources="orders"), "Resources"),
    "no resource": (spec(Resources=[]), "exactly one"),
    "two resources": (spec(Resources=[{"a": {}}, {"b": {}}]), "exactly one"),
    "resource of text": (spec(Resources=[{"a": "x"}]), "must be a mapping"),
    "resource not a mapping": (spec(Resources=["a"]), "Resources"),
    "ECS": (spec(Resources=[{"a": {"Type": "AWS::ECS::Service", "Properties": {}}}]), "AWS::Lambda::Function"),
    "no properties": (spec(Resources=[{"a": {"Type": "AWS::Lambda::Function"}}]), "Properties"),
    "no name": (spec(without("Name")), "Name is missing"),
    "no alias": (spec(without("Alias")), "Alias is missing"),
    "no target version": (spec(without("TargetVersion")), "TargetVersion is missing"),
    "latest": (spec({**PROPERTIES, "TargetVersion": "$LATEST"}), "TargetVersion"),
    "version zero": (spec({**PROPERTIES, "TargetVersion": "0"}), "TargetVersion"),
    "negative version": (spec({**PROPERTIES, "CurrentVersion": -1}), "CurrentVersion"),
    "fraction as version": (spec({**PROPERTIES, "CurrentVersion": 1.5}), "CurrentVersion"),
    "truth as version": (spec({**PROPERTIES, "TargetVersion": True}), "TargetVersion"),
    "list as name": (spec({**PROPERTIES, "Name": ["orders"]}), "Name"),
    "qualified name": (spec({**PROPERTIES, "Name": "orders:live"}), "Name"),
    "number as alias": (spec({**PROPERTIES, "Alias": "7"}), "Alias"),
    "alias with blanks": (spec({**PROPERTIES, "Alias": "a b"}), "Alias"),
    "name with newline": (spec({**PROPERTIES, "Name": "orders\n"}), "Name"),
    "unknown hook": (spec(hooks=[{"BeforeInstall": "x"}]), "BeforeInstall"),
    "hook twice": (spec(hooks=[{"BeforeAllowTraffic": "x"}, {"BeforeAllowTraffic": "y"}]), "twice"),
    "hook of a list": (spec(hooks=[{"BeforeAllowTraffic": ["x"]}]), "BeforeAllowTraffic"),
    "hook empty": (spec(hooks=[{"BeforeAllowTraffic": ""}]), "BeforeAllowTraffic"),
    "hooks of text": (spec(hooks="x"), "Hooks"),
    "key that is no text": ("~: 2\n", "must be a mapping"),
    "key that is a list": ("? [a]\n: b\n", "neither JSON nor YAML"),
}


@pytest.mark.parametrize(("text", "words"), BAD.values(), ids=BAD)
def test_bad_appspecs_are_refused_in_words(text: str, words: str) -> None:
    with pytest.raises(AppSpecError) as refused:
        read_appspec(text)
    assert words in str(refused.value)
    assert len(str(refused.value)) < 500
