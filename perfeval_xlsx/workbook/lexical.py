"""The fast way through ``sheetData``: rows and cells as nearly all writers spell them, a row at a time.

expat calls back for every tag, some 3,000 times for a form of 60 rows. Here a row is cut at its cells' tags. What
stands behind a cell's address (style, type and value) is matched with an expression when it is first met, and
remembered by its spelling: most cells of a form are spelled like others, of the same form or of one of its template.
Every byte between ``<sheetData>`` and its end tag must belong to such a row or cell; what stands around the rows still
goes through expat. Anything else (prefixes, references, comments, shared or array formulas, cells out of order, a limit
in reach) leaves the part to ``sheet.read_sheet``.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, NamedTuple

from perfeval_xlsx.workbook.cells import Cell, Sheet
from perfeval_xlsx.workbook.display import Format, compiled
from perfeval_xlsx.workbook.layout import COLUMNS, Context, Layout, PlainRow, column_of
from perfeval_xlsx.workbook.strings import unescape

OPEN, CLOSE = b"<sheetData>", b"</sheetData>"

_TEXT = rb"[^<>&\x00-\x08\x0b-\x1f\x7f]*+"
_INLINE = rb'<is><t(?: xml:space="preserve")?>' + _TEXT + rb"</t></is>"
_HELD = re.compile(
    rb'(?: s="([0-9]{1,5})")?(?: t="(n|s|str|inlineStr)")?(?:/>|>(?:<v>(' + _TEXT + rb")</v>)?"
    rb"(<f>" + _TEXT + rb"</f>(?:<v>" + _TEXT + rb"</v>|" + _INLINE + rb")?|" + _INLINE + rb")?</c>)[ \t\r\n]*+"
)
"""A cell behind its address: style, type, plain value, and anything else it holds; white space may follow."""
_USUAL = re.compile(rb'(?: s="([0-9]{1,5})")?( t="s")?(?:/>|><v>(-?[0-9]+(?:\.[0-9]+)?)</v></c>)')
"""The same of a blank cell, a number or a shared string: style, whether it is a shared string, value."""
_ROW = re.compile(
    rb'[ \t\r\n]*+(<row r="([1-9][0-9]{0,6})"((?: [A-Za-z][A-Za-z0-9:]{0,39}="[^"<&\x00-\x1f\x80-\xff]*+")*+) ?+(/?)>)'
    rb"[ \t\r\n]*+"
)
_CELL, _FORMULA, _END = b'<c r="', b"<f>", b"</row>"
PLAIN_CELL = re.compile(
    rb'<c r="([A-Z]+)[0-9]+"(?: s="([0-9]+)")?(?: t="([a-zA-Z]+)")?(?:/>|>(?:<v>([^<]*)</v>)?(<[fi].*?)?</c>)',
    re.DOTALL,
)
PLAIN_RESULT = re.compile(rb"(?:<f>([^<]*)</f>)?(?:<v>([^<]*)</v>|<is><t[^<>]*>([^<]*)</t></is>)?")
_LETTERS = re.compile(rb"[A-Z]{1,3}")
_ATTRIBUTE = re.compile(rb' ([A-Za-z0-9:]+)="([^"]*)"')
_NAME = re.compile(rb"[A-Za-z][A-Za-z0-9]*(?::[A-Za-z][A-Za-z0-9]*)?")
_FIGURE = re.compile(rb"-?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]{1,3})?")
_TRUE = {b"1", b"true"}
_COMMON = frozenset({b"s", b"", b"n"})
_WHITE = b" \t\r\n"
_GENERAL = compiled("General")
_KEPT, _LONGEST = 16_384, 160
"""How many spellings are remembered, for each table of formats, and how long the longest is, in bytes."""
_new: Any = tuple.__new__


class IrregularError(Exception):
    """The part is spelled in another way: read it the thorough way."""


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
    except IndexError as error:  # a shared string that is none
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

    __slots__ = ("context", "declared", "filled", "layout", "part", "row", "sheet", "stop")

    def __init__(self, part: bytes, stop: int, sheet: Sheet, layout: Layout, context: Context) -> None:
        self.part, self.stop, self.sheet, self.layout, self.context = part, stop, sheet, layout, context
        self.row = self.filled = 0
        self.declared: set[bytes] = set()

    def read(self, place: int) -> None:
        """Take all rows from a place on, every byte of which must be theirs."""
        part, cells, rows, strings = self.part, self.sheet.cells, self.layout.rows, self.context.strings
        lines: dict[int, dict[int, str]] = {}
        spelled, heads, columns = _table(tuple(self.context.formats), self.context.date1904), _heads, COLUMNS
        for known in (spelled, heads):
            if len(known) >= _KEPT:
                known.clear()
        count, full, most = 0, 0, self.context.limits.columns
        while (end := part.find(_END, place, self.stop)) >= 0:
            head, *items = part[place:end].split(_CELL)
            found = heads.get(head)
            row, mark, lead, hidden, style, prefixes = self.head(place, head) if found is None else found
            self.enter(row, hidden, prefixes)
            rows[row] = _new(PlainRow, (place + lead, end, style, place + len(head), end))
            place = end + len(_END)
            count += len(items)
            last, line = 0, {}
            before = len(cells)
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
            if last > most:
                raise IrregularError
            if len(cells) > before:
                self.filled, full = row, full + 1
                if line:
                    lines[row] = line
        if self.empty(place, part[place : self.stop]) != self.stop:
            raise IrregularError
        if full > self.context.limits.rows or count > self.context.limits.cells:
            raise IrregularError
        self.sheet.lines = lines

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
        if not at and len(_heads) < _KEPT and len(head) <= _LONGEST:
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


@lru_cache(maxsize=8)
def _table(formats: tuple[Format, ...], date1904: bool) -> _Spelled:
    """What is known of cells under a table of formats."""
    return _Spelled(formats, date1904)


class _Spelled(dict[bytes, Any]):
    """What a cell holds, by all that is spelled behind its address: 0 for nothing.

    A cell, or a shared string's index with the cell's style, and its format if that shapes text.
    """

    __slots__ = ("date1904", "formats")

    def __init__(self, formats: tuple[Format, ...], date1904: bool) -> None:
        self.formats, self.date1904 = formats, date1904

    def __missing__(self, held: bytes) -> Any:
        found = _USUAL.fullmatch(held)
        if found is None:
            made = self.read(held)
        else:
            raw_style, shared, raw = found.groups()
            style = int(raw_style or 0)
            form = self.formats[style] if style < len(self.formats) else _GENERAL
            made = 0 if raw is None else self.shared(raw, style, form) if shared else self.number(raw, style, form)
        if len(held) <= _LONGEST and len(self) < _KEPT:
            self[held] = made
        return made

    def read(self, held: bytes) -> Any:
        """Return what a cell holds, by the expression that matches all plain spellings."""
        found = _HELD.fullmatch(held)
        if found is None:
            raise IrregularError
        raw_style, kind, raw, rest = found.groups(b"")
        style = int(raw_style or 0)
        form = self.formats[style] if style < len(self.formats) else _GENERAL
        if not raw and not rest:
            return 0
        if rest or kind not in _COMMON:
            return self.rare(kind, raw, rest, style, form) or 0
        if kind == b"s":
            return self.shared(raw, style, form)
        if not _FIGURE.fullmatch(raw):
            raise IrregularError
        return self.number(raw, style, form)

    def shared(self, raw: bytes, style: int, form: Format) -> tuple[int, int, Format | None]:
        """Return what is known of a shared string's cell without its strings."""
        if not raw.isdigit():
            raise IrregularError
        return int(raw), style, form if form.shapes_text else None

    def number(self, raw: bytes, style: int, form: Format) -> Cell:
        """Return a number's cell."""
        value = float(raw)
        if value - value != 0:
            raise IrregularError
        cell: Cell = _new(
            Cell, (form.number(value, self.date1904), value, None, style, "d" if form.date else "n", True)
        )
        return cell

    def rare(self, kind: bytes, raw: bytes, rest: bytes, style: int, form: Format) -> Cell | None:
        """Return the cell of a formula, of an inline string or of a text result."""
        found = PLAIN_RESULT.fullmatch(rest)
        if found is None or (raw and rest):
            raise IrregularError
        formula, inner, inline = found.groups()
        value = raw or inner
        try:
            source = None if formula is None else formula.decode()
            text = unescape((inline if inline is not None else value or b"").decode())
        except UnicodeDecodeError as error:
            raise IrregularError from error
        if kind == b"inlineStr":
            if inline is None or formula is not None:
                raise IrregularError
        elif inline is not None:
            raise IrregularError
        elif formula is not None and not value:
            return Cell("", None, source, style, "s", kind == b"str" and value is not None)
        elif kind == b"str":
            pass
        elif kind in {b"", b"n"} and value and _FIGURE.fullmatch(value):
            return self.number(value, style, form)._replace(formula=source)
        else:
            raise IrregularError
        if not text and formula is None:
            return None
        return Cell(form.text(text) if form.shapes_text else text, None, source, style, "s", True)
