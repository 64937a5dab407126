"""Columns settled by the rows below their header: blank header cells beside a label, forms side by side."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from perfeval_xlsx.form.grid import Grid
from perfeval_xlsx.form.header import Column, Header
from perfeval_xlsx.form.labels import pattern, plain, plain_row
from perfeval_xlsx.form.locate import indicator_headers
from perfeval_xlsx.workbook import Sheet, a1

PARTED = frozenset({"level3", "target"})
"""Fields under whose wide header cells of their own may stand."""
_DOUBLED = 4
"""So many fields twice in one header are two headers side by side."""
_NARROWEST, _WIDE = 5, 11
"""Columns of a form at least; of a sheet on which two of them have room."""
_LOOKED_AT = 12
"""Rows below a header in which a column without a label is looked for."""


def widen(grid: Grid, header: Header) -> None:
    """Let a label stand for the column right of it too, where that has none of its own and is filled in below.

    ``年度指标值 | (blank)`` over ``≥ | 5000份``: the cells below tell which is which.
    """
    columns = [*header.columns.values(), *header.extra]
    left, right = min(column.left for column in columns), max(column.right for column in columns)
    columns += [column for others in header.double.values() for column in others]
    if sum([column.right - column.left + 1 for column in columns]) >= right - left + 1:
        return
    columns.sort(key=lambda column: column.left)
    for column, following in pairwise(columns):
        gap = range(column.right + 1, following.left)
        rows = grid.rows_between(header.bottom + 1, header.bottom + _LOOKED_AT)
        if len(gap) == 1 and any(grid.own(row, gap[0]) and grid.own(row, column.left) for row in rows):
            header.widen(column, gap[0])


def side_by_side(grid: Grid, headers: list[Header]) -> list[Sheet]:
    """The parts of a sheet on which forms stand side by side, cell for cell where they were; none for other sheets."""
    if grid.last_column < _WIDE:
        return []
    parted = _parted(grid)
    if len(parted) > 1 and sum(bool(indicator_headers(Grid(part))) for part in parted) > 1:
        return parted
    doubled = next((header for header in headers if len(header.double) >= _DOUBLED), None)
    if doubled is None:
        return []
    starts = _starts(doubled)
    inside = all(not (merge.left < start <= merge.right) for merge in grid.sheet.merges for start in starts)
    if len(starts) < 2 or not inside:
        return []
    ends = [*(start - 1 for start in starts[1:]), grid.last_column]
    return [_part(grid.sheet, first, last) for first, last in zip([1, *starts[1:]], ends, strict=True)]


def _parted(grid: Grid) -> list[Sheet]:
    """The parts of a sheet between columns that are empty from top to bottom, narrow ones left with what is before."""
    used = {column for line in grid.lines.values() for column in line}
    used |= {column for merge in grid.sheet.merges for column in range(merge.left, merge.right + 1)}
    starts = [1]
    for column in range(2, grid.last_column):
        if column not in used and min(column - starts[-1], grid.last_column - column) >= _NARROWEST:
            starts.append(column + 1)
    ends = [*(start - 1 for start in starts[1:]), grid.last_column]
    return [_part(grid.sheet, first, last) for first, last in zip(starts, ends, strict=True)]


def _starts(header: Header) -> list[int]:
    """First column of each of the headers that stand side by side: behind the last column of the one before."""
    columns = sorted(_all(header), key=lambda column: column.left)
    first = plain(columns[0].label)
    repeated = [column.left for column in columns if plain(column.label) == first]
    if len(repeated) != len(next(iter(header.double.values()))) + 1:
        return []
    ends = [max(column.right for column in columns if column.left < start) for start in repeated[1:]]
    return [repeated[0], *(end + 1 for end in ends)]


def _all(header: Header) -> Iterator[Column]:
    yield from header.columns.values()
    yield from header.extra
    for others in header.double.values():
        yield from others


def _part(sheet: Sheet, first: int, last: int) -> Sheet:
    """The columns of a sheet from ``first`` to ``last``."""
    cells = {place: cell for place, cell in sheet.cells.items() if first <= place[1] <= last}
    merges = [merge for merge in sheet.merges if first <= merge.left <= last]
    return Sheet(sheet.name, sheet.index, sheet.state, cells, merges, sheet.hidden_rows, sheet.hidden_columns)


def _leads(name: str, text: str | None) -> bool:
    """Whether a cell under a wide header leads to the next: a comparator before a target, a number before a name."""
    key = "comparator" if name == "target" else "counter"
    return text is not None and pattern("levels", key).match(plain_row(text)) is not None


def part(grid: Grid, row: int, column: Column, name: str, values: dict[str, str | None], cells: dict[str, str]) -> None:
    """Take what stands in cells of its own under one wide header: ``≥ | 12 | 次``, ``指标1 | 巡查次数``.

    Args:
        grid: The sheet.
        row: Sheet row.
        column: The wide column; ``name`` its field.
        name: ``target`` or ``level3``.
        values: The row's texts by field; ``cells`` their addresses: both are corrected.
        cells: As said.
    """
    places = [at for at in range(column.left, column.right + 1) if grid.own(row, at)]
    if len(places) < 2:
        return
    if _leads(name, values[name]):
        named = ("level3",) if name == "level3" else ("target", "unit")
        fields = dict(zip(named, places[1:], strict=False)) | ({"sign": places[0]} if name == "target" else {})
    elif name == "target" and not any(map(str.isdigit, grid.own(row, places[1]))):
        fields = {"unit": places[1]}
    else:
        return
    for other, at in fields.items():
        if other == name or other not in values:
            values[other], cells[other] = grid.own(row, at), a1(row, at)
