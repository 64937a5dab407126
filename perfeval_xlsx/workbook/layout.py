"""Where everything stands in a sheet part, for patching it, and what reading a part needs from its workbook."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from perfeval_xlsx.limits import DEFAULT_LIMITS, Limits
from perfeval_xlsx.workbook.cells import Merge, row_column
from perfeval_xlsx.workbook.display import Format

LAST_ROW = 1_048_576
_PLACE = re.compile(rb'<c r="([A-Z]+)[0-9]+"')
COLUMNS: dict[bytes, int] = {}
"""Numbers of the columns met so far, by their letters; see :func:`column_of`."""


@dataclass(slots=True)
class Row:
    """Where a row stands in the part.

    Attributes:
        start: Position of its start tag.
        end: Position of its end tag (or behind a self-closing tag).
        style: Style index for new cells: the row's own where it has one.
        cells: Position of each cell's start tag by column, in order.
        ordered: False when cells stand out of order or twice.
        spelled: First and last byte of a plainly spelled row's cells, whose positions are looked up when needed.
    """

    start: int
    end: int = 0
    style: int = 0
    cells: dict[int, int] = field(default_factory=dict)
    ordered: bool = True
    spelled: tuple[int, int] | None = None

    def places(self, part: bytes) -> dict[int, int]:
        """Position of each cell's start tag by column, in order."""
        if self.spelled is not None and self.spelled[0] >= 0:
            self.cells = _places(part, *self.spelled)
        self.spelled = None
        return self.cells


@dataclass(slots=True)
class Layout:
    """Where everything stands in a sheet part, for patching.

    Attributes:
        part: The part's bytes in UTF-8.
        rows: Rows by number, in order of the file.
        data: Position of ``sheetData``'s start tag, -1 where there is none.
        data_end: Position of its end tag (or behind a self-closing tag).
        ordered: False when rows stand out of order or twice.
        last: Last row that was read; what stands below was left alone.
        blanks: Style of blank cells that have one.
        arrays: Ranges filled by one formula (array formulas, data tables): no cell of them can be set.
        opaque: Cells with metadata (``cm``, ``vm``).
        formulas: Whether any cell holds a formula.
    """

    part: bytes
    rows: dict[int, Row] = field(default_factory=dict)
    data: int = -1
    data_end: int = -1
    ordered: bool = True
    last: int = LAST_ROW
    blanks: dict[tuple[int, int], int] = field(default_factory=dict)
    arrays: list[Merge] = field(default_factory=list)
    opaque: set[tuple[int, int]] = field(default_factory=set)
    formulas: bool = False


@dataclass(slots=True)
class Context:
    """What a sheet needs from its workbook: shared strings, formats by style, date system, limits."""

    strings: Sequence[str] = ()
    formats: Sequence[Format] = ()
    date1904: bool = False
    limits: Limits = DEFAULT_LIMITS


def _places(part: bytes, first: int, last: int) -> dict[int, int]:
    """Position of each cell's start tag by column, in a row's plain content."""
    return {column_of(found[1]): found.start() for found in _PLACE.finditer(part, first, last)}


def column_of(letters: bytes) -> int:
    """Return a column's number; remembered by its letters."""
    column = COLUMNS.get(letters)
    if column is None:
        column = COLUMNS[letters] = row_column(letters.decode() + "1")[1]
    return column
