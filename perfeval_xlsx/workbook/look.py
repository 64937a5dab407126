"""How cells look, in the terms every format shares: what a copy that is laid out anew needs to know."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import NamedTuple

from perfeval_xlsx.limits import Limits
from perfeval_xlsx.workbook.cells import Cell, Sheet
from perfeval_xlsx.workbook.display import compiled, show
from perfeval_xlsx.workbook.refusals import over

STACKED = 270
"""Text that runs down, its characters upright."""
_PADDING = 5 / 7
"""What binary workbooks count to a width besides its characters: 5 pixels, of the 7 that a digit takes."""


class Look(NamedTuple):
    """The look of a cell style.

    Attributes:
        code: Number format.
        left: Line style of the left border, in Excel's numbering (0 none, 1 thin, 2 medium …).
        right: The same for the right border.
        top: The same for the top border.
        bottom: The same for the bottom border.
        wrap: Whether text is wrapped.
        horizontal: ``left``, ``center`` … or an empty string for the default.
        vertical: ``top``, ``vcenter`` … or an empty string for the default.
        bold: Whether the font is bold.
        size: Font size in points, 0 for the default.
        font: Font name, or an empty string for the default.
        fill: Background as ``#RRGGBB``, or an empty string.
        turned: Degrees by which text is turned, -90 to 90; ``STACKED`` for one character below the other.
    """

    code: str = "General"
    left: int = 0
    right: int = 0
    top: int = 0
    bottom: int = 0
    wrap: bool = False
    horizontal: str = ""
    vertical: str = ""
    bold: bool = False
    size: float = 0
    font: str = ""
    fill: str = ""
    turned: int = 0


@dataclass(slots=True)
class LaidSheet:
    """A sheet with what its layout needs besides.

    Attributes:
        sheet: Cells, merges, hidden rows and columns.
        blanks: Style of blank cells that have one.
        widths: Width of columns in characters of the default font, as a spreadsheet program shows it.
        heights: Height of rows in points.
    """

    sheet: Sheet
    blanks: dict[tuple[int, int], int] = field(default_factory=dict)
    widths: dict[int, float] = field(default_factory=dict)
    heights: dict[int, float] = field(default_factory=dict)


@dataclass(slots=True)
class Contents:
    """What is read from a workbook that has no lossless writer.

    Attributes:
        format: ``xls``, ``xlsb`` or ``ods``.
        sheets: The sheets in order.
        looks: The look of each cell style.
        date1904: True when serial 0 is 1904-01-01.
        protected: True when sheets may not be added or renamed.
        lost: Codes of findings that say what could not be read.
    """

    format: str
    sheets: list[LaidSheet] = field(default_factory=list)
    looks: list[Look] = field(default_factory=list)
    date1904: bool = False
    protected: bool = False
    lost: list[str] = field(default_factory=list)


class Gatherer:
    """Puts cells on a sheet, row by row from the top, under the limits of a sheet."""

    __slots__ = ("count", "filled", "last", "limits", "target")

    def __init__(self, target: LaidSheet, limits: Limits) -> None:
        self.target, self.limits = target, limits
        self.count = self.filled = self.last = 0

    def reaches(self, row: int) -> bool:
        """Whether a row is still read: not too many empty ones stand above it."""
        return row - self.last <= self.limits.empty_rows

    def put(self, row: int, column: int, cell: Cell | None, style: int = 0) -> None:
        """Take a cell, or a blank one with a style; columns beyond the limit are left out.

        Raises:
            PerfevalError: Too many cells, or too many rows with content.
        """
        if column > self.limits.columns:
            return
        self.count += 1
        if self.count > self.limits.cells:
            raise over("cells", self.count, self.limits.cells)
        if cell is None:
            self.target.blanks[row, column] = style
            return
        self.target.sheet.cells[row, column] = cell
        if row != self.last:
            self.last = row
            self.filled += 1
            if self.filled > self.limits.rows:
                raise over("rows", self.filled, self.limits.rows)

    def check_merges(self) -> None:
        """Refuse too many merged ranges.

        Raises:
            PerfevalError: There are more than the limit.
        """
        merges = self.target.sheet.merges
        if len(merges) > self.limits.merges:
            raise over("merges", len(merges), self.limits.merges)


def shown_width(units: int) -> float:
    """Return the width that is shown for one of a binary workbook, which counts in 256ths of a character."""
    return max(0.0, round(units / 256 - _PADDING, 2))


def turned(code: int) -> int:
    """Return the degrees for the rotation of a binary workbook: to 90 up, from 91 down, 255 stacked."""
    if code == 255:
        return STACKED
    return code if code <= 90 else 90 - min(code, 180)


def number_cell(value: float, code: str, style: int = 0, date1904: bool = False) -> Cell:
    """Return the cell of a number under a number format; what is no number that Excel knows is an error."""
    if not math.isfinite(value):
        return Cell("#NUM!", style=style, type="e")
    return Cell(show(value, code, date1904), value, None, style, "d" if compiled(code).date else "n")


def text_cell(text: str, code: str = "General", style: int = 0) -> Cell | None:
    """Return the cell of a text under a number format, or None where there is no text."""
    return Cell(compiled(code).text(text.replace("\r\n", "\n").replace("\r", "\n")), style=style) if text else None
