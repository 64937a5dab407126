"""The record of an output folder: what was read, from which bytes, by which program, and every form's result.

A second run does only what is new, a killed one goes on, and all reports are streamed from here, so that they are the
same whether a run was broken or not. SQLite keeps each chunk of files whole; a damaged file is set aside, an older
one removed, and all begun anew.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perfeval_xlsx.batch import queries
from perfeval_xlsx.batch.copies import Copy, facts_of
from perfeval_xlsx.batch.damage import OtherFormat, is_damage, remove, set_aside, unpacking
from perfeval_xlsx.batch.discover import Source, printable
from perfeval_xlsx.batch.entries import Count, Pending, Twin
from perfeval_xlsx.batch.record import STANDINGS, FileRecord, Told, in_lists, in_summary, told, unpack
from perfeval_xlsx.findings import Finding, PerfevalError, cause_of
from perfeval_xlsx.jsons import dumps
from perfeval_xlsx.scoring.result import FindingResult, FormResult

if TYPE_CHECKING:
    from perfeval_xlsx.output.brief import Brief

_FORMAT = 5
_PAGE = 256


class Manifest:
    """The manifest of one output folder; a context manager. One process at a time holds it (``batch/lock.py``).

    A full disk or a lost share ends the ``with`` block with a PerfevalError (``B26``); so does a record that turns out
    to be damaged (``B50``), in whose place there is a new one then.

    Attributes:
        folder: The output folder.
        damaged: Where a damaged record was set aside, None where it was sound.
    """

    def __init__(self, path: Path) -> None:
        self._path, self.folder = path, path.parent
        self.damaged: Path | None = None

    def __enter__(self) -> Manifest:
        try:
            self._db = self._opened()
        except OtherFormat:
            remove(self._path)
            self._db = self._opened()
        except sqlite3.DatabaseError as error:
            if not is_damage(error):
                raise self._unusable(error) from error
            self._begin_anew()
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._db.close()
        if is_damage(error):
            self._begin_anew()
            self._db.close()
            raise PerfevalError(Finding("B50", found=str(self._path), args={"kept": str(self.damaged)})) from error
        if isinstance(error, sqlite3.OperationalError):
            raise self._unusable(error) from error

    def renew(self) -> None:
        """Set the record aside, which is damaged, and begin a new one, without any listing.

        Raises:
            PerfevalError: That cannot be done.
        """
        self._db.close()
        self._begin_anew()

    def _begin_anew(self) -> None:
        """Open a new record in the place of one that cannot be used, which is kept under another name."""
        try:
            self.damaged = set_aside(self._path)
            self._db = self._opened()
        except (OSError, sqlite3.DatabaseError) as error:
            raise self._unusable(error) from error

    def _unusable(self, error: OSError | sqlite3.DatabaseError) -> PerfevalError:
        return PerfevalError(Finding("B26", found=str(self._path), args={"detail": cause_of(error)}))

    def _opened(self) -> sqlite3.Connection:
        """Connect.

        Raises:
            OtherFormat: Another version of the program wrote the file.
            sqlite3.DatabaseError: The file is no manifest that can be used.
        """
        db = sqlite3.connect(self._path, isolation_level=None)
        try:
            version = db.execute("PRAGMA user_version").fetchone()[0]
            if version not in (0, _FORMAT):
                raise OtherFormat(f"format {version}")
            db.execute("PRAGMA locking_mode = EXCLUSIVE")  # ours alone: the journal is not made anew each time
            db.execute("PRAGMA cache_size = -8000")
            db.execute("PRAGMA temp_store = FILE")
            if version == 0:
                db.executescript(f"BEGIN; {queries.TABLES}; PRAGMA user_version = {_FORMAT}; COMMIT;")  # one flush
            db.execute("SELECT 1 FROM files LIMIT 1").fetchone()
            db.executescript(queries.LISTS)
        except sqlite3.DatabaseError:
            db.close()
            raise
        return db

    # The work list.

    def list_sources(self, sources: Iterable[Source]) -> int:
        """Take over the run's work list; return how many files it has."""
        rows = ((s.key, os.fsencode(s.path), s.relative, s.size, s.mtime, _problem_text(s.problem)) for s in sources)
        self._db.executemany("INSERT OR IGNORE INTO listing VALUES (?, ?, ?, ?, ?, ?, 0)", rows)
        return int(self._db.execute("SELECT count(*) FROM listing").fetchone()[0])

    def is_empty(self) -> bool:
        """Whether no file was ever recorded."""
        return self._db.execute("SELECT 1 FROM files LIMIT 1").fetchone() is None

    def leave(self, files: Iterable[tuple[str, int, int]]) -> set[str]:
        """Take over the listed files of these keys, sizes and times as they are on record; return their keys."""
        left = "UPDATE listing SET done = 1 WHERE key = ? AND size = ? AND mtime = ?"
        return {file[0] for file in files if self._db.execute(left, file).rowcount}

    def list_copies(self, copies: Iterable[Copy]) -> None:
        """Take over which copies there are; one that is gone, or not as it was written, is made again."""
        self._db.executemany("INSERT OR IGNORE INTO copies VALUES (?, ?, ?)", copies)

    def drop_copy(self, name: str) -> None:
        """Note that a copy is not there any more."""
        self._db.execute("DELETE FROM copies WHERE copy = ?", (name,))

    def pending(self, stamp: str, *, passwords: bool = False) -> Iterator[Pending]:
        """Yield the listed files that are not up to date, in order; they may be stored while this goes on.

        Args:
            stamp: Digest of all that a result depends on beside the file.
            passwords: Whether encrypted files are worth another try.
        """
        after = ""
        while True:
            rows = self._db.execute(queries.PENDING, _values(stamp, after, _PAGE, passwords=passwords)).fetchall()
            for _key, path, relative, size, mtime, problem, digest, unchanged, changed in rows:
                source = Source(os.fsdecode(path), relative, size, mtime, _problem(problem))
                yield Pending(source, digest if unchanged else None, changed)
            if len(rows) < _PAGE:
                return
            after = rows[-1][0]

    def pending_count(self, stamp: str, *, passwords: bool = False) -> int:
        """How many listed files are not up to date."""
        values = _values(stamp, "", -1, passwords=passwords)
        return int(self._db.execute(f"SELECT count(*) FROM ({queries.PENDING})", values).fetchone()[0])

    def unlist_pending(self, stamp: str, *, passwords: bool = False) -> None:
        """Take the files that are not up to date from the listing."""
        query = f"DELETE FROM listing WHERE key IN (SELECT key FROM ({queries.PENDING}))"
        self._db.execute(query, _values(stamp, "", -1, passwords=passwords))

    # What came of it.

    def store(self, outcomes: Sequence[tuple[Source, FileRecord]], stamp: str) -> None:
        """Keep the outcomes of some files, all or none of them."""
        with self._transaction():
            self._db.execute("DELETE FROM meta WHERE name = 'reports'")
            keyed = [(source.key, source, record) for source, record in outcomes]
            files = (
                (
                    key, os.fsencode(source.path), source.size, source.mtime, record.digest, stamp,
                    dumps(record.rulebooks or {}).decode(), record.copy, *self._written(record), record.again,
                    record.twin,
                )
                for key, source, record in keyed
            )  # fmt: skip
            forms = ((key, *form) for key, _, record in keyed for form in record.forms)
            keys = [(key,) for key, *_ in keyed]
            known = self.recorded(key for key, *_ in keyed)
            self._db.executemany("DELETE FROM forms WHERE key = ?", ((key,) for key in known))
            self._db.executemany(queries.NEW_FILE, files)
            self._db.executemany(queries.NEW_FORM, forms)
            self._db.executemany("UPDATE listing SET done = 1 WHERE key = ?", keys)

    def _written(self, record: FileRecord) -> tuple[int | None, int | None]:
        """Size and time of a record's copy as it was written."""
        if record.copy is None:
            return None, None
        return record.written or facts_of(os.path.join(self.folder, record.copy)) or (-1, -1)  # noqa: PTH118

    def written(self, key: str) -> tuple[int, int] | None:
        """Size and time that a file's copy had when it was written."""
        row = self._db.execute("SELECT copy_size, copy_mtime FROM files WHERE key = ?", (key,)).fetchone()
        return None if row is None or row[0] is None else tuple(row)

    def touch(self, source: Source) -> None:
        """Note that a file has a new time but its old bytes."""
        self._db.execute("UPDATE files SET mtime = ? WHERE key = ?", (source.mtime, source.key))

    def twins(self) -> list[Twin]:
        """Listed files with the bytes of one listed before them, unless they are recorded as its twins already."""
        self._db.execute(queries.CONTENTS)
        twins = []
        for key, digest, first in self._db.execute(queries.TWINS).fetchall():
            (path, relative, size, mtime), (original, *_) = (
                self._db.execute("SELECT path, relative, size, mtime FROM listing WHERE key = ?", (k,)).fetchone()
                for k in (key, first)
            )
            source = Source(os.fsdecode(path), relative, size, mtime)
            twins.append(Twin(source, digest, first, printable(os.fsdecode(original)), self.copy_of(key)))
        return twins

    def copy_of(self, key: str) -> str | None:
        """The copy that was written for a file, None without one."""
        return self.recorded([key]).get(key)

    def recorded(self, keys: Iterable[str]) -> dict[str, str | None]:
        """Those of some files, not more than a few hundred, that are on record, with their copies."""
        wanted = tuple(keys)
        marks = ",".join("?" * len(wanted))
        return dict(self._db.execute(f"SELECT key, copy FROM files WHERE key IN ({marks})", wanted))

    # What the reports are made of: the listed files only, in constant memory.

    def heads(self) -> Iterator[FormResult]:
        """Results without their rows, best first; files without a form last."""
        return self._unpacked(queries.HEADS)

    def ranked(self) -> Iterator[FormResult | Brief]:
        """What the summary says of each form beside its rows, best first; a result where all forms were compared."""
        with unpacking():
            for brief, head, compared in self._db.execute(queries.RANKED):
                yield in_summary(brief) if head is None else self._whole(head, None, compared)

    def told(self) -> Iterator[Told]:
        """What the lists of all forms say of each, in the order of the files."""
        with unpacking():
            for head, sound, compared in self._db.execute(queries.TOLD):
                known = in_lists(head, sound=sound) if compared is None else told(self._whole(head, None, compared))
                yield known

    def in_order(self) -> Iterator[FormResult]:
        """Results without their rows, in the order of the files."""
        return self._unpacked(queries.IN_ORDER)

    def results(self) -> Iterator[FormResult]:
        """Whole results in the order of the files."""
        return self._unpacked(queries.RESULTS)

    def unsettled(self) -> Iterator[FormResult]:
        """Whole results of forms with rows that a person must weigh or complete, in the order of the files."""
        return self._unpacked(queries.UNSETTLED)

    def troubled(self) -> Iterator[FormResult]:
        """Results without their rows of what failed or is to be tried again, in the order of the files."""
        return self._unpacked(queries.TROUBLED, failed=STANDINGS.index("failed"))

    def details(self) -> Iterator[bytes]:
        """The rows of every form as the summary shows them, in the order of the files."""
        for (detail,) in self._db.execute(queries.DETAILS):
            yield detail

    def unfinished(self) -> int:
        """How many listed files the next run will try again although nothing has changed."""
        query = "SELECT count(*) FROM files JOIN listing USING (key) WHERE again = 1"
        return int(self._db.execute(query).fetchone()[0])

    def _unpacked(self, query: str, **values: int) -> Iterator[FormResult]:
        with unpacking():
            for columns in self._db.execute(query, values):
                yield self._whole(*columns)

    @staticmethod
    def _whole(head: bytes, rows: bytes | None, compared: str | None) -> FormResult:
        """A result with what the comparison of all forms found."""
        result = unpack(head, rows)
        result["findings"] += json.loads(compared) if compared else []
        return result

    def paths(self) -> Iterator[str]:
        """The path of every listed file, as its results name it."""
        for (path,) in self._db.execute("SELECT path FROM listing ORDER BY key"):
            yield printable(os.fsdecode(path))

    def compare(self, findings: Mapping[tuple[str, int], Sequence[FindingResult]], units: Sequence[FormResult]) -> None:
        """Keep what the comparison of all forms found, in the place of what it found before.

        Args:
            findings: By path and number of a form.
            units: Results about whole units.
        """
        self._db.execute("CREATE INDEX IF NOT EXISTS temp.paths ON listing (path)")
        with self._transaction():
            self._db.execute("UPDATE forms SET compared = NULL WHERE compared IS NOT NULL")
            for (path, number), found in findings.items():
                self._db.execute(
                    "UPDATE forms SET compared = ? WHERE number = ? AND key = (SELECT key FROM listing WHERE path = ?)",
                    (json.dumps(found), number, os.fsencode(path)),
                )
            self.note("units", units)

    def units(self) -> list[FormResult]:
        """Results about whole units, from the last comparison."""
        return list(self.noted("units") or ())

    def note(self, name: str, value: object) -> None:
        """Keep a fact of the folder, as JSON can hold it, under a name."""
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, json.dumps(value)))

    def noted(self, name: str) -> Any:
        """A fact that was kept, None where there is none."""
        row = self._db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        with unpacking():
            return None if row is None else json.loads(row[0])

    def counts(self) -> dict[str, Count]:
        """Sums by status; a file without a form counts as one."""
        return {status: Count(*values) for status, *values in self._db.execute(queries.COUNTS)}

    def grades(self) -> dict[str, int]:
        """How many forms have each grade, the best first."""
        query = "SELECT grade, count(*) FROM forms JOIN listing USING (key) WHERE grade IS NOT NULL"
        query += " GROUP BY grade ORDER BY max(total) DESC"
        return dict(self._db.execute(query))

    def rulebooks(self) -> dict[str, str]:
        """Digest by id of the rulebooks that were used."""
        used: dict[str, str] = {}
        with unpacking():
            for (text,) in self._db.execute("SELECT DISTINCT rulebooks FROM files JOIN listing USING (key)"):
                used.update(json.loads(text))
        return dict(sorted(used.items()))

    def forms_by(self, rulebook: str) -> int:
        """How many forms were scored by a rulebook."""
        query = "SELECT count(*) FROM forms JOIN listing USING (key) WHERE rulebook = ?"
        return int(self._db.execute(query, (rulebook,)).fetchone()[0])

    def reports_are(self, facts: str) -> bool:
        """Whether the reports were written from just these records under ``facts``."""
        row = self._db.execute("SELECT value FROM meta WHERE name = 'reports'").fetchone()
        return row is not None and row[0] == self._signature(facts)

    def reports_written(self, facts: str) -> None:
        """Note that the reports stand as the records are."""
        self._db.execute("INSERT OR REPLACE INTO meta VALUES ('reports', ?)", (self._signature(facts),))

    def _signature(self, facts: str) -> str:
        digest = sha256(facts.encode())
        for (key,) in self._db.execute("SELECT key FROM listing ORDER BY key"):
            digest.update(key.encode() + b"\0")
        return digest.hexdigest()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            if self._db.in_transaction:  # where the disk is full the library has rolled back already
                self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")


def _values(stamp: str, after: str, limit: int, *, passwords: bool) -> dict[str, object]:
    return {"stamp": stamp, "after": after, "limit": limit, "locked": 1 if passwords else 2}


def _problem_text(problem: Finding | None) -> str | None:
    return None if problem is None else json.dumps([problem.code, problem.found, dict(problem.args)])


def _problem(text: str | None) -> Finding | None:
    if text is None:
        return None
    code, found, args = json.loads(text)
    return Finding(code, found=found, args=args)
