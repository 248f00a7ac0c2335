"""`penstock timeline`: readable at 80 columns, unmistakable about failure, one line a change in a pipe."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.unit.cli.conftest import NOW, FakeServer, Ran

from penstock.cli.markers import change, component, reasons, short_name, status, who

ROUTE = "GET /_penstock/timeline"
ADMIN = "arn:aws:iam::000000000000:user/admin"


def marker(**members: Any) -> dict[str, Any]:
    return {
        "id": "m-1",
        "component": "lambda/orders",
        "kind": "deployment",
        "status": "SUCCESS",
        "opened_at": NOW - 240,
        "closed_at": NOW - 60,
        "by": ADMIN,
        "environment": "live",
        "alias": "live",
        "target_version": "4",
        "previous_version": "3",
        "shifts": [],
        "detail": {},
        **members,
    }


ROLLED_BACK = [
    marker(
        status="FAILED",
        reason="free shipping from 30 €",
        failure_reason="alarm orders-live-errors is in ALARM",
        shifts=[[NOW - 240, {"4": 10.0, "3": 90.0}]],
    ),
    marker(kind="rollback", rollback=True, target_version="3", previous_version="4", opened_at=NOW - 60),
]


def test_in_a_pipe_every_change_is_one_line_and_the_newest_is_last(server: FakeServer, run: Callable[..., Ran]) -> None:
    server.reply(ROUTE, {"now": NOW, "markers": ROLLED_BACK[::-1]})
    ran = run("timeline")
    assert (ran.code, ran.err) == (0, "")
    head, failed, back = ran.out.splitlines()
    assert head.split() == ["WHEN", "COMPONENT", "CHANGE", "STATUS", "WHO", "WHY"]
    assert failed.startswith("07:56:00  4 min ago")
    assert "lambda/orders:live" in failed
    assert "version 3 → 4, 10 %" in failed
    assert "✗ FAILED" in failed
    assert failed.endswith("free shipping from 30 € · failed: alarm orders-live-errors is in ALARM")
    assert "↩ ROLLED BACK" in back
    assert "version 4 → 3" in back
    assert "\x1b" not in ran.out


def test_a_terminal_of_80_columns(server: FakeServer, on_terminal: Callable[..., Ran]) -> None:
    server.reply(ROUTE, {"now": NOW, "markers": ROLLED_BACK})
    ran = on_terminal("timeline")
    assert max(map(len, ran.screen)) <= 80
    text = " ".join(" ".join(ran.screen).split())
    assert "alarm orders-live-errors is in" in text
    assert "\x1b[1;31m✗ FAILED" in ran.out


def test_no_color_is_respected(server: FakeServer, on_terminal: Callable[..., Ran]) -> None:
    server.reply(ROUTE, {"now": NOW, "markers": ROLLED_BACK})
    out = on_terminal("timeline", environment={"NO_COLOR": "1"}).out
    assert "✗ FAILED" in out
    assert "[31" not in out
    assert ";31" not in out


def test_the_options_go_to_the_server(server: FakeServer, run: Callable[..., Ran]) -> None:
    server.reply(ROUTE, {"now": NOW, "markers": []})
    ran = run(*("timeline", "--since", "2d", "--component", "lambda/a b", "--environment", "prod"), *("--limit", "5"))
    assert server.asked(ROUTE)[0].query == {
        "since": "172800s",
        "component": "lambda/a b",
        "environment": "prod",
        "limit": "5",
    }
    assert ran.err == "nothing changed in the last 2d to lambda/a b in prod.\n"
    assert ran.out == ""


def test_requests_are_signed_for_our_own_service(server: FakeServer, run: Callable[..., Ran]) -> None:
    server.reply(ROUTE, {"now": NOW, "markers": []})
    run("timeline")
    signature = server.asked(ROUTE)[0].headers["authorization"]
    assert signature.startswith("AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/")
    assert "/eu-central-1/penstock/aws4_request" in signature


def test_json_is_the_servers_own(server: FakeServer, run: Callable[..., Ran]) -> None:
    server.reply(ROUTE, {"now": NOW, "markers": ROLLED_BACK, "more": 1})
    assert run("timeline", "--json").json == {"now": NOW, "markers": ROLLED_BACK, "more": 1}


@pytest.mark.parametrize(
    ("status_code", "reply", "code", "says"),
    [
        (403, {"code": "InvalidSignatureException", "message": "no"}, 1, "Error (InvalidSignatureException): no"),
        (400, {"message": "what?"}, 1, "Error (HTTP 400): what?"),
        (500, b"<html>", 1, "not JSON"),
    ],
)
def test_refusals(
    status_code: int, reply: Any, code: int, says: str, server: FakeServer, run: Callable[..., Ran]
) -> None:
    server.reply(ROUTE, reply, status_code)
    ran = run("timeline")
    assert (ran.code, ran.out) == (code, "")
    assert says in ran.err


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({}, "version 3 → 4"),
        ({"previous_version": None}, "version 4"),
        ({"shifts": [[1, {"4": 10.0, "3": 90.0}], [2, {"4": 100.0}]]}, "version 3 → 4, 10 % → 100 %"),
        ({"shifts": [[1, {"4": 100.0}]]}, "version 3 → 4"),
        ({"shifts": [[step, {"4": step * 10.0}] for step in range(1, 11)]}, "version 3 → 4, 10 % → 20 % → … → 100 %"),
        (
            {"errors": {"before": {"requests": 400.0, "errors": 1.0}, "after": {"requests": 100.0, "errors": 31.0}}},
            "version 3 → 4, errors 0.25 % → 31 %",
        ),
        ({"errors": {"before": None, "after": {"requests": 100.0, "errors": 31.0}}}, "version 3 → 4"),
        ({"errors": {"before": {"requests": 0, "errors": 0}, "after": None}}, "version 3 → 4"),
        ({"kind": "planned", "target_version": None, "previous_version": None}, "planned"),
        ({"kind": "planned", "target_version": "v1.2", "previous_version": None}, "version v1.2"),
        ({"kind": "alias-moved", "detail": {"weights": {}, "previous_weights": {}}}, "version 3 → 4"),
        ({"kind": "alias-moved", "detail": {"weights": {"5": 0.1}}}, "version 3 → 4 (version 4 90 %, version 5 10 %)"),
        (
            {"kind": "weights-shifted", "target_version": "3", "detail": {"weights": {"4": 0.1}}},
            "version 3 90 %, version 4 10 %",
        ),
        ({"kind": "alias-created", "previous_version": None}, "alias created, version 4"),
        ({"kind": "alias-deleted", "target_version": None}, "alias deleted, was version 3"),
        ({"kind": "version-published", "detail": {"code_sha256": "x"}}, "version 4 published"),
        ({"kind": "version-published", "detail": {"description": "faster"}}, "version 4 published: faster"),
        ({"kind": "code-updated", "target_version": "$LATEST"}, "code updated"),
        (
            {
                "kind": "configuration-changed",
                "target_version": "$LATEST",
                "detail": {"changed": ["memory_mb", "timeout_s"]},
            },
            "configuration changed: memory, timeout",
        ),
        (
            {
                "kind": "configuration-changed",
                "target_version": "$LATEST",
                "detail": {
                    "changed": ["layers", "timeout_s"],
                    "layers": ["pillow:2", "new:1", "kept:1"],
                    "previous_layers": ["pillow:1", "kept:1", "old:4"],
                },
            },
            "configuration changed: layers (pillow:1 → pillow:2, none → new:1, old:4 → none), timeout",
        ),
        (
            {
                "kind": "configuration-changed",
                "target_version": "$LATEST",
                "detail": {"changed": ["layers"], "layers": ["a:1", "b:1"], "previous_layers": ["b:1", "a:1"]},
            },
            "configuration changed: layers in another order (a:1, b:1)",
        ),
        ({"kind": "layer-published", "detail": {"description": "10.4"}}, "version 4 published: 10.4"),
        ({"kind": "layer-deleted", "target_version": None}, "version 3 deleted"),
        ({"kind": "concurrency-set", "detail": {"reserved": 5}}, "concurrency reserved 5"),
        ({"kind": "concurrency-set", "detail": {"reserved": 0}}, "stopped: concurrency reserved 0"),
        ({"kind": "concurrency-set", "detail": {"reserved": None}}, "concurrency reservation removed"),
        ({"kind": "function-created", "detail": {"runtime": "python3.11"}}, "function created (python3.11)"),
        (
            {"kind": "function-deleted", "detail": {"aliases": {"live": "3"}}},
            "function deleted with alias live (version 3)",
        ),
        ({"kind": "function-deleted"}, "function deleted"),
        ({"kind": "stack-updated", "target_version": None, "previous_version": None}, "stack updated"),
    ],
)
def test_what_changed_in_words(members: dict[str, Any], words: str) -> None:
    assert change(marker(**members)) == words


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({}, "lambda/orders:live"),
        ({"alias": None, "environment": ""}, "lambda/orders"),
        ({"environment": "production"}, "lambda/orders:live (production)"),
    ],
)
def test_component(members: dict[str, Any], words: str) -> None:
    assert component(marker(**members)) == words


def test_every_status_has_a_symbol_and_a_word_of_its_own() -> None:
    words = [
        status(marker(status=word, rollback=rollback)).text
        for word in ("PENDING", "RUNNING", "SUCCESS", "FAILED", "CANCELED")
        for rollback in (False, True)
    ]
    assert len(set(words)) == 10


@pytest.mark.parametrize(
    ("arn", "name"),
    [
        (ADMIN, "admin"),
        ("arn:aws:sts::000000000000:assumed-role/deploy/ci-7", "deploy/ci-7"),
        ("arn:aws:iam::000000000000:root", "root"),
        ("penstock", "penstock"),
        ("", ""),
    ],
)
def test_who_is_short(arn: str, name: str) -> None:
    assert short_name(arn) == name


def test_who_planned_it_is_named_too() -> None:
    assert who(marker(planned_by="arn:aws:iam::000000000000:user/ann")) == "admin for ann"
    assert who(marker(planned_by=ADMIN)) == "admin"


def test_both_reasons_are_given() -> None:
    assert [cell.text for cell in reasons(ROLLED_BACK[0])] == [
        "free shipping from 30 €",
        "failed: alarm orders-live-errors is in ALARM",
    ]
