"""Binary workbooks (.xlsb): the records a form needs ([MS-XLSB] 2.4), under the limits of every package.

What is spelled in a way this reader does not know is left to calamine, which hands over the values only.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from perfeval_xlsx.workbook import refusals as why
from perfeval_xlsx.workbook.cells import Cell, Merge, Sheet
from perfeval_xlsx.workbook.look import Contents, Gatherer, LaidSheet, Look, number_cell, shown_width, text_cell, turned
from perfeval_xlsx.workbook.package import Package
from perfeval_xlsx.workbook.refusals import over, refuse
from perfeval_xlsx.workbook.relations import Relation, read_relations, relations_of
from perfeval_xlsx.workbook.strings import unescape
from perfeval_xlsx.workbook.styles import BUILTIN

_ROW, _BLANK, _RK, _ERROR, _BOOLEAN, _REAL, _TEXT, _SHARED = range(8)
_FORMULA_TEXT, _FORMULA_REAL, _FORMULA_BOOLEAN, _FORMULA_ERROR = range(8, 12)
_STRING, _FONT, _FORMAT, _FILL, _BORDER, _STYLE, _COLUMN = 19, 43, 44, 45, 46, 47, 60
_TAB, _PROPERTIES, _MERGE, _BOOK_LOCK, _SHEET_LOCK, _STYLES, _STYLES_END = 156, 153, 176, 534, 535, 617, 618
_STATES = ("visible", "hidden", "veryHidden")
_ERRORS = {
    0: "#NULL!",
    7: "#DIV/0!",
    15: "#VALUE!",
    23: "#REF!",
    29: "#NAME?",
    36: "#NUM!",
    42: "#N/A",
    43: "#GETTING_DATA",
}
_HORIZONTAL = ("", "left", "center", "right", "fill", "justify", "center_across", "distributed")
_VERTICAL = ("top", "vcenter", "", "vjustify", "vdistributed")
_KINDS = {
    _FORMULA_TEXT: _TEXT, _FORMULA_REAL: _REAL, _FORMULA_BOOLEAN: _BOOLEAN, _FORMULA_ERROR: _ERROR,
}  # fmt: skip


def read_xlsb(package: Package) -> Contents:
    """Read a binary workbook.

    Args:
        package: Its members.

    Raises:
        PerfevalError: A part is missing or over a limit.
        struct.error: A record is shorter than it must be, or the part ends inside one.
        IndexError: The part ends inside a record's head.
    """
    part = next((r.target for r in _relations(package, "").values() if r.kind == "officeDocument"), "xl/workbook.bin")
    if part not in package:
        raise refuse(why.NO_WORKBOOK)
    related = _relations(package, part)
    reader = _Book(package, {r.kind: r.target for r in related.values()})
    for kind, data in records(package.read(part)):
        if kind == _TAB:
            state, _ = struct.unpack_from("<2I", data)
            relation, after = _wide(data, 8)
            reader.add(_wide(data, after)[0], _STATES[min(state & 3, 2)], related.get(relation))
        elif kind == _PROPERTIES:
            reader.contents.date1904 = bool(struct.unpack_from("<I", data)[0] & 1)
        elif kind == _BOOK_LOCK:
            reader.contents.protected = bool(struct.unpack_from("<H", data, 4)[0] & 1)
    if not reader.contents.sheets:
        raise refuse(why.NO_WORKBOOK)
    return reader.contents


def records(part: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield type and data of every record of a part.

    Raises:
        struct.error: The part ends inside a record.
        IndexError: The part ends inside a record's head.
    """
    position, stop = 0, len(part)
    while position < stop:
        kind, size, shift = part[position], 0, 0
        position += 1
        if kind & 0x80:
            kind = kind & 0x7F | (part[position] & 0x7F) << 7
            position += 1
        while True:
            byte = part[position]
            size |= (byte & 0x7F) << shift
            position, shift = position + 1, shift + 7
            if not byte & 0x80 or shift == 28:
                break
        if position + size > stop:
            raise struct.error(f"record {kind} of {size} bytes at {position}")
        yield kind, part[position : position + size]
        position += size


