"""What the record of an output folder is asked for: files to be read, files with the same bytes, sums."""

from __future__ import annotations

from typing import NamedTuple

from perfeval_xlsx.batch.discover import Source


class Pending(NamedTuple):
    """One file that is not up to date.

    Attributes:
        source: The file as listed.
        digest: Digest of the bytes it had when it was last read, if nothing but its time has changed since.
        changed: Its copy, where somebody has changed that since it was written.
    """

    source: Source
    digest: str | None
    changed: str | None = None


class Twin(NamedTuple):
    """A file with the same bytes as one before it.

    Attributes:
        source: The later file; ``digest`` its bytes'; ``copy`` what was written for it.
        first: Key of the file before; ``original`` its path.
    """

    source: Source
    digest: str
    first: str
    original: str
    copy: str | None


class Count(NamedTuple):
    """What the forms of one status come to."""

    forms: int
    judged: int
    errors: int
    warnings: int
    replaced: int
    mean: float | None
