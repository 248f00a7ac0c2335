"""Looking for interpreters on a PATH with entries that one may not look at (`sudo -u` keeps root's)."""

import os

import pytest

from penstock.execution import probe
from penstock.execution.served import nodes

TOO_LONG = "/x" * 3_000
"""Refused by the kernel for everyone, as a directory without permission is for everyone but root."""


@pytest.mark.parametrize("candidates", [nodes.candidates, probe.candidates], ids=["node", "python"])
@pytest.mark.parametrize("entry", [TOO_LONG, "/proc/1/cwd/..", "/dev/null", "relative", ""])
def test_an_entry_that_cannot_be_read_is_passed_over(tmp_path, candidates, entry: str) -> None:
    names = ("node", "python3.11")
    for name in names:
        (tmp_path / name).touch(mode=0o755)
    found = candidates(os.pathsep.join((entry, str(tmp_path))), tmp_path)
    assert [file for file in found if file.parent == tmp_path]
