"""A sheet as the reader looks at it: rows of cells, and for any address the merged range it belongs to."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from itertools import product

from perfeval_xlsx.workbook import Merge, Sheet, a1

_LARGE = 20_000
"""A merged range over more cells is looked up by its bounds instead of cell by cell."""


class Grid:
    """A view of one sheet.

    Attributes:
        sheet: The sheet.
        rows: Row numbers that hold something, in order.
        last_column: Rightmost column that holds something or is merged from one that does.
        named: What the labels of a row name, by row: fields of the grid, of the fund table; filled by ``locate``.
        merged: Merged range by each of its cells, as far as the sheet is filled; the largest ones are left out.
        shown: Displayed text of every filled cell by its address, outer white space off.
    """

    __slots__ = ("_by_row", "_large", "last_column", "merged", "named", "rows", "sheet", "shown")

    def __init__(self, sheet: Sheet) -> None:
        self.sheet = sheet
        self.named: dict[int, tuple[frozenset[str], frozenset[str]]] = {}
        self.shown: dict[tuple[int, int], str] = {}
        self._by_row: dict[int, list[tuple[int, str]]] = {}
        self._fill(sheet)
        self.rows = sorted(self._by_row)
        self.merged: dict[tuple[int, int], Merge] = {}
        self._large: list[Merge] = []
        for merge in sheet.merges:
            self._note(merge)
        ends = [(row, cells[-1][0]) for row, cells in self._by_row.items()]
        self.last_column = max(
            [self.right(*end) if end in self.merged or self._large else end[1] for end in ends], default=0
        )

    def _fill(self, sheet: Sheet) -> None:
        """Take the texts, by address and by row."""
        shown, by_row, before = self.shown, self._by_row, 0
        here: list[tuple[int, str]] = []
        for position, cell in sheet.cells.items():
            text = cell[0].strip()
            if text:
                shown[position] = text
                row, column = position
                if row != before:
                    before, here = row, by_row.setdefault(row, [])
                here.append((column, text))
        for cells in by_row.values():
            cells.sort()

    def _note(self, merge: Merge) -> None:
        """Remember a merged range by each of its cells, as far as the sheet is filled."""
        bottom = min(merge.bottom, self.rows[-1] if self.rows else 0)
        if (bottom - merge.top + 1) * (merge.right - merge.left + 1) > _LARGE:
            self._large.append(merge)
            return
        columns = range(merge.left, merge.right + 1)
        self.merged.update(dict.fromkeys(product(range(merge.top, bottom + 1), columns), merge))

    def columns(self, row: int) -> list[int]:
        """Columns of a row whose own cell holds something, from the left."""
        return [column for column, _ in self._by_row.get(row, ())]

    def rows_between(self, first: int, last: int) -> Iterator[int]:
        """Row numbers with content, from ``first`` to ``last`` inclusive."""
        at = bisect_right(self.rows, first - 1)
        while at < len(self.rows) and self.rows[at] <= last:
            yield self.rows[at]
            at += 1

    def merge(self, row: int, column: int) -> Merge | None:
        """The merged range an address belongs to."""
        found = self.merged.get((row, column))
        if found is None and self._large:
            inside = (m for m in self._large if m.top <= row <= m.bottom and m.left <= column <= m.right)
            return next(inside, None)
        return found

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
        return self.shown.get(self.anchor(row, column), "")

    def own(self, row: int, column: int) -> str:
        """The displayed text of the cell that stands at an address itself."""
        return self.shown.get((row, column), "")

    def address(self, row: int, column: int) -> str:
        """A1 of the cell that holds (or would hold) the value of an address."""
        return a1(*self.anchor(row, column))

    def texts(self, row: int) -> list[tuple[int, str]]:
        """Column and text of every filled cell of a row, from the left."""
        return self._by_row.get(row, [])
