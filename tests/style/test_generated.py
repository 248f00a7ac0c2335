"""Generated pages say what the code says."""

from pathlib import Path

from penstock.app.compatibility import page

ROOT = Path(__file__).parents[2]


def test_the_compatibility_page_is_up_to_date() -> None:
    assert (ROOT / "docs/compatibility.md").read_text() == page(), "run `make docs` and commit docs/compatibility.md"
