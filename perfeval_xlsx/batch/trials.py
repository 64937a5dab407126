"""How often a file is tried that hung or ended its worker: counted in the record, so that no restart begins anew."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from perfeval_xlsx.batch.discover import Source
from perfeval_xlsx.batch.manifest import Manifest
from perfeval_xlsx.batch.record import FileRecord, unpack
from perfeval_xlsx.data import load

_NAME = "trials"
"""Under which the record keeps size, time, stamp, finding and number of trials by the key of a file."""


class Trials:
    """Looks at what came of files before a run stores it; one serves one run.

    Args:
        codes: Findings after some of which (``attempts`` of ``data/run.toml``) a file is left until it or the program
            changes; None: those that cost a run much time.

    Attributes:
        ended: Files that were tried for the last time in this run.
        left: Keys of the listed files that are left as they are on record, these among them.
    """

    def __init__(self, codes: Collection[str] | None = None) -> None:
        again = load("run.toml")["again"]
        self._codes = frozenset(again["costly"] if codes is None else codes)
        self._most = int(again["attempts"])
        self.ended: list[Source] = []
        self.left: set[str] = set()

    def begin(self, manifest: Manifest, stamp: str) -> None:
        """Take over the tally of a record whose files are listed; those that were tried often enough are done."""
        self._manifest, self._stamp = manifest, stamp
        self._tally: dict[str, list[Any]] = manifest.noted(_NAME) or {}
        self.left = manifest.leave(
            (key, size, mtime)
            for key, (size, mtime, of, code, tries) in self._tally.items()
            if of == stamp and code in self._codes and tries >= self._most
        )

    def taken(
        self, chunk: Sequence[Source], records: Sequence[FileRecord]
    ) -> tuple[Sequence[Source], Sequence[FileRecord]]:
        """The files and records that are to be stored; the tally of those that are counted is kept."""
        if self._tally or any(record.again == 1 for record in records):
            before = dict(self._tally)
            for source, record in zip(chunk, records, strict=True):
                self._count(source, record)
            if self._tally != before:
                self._manifest.note(_NAME, self._tally)
        return chunk, records

    def _count(self, source: Source, record: FileRecord) -> None:
        code = next((code for code in codes_of(record) if code in self._codes), None)
        before = self._tally.pop(source.key, None)
        if code is None:
            return
        facts = [source.size, source.mtime, self._stamp]
        tries = before[-1] + 1 if before is not None and before[:3] == facts else 1
        self._tally[source.key] = [*facts, code, tries]
        if tries >= self._most:
            self.ended.append(source)
            self.left.add(source.key)


def codes_of(record: FileRecord) -> list[str]:
    """Codes of what was found in a file whose cause may lie in its surroundings; of any other none."""
    if record.again != 1:
        return []
    return [finding["code"] for form in record.forms for finding in unpack(form.head)["findings"]]


def forget(manifest: Manifest, keys: Collection[str]) -> None:
    """Begin anew with files that left."""
    tally = manifest.noted(_NAME) or {}
    if not tally.keys().isdisjoint(keys):
        manifest.note(_NAME, {key: entry for key, entry in tally.items() if key not in keys})
