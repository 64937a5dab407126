"""The cells of a header: the lowest label over each column, with the label over it."""

from __future__ import annotations

from collections.abc import Iterator

from perfeval_xlsx.form.grid import Grid
from perfeval_xlsx.form.header import Column
from perfeval_xlsx.form.labels import bare

Looks = tuple[tuple[tuple[tuple[int, str], ...], tuple[tuple[int, int, int, int, int], ...]], ...]
"""Texts of a header's rows by column, and its merged cells by column."""


def looked_at(grid: Grid, top: int, bottom: int) -> Looks | None:
    """All that ``header_cells`` looks at but the rows' numbers: their texts and merged cells, the last column aside.

    Of a merged cell that ends below the header it matters that it does, not where. None where there is more to be
    looked at: cells that are merged from above the header, ranges too large to be laid out by cell.
    """
    if not grid.small:
        return None
    rows = []
    for row in range(top, bottom + 1):
        spans = []
        for column in sorted(grid.merged_columns(row)):
            merge = grid.merged[row, column]
            if merge.top < top:
                return None
            spans.append((column, merge.top - top, merge.left, min(merge.bottom, bottom + 1) - top, merge.right))
        rows.append((tuple(grid.texts(row)), tuple(spans)))
    return tuple(rows)


def header_cells(grid: Grid, top: int, bottom: int) -> Iterator[Column]:
    """The lowest header cell over each column, from the left; one that reaches below the header stands beside it."""
    column = 1
    while column <= grid.last_column:
        width = 1
        for row in range(bottom, top - 1, -1):
            if column not in grid.merged_columns(row) and grid.small:
                if (text := grid.own(row, column)) and (row == top or bare(text)):  # （A） says nothing of its column
                    yield Column(text, column, column, _group(grid, top, column) if row > top else "")
                    break
                continue
            anchor_row, anchor_column = grid.anchor(row, column)
            text = grid.own(anchor_row, anchor_column)
            beside = grid.bottom(anchor_row, anchor_column) > bottom
            if text and not beside and not _overruled(grid, anchor_row, row, bottom, column):
                right = grid.right(anchor_row, anchor_column)
                right = min(right, _next_below(grid, anchor_row, bottom, column, right))
                right = max(right, column)  # ranges of a damaged file may overlap
                yield Column(text, column, right, _group(grid, top, column) if anchor_row > top else "")
                width = right - column + 1
                break
        column += width


def _group(grid: Grid, top: int, column: int) -> str:
    """The label over a column; over a blank cell the one that reaches it from the left."""
    return grid.text(top, column) or grid.own(top, reaching(grid, top, column))


def reaching(grid: Grid, top: int, column: int) -> int:
    """Column of the label left of blank header cells, where another label stands right below it; else 0.

    A merged label says itself how far it reaches.
    """
    left = next((other for other in reversed(grid.columns(top)) if other < column), 0)
    return left if grid.own(top + 1, left) and grid.merge(top, left) is None else 0


def _overruled(grid: Grid, anchor_row: int, row: int, bottom: int, column: int) -> bool:
    """A group label over columns that have labels of their own says nothing about a column that has none."""
    return False if anchor_row == row or row == bottom else bool(grid.own(bottom, column))


def _next_below(grid: Grid, anchor_row: int, bottom: int, column: int, right: int) -> int:
    """The last column before the next sub-header under the same group label."""
    if anchor_row == bottom or grid.bottom(anchor_row, column) >= bottom:
        return right
    return next((c - 1 for c in range(column + 1, right + 1) if grid.own(bottom, c)), right)
