"""Rows of the usual kind, which nearly all of a grid are, read many at once and by column."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise, repeat
from operator import eq
from typing import Any, NamedTuple

from perfeval_xlsx.form.grid import Grid
from perfeval_xlsx.form.header import Column, Header
from perfeval_xlsx.form.labels import (
    begins_note,
    is_hint,
    is_one_of,
    is_placeholder,
    is_plain_name,
    opens_note,
    split_points,
    total_label,
)
from perfeval_xlsx.form.locate import is_fund_header
from perfeval_xlsx.form.model import INDICATOR_FIELDS
from perfeval_xlsx.form.rows import Run
from perfeval_xlsx.workbook import Merge, a1

_VALUES = ("target", "actual", "score", "weight")
_WIDE = 0.6
_KEPT = 512
"""Grids of more rows are laid out anew each time."""
_REMEMBERED = 256
"""Rows below one cell of a level, and of like columns, whose addresses are remembered."""
_NAMES = 8_192
"""So many names are remembered."""
_OPENS_VALUE = frozenset("0123456789≥≤><=")
"""What opens no text that stands for nothing, or says how a cell is to be filled in."""
_NOTHING: dict[int, str] = {}


@dataclass(slots=True)
class Carried:
    """The levels in force, and their cells."""

    level1: str | None = None
    points: float | None = None
    level2: str | None = None
    cells: dict[str, str] = field(default_factory=dict)

    def goes_on(self, name: str, cell: str) -> bool:
        """Whether a level in force is that of a cell, and can be nothing but a level."""
        label = self.level1 if name == "level1" else self.level2
        return label is not None and self.cells.get(name) == cell and _level(label) is not None

    def take_level1(self, cell: str, label: str, points: float | None) -> None:
        """Take up a level 1: it ends the level 2 above it."""
        if cell == self.cells.get("level1") and self.level1 is not None:
            return
        if points is None and label == self.level1:
            points = self.points  # the label is repeated on the next page
        if not (label and label == self.level1 and points == self.points):
            self.level2 = None
            self.cells.pop("level2", None)
        self.level1, self.points = label or None, points
        self.cells["level1"] = cell

    def take_level2(self, cell: str, label: str) -> None:
        """Take up a level 2."""
        self.level2 = label or None
        self.cells["level2"] = cell


class Plan:
    """A header's columns, laid out for reading many rows; shared by forms of one template, so not to be changed."""

    __slots__ = (
        "adjusted", "bottom", "columns", "extra", "fields", "first_points", "first_value", "left", "level1", "level2",
        "level3", "note_column", "right", "usual", "values", "wide",
    )  # fmt: skip

    def __init__(self, columns: dict[str, Column], extra: Sequence[Column], bottom: int) -> None:
        self.columns, self.extra, self.bottom = columns, extra, bottom
        lefts = {name: column.left for name, column in columns.items()}
        self.left = min([*lefts.values(), *[column.left for column in extra]])
        self.right = max([column.right for column in (*columns.values(), *extra)])
        self.fields = [(name, columns[name]) for name in INDICATOR_FIELDS[2:] if name in columns]
        self.adjusted = columns.get("adjusted_target")
        self.level1, self.level2, self.level3 = columns.get("level1"), columns.get("level2"), columns.get("level3")
        self.values = [lefts[name] for name in ("target", "actual", "score") if name in lefts]
        self.first_value = min([lefts[name] for name in _VALUES if name in lefts], default=self.right)
        points = [lefts[name] for name in ("weight", "score") if name in lefts]
        self.first_points = min(points, default=self.first_value)
        # Notes open left of the indicators' names, or in their column where there are no levels.
        levels = [lefts[name] for name in ("level1", "level2", "level3") if name in lefts]
        self.note_column = max(min(lefts.values()), min(levels))
        self.wide = _WIDE * (self.right - self.left + 1)
        self.usual = _usual(columns, extra) if self.adjusted is None else None


def plan_of(header: Header) -> Plan:
    """Lay a header's columns out."""
    return _plan(tuple(header.columns.items()), tuple(header.extra), header.bottom)


@lru_cache(maxsize=256)
def _plan(columns: tuple[tuple[str, Column], ...], extra: tuple[Column, ...], bottom: int) -> Plan:
    return Plan(dict(columns), extra, bottom)


Places = tuple[tuple[str, int], ...]
_Level = tuple[str, float | None]
"""A level's label, and its points."""


class _Usual(NamedTuple):
    """The columns of a grid that may have usual rows.

    Attributes:
        places: Field and first column, levels and name in front.
        extra: Label and first column of the columns beyond ours.
        spans: First and last column of all of them, in this order.
        inner: Columns that are spanned and are no first one.
    """

    places: Places
    extra: Places
    spans: tuple[tuple[int, int], ...]
    inner: frozenset[int]


