"""The models' constraints and how each service words them: the sentences are those AWS is known to send."""

from typing import Any

import pytest

from penstock.gateway.models import Models
from penstock.gateway.refusals import refuse
from penstock.gateway.validate import violations

LOGS = "[\\.\\-_/#A-Za-z0-9]+"
ARN = "arn:aws:lambda:eu-west-1:000000000000:function"
ROLE = "arn:aws:iam::000000000000:role/r"
FUNCTION = {"FunctionName": "orders", "Role": ROLE, "Code": {}}
GROUP = {"applicationName": "shop", "deploymentGroupName": "live", "serviceRoleArn": ROLE}
ROWS: list[tuple[str, str, str, dict[str, Any], str, str]] = [
    (
        "a missing member of a list's structure",
        "logs",
        "PutLogEvents",
        {"logGroupName": "g", "logStreamName": "s", "logEvents": [{"message": "m"}]},
        "InvalidParameterException",
        (
            "1 validation error detected: Value null at 'logEvents.1.member.timestamp' failed to satisfy constraint: "
            "Member must not be null"
        ),
    ),
    (
        "two on one value, the pattern first",
        "logs",
        "DescribeLogGroups",
        {"logGroupNamePrefix": ""},
        "InvalidParameterException",
        (
            f"2 validation errors detected: Value '' at 'logGroupNamePrefix' failed to satisfy constraint: Member must "
            f"satisfy regular expression pattern: {LOGS}; Value '' at 'logGroupNamePrefix' failed to "
            f"satisfy constraint: "
            "Member must have length greater than or equal to 1"
        ),
    ),
    (
        "an empty list",
        "logs",
        "PutLogEvents",
        {"logGroupName": "g", "logStreamName": "s", "logEvents": []},
        "InvalidParameterException",
        (
            "1 validation error detected: Value '[]' at 'logEvents' failed to satisfy constraint: "
            "Member must have length "
            "greater than or equal to 1"
        ),
    ),
    (
        "a range",
        "lambda",
        "CreateFunction",
        FUNCTION | {"Timeout": 0},
        "ValidationException",
        (
            "1 validation error detected: Value '0' at 'timeout' failed to satisfy constraint: Member must have value "
            "greater than or equal to 1"
        ),
    ),
    (
        "an enum in a nested structure",
        "lambda",
        "CreateFunction",
        FUNCTION | {"TracingConfig": {"Mode": "Loud"}},
        "ValidationException",
        (
            "1 validation error detected: Value 'Loud' at 'tracingConfig.mode' failed to satisfy "
            "constraint: Member must "
            "satisfy enum value set: [Active, PassThrough]"
        ),
    ),
    (
        "only the first letter turns small",
        "lambda",
        "CreateFunction",
        FUNCTION | {"KMSKeyArn": "key"},
        "ValidationException",
        (
            "1 validation error detected: Value 'key' at 'kMSKeyArn' failed to satisfy constraint: Member must satisfy "
            "regular expression pattern: (arn:(aws[a-zA-Z-]*)?:[a-z0-9-.]+:.*)|()"
        ),
    ),
    (
        "a metric's missing parameter",
        "cloudwatch",
        "PutMetricData",
        {"Namespace": "Shop", "MetricData": [{"MetricName": "a", "Dimensions": [{"Name": "n"}]}]},
        "MissingParameter",
        "The parameter MetricData.member.1.Dimensions.member.1.Value is required.",
    ),
    (
        "an alarm's enum",
        "cloudwatch",
        "SetAlarmState",
        {"AlarmName": "a", "StateValue": "FINE", "StateReason": "r"},
        "ValidationError",
        (
            "1 validation error detected: Value 'FINE' at 'stateValue' failed to satisfy constraint: "
            "Member must satisfy "
            "enum value set: [OK, ALARM, INSUFFICIENT_DATA]"
        ),
    ),
    (
        "CodeDeploy's own word for what is missing",
        "codedeploy",
        "CreateDeploymentGroup",
        {"applicationName": "shop", "serviceRoleArn": ROLE},
        "DeploymentGroupNameRequiredException",
        (
            "1 validation error detected: Value null at 'deploymentGroupName' failed to satisfy "
            "constraint: Member must "
            "not be null"
        ),
    ),
    (
        "CodeDeploy's own word for a bad structure",
        "codedeploy",
        "CreateDeploymentGroup",
        GROUP | {"deploymentStyle": {"deploymentType": "SIDEWAYS"}},
        "InvalidDeploymentStyleException",
        (
            "1 validation error detected: Value 'SIDEWAYS' at 'deploymentStyle.deploymentType' failed to satisfy "
            "constraint: Member must satisfy enum value set: [IN_PLACE, BLUE_GREEN]"
        ),
    ),
    (
        "CodeDeploy shortens its names",
        "codedeploy",
        "CreateDeploymentGroup",
        GROUP | {"autoRollbackConfiguration": {"enabled": True, "events": ["BAD_MOOD"]}},
        "InvalidAutoRollbackConfigException",
        (
            "1 validation error detected: Value '[BAD_MOOD]' at 'autoRollbackConfiguration.events' failed to satisfy "
            "constraint: Member must satisfy constraint: [Member must satisfy enum value set: [DEPLOYMENT_FAILURE, "
            "DEPLOYMENT_STOP_ON_ALARM, DEPLOYMENT_STOP_ON_REQUEST], Member must not be null]"
        ),
    ),
    (
        "STS",
        "sts",
        "AssumeRole",
        {"RoleArn": ROLE, "RoleSessionName": "a b"},
        "ValidationError",
        (
            "1 validation error detected: Value 'a b' at 'roleSessionName' failed to satisfy constraint: Member must "
            "satisfy regular expression pattern: [\\w+=,.@-]*"
        ),
    ),
]


