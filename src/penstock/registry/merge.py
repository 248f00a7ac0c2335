"""Several layers in one directory, as functions see them under `/opt`: a later layer overwrites an earlier one.

Rule: who wins is decided on names before anything is written, so nothing is ever written through a link of another
layer. See https://docs.aws.amazon.com/lambda/latest/dg/adding-layers.html
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from penstock.registry import package
from penstock.registry.package import Entry, PackageError


def unpack(packages: Sequence[bytes], target: Path, limit: int = package.UNZIPPED_LIMIT) -> None:
    """Write the merged files below `target`, an empty directory, read-only. Raises `PackageError`."""
    room = limit
    for content, entries in zip(packages, _winners(packages), strict=True):
        room -= package.write(content, target, room, only=entries)
    package.lock(target)


def matches(packages: Sequence[bytes], target: Path) -> bool:
    """Whether `target` holds every winning file with its size: a cheap look at what an earlier run left."""
    return all(package.holds(target, entries) for entries in _winners(packages))


def merged(layers: Sequence[Mapping[str, Entry]]) -> list[dict[str, Entry]]:
    """What of each layer remains. A name that is a file in one layer and a directory in another is the later's.

    Raises `PackageError` when a link that stays inside its own layer would leave the merged directory.
    """
    owner: dict[str, int] = {}
    parents: set[str] = set()
    for index, entries in enumerate(layers):
        for name, entry in entries.items():
            above = _above(name)
            for one in above:
                if one in owner and not layers[owner[one]][one].is_dir:
                    del owner[one]
            if not entry.is_dir and name in parents:
                for one in [one for one in owner if one.startswith(f"{name}/")]:
                    del owner[one]
            parents.update(above)
            owner[name] = index
    kept = [{name: entry for name, entry in entries.items() if owner.get(name) == index}
            for index, entries in enumerate(layers)]  # fmt: skip
    _check_links({name: entry for entries in kept for name, entry in entries.items()})
    return kept


def _winners(packages: Sequence[bytes]) -> list[dict[str, Entry]]:
    return merged([package.listing(content) for content in packages])


def _above(name: str) -> list[str]:
    parts = name.split("/")
    return ["/".join(parts[:depth]) for depth in range(1, len(parts))]


def _check_links(entries: Mapping[str, Entry]) -> None:
    for name, entry in entries.items():
        if entry.link is not None and not package.stays_inside(name.split("/")[:-1], entry.link, entries):
            raise PackageError(f"the layers do not fit together: the link {name[:200]!r} would leave /opt")
