"""The fast way through ``sheetData``: rows and cells as nearly all writers spell them, a row at a time.

expat calls back for every tag, some 3,000 times for a form of 60 rows. Here a row is cut at its cells' tags. What
stands behind a cell's address (style, type and value) is matched with an expression when it is first met, and
remembered by its spelling: most cells of a form are spelled like others, of the same form or of one of its template.
Sheets of a template met before are read by the shapes of their rows (``row_shapes``): texts are looked up at once, and
cells made when they are asked for (``row_cells``).
Every byte between ``<sheetData>`` and its end tag must belong to such a row or cell; what stands around the rows still
goes through expat. Anything else (prefixes, references, comments, shared or array formulas, cells out of order, a limit
in reach) leaves the part to ``sheet.read_sheet``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import compress
from operator import ge, sub
from typing import Any, NamedTuple

from perfeval_xlsx.workbook.cells import Cell, Sheet
from perfeval_xlsx.workbook.layout import CELL, COLUMNS, ROW_END, Context, Layout, PlainRow, column_of
from perfeval_xlsx.workbook.row_cells import RowCells
from perfeval_xlsx.workbook.row_shapes import (
    INDICES,
    Held,
    Shape,
    ShapedRows,
    bounds_of,
    cut,
    cut_at_tags,
    is_cut_at_tags,
    least_of,
    values_in,
)
from perfeval_xlsx.workbook.spellings import KEPT, LONGEST, USUAL, IrregularError, table_of

OPEN, CLOSE = b"<sheetData>", b"</sheetData>"

_ROW = re.compile(
    rb'[ \t\r\n]*+(<row r="([1-9][0-9]{0,6})"((?: [A-Za-z][A-Za-z0-9:]{0,39}="[^"<&\x00-\x1f\x80-\xff]*+")*+) ?+(/?)>)'
    rb"[ \t\r\n]*+"
)
PLAIN_CELL = re.compile(
    rb'<c r="([A-Z]+)[0-9]+"(?: s="([0-9]+)")?(?: t="([a-zA-Z]+)")?(?:/>|>(?:<v>([^<]*)</v>)?(<[fi].*?)?</c>)',
    re.DOTALL,
)
_LETTERS = re.compile(rb"[A-Z]{1,3}")
_ATTRIBUTE = re.compile(rb' ([A-Za-z0-9:]+)="([^"]*)"')
_NAME = re.compile(rb"[A-Za-z][A-Za-z0-9]*(?::[A-Za-z][A-Za-z0-9]*)?")
_TRUE = {b"1", b"true"}
_WHITE = b" \t\r\n"
_new: Any = tuple.__new__


def read_data(part: bytes, start: int, stop: int, sheet: Sheet, layout: Layout, context: Context) -> None:
    """Fill ``sheet`` and ``layout`` from the bytes between ``<sheetData>`` and ``</sheetData>``.

    Args:
        part: The part's bytes in UTF-8.
        start: First byte behind ``<sheetData>``.
        stop: First byte of its end tag.
        sheet: Receives cells, texts, hidden rows, and which cells hold formulas.
        layout: Receives where rows stand.
        context: Shared strings, formats, date system, limits.

    Raises:
        IrregularError: Some byte is not plain; ``sheet`` and ``layout`` may hold a part of the rows.
    """
    try:
        _Rows(part, stop, sheet, layout, context).read(start)
    except (IndexError, ValueError) as error:  # a shared string that is none, a value that is no number
        raise IrregularError from error
    layout.formulas, layout.plain = bool(sheet.formulas), sheet.cells


class _Head(NamedTuple):
    """A row's start tag: its number, how an address ends in it, bytes before the tag, and what the tag says."""

    row: int
    mark: bytes
    lead: int
    hidden: bool
    style: int
    prefixes: frozenset[bytes]


