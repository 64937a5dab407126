"""The fast way through ``sheetData``: rows and cells as nearly all writers spell them, a row at a time.

expat calls back for every tag, some 3,000 times for a form of 60 rows. Here a row's tag and each of its cells must
match an expression, and every byte between ``<sheetData>`` and its end tag must belong to such a match; what stands
around the rows still goes through expat. Anything else (prefixes, references, comments, shared or array formulas,
cells out of order, a limit in reach) leaves the part to ``sheet.read_sheet``.
"""

from __future__ import annotations

import re
from typing import Any

from perfeval_xlsx.workbook.cells import Cell, Sheet
from perfeval_xlsx.workbook.display import Format, compiled
from perfeval_xlsx.workbook.layout import COLUMNS, Context, Layout, Row, column_of
from perfeval_xlsx.workbook.strings import unescape

OPEN, CLOSE = b"<sheetData>", b"</sheetData>"

_TEXT = rb"[^<>&\x00-\x08\x0b-\x1f\x7f]*+"
_INLINE = rb'<is><t(?: xml:space="preserve")?>' + _TEXT + rb"</t></is>"
_CELL = re.compile(
    rb'([ \t\r\n]*+<c r="([A-Z]{1,3})([1-9][0-9]{0,6})"(?: s="([0-9]{1,5})")?(?: t="(n|s|str|inlineStr)")?'
    rb"(?:/>|>(?:<v>(" + _TEXT + rb")</v>)?"
    rb"(<f>" + _TEXT + rb"</f>(?:<v>" + _TEXT + rb"</v>|" + _INLINE + rb")?|" + _INLINE + rb")?</c>))"
)
"""A cell: all of it, column, row, style, type, plain value, and anything else it holds."""
_ROW = re.compile(
    rb'[ \t\r\n]*+<row r="([1-9][0-9]{0,6})"((?: [A-Za-z][A-Za-z0-9:]{0,39}="[^"<&\x00-\x1f\x80-\xff]*+")*+) ?+(/?)>'
)
_START, _END = b'<row r="', b"</row>"
PLAIN_CELL = re.compile(
    rb'<c r="([A-Z]+)[0-9]+"(?: s="([0-9]+)")?(?: t="([a-zA-Z]+)")?(?:/>|>(?:<v>([^<]*)</v>)?(<[fi].*?)?</c>)',
    re.DOTALL,
)
PLAIN_RESULT = re.compile(rb"(?:<f>([^<]*)</f>)?(?:<v>([^<]*)</v>|<is><t[^<>]*>([^<]*)</t></is>)?")
_ATTRIBUTE = re.compile(rb' ([A-Za-z0-9:]+)="([^"]*)"')
_NAME = re.compile(rb"[A-Za-z][A-Za-z0-9]*(?::[A-Za-z][A-Za-z0-9]*)?")
_BLANK = re.compile(rb"[ \t\r\n]*+")
_FIGURE = re.compile(rb"-?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]{1,3})?")
_TRUE = {b"1", b"true"}
_COMMON = frozenset({b"s", b"", b"n"})
_WHITE = b" \t\r\n"
_GENERAL = compiled("General")
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
    limits, values = context.limits, _Values(context, sheet, layout)
    looks: dict[bytes, tuple[bool, int]] = {}
    place, row, filled, last_filled = start, 0, 0, 0
    while (found := _ROW.match(part, place, stop)) is not None:
        number, attributes, empty = found.groups()
        previous, row, place = row, int(number), found.end()
        if row <= previous or row - last_filled > limits.empty_rows:
            raise IrregularError
        first, last = (-1, -1) if empty else (place, part.find(_END, place, stop))
        if not empty:
            if last < 0:
                raise IrregularError
            place = last + len(_END)
        here = layout.rows[row] = Row(found.start(1) - len(_START), place if empty else last, spelled=(first, last))
        if attributes:
            if attributes not in looks:
                looks[attributes] = _look(attributes, part)
            hidden, here.style = looks[attributes]
            if hidden:
                sheet.hidden_rows.add(row)
        if last > first and values.take(row, number, part, first, last):
            last_filled, filled = row, filled + 1
    rest = _BLANK.match(part, place, stop)
    if rest is None or rest.end() != stop or filled > limits.rows or values.count > limits.cells:
        raise IrregularError


def _look(attributes: bytes, part: bytes) -> tuple[bool, int]:
    """Whether a row is hidden, and its style."""
    names = _names(attributes)
    if not names or (b":" in attributes and not all(_declared(name, part) for name in names)):
        raise IrregularError
    found = dict(_ATTRIBUTE.findall(attributes))
    styled = found.get(b"customFormat") in _TRUE and found.get(b"s", b"").isdigit()
    return found.get(b"hidden") in _TRUE, int(found[b"s"]) if styled else 0


