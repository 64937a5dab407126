"""The indicator rows of a form: kept by column as they were read, made into rows where somebody asks for a row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, MutableSequence, Sequence
from itertools import chain
from typing import Any, SupportsIndex, overload

from perfeval_xlsx.form.model import INDICATOR_FIELDS, IndicatorRow

_FIELDS = frozenset(INDICATOR_FIELDS)
_NO_EXTRA: dict[str, str | None] = {}


class Run:
    """Rows of the usual kind that follow each other, by column.

    Attributes:
        fields: Displayed text of every row by field, levels first; only fields whose column exists.
        parts: ``row``, ``cells``, ``level1_points`` and, where there are columns beyond ours, ``extra`` of every row.
    """

    __slots__ = ("fields", "parts")

    def __init__(self, fields: dict[str, list[str | None]], parts: dict[str, list[Any]]) -> None:
        self.fields, self.parts = fields, parts

    def __len__(self) -> int:
        return len(self.parts["row"])

    def column(self, name: str) -> list[Any]:
        """One field, or one attribute of ``IndicatorRow``, of every row."""
        if name in _FIELDS:
            return self.fields.get(name) or [None] * len(self)
        return self.parts.get(name) or [_NO_EXTRA if name == "extra" else None] * len(self)

    def rows(self) -> Iterator[IndicatorRow]:
        """The rows, each made anew."""
        names = tuple(self.fields)
        texts = zip(*self.fields.values(), strict=True)
        parts = map(self.column, ("row", "cells", "level1_points", "extra"))
        for own, row, cells, points, extra in zip(texts, *parts, strict=True):
            yield IndicatorRow(row, dict(zip(names, own, strict=True)), cells, points, extra or {})


class IndicatorRows(MutableSequence[IndicatorRow]):
    """A list of rows, of which runs stay columns until a row is asked for; from then on its rows are what counts."""

    __slots__ = ("_parts",)

    def __init__(self, rows: Iterable[IndicatorRow] = ()) -> None:
        self._parts: list[list[IndicatorRow] | Run] = [list(rows)]

    def add(self, run: Run) -> None:
        """Append the rows of a run."""
        if not self._parts[-1]:
            self._parts.pop()
        self._parts.append(run)

    def append(self, value: IndicatorRow) -> None:
        """Append a row."""
        last = self._parts[-1]
        if isinstance(last, Run):
            self._parts.append([value])
        else:
            last.append(value)

    def columns(self, names: Sequence[str]) -> list[list[Any]]:
        """Fields, or attributes of ``IndicatorRow``, of every row; not to be changed."""
        parts = [
            list(map(part.column, names)) if isinstance(part, Run) else _columns(part, names) for part in self._parts
        ]
        return parts[0] if len(parts) == 1 else [list(chain.from_iterable(own)) for own in zip(*parts, strict=True)]

    def _rows(self) -> list[IndicatorRow]:
        first = self._parts[0]
        if len(self._parts) > 1 or isinstance(first, Run):
            runs = (part.rows() if isinstance(part, Run) else part for part in self._parts)
            first = list(chain.from_iterable(runs))
            self._parts = [first]
        return first

    def __len__(self) -> int:
        return sum(map(len, self._parts))

    def __iter__(self) -> Iterator[IndicatorRow]:
        return iter(self._rows())

    @overload
    def __getitem__(self, index: SupportsIndex) -> IndicatorRow: ...

    @overload
    def __getitem__(self, index: slice) -> list[IndicatorRow]: ...

    def __getitem__(self, index: SupportsIndex | slice) -> IndicatorRow | list[IndicatorRow]:
        return self._rows()[index]

    def __setitem__(self, index: Any, value: Any) -> None:
        self._rows()[index] = value

    def __delitem__(self, index: SupportsIndex | slice) -> None:
        del self._rows()[index]

    def insert(self, index: SupportsIndex, value: IndicatorRow) -> None:
        """Insert a row before a position."""
        self._rows().insert(index, value)

    def __add__(self, others: Iterable[IndicatorRow]) -> list[IndicatorRow]:
        return [*self, *others]

    def __radd__(self, others: Iterable[IndicatorRow]) -> list[IndicatorRow]:
        return [*others, *self]

    def __eq__(self, other: object) -> bool:
        return list(self) == list(other) if isinstance(other, IndicatorRows | list) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr(self._rows())


def column_of(rows: Sequence[IndicatorRow], name: str) -> list[Any]:
    """One field, or one attribute of ``IndicatorRow``, of every row of a form; not to be changed."""
    return columns_of(rows, (name,))[0]


def columns_of(rows: Sequence[IndicatorRow], names: Sequence[str]) -> list[list[Any]]:
    """Several of them at once."""
    return rows.columns(names) if isinstance(rows, IndicatorRows) else _columns(rows, names)


def _columns(rows: Sequence[IndicatorRow], names: Sequence[str]) -> list[list[Any]]:
    values = [row.values for row in rows]
    return [
        [own.get(name) for own in values] if name in _FIELDS else [getattr(row, name) for row in rows] for name in names
    ]