def _wide(data: bytes, position: int) -> tuple[str, int]:
    """Return a string with its length before it, and the position after it."""
    (count,) = struct.unpack_from("<I", data, position)
    if count == 0xFFFFFFFF:
        return "", position + 4
    stop = position + 4 + 2 * count
    if stop > len(data):
        raise struct.error("string beyond its record")
    return data[position + 4 : stop].decode("utf-16-le", "replace"), stop


def _relations(package: Package, source: str) -> dict[str, Relation]:
    name = relations_of(source) if source else "_rels/.rels"
    return read_relations(package.read(name), name, source, package.limits.xml_depth) if name in package else {}


def _rk(data: bytes, position: int) -> float:
    """Return an RK number: 30 bits of a whole number or of a double, as it is or in hundredths."""
    (raw,) = struct.unpack_from("<i", data, position)
    if raw & 2:
        value = float(raw >> 2)
    else:
        (value,) = struct.unpack("<d", struct.pack("<Q", (raw & 0xFFFFFFFC) << 32))
    return value / 100 if raw & 1 else value


class _Book:
    """A workbook in the making: shared strings and looks are read before the first sheet."""

    def __init__(self, package: Package, related: dict[str, str]) -> None:
        self.package, self.limits = package, package.limits
        self.contents = Contents("xlsb")
        self.strings = list(self._strings(related.get("sharedStrings", "")))
        self.contents.looks = list(self._looks(related.get("styles", "")))

    def _strings(self, part: str) -> Iterator[str]:
        count = 0
        for kind, data in records(self.package.read(part)) if part in self.package else ():
            if kind == _STRING:
                count += 1
                if count > self.limits.strings:
                    raise over("strings", count, self.limits.strings)
                yield unescape(_wide(data, 1)[0])

    def _looks(self, part: str) -> Iterator[Look]:
        """Yield the look of each cell style."""
        codes: dict[int, str] = {}
        fonts: list[tuple[bool, float, str]] = []
        fills: list[str] = []
        borders: list[tuple[int, int, int, int]] = []
        inside = False
        for kind, data in records(self.package.read(part)) if part in self.package else ():
            if kind == _FORMAT:
                codes[struct.unpack_from("<H", data)[0]] = _wide(data, 2)[0]
            elif kind == _FONT:
                height, _, weight = struct.unpack_from("<3H", data)
                fonts.append((weight >= 600, height / 20, _wide(data, 21)[0]))
            elif kind == _FILL:
                fills.append(_fill(data))
            elif kind == _BORDER:
                top, bottom, left, right = (data[1 + 10 * side] for side in range(4))
                borders.append((left, right, top, bottom))
            elif kind in {_STYLES, _STYLES_END}:
                inside = kind == _STYLES
            elif kind == _STYLE and inside:
                yield _look(data, codes, fonts, fills, borders)

    def add(self, name: str, state: str, relation: Relation | None) -> None:
        """Read a sheet; one that is no worksheet has no cells."""
        laid = LaidSheet(Sheet(name, len(self.contents.sheets), state))
        self.contents.sheets.append(laid)
        if relation is None or relation.kind != "worksheet":
            return
        if relation.target not in self.package:
            raise refuse(why.SHEET, name)
        _Reader(self, laid).read(self.package.read(relation.target))


def _fill(data: bytes) -> str:
    """Return the colour of a solid background, where it is written down as one."""
    pattern, known = struct.unpack_from("<IB", data)
    return f"#{data[8:11].hex().upper()}" if pattern == 1 and known & 1 else ""


