"""A sheet as the reader looks at it: rows of cells, and for any address the merged range it belongs to."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator

from perfeval_xlsx.workbook import Cell, Merge, Sheet, a1

_TALL = 200


class Grid:
    """A view of one sheet.

    Attributes:
        sheet: The sheet.
        rows: Row numbers that hold something, in order.
        last_column: Rightmost column that holds something or is merged from one that does.
    """

    __slots__ = ("_by_row", "_cells", "_merges", "_tall", "last_column", "rows", "sheet")

    def __init__(self, sheet: Sheet) -> None:
        self.sheet = sheet
        self._cells = sheet.cells
        self._by_row: dict[int, list[int]] = {}
        for (row, column), cell in sheet.cells.items():
            if cell.text and not cell.text.isspace():
                self._by_row.setdefault(row, []).append(column)
        for columns in self._by_row.values():
            columns.sort()
        self.rows = sorted(self._by_row)
        self._merges: dict[int, list[Merge]] = {}
        self._tall: list[Merge] = []
        for merge in sheet.merges:
            if merge.bottom - merge.top > _TALL:
                self._tall.append(merge)
            else:
                for row in range(merge.top, merge.bottom + 1):
                    self._merges.setdefault(row, []).append(merge)
        self.last_column = max((self.right(row, columns[-1]) for row, columns in self._by_row.items()), default=0)

    def columns(self, row: int) -> list[int]:
        """Columns of a row whose own cell holds something, from the left."""
        return self._by_row.get(row, [])

    def rows_between(self, first: int, last: int) -> Iterator[int]:
        """Row numbers with content, from ``first`` to ``last`` inclusive."""
        at = bisect_right(self.rows, first - 1)
        while at < len(self.rows) and self.rows[at] <= last:
            yield self.rows[at]
            at += 1

    def merge(self, row: int, column: int) -> Merge | None:
        """The merged range an address belongs to."""
        for merge in self._merges.get(row, ()):
            if merge.left <= column <= merge.right:
                return merge
        for merge in self._tall:
            if merge.top <= row <= merge.bottom and merge.left <= column <= merge.right:
                return merge
        return None

    def anchor(self, row: int, column: int) -> tuple[int, int]:
        """The address whose cell holds the value of an address."""
        merge = self.merge(row, column)
        return (row, column) if merge is None else (merge.top, merge.left)

    def right(self, row: int, column: int) -> int:
        """The last column of the (merged) cell at an address."""
        merge = self.merge(row, column)
        return column if merge is None else merge.right

    def bottom(self, row: int, column: int) -> int:
        """The last row of the (merged) cell at an address."""
        merge = self.merge(row, column)
        return row if merge is None else merge.bottom

    def cell(self, row: int, column: int) -> Cell | None:
        """The cell of an address, through its merged range."""
        return self._cells.get(self.anchor(row, column))

    def text(self, row: int, column: int) -> str:
        """The displayed text of an address, outer white space off; an empty string where it is blank."""
        cell = self.cell(row, column)
        return cell.text.strip() if cell else ""

    def own(self, row: int, column: int) -> str:
        """The displayed text of the cell that stands at an address itself."""
        cell = self._cells.get((row, column))
        return cell.text.strip() if cell else ""

    def address(self, row: int, column: int) -> str:
        """A1 of the cell that holds (or would hold) the value of an address."""
        return a1(*self.anchor(row, column))

    def texts(self, row: int) -> list[tuple[int, str]]:
        """Column and text of every filled cell of a row."""
        return [(column, self.own(row, column)) for column in self.columns(row)]