def _names(attributes: bytes) -> tuple[bytes, ...]:
    """Names of a row's attributes besides its number; none where one stands twice or is no name."""
    names = tuple(name for name, _ in _ATTRIBUTE.findall(attributes))
    plain = len({*names, b"r"}) == len(names) + 1 and all(_NAME.fullmatch(name) for name in names)
    return names if plain else ()


def _declared(name: bytes, part: bytes) -> bool:
    """Whether an attribute's prefix, if any, is declared before the rows begin."""
    prefix, colon, _ = name.partition(b":")
    return not colon or part.find(b"xmlns:" + prefix + b"=", 0, part.find(OPEN)) >= 0


class _Values:
    """Makes cells; numbers are remembered by their spelling and style, so that equal ones are shown once."""

    __slots__ = ("blanks", "cells", "columns", "context", "count", "formats", "layout", "shown", "strings", "styles")

    def __init__(self, context: Context, sheet: Sheet, layout: Layout) -> None:
        self.context, self.strings, self.formats = context, context.strings, context.formats
        self.cells, self.blanks, self.layout = sheet.cells, layout.blanks, layout
        self.columns, self.count = context.limits.columns, 0
        self.shown: dict[tuple[bytes, bytes], tuple[Any, ...]] = {}
        self.styles: dict[bytes, tuple[int, Format]] = {}

    def take(self, row: int, number: bytes, part: bytes, first: int, last: int) -> bool:
        """Take the cells between a row's tags, every byte of which must be theirs; return whether any holds something.

        Args:
            row: The row's number.
            number: The same as it is spelled.
            part: The part.
            first: First byte behind the row's start tag.
            last: First byte of its end tag.
        """
        cells, blanks, shown, styles, columns = self.cells, self.blanks, self.shown, self.styles, self.columns
        strings, known = self.strings, len(self.strings)
        at, before, size = 0, len(cells), 0
        cell: Any
        found = _CELL.findall(part, first, last)
        self.count += len(found)
        for whole, letters, digits, raw_style, kind, raw, rare in found:
            size += len(whole)
            column = COLUMNS.get(letters) or column_of(letters)
            if column <= at or column > columns or digits != number:
                raise IrregularError
            at = column
            style, form = styles.get(raw_style) or self.style(raw_style)
            if not raw and not rare:
                if style:
                    blanks[row, column] = style
                continue
            if rare or kind not in _COMMON:
                cell = self.rare(kind, raw, rare, style, form)
            elif kind == b"s":
                if not raw.isdigit() or (index := int(raw)) >= known:
                    raise IrregularError
                text = strings[index]
                plain = form.text(text) if form.shapes_text else text
                cell = _new(Cell, (plain, None, None, style, "s", True)) if text else None
            else:
                cell = shown.get((raw, raw_style)) or self.number(raw, raw_style, style, form)
            if cell is not None:
                cells[row, column] = cell
            else:
                blanks[row, column] = style
        if size != last - first and part[first + size : last].strip(_WHITE):
            raise IrregularError
        return len(cells) > before

    def style(self, raw: bytes) -> tuple[int, Format]:
        """Return a style's index and format, General for one the file does not define."""
        style = int(raw or 0)
        known = self.styles[raw] = (style, self.formats[style] if style < len(self.formats) else _GENERAL)
        return known

    def number(self, raw: bytes, raw_style: bytes, style: int, form: Format) -> Any:
        """Return a number's cell."""
        if not _FIGURE.fullmatch(raw):
            raise IrregularError
        value = float(raw)
        if value - value != 0:
            raise IrregularError
        text = form.number(value, self.context.date1904)
        cell = _new(Cell, (text, value, None, style, "d" if form.date else "n", True))
        self.shown[raw, raw_style] = cell
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
        self.layout.formulas = self.layout.formulas or formula is not None
        if kind == b"inlineStr":
            if inline is None or formula is not None:
                raise IrregularError
        elif inline is not None:
            raise IrregularError
        elif formula is not None and not value:
            return Cell("", None, source, style, "s", kind == b"str" and value is not None)
        elif kind == b"str":
            pass
        elif kind in {b"", b"n"} and value:
            cell: Cell = self.number(value, b"%d" % style, style, form)
            return cell._replace(formula=source)
        else:
            raise IrregularError
        if not text and formula is None:
            return None
        return Cell(form.text(text) if form.shapes_text else text, None, source, style, "s", True)