def _usual(columns: Mapping[str, Column], extra: Sequence[Column]) -> _Usual | None:
    """The columns of a grid with its levels and names from the left, before everything else; None for another one."""
    if not {"level1", "level2", "level3", "target"} <= columns.keys():
        return None
    fields = [name for name in INDICATOR_FIELDS if name in columns]
    own = [columns[name] for name in fields]
    spans = [(column.left, column.right) for column in (*own, *extra)]
    (_, first), (second, beyond), (name, last) = spans[:3]
    if not first < second <= beyond < name <= last < min(spans[3:])[0]:
        return None
    inner = frozenset([at for left, right in spans if left < right for at in range(left + 1, right + 1)])
    places = tuple([(name, column.left) for name, column in zip(fields, own, strict=True)])
    return _Usual(places, tuple([(column.label, column.left) for column in extra]), tuple(spans), inner)


class _Layout(NamedTuple):
    """What the merged ranges say of a grid's rows, by position.

    Attributes:
        begins: The first column that is filled in where the row is usual: that of the level that begins, or of the
            name; 0 where the row cannot be usual.
        starts: Positions of the rows in which a level begins, and the columns that are filled in first there.
        cells: Address by field, of every row that may be usual.
    """

    begins: list[int]
    starts: list[tuple[int, tuple[int, ...]]]
    cells: list[dict[str, str]]


class UsualRows:
    """The rows of a grid of which it is known beforehand whether they are of the usual kind.

    Usual: name and target are filled in, both levels begin in the row or go on in a merged cell, every value stands in
    one cell, which is merged over the width of its column or not at all.
    """

    __slots__ = ("_begun", "_extra", "_fit", "_layout", "_lines", "_named", "_places", "_rows")

    def __init__(self, grid: Grid, rows: list[int], plan: Plan) -> None:
        usual = plan.usual if grid.small else None
        self._fit: list[bool] = []
        if usual is None or not rows:
            return
        self._rows, places, self._extra = rows, usual.places, usual.extra
        self._places = places
        self._layout = layout = (_laid_out if len(rows) <= _KEPT else _laid_out.__wrapped__)(
            tuple(grid.sheet.merges), tuple(rows), usual, plan.bottom
        )
        self._lines = lines = list(map(grid.lines.get, rows, repeat(_NOTHING)))
        self._named = names, targets = [_column(lines, column) for _, column in places[2:4]]
        begins = map(eq, map(next, map(iter, lines), repeat(-1)), layout.begins)
        plain = map(_plain_names.__getitem__, names)
        self._fit = fit = [
            fits and is_name and target is not None and (target[0] in _OPENS_VALUE or _is_target(target))
            for fits, is_name, target in zip(begins, plain, targets, strict=True)
        ]
        self._begun: dict[int, list[_Level]] = {}
        for at, first in layout.starts:
            levels = _levels(lines[at], first) if fit[at] else None
            if levels and not is_fund_header(grid, rows[at]):
                self._begun[at] = levels
            else:
                fit[at] = False
        if usual.inner:
            self._fit = [
                fits and line.keys().isdisjoint(usual.inner) for fits, line in zip(self._fit, lines, strict=True)
            ]
        if self._extra:
            before = range(places[2][1] + 1, plan.first_value)
            self._fit = [
                fits and not _holds_total(line, before) and not is_fund_header(grid, row)
                for fits, line, row in zip(self._fit, lines, rows, strict=True)
            ]
        self._fit.append(False)

    def run(self, at: int, carried: Carried) -> Run | None:
        """The usual rows from a position on, None where its row is none; ``carried`` is what is in force above them."""
        if not self._fit or not self._fit[at]:
            return None
        layout, places, end = self._layout, self._places, self._fit.index(False, at)
        begins, own = layout.begins[at], layout.cells[at]
        if not all(carried.goes_on(name, own[name]) for name, column in places[:2] if column < begins):
            return None
        level1: list[str | None] = []
        level2: list[str | None] = []
        points: list[float | None] = []
        starts = [at, *[start for start, _ in layout.starts if at < start < end], end]
        for first, last in pairwise(starts):
            self._begin(first, carried)
            size = last - first
            level1 += [carried.level1] * size
            level2 += [carried.level2] * size
            points += [carried.points] * size
        lines, (names, targets) = self._lines[at:end], self._named
        fields = {"level1": level1, "level2": level2, "level3": names[at:end], "target": targets[at:end]}
        fields |= {name: _column(lines, column) for name, column in places[4:]}
        parts: dict[str, list[Any]] = {
            "row": self._rows[at:end], "cells": layout.cells[at:end], "level1_points": points
        }  # fmt: skip
        if self._extra:
            parts["extra"] = [{name: line.get(left) for name, left in self._extra} for line in lines]
        return Run(fields, parts)

    def _begin(self, at: int, carried: Carried) -> None:
        """Take up the levels that begin in a usual row."""
        levels, cells = self._begun.get(at), self._layout.cells[at]
        if levels:
            if len(levels) > 1:
                carried.take_level1(cells["level1"], *levels[0])
            carried.take_level2(cells["level2"], levels[-1][0])


