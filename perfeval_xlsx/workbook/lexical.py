"""The fast way through ``sheetData``: rows and cells as nearly all writers spell them, a row at a time.

expat calls back for every tag, some 3,000 times for a form of 60 rows. Here a row is cut at its cells' tags. What
stands behind a cell's address (style, type and value) is matched with an expression when it is first met, and
remembered by its spelling: most cells of a form are spelled like others, of the same form or of one of its template.
Whole rows of a template met before are read by their shapes (``row_shapes``).
Every byte between ``<sheetData>`` and its end tag must belong to such a row or cell; what stands around the rows still
goes through expat. Anything else (prefixes, references, comments, shared or array formulas, cells out of order, a limit
in reach) leaves the part to ``sheet.read_sheet``.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, NamedTuple

from perfeval_xlsx.workbook.cells import Cell, Sheet
from perfeval_xlsx.workbook.layout import COLUMNS, Context, Layout, PlainRow, column_of
from perfeval_xlsx.workbook.row_shapes import Held, Shape, cut
from perfeval_xlsx.workbook.spellings import KEPT, LONGEST, USUAL, IrregularError, table_of

OPEN, CLOSE = b"<sheetData>", b"</sheetData>"

_ROW = re.compile(
    rb'[ \t\r\n]*+(<row r="([1-9][0-9]{0,6})"((?: [A-Za-z][A-Za-z0-9:]{0,39}="[^"<&\x00-\x1f\x80-\xff]*+")*+) ?+(/?)>)'
    rb"[ \t\r\n]*+"
)
_CELL, _FORMULA, _END = b'<c r="', b"<f>", b"</row>"
PLAIN_CELL = re.compile(
    rb'<c r="([A-Z]+)[0-9]+"(?: s="([0-9]+)")?(?: t="([a-zA-Z]+)")?(?:/>|>(?:<v>([^<]*)</v>)?(<[fi].*?)?</c>)',
    re.DOTALL,
)
_LETTERS = re.compile(rb"[A-Z]{1,3}")
_ATTRIBUTE = re.compile(rb' ([A-Za-z0-9:]+)="([^"]*)"')
_NAME = re.compile(rb"[A-Za-z][A-Za-z0-9]*(?::[A-Za-z][A-Za-z0-9]*)?")
_TRUE = {b"1", b"true"}
_WHITE = b" \t\r\n"
_PATIENCE = 16
"""So many rows without a known shape are read before a sheet is given up as one of a template."""
_new: Any = tuple.__new__


def read_data(part: bytes, start: int, stop: int, sheet: Sheet, layout: Layout, context: Context) -> None:
    """Fill ``sheet`` and ``layout`` from the bytes between ``<sheetData>`` and ``</sheetData>``.

    Args:
        part: The part's bytes in UTF-8.
        start: First byte behind ``<sheetData>``.
        stop: First byte of its end tag.
        sheet: Receives cells and hidden rows.
        layout: Receives where rows stand.
        context: Shared strings, formats, date system, limits.

    Raises:
        IrregularError: Some byte is not plain; ``sheet`` and ``layout`` may hold a part of the rows.
    """
    try:
        _Rows(part, stop, sheet, layout, context).read(start)
    except (IndexError, ValueError) as error:  # a shared string that is none, a value that is no number
        raise IrregularError from error
    layout.formulas = part.find(_FORMULA, start, stop) >= 0
    layout.plain = sheet.cells


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
        "context", "count", "declared", "filled", "full", "layout", "lines", "part", "row", "sheet", "spelled", "stop",
    )  # fmt: skip

    def __init__(self, part: bytes, stop: int, sheet: Sheet, layout: Layout, context: Context) -> None:
        self.part, self.stop, self.sheet, self.layout, self.context = part, stop, sheet, layout, context
        self.row = self.filled = self.full = self.count = 0
        self.declared: set[bytes] = set()
        self.lines: dict[int, dict[int, str]] = {}
        self.spelled = table_of(tuple(context.formats), context.date1904)

    def read(self, place: int) -> None:
        """Take all rows from a place on, every byte of which must be theirs."""
        part, stop, limits = self.part, self.stop, self.context.limits
        for known in (self.spelled, _heads):
            if len(known) >= KEPT:
                known.clear()
        end = part.find(_END, place, stop)
        if end >= 0 and self.spelled.shapes.begin(part[place:end]):
            place = self.by_shape(place)
            end = part.find(_END, place, stop)
        while end >= 0:
            self.by_cell(place, end)
            place = end + len(_END)
            end = part.find(_END, place, stop)
        if self.empty(place, part[place:stop]) != stop:
            raise IrregularError
        if self.full > limits.rows or self.count > limits.cells:
            raise IrregularError
        self.sheet.lines = self.lines

    def by_shape(self, place: int) -> int:
        """Take rows of a template met before, by their shapes; return the place behind them.

        That is the end of the rows, or where too many had no known shape.
        """
        part, stop, shapes, rows = self.part, self.stop, self.spelled.shapes, self.layout.rows
        cells, strings, known, indices = self.sheet.cells, self.context.strings, shapes.known, shapes.indices
        strange = 0
        while strange < _PATIENCE and (end := part.find(_END, place, stop)) >= 0:
            key, values = cut(part[place:end])
            shape = known.get(key)
            if shape is None or len(shape.held) != len(values):
                strange += not self.learn(place, end, key, len(values))
                place = end + len(_END)
                continue
            row, hidden, row_style, prefixes, lead, first, last, count, held = shape
            self.enter(row, hidden, prefixes)
            rows[row] = _new(PlainRow, (place + lead, end, row_style, place + first, end))
            place = end + len(_END)
            self.count += count
            before = len(cells)
            line: dict[int, str] = {}
            for (position, column, numbers, style, form), value in zip(held, values, strict=True):
                if numbers is not None:
                    cell = numbers[value]
                    text = cell[0]
                else:
                    text = strings[indices[value]]
                    if not text:
                        continue
                    if form:
                        text = form.text(text)
                    cell = _new(Cell, (text, None, None, style, "s", True))
                cells[position] = cell
                text = text.strip()
                if text:
                    line[column] = text
            self.leave(row, last, before, line)
        return place

    def learn(self, place: int, end: int, key: bytes, values: int) -> bool:
        """Take a row cell by cell, and learn its shape where it is met again and says all but its values.

        Args:
            place: Where the row begins; ``end`` where its end tag does.
            end: As said.
            key: The row without its values; ``values`` how many these are.
            values: As said.

        Returns:
            Whether the shape is known now.
        """
        found, head, items = self.by_cell(place, end)
        held: list[Held] = []
        column, plain = 0, self.spelled.shapes.meet(key) and head in _heads
        for item in items if plain else ():
            letters, _, rest = item.partition(found.mark)
            usual, column = USUAL.fullmatch(rest), COLUMNS[letters]
            if usual is None:
                return False
            if usual[3] is not None:
                style = int(usual[1] or 0)
                numbers = None if usual[2] else self.spelled.numbers(style)
                held.append(((found.row, column), column, numbers, style, self.spelled.shaping(style)))
        if not plain or len(held) != values:
            return False
        told = (found.row, found.hidden, found.style, found.prefixes, found.lead, len(head), column, len(items))
        self.spelled.shapes.known[key] = Shape(*told, held)
        return True

    def by_cell(self, place: int, end: int) -> tuple[_Head, bytes, list[bytes]]:
        """Take a row cell by cell.

        Args:
            place: Where it begins; ``end`` where its end tag does.
            end: As said.

        Returns:
            What its start tag says, its bytes before the first cell, and those of each cell from the address on.
        """
        head, *items = self.part[place:end].split(_CELL)
        found = _heads.get(head) or self.head(place, head)
        row, mark, lead, hidden, row_style, prefixes = found
        cells, strings, spelled, columns = self.sheet.cells, self.context.strings, self.spelled, COLUMNS
        self.enter(row, hidden, prefixes)
        self.layout.rows[row] = _new(PlainRow, (place + lead, end, row_style, place + len(head), end))
        self.count += len(items)
        before, last = len(cells), 0
        line: dict[int, str] = {}
        for item in items:
            letters, _, held = item.partition(mark)
            column = columns.get(letters) or _column(letters)
            if column <= last:
                raise IrregularError
            last = column
            cell = spelled[held]
            if cell:
                if cell.__class__ is Cell:
                    text = cell[0]
                else:
                    index, style, form = cell
                    text = strings[index]
                    if not text:
                        continue
                    if form:
                        text = form.text(text)
                    cell = _new(Cell, (text, None, None, style, "s", True))
                cells[row, column] = cell
                text = text.strip()
                if text:
                    line[column] = text
        self.leave(row, last, before, line)
        return found, head, items

    def leave(self, row: int, last: int, before: int, line: dict[int, str]) -> None:
        """End a row.

        Args:
            row: Its number.
            last: Column of its last cell.
            before: How many cells of the sheet held something before it.
            line: Its texts by column.
        """
        if last > self.context.limits.columns:
            raise IrregularError
        if len(self.sheet.cells) > before:
            self.filled, self.full = row, self.full + 1
            if line:
                self.lines[row] = line

    def enter(self, row: int, hidden: bool, prefixes: frozenset[bytes]) -> None:
        """Begin a row, which must stand below the last."""
        if row <= self.row or row - self.filled > self.context.limits.empty_rows:
            raise IrregularError
        self.row = row
        if hidden:
            self.sheet.hidden_rows.add(row)
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
