"""Cells as every reader hands them over: sparse, displayed text first."""

from __future__ import annotations

import re
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from functools import lru_cache
from operator import itemgetter
from typing import NamedTuple

_PLAIN_NAME = re.compile(r"(?![A-Za-z]{1,3}\d|[RrCc]$)[^\W\d]\w*")
"""A sheet's name that stands in an address without quotes."""


class Cell(NamedTuple):
    """One cell that holds something.

    Attributes:
        text: What a person sees in the cell: the value under its number format (``0.973`` under ``0.00%`` is
            ``"97.30%"``); an empty string for a formula without a cached value, unless it was computed
            (``workbook/formulas.py``).
        value: The number behind the text (dates as serials), or None where the cell holds text, a boolean or an error.
        formula: The formula without ``=``, or None; shared formulas that are not the master carry ``""``.
        style: Index into the workbook's cell formats (``s=``).
        type: ``n`` number, ``s`` text, ``b`` boolean, ``e`` error, ``d`` date under a date format.
        cached: False for a formula that carries no cached value.
    """

    text: str
    value: float | None = None
    formula: str | None = None
    style: int = 0
    type: str = "s"
    cached: bool = True


class Merge(NamedTuple):
    """A merged range, 1-based and inclusive."""

    top: int
    left: int
    bottom: int
    right: int


@dataclass(slots=True)
class Sheet:
    """One sheet's content: sparse, 1-based ``(row, column)`` keys.

    Attributes:
        name: Name on the tab.
        index: Position in the workbook, 0-based.
        state: ``visible``, ``hidden`` or ``veryHidden``.
        cells: Non-blank cells only, in order of rows and columns unless the file has them out of order.
        merges: Merged ranges.
        hidden_rows: Rows that are hidden.
        hidden_columns: Columns that are hidden.
        protected: True when the sheet is protected by the file (it can still be read and patched).
        calculated: False where it is known that no cell holds a formula or an error.
        formulas: Cells that hold a formula or an error, in order, where the reader noted them on its way; else None.
        lines: Displayed texts by row and column, in order, outer white space and blank ones off, where the reader laid
            them out on its way and no cell was changed since; else None.
    """

    name: str
    index: int = 0
    state: str = "visible"
    cells: MutableMapping[tuple[int, int], Cell] = field(default_factory=dict)
    merges: list[Merge] = field(default_factory=list)
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)
    protected: bool = False
    calculated: bool = True
    formulas: list[tuple[int, int]] | None = None
    lines: dict[int, dict[int, str]] | None = None

    def calculations(self) -> list[tuple[tuple[int, int], Cell]]:
        """Return places and cells that hold a formula or an error, in order."""
        if self.formulas is not None:
            return [(place, self.cells[place]) for place in self.formulas]
        if not self.calculated:
            return []
        return sorted(
            [(place, cell) for place, cell in self.cells.items() if cell.formula is not None or cell.type == "e"],
            key=itemgetter(0),
        )

    def change(self, cells: Mapping[tuple[int, int], Cell]) -> None:
        """Put other cells in the place of some."""
        if cells:
            self.cells.update(cells)
            self.lines = None


@lru_cache(maxsize=32_768)
def a1(row: int, column: int) -> str:
    """Return the A1 address of a 1-based row and column: ``a1(41, 8) == "H41"``."""
    letters = ""
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return f"{letters}{row}"


@lru_cache(maxsize=32_768)
def row_column(address: str) -> tuple[int, int]:
    """Return ``(row, column)``, 1-based, of an A1 address; ValueError when it is none."""
    letters = address.rstrip("0123456789")
    column = 0
    for letter in letters.upper():
        if not "A" <= letter <= "Z":
            raise ValueError(f"not an A1 address: {address!r}")
        column = column * 26 + ord(letter) - 64
    if not column or len(letters) == len(address):
        raise ValueError(f"not an A1 address: {address!r}")
    return int(address[len(letters) :]), column


def on_sheet(name: str, address: str) -> str:
    """Return an address with its sheet's name, as Excel writes it: ``续表!H5``, ``'第 2 页'!H5``."""
    if _PLAIN_NAME.fullmatch(name):
        return f"{name}!{address}"
    quoted = name.replace("'", "''")
    return f"'{quoted}'!{address}"


def split_sheet(address: str) -> tuple[str | None, str]:
    """Return the sheet's name in an address, None where it has none, and the address without it."""
    name, mark, cell = address.rpartition("!")
    if not mark:
        return None, address
    quoted = len(name) > 1 and name[0] == name[-1] == "'"
    return name[1:-1].replace("''", "'") if quoted else name, cell


@lru_cache(maxsize=16_384)
def parse_range(text: str) -> Merge | None:
    """Return the range ``A1:C3`` (or one cell), or None where it is none."""
    first, _, last = text.replace("$", "").strip().partition(":")
    try:
        top, left = row_column(first)
        bottom, right = row_column(last or first)
    except ValueError:
        return None
    return Merge(min(top, bottom), min(left, right), max(top, bottom), max(left, right))
