"""Shapes of rows: those of one template are spelled alike but for their values, so a shape is learned once.

A row is cut at its values' tags. What is left, its shape, says by its bytes which cells hold a number and which a
shared string, under which style. A shape is learned from a row that was read cell by cell, and the next ones of it only
look their values up. A sheet is read by shapes where its first row has one that was met before, until too many of its
rows have none; a shape is learned when it is met for the second time, so that rows which are like no other cost little.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from perfeval_xlsx.workbook.cells import Cell
from perfeval_xlsx.workbook.display import Format

_TAG = b"v>"
FIGURE = re.compile(rb"-?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]{1,3})?")
"""A number as cells spell it."""
_END = b"</"
_KEPT = _ROWS = 4_096
"""How many values a style has, and how many shapes there are, that are remembered."""
_new: Any = tuple.__new__


def number_cell(spelled: bytes, style: int, form: Format, date1904: bool) -> Cell:
    """Return a number's cell.

    Raises:
        ValueError: It is no number that a cell holds.
    """
    value = float(spelled)
    if value - value != 0:
        raise ValueError(spelled)
    cell: Cell = _new(Cell, (form.number(value, date1904), value, None, style, "d" if form.date else "n", True))
    return cell


class Numbers(dict[bytes, Cell]):
    """Cells of one style by the number's spelling, its end tag's ``</`` included."""

    __slots__ = ("date1904", "form", "style")

    def __init__(self, style: int, form: Format, date1904: bool) -> None:
        self.style, self.form, self.date1904 = style, form, date1904

    def __missing__(self, spelled: bytes) -> Cell:
        raw = spelled.removesuffix(_END)
        if raw == spelled or not FIGURE.fullmatch(raw):
            raise ValueError(spelled)
        cell = number_cell(raw, self.style, self.form, self.date1904)
        if len(self) < _KEPT:
            self[spelled] = cell
        return cell


class Indices(dict[bytes, int]):
    """Indices of shared strings by their spelling, the end tag's ``</`` included."""

    __slots__ = ()

    def __missing__(self, spelled: bytes) -> int:
        digits = spelled.removesuffix(_END)
        if digits == spelled or not digits.isdigit():
            raise ValueError(spelled)
        index = int(digits)
        if len(self) < _KEPT:
            self[spelled] = index
        return index


Held = tuple[tuple[int, int], int, Numbers | None, int, Format | None]
"""A cell of a shape that holds a value: its row and column, the column once more, where its number is looked up (None
for a shared string), its style, and its format if that shapes text."""


class Shape(NamedTuple):
    """What a row's shape says.

    Attributes:
        row: Its number; ``hidden``, ``style`` and ``prefixes`` as its start tag says.
        lead: Bytes before its start tag; ``first`` bytes before its first cell.
        last: Column of its last cell; ``cells`` how many it has.
        held: Those that hold a value, in order.
    """

    row: int
    hidden: bool
    style: int
    prefixes: frozenset[bytes]
    lead: int
    first: int
    last: int
    cells: int
    held: list[Held]


class Shapes:
    """The shapes met under one table of formats.

    Attributes:
        known: Shape by a row's bytes without its values.
        indices: Shared strings' indices.
    """

    __slots__ = ("_met", "_numbers", "indices", "known")

    def __init__(self) -> None:
        self.known: dict[bytes, Shape] = {}
        self.indices = Indices()
        self._numbers: dict[int, Numbers] = {}
        self._met: set[bytes] = set()

    def begin(self, row: bytes) -> bool:
        """Whether the first row of a sheet has a shape that was met before; make room for new ones."""
        if len(self.known) >= _ROWS:
            self.known.clear()
        if len(self._met) >= _ROWS:
            self._met.clear()
        full: list[dict[bytes, int] | dict[bytes, Cell]] = [self.indices, *self._numbers.values()]
        for values in full:
            if len(values) >= _KEPT:
                values.clear()
        key, _ = cut(row)
        return key in self.known or self.meet(key)

    def meet(self, key: bytes) -> bool:
        """Whether a shape was met before."""
        met = key in self._met
        self._met.add(key)
        return met

    def numbers(self, style: int, form: Format, date1904: bool) -> Numbers:
        """Return where the numbers of a style are looked up, which has this format."""
        return self._numbers.setdefault(style, Numbers(style, form, date1904))


def cut(row: bytes) -> tuple[bytes, list[bytes]]:
    """Return a row's bytes without its values, and the values, each with the ``</`` of its end tag.

    Rows with the same bytes and as many values are spelled alike, if no value holds a tag.
    """
    pieces = row.split(_TAG)
    return _TAG.join(pieces[::2]), pieces[1::2]
