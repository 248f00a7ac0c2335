"""The real `penstock` as a program against a real server: what people and scripts type."""

import json
import os
import shlex
import signal
import subprocess

from running import environment, penstock, wait_until


def test_eval_of_env_is_all_that_a_tool_needs(server) -> None:
    """In a shell that is logged in elsewhere."""
    elsewhere = environment() | {"AWS_SESSION_TOKEN": "x", "AWS_PROFILE": "nobody", "AWS_REGION": "mars-1"}
    python = shlex.quote(penstock()[0])
    call = "import boto3; print(boto3.client('sts').get_caller_identity()['Arn'])"
    command = f'eval "$({shlex.join(penstock("env", "--data", str(server.data)))})" && {python} -c {shlex.quote(call)}'
    done = subprocess.run(
        ["bash", "-c", command], env=elsewhere, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stdout.strip() == "arn:aws:iam::000000000000:user/admin", done.stderr


def test_env_without_a_server_prints_nothing(tmp_path) -> None:
    command = penstock("env", "--data", str(tmp_path / "nowhere"))
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (1, "")
    assert "no Penstock server is running" in done.stderr


def test_invoke(server, alias) -> None:
    done = server.cli("invoke", alias, "--event", '{"id": 7}', "--tail")
    assert json.loads(done.stdout) == {"version": "2"}
    assert "order 7" in done.stderr
    assert "version 2" in done.stderr


def test_a_function_that_fails_is_exit_code_1(server, alias) -> None:
    done = server.cli("invoke", alias, "--event", '{"bad": true}', check=False)
    assert done.returncode == 1
    assert json.loads(done.stdout)["errorType"] == "ValueError"


def test_an_unknown_function_is_refused_in_awss_words(server) -> None:
    for command in (["invoke", "nobody"], ["logs", "nobody"]):
        done = server.cli(*command, check=False)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith("Error (ResourceNotFoundException): Function not found")


def test_logs_of_one_version(server, alias) -> None:
    function = alias.partition(":")[0]
    server.cli("invoke", alias, "--event", '{"id": "aa"}')
    server.cli("invoke", f"{function}:1", "--event", '{"id": "bb"}')

    def both() -> bool:
        out = server.cli("logs", function).stdout
        return "order aa" in out and "order bb" in out

    wait_until(both, what="both log lines")
    assert "order aa" in server.cli("logs", function, "--version", "2").stdout
    assert "order bb" not in server.cli("logs", function, "--version", "2").stdout
    found = server.cli("logs", function, "--filter", '"order bb"', "--json").stdout.splitlines()
    assert [json.loads(line)["version"] for line in found] == ["1"]


def test_following_the_log_until_ctrl_c(server, alias) -> None:
    function = alias.partition(":")[0]
    command = penstock("logs", function, "--follow", "--data", str(server.data))
    with subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout
        try:
            server.cli("invoke", alias, "--event", '{"id": "first"}')
            lines = iter(program.stdout.readline, "")
            assert any("order first" in line for line in lines)
            server.cli("invoke", alias, "--event", '{"id": "second"}')
            assert any("order second" in line for line in lines)
        finally:
            program.send_signal(signal.SIGINT)
        assert program.wait(20) == 130


def test_up_refuses_a_directory_in_use(server) -> None:
    done = server.cli("up", "--port", "0", check=False)
    assert done.returncode == 1
    assert server.endpoint in done.stderr


def test_up_becomes_the_server_so_that_signals_reach_it(make_server) -> None:
    server = make_server()
    assert json.loads((server.data / "server.json").read_text())["pid"] == server.process.pid
    assert server.stop() == 0
    assert server.cli("timeline", check=False).returncode == 3
    assert server.cli("status", check=False).returncode == 3
    assert server.cli("doctor", check=False).returncode == 0


def test_a_server_that_was_killed_is_down_for_every_command(make_server) -> None:
    server = make_server()
    server.kill()
    assert server.cli("env", check=False).returncode == 1
    done = server.cli("timeline", check=False)
    assert (done.returncode, done.stdout) == (3, "")


def test_a_stopped_server_that_listens_but_never_answers_is_unreachable_and_not_a_hang(make_server) -> None:
    server = make_server()
    os.kill(server.process.pid, signal.SIGSTOP)
    try:
        done = server.cli("timeline", check=False)
        assert done.returncode == 3
        assert "does not answer" in done.stderr
    finally:
        os.kill(server.process.pid, signal.SIGCONT)
