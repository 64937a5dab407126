"""Shapes of rows: those of one template are spelled alike but for their values, so a shape is learned once.

A row is cut at its values' tags. What is left, its shape, says by its bytes which cells hold a number and which a
shared string, under which style. A shape is learned from a row that was read cell by cell, and the next ones of it only
look their values up. A sheet is read by shapes where its first row and the one in its middle have shapes that were met
before; a shape is learned when it is met for the second time, so that rows which are like no other cost little.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate, count, repeat
from operator import add
from typing import NamedTuple

from perfeval_xlsx.workbook.display import Format
from perfeval_xlsx.workbook.layout import ROW_END, PlainRow, Row, RowPlaces, cell_mark

_TAG, _LETTER = b"v>", b"v"
FIGURE = re.compile(rb"-?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]{1,3})?")
"""A number as cells spell it."""
_BEGIN, _END = b">", b"</"
"""What stands around a value within its tags' letters."""
_KEPT, _ROWS = 8_192, 4_096
"""How many numbers of a format, and how many shapes, are remembered: most rates of four decimals among them."""
_LONGEST = 4_096
"""Bytes of the longest shape that is remembered: a row of some 120 cells."""


def number(spelled: bytes) -> float:
    """Return a number.

    Raises:
        ValueError: It is none that a cell holds.
    """
    value = float(spelled)
    if value - value != 0:
        raise ValueError(spelled)
    return value


def _bare(spelled: bytes) -> bytes:
    """Return a value without what stands around it.

    Raises:
        ValueError: It does not stand there.
    """
    if not (spelled.startswith(_BEGIN) and spelled.endswith(_END)):
        raise ValueError(spelled)
    return spelled[len(_BEGIN) : -len(_END)]


class Numbers(dict[bytes, str]):
    """Texts of numbers under one format, outer white space off, by the spelling as ``cut`` hands it over."""

    __slots__ = ("date1904", "form")

    def __init__(self, form: Format, date1904: bool) -> None:
        self.form, self.date1904 = form, date1904

    def __missing__(self, spelled: bytes) -> str:
        raw = _bare(spelled)
        if not FIGURE.fullmatch(raw):
            raise ValueError(spelled)
        text = self.form.number(number(raw), self.date1904).strip()
        if len(self) < _KEPT:
            self[spelled] = text
        return text


class Indices(dict[bytes, int]):
    """Indices of shared strings by their spelling, likewise."""

    __slots__ = ()

    def __missing__(self, spelled: bytes) -> int:
        digits = _bare(spelled)
        if not digits.isdigit():
            raise ValueError(spelled)
        index = int(digits)
        if len(self) < _KEPT:
            self[spelled] = index
        return index


INDICES = Indices((b">%d</" % index, index) for index in range(1_024))


Held = tuple[int, Numbers | None]
"""A cell of a shape that holds a value: its column, and where its number is looked up, None for a shared string."""


class Shape(NamedTuple):
    """What a row's shape says.

    Attributes:
        row: Its number; ``hidden``, ``style`` and ``prefixes`` as its start tag says.
        lead: Bytes before its start tag; ``first`` bytes before its first cell.
        last: Column of its last cell; ``cells`` how many it has.
        held: Those that hold a value, in order.
        least: Bytes of a row of this shape, its values as short as can be.
    """

    row: int
    hidden: bool
    style: int
    prefixes: frozenset[bytes]
    lead: int
    first: int
    last: int
    cells: int
    held: tuple[Held, ...]
    least: int


class ShapedRows(RowPlaces):
    """Rows of known shapes, which tell about where one stands; all are looked for when that is not enough.

    Args:
        part: The part's bytes.
        place: Where the rows begin.
        stop: Where they end.
        numbers: Their numbers.
        least: How many bytes each of them has at least.
        shapes: What else each of them says.
        others: Rows without cells that stand among them.
    """

    __slots__ = ("_begins", "_least", "_near", "_numbers", "_others", "_place", "_shapes", "_stop")

    def __init__(
        self,
        part: bytes,
        place: int,
        stop: int,
        numbers: Sequence[int],
        least: Sequence[int],
        shapes: Sequence[Shape],
        others: dict[int, Row | PlainRow],
    ) -> None:
        super().__init__(part)
        self._place, self._stop = place, stop
        self._numbers, self._least, self._shapes, self._others = numbers, least, shapes, others
        self._begins: list[int] = []
        self._near = 0, 0

    def rows(self) -> dict[int, Row | PlainRow]:
        """Return all rows by number, in order of the file."""
        if not self._rows:
            _, _, styles, _, leads, firsts, *_ = zip(*self._shapes, strict=True)
            starts, ends = bounds_of(self._part[self._place : self._stop].split(ROW_END)[:-1], self._place)
            told = zip(map(add, starts, leads), ends, styles, map(add, starts, firsts), ends, strict=True)
            self._rows = dict(zip(self._numbers, map(PlainRow._make, told), strict=True))
            if self._others:
                self._rows = dict(sorted((self._others | self._rows).items()))
        return self._rows

    def find(self, row: int, column: int) -> int:
        """Return the position of a plainly spelled cell's start tag, -1 where there is none.

        It is looked for from where its row begins at the earliest, or from a cell above it that was found last, to
        where its row ends at the latest: no row ends later than it might by more bytes than all of them do.
        """
        begins = self._begins
        if not begins:
            begins = self._begins = [*accumulate(self._least, initial=self._place)]
        at = bisect_left(self._numbers, row)
        if at == len(self._numbers) or self._numbers[at] != row:
            return -1
        above, near = self._near
        begin = near if above < row and near > begins[at] else begins[at]
        place = self._part.find(cell_mark(row, column), begin, begins[at + 1] + self._stop - begins[-1])
        if place >= 0:
            self._near = row, place
        return place