def _column(lines: Sequence[dict[int, str]], column: int) -> list[str | None]:
    """What rows hold in a column."""
    return list(map(dict.get, lines, repeat(column)))


class _PlainNames(dict[str | None, bool]):
    """Whether texts can be nothing but names of indicators; a text met before is only looked up."""

    __slots__ = ()

    def __missing__(self, text: str | None) -> bool:
        if len(self) >= _NAMES:
            self.clear()
        self[text] = plain = text is not None and is_plain_name(text)
        return plain


_plain_names = _PlainNames()


def _levels(line: dict[int, str], columns: tuple[int, ...]) -> list[_Level] | None:
    """The levels that begin in a row; None where its first texts are not levels and a name in these columns."""
    if tuple(line)[: len(columns)] != columns:
        return None
    levels = [level for column in columns[:-1] if (level := _level(line[column]))]
    return levels if len(levels) == len(columns) - 1 else None


def _holds_total(line: dict[int, str], before: Container[int]) -> bool:
    """Whether a total's label stands in one of the columns beyond ours before a row's values."""
    return any(total_label(text)[0] for column, text in line.items() if column in before)


def _is_target(text: str) -> bool:
    """Whether a target is filled in: neither a placeholder nor told how to be."""
    return not is_placeholder(text) and not is_hint(text)


@lru_cache(maxsize=1024)
def _level(text: str) -> _Level | None:
    """Label and points of a text that can be nothing but the name of a level, None for another one."""
    label, points = split_points(text)
    if not label or total_label(text)[0] or opens_note(text) or begins_note(text):
        return None
    return None if is_one_of(label, "rows", "subtotal") else (label, points)


@lru_cache(maxsize=64)
def _laid_out(merges: tuple[Merge, ...], rows: tuple[int, ...], usual: _Usual, header_row: int) -> _Layout:
    """Lay the rows of a grid out; remembered for forms of one layout."""
    places = usual.places
    (_, level1), (_, level2), (_, name) = places[:3]
    odd, tops = _merged(merges, range(rows[0], rows[-1] + 1), usual.spans)
    layout = _Layout([], [], [])
    cells: Mapping[int, dict[str, str]] = {}
    above = levels = (0, 0)
    for at, row in enumerate(rows):
        first, second = tops[0].get(row, row), tops[1].get(row, row)
        goes_on = first in (row, above[0]) and second in (row, above[1])
        fits = row not in odd and header_row < first <= second and (goes_on or not at)
        begin = level1 if first == row else level2 if second == row else name
        layout.begins.append(begin if fits else 0)
        if fits and begin != name:
            layout.starts.append((at, (level1, level2, name) if begin == level1 else (level2, name)))
        above = (first, second)
        if fits and above != levels:
            above_it = ("level1", a1(first, level1)), ("level2", a1(second, level2))
            cells = _addresses_below(above_it, places[2:])
            levels = above
        layout.cells.append(cells[row] if fits else {})
    return layout


def _merged(
    merges: Sequence[Merge], rows: range, spans: Sequence[tuple[int, int]]
) -> tuple[set[int], tuple[dict[int, int], dict[int, int]]]:
    """Rows in which cells are merged otherwise than along one column; by row, where the cell of each level begins.

    Along a column: over its whole width, and over several rows only in those of the levels, the first two.
    """
    odd: set[int] = set()
    tops: tuple[dict[int, int], dict[int, int]] = {}, {}
    levels = {spans[0]: tops[0], spans[1]: tops[1]}
    for merge in merges:
        if merge.top >= rows.stop or merge.bottom < rows.start:
            continue
        inside = range(max(merge.top, rows.start), min(merge.bottom + 1, rows.stop))
        span = (merge.left, merge.right)
        if span in levels:
            levels[span].update(dict.fromkeys(inside, merge.top))
        elif merge.top == merge.bottom and merge.left < merge.right and span in spans:
            continue
        elif any(merge.left <= right and left <= merge.right for left, right in spans):
            odd.update(inside)
    return odd, tops


class _Addresses(dict[int, dict[str, str]]):
    """Addresses by field, by row: made where a row is met first, kept for forms of like layouts."""

    __slots__ = ("_of_row",)

    def __init__(self, of_row: Callable[[int], dict[str, str]]) -> None:
        self._of_row = of_row

    def __missing__(self, row: int) -> dict[str, str]:
        cells = self._of_row(row)
        if len(self) < _REMEMBERED:
            self[row] = cells
        return cells


@lru_cache(maxsize=64)
def _values_at(places: Places) -> _Addresses:
    """Addresses of the values in these columns."""
    return _Addresses(lambda row: {name: a1(row, column) for name, column in places})


@lru_cache(maxsize=256)
def _addresses_below(levels: tuple[tuple[str, str], ...], places: Places) -> _Addresses:
    """Addresses of rows by those of their levels' cells, and the columns of their values."""
    above, values = dict(levels), _values_at(places)
    return _Addresses(lambda row: above | values[row])
