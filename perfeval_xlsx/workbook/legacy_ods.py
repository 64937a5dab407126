"""OpenDocument spreadsheets (.ods): each cell carries the text it shows, so that is what is read (ODF 1.3, 9).

One pass under the same limits as every package; nothing foreign is involved, so no process of its own is needed.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping

from perfeval_xlsx.limits import Limits
from perfeval_xlsx.workbook import refusals as why
from perfeval_xlsx.workbook.cells import Cell, Merge, Sheet
from perfeval_xlsx.workbook.dates import serial_of
from perfeval_xlsx.workbook.display import show
from perfeval_xlsx.workbook.look import Contents, Gatherer, LaidSheet
from perfeval_xlsx.workbook.ods_styles import Styles, inches
from perfeval_xlsx.workbook.package import Package
from perfeval_xlsx.workbook.refusals import over, refuse
from perfeval_xlsx.workbook.xml import new_parser, run, utf8

_NAMESPACE = re.compile(r"urn:oasis:names:tc:opendocument:xmlns:(?:xsl-)?([a-z]+)(?:-compatible)?:1\.0 (.+)")
_PREFIXES = {"datastyle": "number", "drawing": "draw"}
_ASIDE = frozenset(
    {
        "office:annotation", "table:shapes", "table:tracked-changes", "table:dde-links", "text:ruby-text", "text:note",
        "draw:frame", "draw:custom-shape", "draw:g", "draw:control", "draw:rect", "draw:line", "draw:object",
    }
)  # fmt: skip
_NUMBERS = frozenset({"float", "percentage", "currency"})
_SPAN = re.compile(r"(-?)PT(?:(\d+)H)?(?:(\d+)M)?(?:([\d.]+)S)?")
_MANY = 100


def read_ods(package: Package) -> Contents:
    """Read a spreadsheet document.

    Args:
        package: Its members.

    Raises:
        PerfevalError: Encrypted, damaged, or over a limit.
    """
    if "META-INF/manifest.xml" in package and b"encryption-data" in package.read("META-INF/manifest.xml"):
        raise refuse(why.ENCRYPTED)
    if "content.xml" not in package:
        raise refuse(why.NO_WORKBOOK)
    reader = _Reader(package.limits)
    for name in ("styles.xml", "content.xml"):
        if name in package:
            reader.read(package.read(name), name)
    if not reader.contents.sheets:
        raise refuse(why.NO_WORKBOOK)
    reader.contents.looks = reader.styles.looks
    return reader.contents


class _Reader:
    """The state of the pass."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.styles, self.contents = Styles(), Contents("ods")
        self.names: dict[str, str] = {}
        self.depth = self.aside = 0
        self.laid: LaidSheet | None = None
        self.gatherer = Gatherer(LaidSheet(Sheet("")), limits)
        self.row = self.rows = self.column = 0
        self.row_cells: list[tuple[int, int, Cell | None, int]] = []
        self.columns: list[int] = []
        self.cell: dict[str, str] | None = None
        self.paragraphs: list[str] = []
        self.chunks: list[str] | None = None
        self.starts: dict[str, Callable[[Mapping[str, str]], None]] = {
            "table:table": self.start_table, "table:table-column": self.start_column, "table:table-row": self.start_row,
            "table:table-cell": self.start_cell, "table:covered-table-cell": self.start_cell, "text:p": self.start_text,
            "text:s": self.space, "text:tab": lambda _: self.text("\t"), "text:line-break": lambda _: self.text("\n"),
            "table:null-date": self.epoch, "office:spreadsheet": self.protection,
        }  # fmt: skip
        self.ends: dict[str, Callable[[], None]] = {
            "table:table": self.end_table, "table:table-row": self.end_row, "table:table-cell": self.end_cell,
            "table:covered-table-cell": self.end_cell, "text:p": self.end_text,
        }  # fmt: skip

    def read(self, part: bytes, name: str) -> None:
        """Read one part.

        Raises:
            PerfevalError: Not well-formed, or over a limit.
        """
        parser = new_parser()
        parser.StartElementHandler, parser.EndElementHandler = self.start, self.end
        parser.CharacterDataHandler = self.characters
        try:
            run(parser, utf8(part, name), name)
        except (ValueError, OverflowError) as error:
            raise refuse(why.MALFORMED, name, detail=str(error)) from error

    def short(self, name: str) -> str:
        """Return a name with its usual prefix: ``table:table-cell``."""
        found = self.names.get(name)
        if found is None:
            match = _NAMESPACE.fullmatch(name)
            found = f"{_PREFIXES.get(match[1], match[1])}:{match[2]}" if match else name
            self.names[name] = found
        return found

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Take a start tag."""
        tag = self.short(name)
        self.depth += 1
        if self.depth > self.limits.xml_depth:
            raise over("xml_depth", self.depth, self.limits.xml_depth)
        if self.aside or tag in _ASIDE:
            self.aside += 1
            return
        found = {self.short(key): value for key, value in attributes.items()}
        take = self.starts.get(tag)
        if take is not None:
            take(found)
        elif self.laid is None:
            self.styles.start(tag, found)

    def end(self, name: str) -> None:
        """Take an end tag."""
        self.depth -= 1
        if self.aside:
            self.aside -= 1
            return
        tag = self.short(name)
        leave = self.ends.get(tag)
        if leave is not None:
            leave()
        elif self.laid is None:
            self.styles.end(tag)

    def characters(self, text: str) -> None:
        """Take character data: a paragraph's, or a literal's of a data style."""
        if self.chunks is not None and not self.aside:
            self.chunks.append(re.sub(r"[ \t\r\n]+", " ", text))
        elif self.styles.writing and not self.aside:
            self.styles.chunks.append(text)

    def protection(self, attributes: Mapping[str, str]) -> None:
        """Note whether sheets may be added."""
        self.contents.protected = attributes.get("table:structure-protected") == "true"

    def epoch(self, attributes: Mapping[str, str]) -> None:
        """Note the date system."""
        self.contents.date1904 = attributes.get("table:date-value", "").startswith("1904")

    def start_table(self, attributes: Mapping[str, str]) -> None:
        """Begin a sheet."""
        shown = self.styles.property("table", attributes.get("table:style-name", ""), "table:display")
        state = "hidden" if shown == "false" else "visible"
        sheet = Sheet(attributes.get("table:name", ""), len(self.contents.sheets), state)
        sheet.protected = attributes.get("table:protected") == "true"
        self.laid = LaidSheet(sheet)
        self.gatherer = Gatherer(self.laid, self.limits)
        self.row, self.columns = 0, []
        self.contents.sheets.append(self.laid)

    def end_table(self) -> None:
        """Close a sheet."""
        self.gatherer.check_merges()
        self.laid = None

    def start_column(self, attributes: Mapping[str, str]) -> None:
        """Keep the width and default style of columns."""
        if self.laid is None:
            return
        repeated, style = _repeated(attributes, "columns"), attributes.get("table:default-cell-style-name", "")
        name = attributes.get("table:style-name", "")
        length = inches(self.styles.property("table-column", name, "style:column-width"))
        for _ in range(min(repeated, self.limits.columns - len(self.columns))):
            self.columns.append(self.styles.cell(style))
            if length is not None:
                self.laid.widths[len(self.columns)] = round(max(0.0, (length * 96 - 5) / 7), 2)
            if attributes.get("table:visibility", "visible") != "visible":
                self.laid.sheet.hidden_columns.add(len(self.columns))

    def start_row(self, attributes: Mapping[str, str]) -> None:
        """Begin a row, or several that are the same."""
        self.rows, self.column, self.row_cells = _repeated(attributes, "rows"), 0, []
        if self.laid is None or self.rows > _MANY:
            return
        length = inches(self.styles.property("table-row", attributes.get("table:style-name", ""), "style:row-height"))
        for row in range(self.row + 1, self.row + self.rows + 1):
            if attributes.get("table:visibility", "visible") != "visible":
                self.laid.sheet.hidden_rows.add(row)
            elif length is not None:
                self.laid.heights[row] = round(length * 72, 2)

    def end_row(self) -> None:
        """Put the row's cells where they belong, as often as the row is repeated."""
        filled = any(cell is not None for _, _, cell, _ in self.row_cells)
        if filled or self.rows <= _MANY:
            for row in range(self.row + 1, self.row + self.rows + 1):
                if not self.gatherer.reaches(row):
                    break
                self.put_row(row)
        self.row += self.rows

    def put_row(self, row: int) -> None:
        """Put one row's cells."""
        for first, repeated, cell, style in self.row_cells:
            for column in range(first, min(first + repeated, self.limits.columns + 1)):
                if cell is not None or style:
                    self.gatherer.put(row, column, cell, style)

    def start_cell(self, attributes: Mapping[str, str]) -> None:
        """Begin a cell."""
        self.cell, self.paragraphs = dict(attributes), []

    def end_cell(self) -> None:
        """Close a cell, or several that are the same."""
        attributes, self.cell = self.cell or {}, None
        repeated, first = _repeated(attributes, "columns"), self.column + 1
        self.column += repeated
        if self.laid is None or first > self.limits.columns:
            return
        style = self._style(attributes, first)
        down, right = _spanned(attributes, "rows"), _spanned(attributes, "columns")
        if down > 1 or right > 1:
            self.laid.sheet.merges.append(Merge(self.row + 1, first, self.row + down, first + right - 1))
        self.row_cells.append((first, repeated, self._made(attributes, style), style))

    def _style(self, attributes: Mapping[str, str], column: int) -> int:
        name = attributes.get("table:style-name")
        if name is not None:
            return self.styles.cell(name)
        return self.columns[column - 1] if column <= len(self.columns) else 0

    def _made(self, attributes: Mapping[str, str], style: int) -> Cell | None:
        """Return the cell of an element, or None where nothing stands in it."""
        kind, text = attributes.get("office:value-type", ""), "\n".join(self.paragraphs)
        formula = attributes.get("table:formula")
        formula = None if formula is None else formula.partition(":=")[2] or formula.lstrip("=")
        value, type_ = self._value(kind, attributes)
        if value is not None:
            code = self.styles.looks[style].code
            return Cell(text.strip() or show(value, code, self.contents.date1904), value, formula, style, type_)
        text = text or attributes.get("office:string-value", "")
        if not text and formula is None:
            return None
        error = text.startswith(("#", "Err:")) and formula is not None
        return Cell(text, None, formula, style, "b" if kind == "boolean" else "e" if error else "s", bool(text or kind))

    def _value(self, kind: str, attributes: Mapping[str, str]) -> tuple[float | None, str]:
        """Return the number behind a cell and its type."""
        if kind in _NUMBERS:
            value = float(attributes.get("office:value", "nan"))
            return value if math.isfinite(value) else None, "n"
        if kind == "date":
            return serial_of(attributes.get("office:date-value", ""), self.contents.date1904), "d"
        span = _SPAN.fullmatch(attributes.get("office:time-value", "")) if kind == "time" else None
        if span is None:
            return None, "s"
        seconds = 3600 * int(span[2] or 0) + 60 * int(span[3] or 0) + float(span[4] or 0)
        return (-seconds if span[1] else seconds) / 86_400, "d"

    def start_text(self, _: Mapping[str, str]) -> None:
        """Begin a paragraph of a cell."""
        if self.cell is not None:
            self.chunks = []

    def end_text(self) -> None:
        """Close a paragraph."""
        if self.chunks is not None:
            self.paragraphs.append("".join(self.chunks))
            self.chunks = None

    def text(self, text: str) -> None:
        """Add text that stands for an element."""
        if self.chunks is not None:
            self.chunks.append(text)

    def space(self, attributes: Mapping[str, str]) -> None:
        """Add several blanks."""
        self.text(" " * min(_whole(attributes.get("text:c", "1")), 1000))


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else 1


def _repeated(attributes: Mapping[str, str], what: str) -> int:
    return max(1, _whole(attributes.get(f"table:number-{what}-repeated", "1")))


def _spanned(attributes: Mapping[str, str], what: str) -> int:
    return max(1, _whole(attributes.get(f"table:number-{what}-spanned", "1")))
