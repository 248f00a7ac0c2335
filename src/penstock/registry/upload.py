"""Taking in a deployment package: from the request or a bucket, looked through, and stored before any row names it.

Rule: nothing is written to the store here; a package whose request is refused later is swept away.
"""

import asyncio
import contextlib
import errno
import logging
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

from penstock.core.context import Scope
from penstock.core.errors import ApiError
from penstock.registry import package
from penstock.registry.artifacts import digest
from penstock.registry.desk import Desk
from penstock.registry.refusals import invalid

log = logging.getLogger(__name__)
DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


@dataclass(frozen=True, slots=True)
class Upload:
    """A package that was looked through and stored."""

    code_sha256: str
    size: int
    unpacked_size: int


@contextlib.asynccontextmanager
async def uploaded(desk: Desk, scope: Scope, code: Mapping[str, Any], *, keep: bool = True) -> AsyncIterator[Upload]:
    """The package that `ZipFile` or `S3Bucket`/`S3Key` name, safe from the sweep until the block ends.

    Raises `ApiError`: no or several sources, too large, not a zip that may be unpacked, disk full. `keep=False` looks
    it through without storing it.
    """
    content = await _content(desk, scope, code)
    try:
        unpacked_size = await asyncio.to_thread(package.inspect, content)
    except package.PackageError as error:
        raise invalid(str(error)) from error
    sha = digest(content)
    with desk.artifacts.holding(sha):
        if keep:
            await _store(desk, content)
        yield Upload(sha, len(content), unpacked_size)


async def _content(desk: Desk, scope: Scope, code: Mapping[str, Any]) -> bytes:
    if code.get("ImageUri"):
        raise invalid("Penstock does not run container images. Send a zip (ZipFile, or S3Bucket and S3Key) instead.")
    inline, bucket, key = code.get("ZipFile"), code.get("S3Bucket"), code.get("S3Key")
    if inline is not None and (bucket or key):
        raise invalid("Please do not provide other FunctionCode parameters when providing a ZipFile")
    if inline is not None:
        return _inline(inline)
    if not (bucket and key):
        raise invalid("Please provide a source for the code: ZipFile, or S3Bucket and S3Key.")
    if desk.objects is None:
        raise invalid(
            f"This server has no object store, so s3://{bucket}/{key} cannot be read. Send the code as ZipFile."
        )
    return await desk.objects.read(scope, bucket, key, code.get("S3ObjectVersion"))


def _inline(content: bytes) -> bytes:
    if len(content) > package.ZIPPED_LIMIT:
        raise ApiError(
            "RequestEntityTooLargeException",
            f"Zipped size must be smaller than {package.ZIPPED_LIMIT} bytes",
            status=413,
            fields={"Type": "User"},
        )
    return content


async def _store(desk: Desk, content: bytes) -> None:
    try:
        await desk.artifacts.put(content)
    except OSError as error:
        if error.errno not in DISK_FULL:
            raise
        log.warning("a package of %d bytes was refused: the disk is full", len(content))
        raise ApiError(
            "CodeStorageExceededException",
            f"The server's disk has no room for this package of {len(content)} bytes. Free space in its data "
            "directory, or delete functions and versions, and try again.",
            fields={"Type": "User"},
        ) from error
