"""Where everything stands in a sheet part, for patching it, and what reading a part needs from its workbook."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import NamedTuple

from perfeval_xlsx.limits import DEFAULT_LIMITS, Limits
from perfeval_xlsx.workbook.cells import Merge, a1, row_column
from perfeval_xlsx.workbook.display import Format

LAST_ROW = 1_048_576
CELL, ROW_END = b'<c r="', b"</row>"
"""How a plainly spelled cell begins, and how a row ends."""
_PLACE = re.compile(rb'<c r="([A-Z]+)[0-9]+"')
_STYLED = re.compile(rb'<c r="([A-Z]+)[0-9]+" s="([0-9]+)"')
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
    """

    start: int
    end: int = 0
    style: int = 0
    cells: dict[int, int] = field(default_factory=dict)
    ordered: bool = True

    def places(self, _part: bytes) -> dict[int, int]:
        """Position of each cell's start tag by column, in order."""
        return self.cells

    def place(self, _part: bytes, _row: int, column: int) -> int | None:
        """Position of one cell's start tag, None where there is no such cell."""
        return self.cells.get(column)


class PlainRow(NamedTuple):
    """A plainly spelled row: as ``Row``, but its cells, between ``first`` and ``last``, are looked up when needed."""

    start: int
    end: int
    style: int
    first: int
    last: int

    @property
    def ordered(self) -> bool:
        """True: cells out of order are not plain."""
        return True

    def places(self, part: bytes) -> dict[int, int]:
        """Position of each cell's start tag by column, in order."""
        return {column_of(found[1]): found.start() for found in _PLACE.finditer(part, self.first, self.last)}

    def place(self, part: bytes, row: int, column: int) -> int | None:
        """Position of one cell's start tag, None where there is no such cell; ``row`` is the row's number."""
        place = part.find(cell_mark(row, column), self.first, self.last)
        return None if place < 0 else place


class RowPlaces:
    """Where the rows of a part stand.

    Args:
        part: The part's bytes.
    """

    __slots__ = ("_part", "_rows")

    def __init__(self, part: bytes) -> None:
        self._part = part
        self._rows: dict[int, Row | PlainRow] = {}

    def rows(self) -> dict[int, Row | PlainRow]:
        """Return all rows by number, in order of the file."""
        return self._rows

    def find(self, row: int, column: int) -> int:
        """Return the position of a plainly spelled cell's start tag, -1 where it is none or there is none."""
        line = self._rows.get(row)
        return self._part.find(cell_mark(row, column), *line[3:]) if isinstance(line, PlainRow) else -1


@dataclass(slots=True)
class Layout:
    """Where everything stands in a sheet part, for patching.

    Attributes:
        part: The part's bytes in UTF-8.
        places: Where its rows stand; ``rows`` are all of them.
        data: Position of ``sheetData``'s start tag, -1 where there is none.
        data_end: Position of its end tag (or behind a self-closing tag).
        ordered: False when rows stand out of order or twice.
        last: Last row that was read; what stands below was left alone.
        styled: Style of the blank cells that have one, as far as they were looked up; see ``blanks``.
        plain: The cells that hold something, where the blank ones of a plainly spelled part were not looked up yet.
        arrays: Ranges filled by one formula (array formulas, data tables): no cell of them can be set.
        opaque: Cells with metadata (``cm``, ``vm``).
        formulas: Whether any cell holds a formula.
        bare: Where style and cell end of cells that ``patch.bare_cell`` looked up: patching and verifying both ask.
    """

    part: bytes
    places: RowPlaces = field(init=False)
    data: int = -1
    data_end: int = -1
    ordered: bool = True
    last: int = LAST_ROW
    styled: dict[tuple[int, int], int] = field(default_factory=dict)
    plain: Iterable[tuple[int, int]] | None = None
    arrays: list[Merge] = field(default_factory=list)
    opaque: set[tuple[int, int]] = field(default_factory=set)
    formulas: bool = False
    bare: dict[tuple[int, int], tuple[int, int] | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.places = RowPlaces(self.part)

    @property
    def rows(self) -> dict[int, Row | PlainRow]:
        """Rows by number, in order of the file."""
        return self.places.rows()

    @property
    def blanks(self) -> dict[tuple[int, int], int]:
        """Style of the blank cells that have one."""
        if self.plain is not None:
            filled = frozenset(self.plain)
            for number, row in self.rows.items():
                for letters, style in _STYLED.findall(self.part, *row[-2:]) if isinstance(row, PlainRow) else ():
                    place = number, column_of(letters)
                    if place not in filled and int(style):
                        self.styled[place] = int(style)
            self.plain = None
        return self.styled

    def style(self, row: int, column: int) -> int:
        """Style of one blank cell, 0 where it has none."""
        if self.plain is None:
            return self.styled.get((row, column), 0)
        place = self.places.find(row, column)
        found = _STYLED.match(self.part, place) if place >= 0 else None
        return int(found[2]) if found else 0


@dataclass
class Context:
    """What a sheet needs from its workbook: shared strings, formats by style, date system, limits."""

    strings: Sequence[str] = ()
    formats: Sequence[Format] = ()
    date1904: bool = False
    limits: Limits = DEFAULT_LIMITS

    @cached_property
    def stripped(self) -> list[str]:
        """The shared strings, outer white space off."""
        return [*map(str.strip, self.strings)]


@lru_cache(maxsize=16_384)
def cell_mark(row: int, column: int) -> bytes:
    """Return how the tag of a plainly spelled cell begins: ``<c r="H41"``."""
    return b'<c r="%b"' % a1(row, column).encode()


def column_of(letters: bytes) -> int:
    """Return a column's number; remembered by its letters."""
    column = COLUMNS.get(letters)
    if column is None:
        column = COLUMNS[letters] = row_column(letters.decode() + "1")[1]
    return column
