"""The manifest as a whole: what is on record of files, whether they are listed now or not."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

from perfeval_xlsx.batch import queries
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


class Unlisted(NamedTuple):
    """A file on record that is not listed.

    Attributes:
        key: Of the file; ``path`` as it was listed; ``copy`` what was written for it, None without one.
        there: Whether the copy is there; ``whole`` whether it is as it was written.
        elsewhere: Whether the file is listed under another key.
        known: Whether a listed file has its bytes.
        shared: Whether the copy is a listed file's as well (on a disk that does not tell case apart).
    """

    key: str
    path: str
    copy: str | None
    there: bool
    whole: bool
    elsewhere: bool
    known: bool
    shared: bool


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

    def unlisted(self) -> list[Unlisted]:
        """The files on record that are not listed, those taken out of an inbox aside."""
        if self._db.execute(f"SELECT 1 {queries.NOT_LISTED} LIMIT 1").fetchone() is None:
            return []
        self._db.execute(queries.CONTENTS)
        self._db.execute("CREATE INDEX IF NOT EXISTS temp.paths ON listing (path)")
        listed = {copy.casefold() for (copy,) in self._db.execute(queries.LISTED_COPIES)}
        return [
            Unlisted._make((key, os.fsdecode(path), copy, *map(bool, facts), (copy or "").casefold() in listed))
            for key, path, copy, *facts in self._db.execute(queries.UNLISTED)
        ]

    def has_problems(self) -> bool:
        """Whether something that was given to be read could not be seen."""
        return self._db.execute("SELECT 1 FROM listing WHERE problem IS NOT NULL LIMIT 1").fetchone() is not None

    def other_copies(self) -> int:
        """How many files among the copies were written for no listed file."""
        query = f"SELECT count(*) FROM copies WHERE copy NOT IN ({queries.LISTED_COPIES})"
        return int(self._db.execute(query).fetchone()[0])

    def forget(self, *keys: str) -> None:
        """Drop files from the record and the listing."""
        with self._transaction():
            self._db.execute("DELETE FROM meta WHERE name = 'reports'")
            for table in ("forms", "files", "listing"):
                self._db.executemany(f"DELETE FROM {table} WHERE key = ?", ((key,) for key in keys))

    def heads_of(self, key: str) -> Iterator[FormResult]:
        """Results of one file without their rows."""
        with unpacking():
            for (head,) in self._db.execute("SELECT head FROM forms WHERE key = ? ORDER BY number", (key,)):
                yield unpack(head)

    def waiting(self, but: Collection[str]) -> Iterator[FormResult]:
        """Results without rows of the listed files that are to be tried again, some keys aside, in order."""
        query = "SELECT l.key, o.head FROM listing l JOIN files f USING (key) JOIN forms o USING (key)"
        with unpacking():
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
