"""The directory of what AWS's runtimes carry: boto3 and its family, and our Node.js runtime. Rule: links only, and
nothing else of the server's own packages, so that function code imports what it would find at AWS and never `penstock`.
"""

import importlib.metadata
import os
import shutil
from contextlib import suppress
from pathlib import Path

NODE_DIRECTORY = "penstock-nodejs"
PYTHON_DIRECTORY = "penstock-python"
"""What our runtimes are called in there; not names that Python could import."""
FAMILY = ("boto3", "botocore", "s3transfer", "jmespath", "python-dateutil", "six", "urllib3")


def build(directory: Path) -> Path:
    """Make or mend the directory; safe to call again and by two at once."""
    directory.mkdir(parents=True, exist_ok=True)
    wanted = {target.name: target for name in FAMILY for target in _targets(name)}
    wanted[PYTHON_DIRECTORY] = Path(__file__).with_name("bootstrap").resolve()
    wanted[NODE_DIRECTORY] = Path(__file__).with_name("nodejs").resolve()
    for link in directory.iterdir():
        if link.name not in wanted and link.name != "__pycache__":  # an interpreter's own, for single-file modules
            _remove(link)
    for name, target in wanted.items():
        link = directory / name
        if link.is_symlink() and link.readlink() == target:
            continue
        _remove(link)
        with suppress(FileExistsError):
            link.symlink_to(target)
    return directory


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _targets(name: str) -> set[Path]:
    """The top-level files and directories that a distribution installed."""
    try:
        distribution = importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return set()
    tops = {file.parts[0] for file in distribution.files or () if file.parts[0] not in ("..", "__pycache__", os.sep)}
    found = {Path(str(distribution.locate_file(top))) for top in tops}
    return {path for path in found if path.exists()}
