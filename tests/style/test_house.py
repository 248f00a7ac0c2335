"""Tests of the repository itself: module openings, file sizes, swallowed errors, stray names."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
BANNED_NAMES = {"utils", "util", "common", "base", "manager", "helpers", "misc"}


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_module_says_what_it_owns(path: Path) -> None:
    tree = ast.parse(path.read_text())
    if tree.body:
        assert ast.get_docstring(tree), f"{path}: open the module with what it owns and its rule"


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_module_is_small_and_named_for_its_subject(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 500, f"{path}: cut it along its subjects"
    assert path.stem not in BANNED_NAMES


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_own_imports_stand_at_the_top(path: Path) -> None:
    inner = re.findall(r"^[ \t]+(?:from|import) penstock\S*.*$", path.read_text(), re.MULTILINE)
    assert not inner, f"{path}: {inner}"


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_module_level_mutable_state(path: Path) -> None:
    """Two servers must fit in one process: a module may hold constants, not `global` variables."""
    assert not [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Global)]
