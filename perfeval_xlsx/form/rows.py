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
        parts: ``row``, ``cells`` and ``level1_points`` of every row, by these names.
    """

    __slots__ = ("fields", "parts")

    def __init__(self, fields: dict[str, list[str | None]], parts: dict[str, list[Any]]) -> None:
        self.fields, self.parts = fields, parts

    def __len__(self) -> int:
        return len(self.parts["row"])

    def column(self, name: str) -> list[Any]:
        """One field, or one attribute of ``IndicatorRow``, of every row."""
        found = self.fields.get(name) or self.parts.get(name)
        return [_NO_EXTRA if name == "extra" else None] * len(self) if found is None else found

    def rows(self) -> Iterator[IndicatorRow]:
        """The rows, each made anew."""
        names, parts = tuple(self.fields), self.parts
        texts = zip(*self.fields.values(), strict=True)
        for row, own, cells, points in zip(parts["row"], texts, parts["cells"], parts["level1_points"], strict=True):
            yield IndicatorRow(row, dict(zip(names, own, strict=True)), cells, points)


class IndicatorRows(MutableSequence[IndicatorRow]):
    """A list of rows, of which runs stay columns until a row is asked for; from then on its rows are what counts."""

    __slots__ = ("_parts", "_runs")

    def __init__(self, rows: Iterable[IndicatorRow] = ()) -> None:
        self._parts: list[IndicatorRow | Run] = list(rows)
        self._runs = False

    def add(self, run: Run) -> None:
        """Append the rows of a run."""
        self._parts.append(run)
        self._runs = True

    def column(self, name: str) -> list[Any]:
        """One field, or one attribute of ``IndicatorRow``, of every row; not to be changed."""
        if len(self._parts) == 1 and isinstance(self._parts[0], Run):
            return self._parts[0].column(name)
        of_row = _of_field if name in _FIELDS else getattr
        return list(
            chain.from_iterable(
                part.column(name) if isinstance(part, Run) else (of_row(part, name),) for part in self._parts
            )
        )

    def _rows(self) -> list[IndicatorRow]:
        if self._runs:
            parts = ((part,) if isinstance(part, IndicatorRow) else part.rows() for part in self._parts)
            self._parts, self._runs = list(chain.from_iterable(parts)), False
        return self._parts  # type: ignore[return-value]  # without runs

    def __len__(self) -> int:
        if not self._runs:
            return len(self._parts)
        return sum(1 if isinstance(part, IndicatorRow) else len(part) for part in self._parts)

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

    def append(self, value: IndicatorRow) -> None:
        """Append a row."""
        self._parts.append(value)

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
    if isinstance(rows, IndicatorRows):
        return rows.column(name)
    return [_of_field(row, name) for row in rows] if name in _FIELDS else [getattr(row, name) for row in rows]


def _of_field(row: IndicatorRow, name: str) -> str | None:
    return row.values.get(name)
