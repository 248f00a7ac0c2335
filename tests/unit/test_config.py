"""The configuration survives its way from `penstock up` to the server's own process."""

from pathlib import Path

import pytest

from penstock.config import Config, config_from_json, config_to_json


@pytest.mark.parametrize(
    "config",
    [
        Config(data=Path("/var/lib/penstock")),
        Config(
            data=Path("/with blank/and ü"),
            host="::1",
            port=0,
            region="eu-central-1",
            account="123456789012",
            clock_speed=0.5,
            strict_runtimes=True,
            account_concurrency=3,
            max_body_bytes=1,
            idle_environment_s=1.5,
            durable=False,
            log_format="json",
            access_log=True,
        ),
    ],
    ids=["defaults", "everything chosen"],
)
def test_a_configuration_comes_back_equal(config: Config) -> None:
    assert config_from_json(config_to_json(config)) == config


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[]", "data"),
        ("{}", "data"),
        ('{"data": 3}', "data"),
        ('{"data": "/d", "prot": 1}', "prot"),
        ("nonsense", "Expecting value"),
    ],
)
def test_anything_else_is_refused_with_the_reason(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        config_from_json(text)