def bounds_of(rows: Sequence[bytes], place: int) -> tuple[list[int], list[int]]:
    """Return where each of some rows begins and where its end tag does, the first at ``place``."""
    ends = [*map(add, accumulate(map(len, rows)), count(place, len(ROW_END)))]
    return [place, *map(add, ends[:-1], repeat(len(ROW_END)))], ends


class Shapes:
    """The shapes met under one table of formats.

    Attributes:
        known: Shape by a row's bytes without its values.
    """

    __slots__ = ("_met", "_numbers", "_odd", "known")

    def __init__(self) -> None:
        self.known: dict[bytes, Shape] = {}
        self._numbers: dict[Format, Numbers] = {}
        self._met: set[bytes] = set()
        self._odd: set[bytes] = set()

    def begin(self, rows: bytes) -> bool:
        """Whether a sheet's rows have shapes met before, by the first and the one in the middle; make room for more."""
        full: list[dict[bytes, Shape] | set[bytes]] = [self.known, self._met, self._odd]
        for shapes in full:
            if len(shapes) >= _ROWS:
                shapes.clear()
        for texts in self._numbers.values():
            if len(texts) >= _KEPT:
                texts.clear()
        middle = rows.rfind(ROW_END, 0, len(rows) // 2)
        first, other = self._met_at(rows, 0), self._met_at(rows, middle + len(ROW_END) if middle >= 0 else 0)
        return first and other

    def _met_at(self, rows: bytes, place: int) -> bool:
        """Whether the shape of the row at a place was met before."""
        end = rows.find(ROW_END, place)
        return end >= 0 and self.met(_TAG.join(rows[place:end].split(_TAG)[::2]))

    def met(self, key: bytes) -> bool:
        """Whether a shape was met before; from now on it was."""
        if key in self.known or key in self._met:
            return True
        if len(self._met) < _ROWS and len(key) <= _LONGEST:
            self._met.add(key)
        return False

    def wanted(self, key: bytes) -> bool:
        """Whether a shape that is not known is to be learned: it was met before, and can be."""
        return self.met(key) and key not in self._odd and len(self.known) < _ROWS

    def learn(self, key: bytes, shape: Shape | None) -> None:
        """Keep what a shape says; None where it does not say all but the values."""
        if shape is not None:
            self.known[key] = shape
        elif len(self._odd) < _ROWS:
            self._odd.add(key)

    def numbers(self, form: Format, date1904: bool) -> Numbers:
        """Return where the numbers under a format are looked up."""
        return self._numbers.setdefault(form, Numbers(form, date1904))


def cut(rows: bytes) -> tuple[bytes, list[bytes]]:
    """Return rows' bytes without their values, and the values, each with ``>`` before and ``</`` behind it.

    Rows with the same bytes and as many values are spelled alike, if no value holds a tag. They are cut at the letter
    in the values' tags, for which one byte is looked for instead of two, three times as fast; see ``is_cut_at_tags``.
    """
    pieces = rows.split(_LETTER)
    return _LETTER.join(pieces[::2]), pieces[1::2]


def is_cut_at_tags(rows: bytes, values: Sequence[bytes]) -> bool:
    """Whether rows that were cut have the letter nowhere but in the values' tags."""
    return rows.count(_TAG) == 2 * len(values)


def cut_at_tags(rows: bytes) -> tuple[bytes, list[bytes]]:
    """Cut rows as ``cut`` does, but those, too, that have the letter elsewhere (``outlineLevel``)."""
    pieces = rows.split(_TAG)
    return _TAG.join(pieces[::2]), [_BEGIN + value for value in pieces[1::2]]


def values_in(key: bytes) -> int:
    """Return how many values were cut out of a row."""
    return key.count(_TAG)


def least_of(key: bytes) -> int:
    """Return how many bytes a row has at least whose values were cut out: a digit each, and its own end tag."""
    return len(key) + values_in(key) * len(b">0</v") + len(ROW_END)
