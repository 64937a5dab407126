"""One pass over a sheet part: values, formulas, formats, merges, hidden rows, and where each cell stands.

The pass is the heart of reading: about a millisecond for a form of 60 rows, so its handlers do no more than they must.
"""

from __future__ import annotations

import math
from functools import lru_cache
from xml.parsers import expat

from perfeval_xlsx.limits import Limits
from perfeval_xlsx.workbook.cells import Cell, Merge, Sheet, parse_range, row_column
from perfeval_xlsx.workbook.dates import serial_of
from perfeval_xlsx.workbook.display import compiled, show
from perfeval_xlsx.workbook.layout import LAST_ROW, Context, Layout, Row
from perfeval_xlsx.workbook.lexical import CLOSE, OPEN, read_data
from perfeval_xlsx.workbook.refusals import MALFORMED, over, refuse
from perfeval_xlsx.workbook.spellings import IrregularError
from perfeval_xlsx.workbook.strings import unescape
from perfeval_xlsx.workbook.xml import MAIN, is_true, new_parser, run

_KEPT = 65_536
"""Most bytes around the rows that are remembered."""
_GENERAL = compiled("General")
_LAST_COLUMN = 16_384


def read_sheet(part: bytes, name: str, sheet: Sheet, context: Context) -> Layout:
    """Fill ``sheet`` from its part and return where everything stands.

    Args:
        part: The part's bytes in UTF-8.
        name: Its name, for messages.
        sheet: Receives cells, merges, hidden rows and columns, protection.
        context: Shared strings, formats, date system, limits.

    Raises:
        PerfevalError: Not well-formed, with a DOCTYPE, or over a limit.
    """
    start, stop = part.find(OPEN), part.rfind(CLOSE)
    if 0 <= start < stop:
        plain = _read_plain(part, start + len(OPEN), stop, name, sheet, context)
        if plain is not None:
            return plain
    return _read_thoroughly(part, name, sheet, context)


def _read_thoroughly(part: bytes, name: str, sheet: Sheet, context: Context) -> Layout:
    parser = new_parser()
    reader = _Reader(parser, sheet, Layout(part), context, name)
    try:
        run(parser, part, name)
    except (ValueError, OverflowError) as error:
        raise reader.damaged(str(error)) from error
    return reader.layout


def _read_plain(part: bytes, start: int, stop: int, name: str, sheet: Sheet, context: Context) -> Layout | None:
    """Read a part whose rows are plainly spelled; None, and ``sheet`` as it was, where they are not.

    What stands around the rows goes through expat, which also says whether the tags found are the real ones.
    """
    layout = Layout(part)
    data = Sheet(sheet.name)
    try:
        read_data(part, start, stop, data, layout, context)
    except IrregularError:
        return None
    outside = part[:start] + part[stop:]
    around, place, end = (_around if len(outside) <= _KEPT else _around.__wrapped__)(outside, name, context.limits)
    if place != start - len(OPEN) or end != start or around.cells:
        return None
    sheet.merges, sheet.hidden_columns = list(around.merges), set(around.hidden_columns)
    sheet.protected, sheet.calculated = around.protected, layout.formulas
    sheet.cells, sheet.hidden_rows = data.cells, data.hidden_rows
    sheet.lines, sheet.formulas = data.lines, data.formulas
    layout.data, layout.data_end = place, stop
    return layout


@lru_cache(maxsize=64)
def _around(part: bytes, name: str, limits: Limits) -> tuple[Sheet, int, int]:
    """Read what stands around the rows, with the places of ``sheetData``'s tags; remembered, for forms of one template.

    The sheet is not to be changed.
    """
    sheet = Sheet(name)
    layout = _read_thoroughly(part, name, sheet, Context(limits=limits))
    return sheet, layout.data, layout.data_end


def _number(text: str) -> float | None:
    """Return the number a ``v`` holds, or None; Python's own spellings (``nan``, ``1_0``) are none."""
    try:
        value = float(text)
    except ValueError:
        return None
    return None if not math.isfinite(value) or "_" in text else value