def _look(
    data: bytes,
    codes: dict[int, str],
    fonts: list[tuple[bool, float, str]],
    fills: list[str],
    borders: list[tuple[int, int, int, int]],
) -> Look:
    _, number, font, fill, border, rotation, flags = struct.unpack_from("<6HH", data)
    bold, size, name = fonts[font] if font < len(fonts) else (False, 0.0, "")
    left, right, top, bottom = borders[border] if border < len(borders) else (0, 0, 0, 0)
    horizontal, vertical = flags & 7, flags >> 3 & 7
    return Look(
        codes.get(number, BUILTIN.get(number, "General")), left, right, top, bottom, bool(flags & 64),
        _HORIZONTAL[horizontal], _VERTICAL[vertical] if vertical < len(_VERTICAL) else "", bold, size, name,
        fills[fill] if fill < len(fills) else "", turned(rotation & 0xFF),
    )  # fmt: skip


class _Reader:
    """One pass over a sheet's records."""

    def __init__(self, book: _Book, laid: LaidSheet) -> None:
        self.strings, self.looks, self.date1904 = book.strings, book.contents.looks, book.contents.date1904
        self.laid, self.limits = laid, book.limits
        self.gatherer = Gatherer(laid, book.limits)
        self.row = 0

    def read(self, part: bytes) -> None:
        """Fill the sheet from its part."""
        sheet, stopped = self.laid.sheet, False
        for kind, data in records(part):
            if kind == _ROW:
                stopped = self._start_row(data)
            elif kind <= _FORMULA_ERROR:
                if not stopped:
                    self._put(kind, data)
            elif kind == _MERGE:
                top, bottom, left, right = struct.unpack_from("<4I", data)
                sheet.merges.append(Merge(top + 1, left + 1, bottom + 1, right + 1))
            elif kind == _COLUMN:
                self._columns(data)
            elif kind == _SHEET_LOCK:
                sheet.protected = bool(struct.unpack_from("<I", data, 2)[0])
        self.gatherer.check_merges()

    def _start_row(self, data: bytes) -> bool:
        """Begin a row; return whether it and what follows are left alone."""
        number, _, height, flags = struct.unpack_from("<IIHxB", data)
        self.row = number + 1
        if not self.gatherer.reaches(self.row):
            return True
        if flags & 0x10:
            self.laid.sheet.hidden_rows.add(self.row)
        elif flags & 0x20:
            self.laid.heights[self.row] = height / 20
        return False

    def _columns(self, data: bytes) -> None:
        first, last, width, _, flags = struct.unpack_from("<4IH", data)
        for column in range(first + 1, min(last + 1, self.limits.columns) + 1):
            self.laid.widths[column] = shown_width(width)
            if flags & 1:
                self.laid.sheet.hidden_columns.add(column)

    def _put(self, kind: int, data: bytes) -> None:
        column, style = struct.unpack_from("<2I", data)
        style &= 0xFFFFFF
        cell = self._cell(_KINDS.get(kind, kind), data, style)
        if kind in _KINDS:
            cell = (cell or Cell("", style=style))._replace(formula="")
        if cell is not None or style:
            self.gatherer.put(self.row, column + 1, cell, style)

    def _cell(self, kind: int, data: bytes, style: int) -> Cell | None:
        """Return the cell of a record, or None for a blank one."""
        code = self.looks[style].code if style < len(self.looks) else "General"
        if kind == _RK:
            return number_cell(_rk(data, 8), code, style, self.date1904)
        if kind == _REAL:
            return number_cell(struct.unpack_from("<d", data, 8)[0], code, style, self.date1904)
        if kind == _TEXT:
            return text_cell(unescape(_wide(data, 8)[0]), code, style)
        if kind == _SHARED:
            return text_cell(self.strings[struct.unpack_from("<I", data, 8)[0]], code, style)
        if kind == _BOOLEAN:
            return Cell("TRUE" if data[8] else "FALSE", style=style, type="b")
        if kind == _ERROR:
            return Cell(_ERRORS.get(data[8], "#N/A"), style=style, type="e")
        return None