class _Rows:
    """Takes the rows of one part."""

    __slots__ = (
        "context", "count", "declared", "filled", "formulas", "full", "layout", "lines", "part", "row", "sheet",
        "spelled", "stop",
    )  # fmt: skip

    def __init__(self, part: bytes, stop: int, sheet: Sheet, layout: Layout, context: Context) -> None:
        self.part, self.stop, self.sheet, self.layout, self.context = part, stop, sheet, layout, context
        self.row = self.filled = self.full = self.count = 0
        self.declared: set[bytes] = set()
        self.formulas: list[tuple[int, int]] = []
        self.lines: dict[int, dict[int, str]] = {}
        self.spelled = table_of(tuple(context.formats), context.date1904)

    def read(self, place: int) -> None:
        """Take all rows from a place on, every byte of which must be theirs."""
        part, stop, limits, sheet = self.part, self.stop, self.context.limits, self.sheet
        for known in (self.spelled, _heads):
            if len(known) >= KEPT:
                known.clear()
        if not self.by_shape(place, part[place:stop]):
            while (end := part.find(ROW_END, place, stop)) >= 0:
                self.by_cell(place, end)
                place = end + len(ROW_END)
            self.finish(place)
        if self.full > limits.rows or self.count > limits.cells:
            raise IrregularError
        sheet.lines, sheet.formulas = self.lines, self.formulas
        sheet.cells = RowCells(part, self.layout.places, self.context.strings, self.spelled, filled=bool(self.lines))

    def finish(self, place: int) -> None:
        """Take what stands behind the last row that has cells: nothing but rows that have none."""
        if self.empty(place, self.part[place : self.stop]) != self.stop:
            raise IrregularError

    def by_shape(self, place: int, data: bytes) -> bool:
        """Take all rows of a sheet of a template met before, by their shapes.

        All values are cut out at once, and rows are told by what is left. Every value is looked up with the marks of
        its tags, so that none can hold a tag, or the end of a row.

        Args:
            place: Where the rows begin.
            data: Their bytes.

        Returns:
            Whether they were taken; where not, the sheet is not one of a template, and nothing was.
        """
        known = self.spelled.shapes
        if not known.begin(data):
            return False
        bare, values = cut(data)
        *keys, _ = bare.split(ROW_END)
        found = [*map(known.known.get, keys)]
        shapes = [*filter(None, found)]
        if len(shapes) < len(found) or sum([len(shape.held) for shape in shapes]) != len(values):
            shapes, values = self.strange(place, data, keys, values)
        if not 0 < len(shapes) <= self.context.limits.rows:
            return False
        numbers, least = self.check(shapes)
        self.look_up(shapes, values)
        self.finish(place + data.rfind(ROW_END) + len(ROW_END))
        self.layout.places = ShapedRows(self.part, place, self.stop, numbers, least, shapes, self.layout.rows)
        return True

    def strange(
        self, place: int, data: bytes, keys: list[bytes], values: list[bytes]
    ) -> tuple[list[Shape], list[bytes]]:
        """Take the rows without a known shape cell by cell.

        Args:
            place: Where the rows begin.
            data: Their bytes.
            keys: The rows without their values.
            values: The values of all of them.

        Returns:
            The shapes, those of the rows that were taken of no cells, and the values of the other rows. No shapes where
            it cannot be told which row has which values.
        """
        if not is_cut_at_tags(data, values):
            bare, values = cut_at_tags(data)
            *keys, _ = bare.split(ROW_END)
        *rows, _ = data.split(ROW_END)
        if len(keys) != len(rows):
            return [], []
        shapes: list[Shape] = []
        others: list[bytes] = []
        at = 0
        for key, start, end in zip(keys, *bounds_of(rows, place), strict=True):
            behind = at + values_in(key)
            known = self.spelled.shapes.known.get(key)
            if known is not None:
                others += values[at:behind]
            shapes.append(known or self.learn(start, end, key))
            self.row = self.filled = shapes[-1].row
            at = behind
        return shapes, others + values[at:]

    def learn(self, place: int, end: int, key: bytes) -> Shape:
        """Take a row cell by cell, and learn its shape where it is met again and says all but its values.

        Args:
            place: Where the row begins.
            end: Where its end tag begins.
            key: The row without its values.

        Returns:
            A shape that tells where the row stands, but of no cells.
        """
        head, before, items = self.by_cell(place, end)
        shapes = self.spelled.shapes
        if shapes.wanted(key):
            shape = self.shape(head, before, items, least_of(key))
            shapes.learn(key, shape if shape is not None and len(shape.held) == values_in(key) else None)
        least = end + len(ROW_END) - place
        return Shape(head.row, head.hidden, head.style, head.prefixes, head.lead, len(before), 0, 0, (), least)

    def shape(self, head: _Head, before: bytes, items: list[bytes], least: int) -> Shape | None:
        """Return the shape of a row, None where it does not say all but its values.

        Args:
            head: What its start tag says.
            before: Its bytes before the first cell.
            items: Those of each cell from the address on.
            least: How many a row of this shape has at least.
        """
        if before not in _heads:
            return None
        held: list[Held] = []
        column = 0
        for item in items:
            letters, _, rest = item.partition(head.mark)
            usual, column = USUAL.fullmatch(rest), COLUMNS[letters]
            if usual is None:
                return None
            if usual[3] is not None:
                style = int(usual[1] or 0)
                if usual[2] and self.spelled.form(style).shapes_text:
                    return None
                held.append((column, None if usual[2] else self.spelled.numbers(style)))
        told = (head.row, head.hidden, head.style, head.prefixes, head.lead, len(before), column, len(items))
        return Shape(*told, tuple(held), least)

    def check(self, shapes: Sequence[Shape]) -> tuple[Sequence[int], Sequence[int]]:
        """Note what rows say of themselves, which must follow each other; return numbers and least sizes."""
        numbers, hidden, _, prefixes, _, _, lasts, counts, _, least = zip(*shapes, strict=True)
        if any(map(ge, (0, *numbers), numbers)) or max(lasts) > self.context.limits.columns:
            raise IrregularError
        self.row, self.count = numbers[-1], self.count + sum(counts)
        self.sheet.hidden_rows.update(compress(numbers, hidden))
        for needed in {*prefixes}:
            self.declare(needed)
        return numbers, least

    def look_up(self, shapes: Sequence[Shape], values: list[bytes]) -> None:
        """Look up the texts of rows by their shapes.

        Args:
            shapes: What the rows say.
            values: Values of their cells as they were cut.
        """
        strings, lines, left, indices = self.context.stripped, self.lines, iter(values), INDICES
        read = bool(lines)
        for shape in shapes:
            line: dict[int, str] = {}
            for (column, numbers), value in zip(shape[8], left):  # noqa: B905 (each row takes as many as it has)
                text = strings[indices[value]] if numbers is None else numbers[value]
                if text:
                    line[column] = text
            if line:
                lines[shape[0]] = line
        if next(left, None) is not None:
            raise IrregularError
        if read:
            self.lines = lines = dict(sorted(lines.items()))
        # A row that has but white space counts as empty here: too many of those are read the thorough way.
        most = self.context.limits.empty_rows
        if self.row > most and max(map(sub, (*lines, self.row), (0, *lines))) > most:
            raise IrregularError
        self.filled = next(reversed(lines), 0)

    def by_cell(self, place: int, end: int) -> tuple[_Head, bytes, list[bytes]]:
        """Take a row cell by cell.

        Args:
            place: Where it begins.
            end: Where its end tag begins.

        Returns:
            What its start tag says, its bytes before the first cell, and those of each cell from the address on.
        """
        head, *items = self.part[place:end].split(CELL)
        found = _heads.get(head) or self.head(place, head)
        row, mark, lead, hidden, row_style, prefixes = found
        strings, spelled, columns = self.context.strings, self.spelled, COLUMNS
        self.enter(row, hidden, prefixes)
        self.layout.rows[row] = _new(PlainRow, (place + lead, end, row_style, place + len(head), end))
        self.count += len(items)
        filled, last = False, 0
        line: dict[int, str] = {}
        for item in items:
            letters, _, held = item.partition(mark)
            column = columns.get(letters) or _column(letters)
            if column <= last:
                raise IrregularError
            last = column
            known = spelled[held]
            if known:
                if known.__class__ is Cell:
                    text = known[0]
                    if known[2] is not None:
                        self.formulas.append((row, column))
                else:
                    index, _, form = known
                    text = strings[index]
                    if not text:
                        continue
                    if form:
                        text = form.text(text)
                filled = True
                text = text.strip()
                if text:
                    line[column] = text
        if last > self.context.limits.columns:
            raise IrregularError
        if filled:
            self.filled, self.full = row, self.full + 1
        if line:
            self.lines[row] = line
        return found, head, items

    def enter(self, row: int, hidden: bool, prefixes: frozenset[bytes]) -> None:
        """Begin a row, which must stand below the last."""
        if row <= self.row or row - self.filled > self.context.limits.empty_rows:
            raise IrregularError
        self.row = row
        if hidden:
            self.sheet.hidden_rows.add(row)
        self.declare(prefixes)

    def declare(self, prefixes: frozenset[bytes]) -> None:
        """Make sure that prefixes are declared before the rows."""
        if prefixes and not prefixes <= self.declared:
            before = self.part.find(OPEN)
            if any(self.part.find(b"xmlns:" + prefix + b"=", 0, before) < 0 for prefix in prefixes):
                raise IrregularError
            self.declared |= prefixes

    def empty(self, place: int, head: bytes) -> int:
        """Take rows closed by their own start tag and white space; return where they end.

        Args:
            place: Where ``head`` begins.
            head: What stands before a row's first cell.
        """
        at = 0
        while (found := _ROW.match(head, at)) is not None and found[4]:
            row, (hidden, style, prefixes) = int(found[2]), _look(found[3])
            self.enter(row, hidden, prefixes)
            start, end = place + found.start(1), place + found.end(1)
            self.layout.rows[row] = PlainRow(start, end, style, end, end)
            at = found.end()
        return place + (at if head[at:].strip(_WHITE) else len(head))

    def head(self, place: int, head: bytes) -> _Head:
        """Return what the last start tag before a row's cells says, having taken the empty rows before it."""
        at = self.empty(place, head) - place
        found = _ROW.fullmatch(head, at)
        if found is None:
            raise IrregularError
        known = _Head(int(found[2]), found[2] + b'"', found.start(1), *_look(found[3]))
        if not at and len(_heads) < KEPT and len(head) <= LONGEST:
            _heads[head] = known
        return known


_heads: dict[bytes, _Head] = {}


@lru_cache(maxsize=4_096)
def _look(attributes: bytes) -> tuple[bool, int, frozenset[bytes]]:
    """Whether a row is hidden, its style, and the prefixes its attributes need."""
    found = dict(pairs := _ATTRIBUTE.findall(attributes))
    if len({*found, b"r"}) != len(pairs) + 1 or not all(_NAME.fullmatch(name) for name in found):
        raise IrregularError
    styled = found.get(b"customFormat") in _TRUE and found.get(b"s", b"").isdigit()
    prefixes = frozenset(name.partition(b":")[0] for name in found if b":" in name)
    return found.get(b"hidden") in _TRUE, int(found[b"s"]) if styled else 0, prefixes


def _column(letters: bytes) -> int:
    """Return the number of a column not met before."""
    if not _LETTERS.fullmatch(letters):
        raise IrregularError
    return column_of(letters)
