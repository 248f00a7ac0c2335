"""Which operation a REST path means: every operation of every REST service here, and the odd forms."""

import pytest

from penstock.gateway.malformed import Malformed
from penstock.gateway.models import Models
from penstock.gateway.routing import Match, PathRouter, compile_template

FUNCTIONS = "/2015-03-31/functions"
ARN = "arn:aws:lambda:eu-west-1:000000000000:function:orders:live"
ROWS = [
    ("plain", "GET", f"{FUNCTIONS}/orders", "", "GetFunction", {"FunctionName": "orders"}),
    ("the method decides", "DELETE", f"{FUNCTIONS}/orders", "", "DeleteFunction", {"FunctionName": "orders"}),
    ("trailing slash", "GET", f"{FUNCTIONS}/", "", "ListFunctions", {}),
    ("no trailing slash", "GET", FUNCTIONS, "", "ListFunctions", {}),
    ("an ARN as it is", "GET", f"{FUNCTIONS}/{ARN}", "", "GetFunction", {"FunctionName": ARN}),
    ("an ARN encoded", "GET", f"{FUNCTIONS}/{ARN.replace(':', '%3A')}", "", "GetFunction", {"FunctionName": ARN}),
    ("lower case escapes", "GET", f"{FUNCTIONS}/{ARN.replace(':', '%3a')}", "", "GetFunction", {"FunctionName": ARN}),
    ("an encoded slash stays in its label", "GET", f"{FUNCTIONS}/a%2Fb", "", "GetFunction", {"FunctionName": "a/b"}),
    ("a dollar sign", "GET", f"{FUNCTIONS}/orders:%24LATEST", "", "GetFunction", {"FunctionName": "orders:$LATEST"}),
    ("a plus is a plus", "GET", f"{FUNCTIONS}/a+b", "", "GetFunction", {"FunctionName": "a+b"}),
    ("beyond ASCII", "GET", f"{FUNCTIONS}/%C3%A9", "", "GetFunction", {"FunctionName": "é"}),
    ("a function called after an operation", "GET", f"{FUNCTIONS}/code", "", "GetFunction", {"FunctionName": "code"}),
    (
        "two labels",
        "GET",
        f"{FUNCTIONS}/orders/aliases/live",
        "",
        "GetAlias",
        {"FunctionName": "orders", "Name": "live"},
    ),
    ("a query constant", "GET", "/2018-10-31/layers", "find=LayerVersion&Arn=x", "GetLayerVersionByArn", {}),
    ("without the constant", "GET", "/2018-10-31/layers", "MaxItems=1", "ListLayers", {}),
    (
        "constant with a label",
        "GET",
        "/2019-09-30/functions/orders/provisioned-concurrency",
        "List=ALL",
        "ListProvisionedConcurrencyConfigs",
        {"FunctionName": "orders"},
    ),
    (
        "label without its constant",
        "GET",
        "/2019-09-30/functions/orders/provisioned-concurrency",
        "Qualifier=1",
        "GetProvisionedConcurrencyConfig",
        {"FunctionName": "orders"},
    ),
    ("an empty label", "GET", f"{FUNCTIONS}//aliases", "", None, {}),
    ("too long", "GET", f"{FUNCTIONS}/orders/aliases/live/more", "", None, {}),
    ("another case", "GET", "/2015-03-31/Functions", "", None, {}),
    ("a method nobody uses", "PATCH", FUNCTIONS, "", None, {}),
    ("no leading slash", "GET", "", "", None, {}),
]


@pytest.mark.parametrize(
    ("method", "path", "query", "operation", "labels"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS]
)
def test_a_path_means_one_operation(models: Models, method, path, query, operation, labels) -> None:
    service = models.service("lambda")
    assert service is not None
    expected = Match(operation, labels) if operation else None
    assert service.router.match(method, path, query) == expected


@pytest.mark.parametrize("path", ["%", "%2", "%zz", "a%", "%ff", "%c3%28"])
def test_a_label_that_cannot_be_decoded_is_malformed(models: Models, path: str) -> None:
    service = models.service("lambda")
    assert service is not None
    with pytest.raises(Malformed):
        service.router.match("GET", f"{FUNCTIONS}/{path}", "")


def test_a_greedy_label_takes_slashes_and_literals_win() -> None:
    class Route:
        def __init__(self, name: str, uri: str) -> None:
            self.name, self.uri, self.method = name, uri, "GET"

    router = PathRouter(
        [
            Route("Object", "/{Bucket}/{Key+}"),
            Route("Bucket", "/{Bucket}"),
            Route("Acl", "/{Bucket}?acl"),
            Route("Fixed", "/fixed/{Name}/end"),
        ]
    )
    assert router.match("GET", "/b/a/b%20c/d", "") == Match("Object", {"Bucket": "b", "Key": "a/b c/d"})
    assert router.match("GET", "/b", "") == Match("Bucket", {"Bucket": "b"})
    assert router.match("GET", "/b", "acl") == Match("Acl", {"Bucket": "b"})
    assert router.match("GET", "/fixed/x/end", "") == Match("Fixed", {"Name": "x"})


def test_a_template_is_taken_apart() -> None:
    template = compile_template("X", "/a/{B}/c?d=e")
    assert template.segments == ("a", None, "c")
    assert template.labels == ("B",)
    assert template.constants == {("d", "e")}
