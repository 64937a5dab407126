"""A sheet as the reader looks at it: rows of texts, and for any address the merged range it belongs to."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping, Set
from itertools import product
from typing import NamedTuple

from perfeval_xlsx.workbook import Merge, Sheet, a1

_LARGE = 20_000
"""A merged range over more cells is looked up by its bounds instead of cell by cell."""
_KEPT = 4_096
"""So many merged cells a sheet has at most for their ranges to be remembered."""
_LAYOUTS = 128
"""So many sheets' merged ranges are remembered."""
_NOTHING: dict[int, str] = {}
_UNMERGED: frozenset[int] = frozenset()


class _Merged(NamedTuple):
    """The merged ranges of a sheet.

    By cell, the merged columns by row, those too large for that, their last row and column.
    """

    by_cell: dict[tuple[int, int], Merge]
    by_row: Mapping[int, Set[int]]
    large: list[Merge]
    bottom: int
    right: int


class Grid:
    """A view of one sheet.

    Attributes:
        sheet: The sheet.
        lines: Displayed texts by row and column, in order, outer white space and blank ones off; not to be changed.
        rows: Row numbers that hold something, in order.
        last_column: Rightmost column that holds something or is merged from one that does.
        heads: By row, the blocks whose header may begin there, only rows in which one may; filled in by ``locate``.
        merged: Merged range by each of its cells, as far as the sheet is filled; the largest ones are left out.
        merged_to: Last row of any merged range, 0 where there is none.
    """

    __slots__ = (
        "_columns", "_large", "_texts", "heads", "last_column", "lines", "merged", "merged_to", "rows", "sheet",
    )  # fmt: skip

    def __init__(self, sheet: Sheet) -> None:
        self.sheet = sheet
        self.heads: dict[int, frozenset[str]] | None = None
        self.lines = _lines(sheet) if sheet.lines is None else sheet.lines
        self.rows = list(self.lines)
        self._texts: dict[int, list[tuple[int, str]]] = {}
        last = self.rows[-1] if self.rows else 0
        self.merged, self._columns, self._large, self.merged_to, right = _merged(sheet.merges, last)
        self.last_column = self._rightmost(right)

    def _rightmost(self, merged: int) -> int:
        """The last column of any row's last cell, the range it is merged into included; none is right of ``merged``."""
        found = max(map(next, map(reversed, self.lines.values())), default=0)
        if merged <= found or not found:
            return found
        ends = {row: next(reversed(line)) for row, line in self.lines.items()}
        for merge in self.sheet.merges:
            if merge.right > found:
                inside = range(merge.left, merge.right + 1)
                rows = range(merge.top, min(merge.bottom, self.rows[-1]) + 1)
                found = merge.right if any(ends.get(row) in inside for row in rows) else found
        return found

    def columns(self, row: int) -> list[int]:
        """Columns of a row whose own cell holds something, from the left."""
        return list(self.lines.get(row, _NOTHING))

    def rows_between(self, first: int, last: int) -> list[int]:
        """Row numbers with content, from ``first`` to ``last`` inclusive."""
        return self.rows[bisect_right(self.rows, first - 1) : bisect_right(self.rows, last)]

    def merge(self, row: int, column: int) -> Merge | None:
        """The merged range an address belongs to."""
        found = self.merged.get((row, column))
        if found is None and self._large:
            inside = (m for m in self._large if m.top <= row <= m.bottom and m.left <= column <= m.right)
            return next(inside, None)
        return found

    def merged_columns(self, row: int) -> Set[int]:
        """Columns of a row that are part of a merged range, the largest ranges left out."""
        return self._columns.get(row, _UNMERGED)

    def anchor(self, row: int, column: int) -> tuple[int, int]:
        """The address whose cell holds the value of an address."""
        merge = self.merged.get((row, column)) or (self.merge(row, column) if self._large else None)
        return (row, column) if merge is None else (merge[0], merge[1])

    def right(self, row: int, column: int) -> int:
        """The last column of the (merged) cell at an address."""
        merge = self.merged.get((row, column)) or (self.merge(row, column) if self._large else None)
        return column if merge is None else merge[3]

    def bottom(self, row: int, column: int) -> int:
        """The last row of the (merged) cell at an address."""
        merge = self.merged.get((row, column)) or (self.merge(row, column) if self._large else None)
        return row if merge is None else merge[2]

    @property
    def small(self) -> bool:
        """Whether ``merged`` knows every merged range."""
        return not self._large

    def text(self, row: int, column: int) -> str:
        """The displayed text of an address, outer white space off; an empty string where it is blank."""
        merge = self.merged.get((row, column)) or (self.merge(row, column) if self._large else None)
        if merge is not None:
            row, column = merge[0], merge[1]
        return self.lines.get(row, _NOTHING).get(column, "")

    def own(self, row: int, column: int) -> str:
        """The displayed text of the cell that stands at an address itself."""
        return self.lines.get(row, _NOTHING).get(column, "")

    def address(self, row: int, column: int) -> str:
        """A1 of the cell that holds (or would hold) the value of an address."""
        return a1(*self.anchor(row, column))

    def texts(self, row: int) -> list[tuple[int, str]]:
        """Column and text of every filled cell of a row, from the left."""
        found = self._texts.get(row)
        if found is None:
            found = self._texts[row] = list(self.lines.get(row, _NOTHING).items())
        return found


def _lines(sheet: Sheet) -> dict[int, dict[int, str]]:
    """Lay a sheet's texts out by row and column."""
    lines: dict[int, dict[int, str]] = {}
    for (row, column), cell in sorted(sheet.cells.items()):
        text = cell[0].strip()
        if text:
            lines.setdefault(row, {})[column] = text
    return lines


_known: dict[tuple[tuple[Merge, ...], int], _Merged] = {}
"""Merged ranges laid out, by the ranges and the last row that they are laid out to."""


def _merged(merges: list[Merge], last: int) -> _Merged:
    """Lay merged ranges out by cell down to a row; remembered for forms of one template, unless they take much room."""
    key = tuple(merges), last
    found = _known.get(key)
    if found is None:
        found = _laid_out(merges, last)
        if sum((m.bottom - m.top + 1) * (m.right - m.left + 1) for m in merges) <= _KEPT:
            if len(_known) >= _LAYOUTS:
                del _known[next(iter(_known))]
            _known[key] = found
    return found


def _laid_out(merges: list[Merge], last: int) -> _Merged:
    by_cell: dict[tuple[int, int], Merge] = {}
    by_row: defaultdict[int, set[int]] = defaultdict(set)
    large: list[Merge] = []
    for merge in merges:
        bottom = min(merge.bottom, last)
        if (bottom - merge.top + 1) * (merge.right - merge.left + 1) > _LARGE:
            large.append(merge)
            continue
        cells = product(range(merge.top, bottom + 1), range(merge.left, merge.right + 1))
        by_cell.update(dict.fromkeys(cells, merge))
    for row, column in by_cell:
        by_row[row].add(column)
    bottom = max((merge.bottom for merge in merges), default=0)
    right = max((merge.right for merge in merges), default=0)
    return _Merged(by_cell, by_row, large, bottom, right)
