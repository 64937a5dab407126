"""The manifest as a watched inbox needs it: what is on record whether it is there now or not."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

from perfeval_xlsx.batch.damage import unpacking
from perfeval_xlsx.batch.discover import Source
from perfeval_xlsx.batch.manifest import Manifest
from perfeval_xlsx.batch.record import unpack
from perfeval_xlsx.scoring.result import FormResult

_FACTS = "f.key, f.path, f.size, f.mtime, f.digest, f.stamp"


class Known(NamedTuple):
    """What is on record of one file.

    Attributes:
        key: Of its place in the inbox (``Source.key``).
        path: The file as it was listed; ``size`` and ``mtime`` as they were then.
        digest: Of the bytes that were read, "" where none were; ``stamp`` what they were read under.
    """

    key: str
    path: str
    size: int
    mtime: int
    digest: str
    stamp: str

    @property
    def source(self) -> Source:
        """The file as it was listed."""
        return Source(self.path, self.key.rpartition("\0")[2], self.size, self.mtime)


class Register(Manifest):
    """A manifest whose listing may hold files that are on record but are not read now."""

    def __enter__(self) -> Register:
        super().__enter__()
        return self

    def known(self) -> Iterator[Known]:
        """Every file on record, listed or not."""
        for row in self._db.execute(f"SELECT {_FACTS} FROM files f"):
            yield _known(*row)

    def listed(self) -> int:
        """How many files are listed."""
        return int(self._db.execute("SELECT count(*) FROM listing").fetchone()[0])

    def hold(self, file: Known) -> None:
        """List a file as it is on record, as done."""
        row = (file.key, os.fsencode(file.path), file.source.relative, file.size, file.mtime)
        self._db.execute("INSERT OR IGNORE INTO listing VALUES (?, ?, ?, ?, ?, NULL, 1)", row)

    def drop(self, keys: Iterable[str]) -> None:
        """List some files as they are on record, as done; those that are not on record are not listed any more."""
        for key in keys:
            self._db.execute("DELETE FROM listing WHERE key = ?", (key,))
            for row in self._db.execute(f"SELECT {_FACTS} FROM files f WHERE f.key = ?", (key,)).fetchall():
                self.hold(_known(*row))

    def forget(self, key: str) -> None:
        """Drop a file from the record and the listing."""
        with self._transaction():
            self._db.execute("DELETE FROM meta WHERE name = 'reports'")
            for table in ("forms", "files", "listing"):
                self._db.execute(f"DELETE FROM {table} WHERE key = ?", (key,))

    def heads_of(self, key: str) -> Iterator[FormResult]:
        """Results of one file without their rows."""
        with unpacking():
            for (head,) in self._db.execute("SELECT head FROM forms WHERE key = ? ORDER BY number", (key,)):
                yield unpack(head)

    def waiting(self, but: Collection[str]) -> Iterator[FormResult]:
        """Results without rows of the listed files that are to be tried again, some keys aside, in order."""
        query = "SELECT l.key, o.head FROM listing l JOIN files f USING (key) JOIN forms o USING (key)"
        for key, head in self._db.execute(f"{query} WHERE f.again = 1 ORDER BY key, number"):
            if key not in but:
                yield unpack(head)

    def that_are(self, statuses: Sequence[str]) -> Iterator[tuple[Known, FormResult]]:
        """Listed files that came to one of these statuses, in order, with their results without rows."""
        marks = ", ".join("?" * len(statuses))
        query = f"SELECT {_FACTS}, o.head FROM listing l JOIN files f USING (key) JOIN forms o USING (key)"
        query += f" WHERE o.status IN ({marks}) ORDER BY key"
        with unpacking():
            for key, path, *facts, head in self._db.execute(query, statuses):
                yield _known(key, path, *facts), unpack(head)


def _known(key: str, path: bytes, size: int, mtime: int, digest: str, stamp: str) -> Known:
    return Known(key, os.fsdecode(path), size, mtime, digest, stamp)