@pytest.mark.parametrize(
    ("service", "operation", "params", "code", "message"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS]
)
def test_a_broken_constraint_is_worded_as_aws_words_it(
    models: Models, service: str, operation: str, params: dict[str, Any], code: str, message: str
) -> None:
    model = models.service(service)
    assert model is not None
    found = violations(model.operations[operation], params)
    refusal = refuse(model, model.operations[operation], found)
    assert (refusal.code, refusal.message) == (code, message)


GOOD: list[tuple[str, str, dict[str, Any]]] = [
    ("lambda", "CreateFunction", FUNCTION | {"Environment": {"Variables": {"TABLE": "orders"}}, "Timeout": 900}),
    ("lambda", "Invoke", {"FunctionName": "arn:aws:lambda:eu-west-1:000000000000:function:orders:live"}),
    ("lambda", "GetFunction", {"FunctionName": "000000000000:function:orders:$LATEST", "Qualifier": "$LATEST"}),
    ("lambda", "UpdateFunctionConfiguration", {"FunctionName": "orders", "Handler": "app.handler", "KMSKeyArn": ""}),
    (
        "lambda",
        "TagResource",
        {"Resource": f"{ARN}:orders", "Tags": {"é": "ß"}},
    ),
    ("logs", "CreateLogGroup", {"logGroupName": "/aws/lambda/orders"}),
    ("cloudwatch", "PutMetricData", {"Namespace": "AWS/Lambda"}),
    ("codedeploy", "ListApplications", {}),
]


@pytest.mark.parametrize(("service", "operation", "params"), GOOD)
def test_what_aws_takes_is_taken(models: Models, service: str, operation: str, params: dict[str, Any]) -> None:
    model = models.service(service)
    assert model is not None
    assert violations(model.operations[operation], params) == []


def test_a_union_holds_exactly_one(models: Models) -> None:
    model = models.service("cloudwatch")
    assert model is not None
    operation = model.operations["PutMetricAlarm"]
    found = violations(operation, {"AlarmName": "a", "EvaluationCriteria": {}})
    assert [(violation.path, violation.kind) for violation in found] == [(("EvaluationCriteria",), "union")]


def test_a_long_value_is_cut_in_the_message(models: Models) -> None:
    model = models.service("logs")
    assert model is not None
    operation = model.operations["CreateLogGroup"]
    refusal = refuse(model, operation, violations(operation, {"logGroupName": "x" * 100_000}))
    assert len(refusal.message) < 1000
