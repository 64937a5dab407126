"""A sample workbook with its form laid over two sheets, as departments do where the form is long."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import openpyxl
from openpyxl.worksheet.worksheet import Worksheet


@dataclass(frozen=True)
class Cut:
    """How a form is cut.

    Attributes:
        first: First row that moves to the second sheet; ``last`` the last one, all by default.
        name: The second sheet's name.
        head: Lines above its rows.
        header: Row of the header to repeat there, None for none.
        foot: A line below the first sheet's rows.
    """

    first: int
    last: int = 0
    name: str = "Sheet2"
    head: Sequence[str] = ()
    header: int | None = None
    foot: str | None = None


def cut(source: Path, target: Path, how: Cut) -> Path:
    """Draw ``source`` again with some rows of its first sheet on a second one."""
    book = openpyxl.load_workbook(source)
    sheet = book.worksheets[0]
    last = how.last or sheet.max_row
    merges = [merge.bounds for merge in sheet.merged_cells.ranges]
    for merge in list(sheet.merged_cells.ranges):
        sheet.unmerge_cells(str(merge))
    second = book.create_sheet(how.name, 1)
    lines = [*how.head]
    for number, line in enumerate(lines, 1):
        second.cell(number, 1, line)
    if how.header is not None:
        _copy(sheet, second, how.header, len(lines) + 1 - how.header)
    shift = len(lines) + (how.header is not None) + 1 - how.first
    for row in range(how.first, last + 1):
        _copy(sheet, second, row, shift)
    for left, top, right, bottom in merges:
        for part, low, high, by in ((sheet, 1, how.first - 1, 0), (second, how.first, last, shift)):
            first, end = max(top, low), min(bottom, high)
            if first <= end and (first, left) != (end, right):
                part.merge_cells(None, first + by, left, end + by, right)
    sheet.delete_rows(how.first, last + 1 - how.first)
    if how.foot:
        sheet.cell(sheet.max_row + 1, 1, how.foot)
    book.save(target)
    return target


def _copy(source: Worksheet, target: Worksheet, row: int, shift: int) -> None:
    for cell in source[row]:
        if cell.value is not None:
            target.cell(row + shift, cell.column, cell.value).number_format = cell.number_format
