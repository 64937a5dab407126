"""``run.json`` line by line: what it says of a form is made where it is scored, and joined where all come together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from tempfile import SpooledTemporaryFile
from typing import NamedTuple

from perfeval_xlsx.jsons import dumps
from perfeval_xlsx.scoring.result import FormResult

_FORM_KEYS = (
    "path", "sheet", "form", "status", "copy", "kind", "title", "org", "year", "rulebook", "total", "grade",
    "grade_final", "low", "high", "low_grade", "high_grade", "self_total", "self_grade",
)  # fmt: skip
_FIRST, _NEXT = b"\n  ", b",\n  "
"""What stands before a value of a list."""
_IN_MEMORY = 1 << 18
_TOGETHER = 64


class Lines(NamedTuple):
    """One form as JSON, and what was replaced and found in it: values with commas between, empty without any."""

    form: bytes
    replaced: bytes
    findings: bytes


def lines_of(head: FormResult) -> Lines:
    """The lines of a result, whose rows are not needed."""
    return Lines(
        dumps({key: head.get(key) for key in _FORM_KEYS}),
        _values(head, head["replaced"]),
        _values(head, head["findings"]),
    )


def _values(head: FormResult, values: Sequence[Mapping[str, object]]) -> bytes:
    """Values with the form they belong to."""
    if not values:
        return b""
    whose = {"path": head["path"], "sheet": head["sheet"], "form": head["form"]}
    return _NEXT.join([dumps({**whose, **value}) for value in values])


class LineLists:
    """The three lists of all forms, on disk until they are written one after the other; a context manager."""

    def __init__(self) -> None:
        self._lists = [SpooledTemporaryFile(_IN_MEMORY) for _ in Lines._fields]  # noqa: SIM115
        self._before = [_FIRST] * len(self._lists)
        self._waiting: list[Lines] = []

    def __enter__(self) -> LineLists:
        return self

    def __exit__(self, *_: object) -> None:
        for each in self._lists:
            each.close()

    def add(self, lines: Lines) -> None:
        """Add those of one form."""
        self._waiting.append(lines)
        if len(self._waiting) == _TOGETHER:
            self._write()

    def _write(self) -> None:
        """Write the forms that wait: many at once cost half of what each by itself does."""
        for position, column in enumerate(zip(*self._waiting, strict=True)):
            if values := [value for value in column if value]:
                self._lists[position].write(self._before[position] + _NEXT.join(values))
                self._before[position] = _NEXT
        self._waiting.clear()

    def pieces(self, name: str) -> Iterator[bytes]:
        """The text of one list, named as in ``Lines``."""
        self._write()
        spool = self._lists[Lines._fields.index(name)]
        spool.seek(0)
        while piece := spool.read(_IN_MEMORY):
            yield piece


def joined(values: Iterable[object]) -> bytes:
    """JSON values, one a line, with commas between."""
    lines = [dumps(value) for value in values]
    return _FIRST + _NEXT.join(lines) if lines else b""