class _Reader:
    """The state of one pass. Handlers are switched on only where they are needed."""

    def __init__(self, parser: expat.XMLParserType, sheet: Sheet, layout: Layout, context: Context, name: str) -> None:
        self.parser, self.sheet, self.layout, self.context, self.name = parser, sheet, layout, context, name
        self.limits = context.limits
        self.tags: dict[str, str] = {}
        self.depth = 0
        self.row = self.column = self.style = 0
        self.styles: dict[str | None, int] = {None: 0}
        self.stopped = self.numbered = False
        self.type = ""
        self.here: Row | None = None
        self.chunks: list[str] = []
        self.value: str | None = None
        self.formula: str | None = None
        self.has_formula = False
        self.phonetic = 0
        self.in_cell = self.in_inline = False
        self.filled = self.last_filled = 0
        self.row_filled = False
        self.count = 0
        parser.StartElementHandler = self.start
        parser.EndElementHandler = self.end

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Take a start tag: cells and values first, since nearly all tags are theirs."""
        self.depth += 1
        tag = self.tags.get(name)
        if tag is None:
            tag = self._tag(name)
        if tag == "c":
            self.start_cell(attributes)
        elif tag in _LEAVES:
            if self.in_cell:
                self.start_leaf(tag, attributes)
        elif tag == "row":
            self.start_row(attributes)
        elif tag:
            self.start_other(tag, attributes)
        if self.depth > self.limits.xml_depth:
            raise over("xml_depth", self.depth, self.limits.xml_depth)

    def end(self, name: str) -> None:
        """Take an end tag."""
        self.depth -= 1
        tag = self.tags[name]
        if tag == "c":
            self.end_cell()
        elif tag in _LEAVES:
            if self.in_cell:
                self.end_leaf(tag)
        elif tag == "row":
            self.end_row()
        elif tag == "sheetData":
            self.layout.data_end = self.parser.CurrentByteIndex

    def _tag(self, name: str) -> str:
        """Return (and remember) a tag's local name; an empty string for tags of no interest."""
        namespace, _, tag = name.rpartition(" ")
        wanted = (namespace in MAIN or not namespace) and tag in _TAGS
        wanted = wanted and not (self.stopped and tag in _ROWS)
        self.tags[name] = tag if wanted else ""
        return self.tags[name]

    def start_row(self, attributes: dict[str, str]) -> None:
        """Begin a row; without ``r`` it is the one below the last."""
        if self.here is not None:
            raise self.damaged("row")
        number = self._row_number(attributes.get("r"))
        if number - self.last_filled > self.limits.empty_rows:
            self.stop()
            return
        style = self._style(attributes.get("s")) if is_true(attributes.get("customFormat")) else 0
        self.numbered = "r" in attributes
        self.here = Row(self.parser.CurrentByteIndex, style=style)
        self.layout.ordered = self.layout.ordered and number > self.row
        self.row, self.column, self.row_filled = number, 0, False
        if is_true(attributes.get("hidden")):
            self.sheet.hidden_rows.add(number)

    def _row_number(self, text: str | None) -> int:
        number = self.row + 1 if text is None else int(text) if text.isascii() and text.isdigit() else 0
        if not 0 < number <= LAST_ROW:
            raise self.damaged(f"row {text}")
        return number

    def _style(self, text: str | None) -> int:
        """Return a style index; remembered by its spelling."""
        style = self.styles.get(text)
        if style is None:
            style = self.styles[text] = max(0, int(text or 0))
        return style

    def damaged(self, detail: str) -> Exception:
        """Return the error for a part whose XML is well-formed but means nothing."""
        return refuse(MALFORMED, self.name, detail=detail)

    def stop(self) -> None:
        """Leave the rest of the rows alone; what follows them (merges, protection) is still read."""
        self.layout.last = self.row
        self.stopped = True
        self.tags.update({name: "" for name, tag in self.tags.items() if tag in _ROWS})

    def end_row(self) -> None:
        """Close a row."""
        if self.here is None:
            return
        self.here.end = self.parser.CurrentByteIndex
        first = self.layout.rows.setdefault(self.row, self.here)
        if isinstance(first, Row) and first is not self.here:
            self.layout.ordered = first.ordered = False
        if self.row_filled:
            self.last_filled = self.row
            self.filled += 1
            if self.filled > self.limits.rows:
                raise over("rows", self.filled, self.limits.rows)
        self.here = None

    def start_cell(self, attributes: dict[str, str]) -> None:
        """Begin a cell; without ``r`` it is the one right of the last."""
        here = self.here
        if here is None or self.in_cell:
            raise self.damaged("c")
        address = attributes.get("r")
        if address is None:
            self.column += 1
        else:
            self._place(address, here)
        self.count += 1
        if self.count > self.limits.cells:
            raise over("cells", self.count, self.limits.cells)
        self.style = self._style(attributes.get("s"))
        self.type = attributes.get("t", "n")
        if self.column not in here.cells and (self.column <= self.limits.columns or self._first_beyond(here)):
            here.cells[self.column] = self.parser.CurrentByteIndex
        elif self.column in here.cells:
            here.ordered = False
        if "cm" in attributes or "vm" in attributes:
            self.layout.opaque.add((self.row, self.column))
        self.in_cell = True
        self.value = self.formula = None
        self.has_formula = False

    def _first_beyond(self, here: Row) -> bool:
        """Whether no cell beyond the column limit was noted yet (the first is, so that new cells go before it)."""
        return not here.cells or next(reversed(here.cells)) <= self.limits.columns

    def _place(self, address: str, here: Row) -> None:
        """Move to a cell's own address; one in another row than its numbered row element is damage."""
        try:
            row, column = row_column(address)
        except ValueError as error:
            raise self.damaged(f"c {address}") from error
        if row > self.row and not self.numbered and not here.cells:
            self.row = row
        if row != self.row or not 0 < row <= LAST_ROW or column > _LAST_COLUMN:
            raise self.damaged(f"c {address}")
        if column <= self.column:
            here.ordered = False
        self.column = column

    def start_leaf(self, tag: str, attributes: dict[str, str]) -> None:
        """Begin ``v``, ``f``, ``is``, ``t`` or ``rPh`` inside a cell."""
        if tag == "is":
            self.in_inline = True
            self.value = ""
        elif tag == "rPh":
            self.phonetic += 1
        elif tag == "t" and (self.phonetic or not self.in_inline):
            return
        else:
            if tag == "f":
                self.has_formula = True
                self.note_formula(attributes)
            self.chunks.clear()
            self.parser.CharacterDataHandler = self.chunks.append

    def end_leaf(self, tag: str) -> None:
        """Close a leaf and keep its text."""
        if tag == "rPh":
            self.phonetic -= 1
            return
        if tag == "is":
            self.in_inline = False
            return
        if tag == "t" and (self.phonetic or not self.in_inline):
            return
        self.parser.CharacterDataHandler = None
        text = "".join(self.chunks)
        if tag == "v":
            if not self.in_inline and self.type != "inlineStr":
                self.value = text
        elif tag == "f":
            self.formula = text
        else:
            self.value = (self.value or "") + text

    def note_formula(self, attributes: dict[str, str]) -> None:
        """Keep the range of an array formula or data table."""
        self.layout.formulas = True
        if attributes.get("t") in {"array", "dataTable"}:
            found = parse_range(attributes.get("ref", ""))
            here = Merge(self.row, self.column, self.row, self.column)
            self.layout.arrays.extend([here] if found is None else [found, here])

    def end_cell(self) -> None:
        """Close a cell and keep it if it holds something."""
        self.in_cell = False
        if self.column > self.limits.columns:
            return
        if self.value is None and not self.has_formula:
            if self.style:
                self.layout.styled[self.row, self.column] = self.style
        else:
            cell = self.cell()
            if cell is None:
                self.layout.styled[self.row, self.column] = self.style
            else:
                self.sheet.cells[self.row, self.column] = cell
                self.row_filled = True

    def cell(self) -> Cell | None:
        """Return the cell that was read, or None where nothing stands in it."""
        kind, raw, style = self.type, self.value, self.style
        if raw and kind == "n":
            return self.number(raw)
        if raw and kind == "s":
            return self.string(self.shared(raw))
        if raw and kind == "d":
            serial = serial_of(raw, self.context.date1904)
            return self.string(raw) if serial is None else self.shown(serial)
        if raw and kind == "b":
            return Cell("TRUE" if is_true(raw) else "FALSE", None, self.formula, style, "b")
        if raw and kind == "e":
            return Cell(raw, None, self.formula, style, "e")
        if raw:
            return self.string(unescape(raw))
        if not self.has_formula:
            return None
        return Cell("", None, self.formula, style, "s", kind == "str" and raw is not None)

    def shared(self, raw: str) -> str:
        """Return a shared string; an index that points nowhere is damage, not an empty cell."""
        try:
            index = int(raw)
            if index < 0:
                raise IndexError
            return self.context.strings[index]
        except (ValueError, IndexError) as error:
            raise self.damaged(f"shared string {raw[:20]}") from error

    def string(self, text: str) -> Cell | None:
        """Return a text cell, shaped by the format's text section where there is one."""
        if not text and not self.has_formula:
            return None
        style = self.style
        form = self.context.formats[style] if style < len(self.context.formats) else _GENERAL
        return Cell(form.text(text) if form.shapes_text else text, None, self.formula, style, "s")

    def number(self, raw: str) -> Cell | None:
        """Return a number cell; what does not read as a number is shown as it stands."""
        value = _number(raw)
        if value is None:
            return self.string(raw.strip())
        return self.shown(value)

    def shown(self, value: float) -> Cell:
        """Return the cell of a number under its format."""
        style, context = self.style, self.context
        form = context.formats[style] if style < len(context.formats) else _GENERAL
        text = show(value, form.code, context.date1904)
        return Cell(text, value, self.formula, style, "d" if form.date else "n")

    def start_other(self, tag: str, attributes: dict[str, str]) -> None:
        """Take what stands around the cells."""
        if tag == "mergeCell":
            found = parse_range(attributes.get("ref", ""))
            if found is not None:
                self.sheet.merges.append(found)
            if len(self.sheet.merges) > self.limits.merges:
                raise over("merges", len(self.sheet.merges), self.limits.merges)
        elif tag == "col" and is_true(attributes.get("hidden")):
            first, last = int(attributes.get("min", 1)), int(attributes.get("max", 1))
            self.sheet.hidden_columns.update(range(first, min(last, self.limits.columns) + 1))
        elif tag == "sheetProtection":
            self.sheet.protected = is_true(attributes.get("sheet"))
        elif tag == "sheetData":
            self.layout.data = self.parser.CurrentByteIndex


_LEAVES = frozenset({"v", "f", "is", "t", "rPh"})
_ROWS = _LEAVES | {"c", "row"}
_TAGS = _ROWS | {"sheetData", "mergeCell", "col", "sheetProtection"}
