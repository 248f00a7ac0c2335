"""The runtime library directory: what AWS has there and our Node.js runtime, mended whatever happened to it."""

from penstock.execution.libraries import build

OURS = {"penstock-nodejs", "penstock-python"}
EXPECTED = {"boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six.py", "urllib3"} | OURS


def names(directory):
    return {path.name for path in directory.iterdir() if not path.name.endswith(".dist-info")}


def test_it_has_aws_libraries_and_nothing_else(tmp_path):
    assert names(build(tmp_path / "a" / "b")) == EXPECTED
    assert (tmp_path / "a" / "b" / "boto3" / "__init__.py").is_file()


def test_building_again_mends_what_was_broken_and_keeps_what_an_interpreter_cached(tmp_path):
    build(tmp_path)
    (tmp_path / "boto3").unlink()
    (tmp_path / "boto3").mkdir()
    (tmp_path / "six.py").unlink()
    (tmp_path / "six.py").symlink_to("/nowhere")
    (tmp_path / "penstock").mkdir()
    (tmp_path / "orjson").symlink_to("/somewhere")
    (tmp_path / "stray.py").write_text("")
    (tmp_path / "__pycache__").mkdir()
    build(tmp_path)
    assert names(tmp_path) == EXPECTED | {"__pycache__"}
    assert (tmp_path / "boto3" / "__init__.py").is_file()
    assert (tmp_path / "six.py").is_file()
