"""Sheets of the workbooks we write: columns from ``data/outputs.toml``, rows as XML, head, filter and print set-up.

A text of a form is written as a string cell whatever it looks like: never a formula, a link or a number. Rows and cells
carry no addresses (the format lets them follow from the order), so rows can be made before it is known where they go.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import repeat
from operator import add
from typing import Any, NamedTuple, Protocol

from perfeval_xlsx.data import load
from perfeval_xlsx.findings import Lang
from perfeval_xlsx.output.cell_texts import as_bytes
from perfeval_xlsx.output.parts import Pieces, Spool, pack, rows_in
from perfeval_xlsx.output.style import add_formats, print_setup, style_numbers

ROW_LIMIT = 1_048_576
HEAD_ROWS = 2
_BLOCK = 64
"""Rows that stay together where a sheet is full."""
_ROW_END = b"</row>"
_LONGEST_NUMBER = 15
_MOST_CELLS = 1 << 12
_MOST_LINES = 31
_HEIGHTS = [b"%d" % (3 + 13 * lines) for lines in range(_MOST_LINES + 1)]
"""Height of a row by its lines; Excel takes 409 at most."""
_DIMENSION = re.compile(rb"<dimension [^>]*/>")
_PLAIN = re.compile(r"-?\d{1,9}(?:\.\d{1,6})?", re.ASCII)
"""Figures that a cell holds as they are written."""
_NUMBER = re.compile(r"(-?\d{1,3}(?:,\d{3})+(?:\.\d+)?|-?\d+(?:\.\d+)?)(%?)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Column:
    """A column.

    Attributes:
        key: Key of its values.
        header: Header in the run's language.
        width: Width in characters (a Chinese one is two).
        style: Style of its cells.
        text: Whether it holds texts, written as they stand.
        wraps: Whether its texts decide on the height of a row.
        printed: Whether it is printed; the others stand to its right.
        repeats: Whether few of its texts are different.
    """

    key: str
    header: str
    width: float
    style: str
    text: bool
    wraps: bool = False
    printed: bool = True
    repeats: bool = False


@cache
def columns(sheet: str, lang: Lang) -> tuple[Column, ...]:
    """The columns of table ``sheet`` of ``data/outputs.toml``."""
    data = load("outputs.toml")
    return tuple(
        Column(
            c["key"], c[lang], c["width"], c["style"], data["style"][c["style"]].get("text", False),
            c.get("wraps", False), c.get("print", True), c.get("repeats", False),
        )
        for c in data[sheet]["column"]
    )  # fmt: skip


class Wrap(NamedTuple):
    """A column whose texts decide on the height of a row.

    Attributes:
        key: Its key; ``room`` how much fits into a line of it.
        lines: Lines by the width of a text (``width_of``), up to the width ``most``.
    """

    key: str
    room: int
    lines: Sequence[int]
    most: int


Wraps = Sequence[Wrap]


def wraps(layout: Iterable[Column]) -> Wraps:
    """Those of some columns whose texts decide on the height of a row, the widest first.

    The widest has the longest texts: after it the others seldom need more lines.
    """
    wide = sorted((column for column in layout if column.wraps), key=_narrowness)
    return [Wrap(column.key, room := int(2 * (column.width - 1)), _lines(room), _MOST_LINES * room) for column in wide]


def row_lines(
    layout: Wraps,
    texts: Mapping[str, Sequence[str]],
    written: Mapping[str, Sequence[bytes]] | None = None,
    least: int = 1,
) -> list[int]:
    """Lines of every row, so that wrapped texts are seen whole.

    Args:
        layout: The columns.
        texts: Their texts by key; none of a column that has none.
        written: The same in UTF-8, where that is known.
        least: Lines that every row has.

    Returns:
        The lines; empty where no column has texts.
    """
    lines: list[int] = []
    for key, room, by_width, most in layout:
        # a character is at most two wide; the first column, the widest, nearly always needs more than one line
        if key not in texts or (lines and 4 * max(map(len, texts[key])) <= room * least):
            continue
        raw = written[key] if written is not None else [text.encode("utf-8", "replace") for text in texts[key]]
        # three bytes and one character make two widths, one byte and one character one
        widths = list(map(add, map(len, raw), map(len, texts[key])))
        if max(widths) > most:
            widths = [min(width, most) for width in widths]
        needed = map(by_width.__getitem__, widths)
        lines = list(map(max, lines or repeat(least), needed) if lines or least > 1 else needed)
        least = min(lines)
    return lines


def height(lines: int) -> bytes:
    """Height of a row of so many lines, in points.

    No ``customHeight`` goes with it: a program that fits rows to their texts may still do so.
    """
    return _HEIGHTS[lines]


def width_of(text: str) -> int:
    """Width of a text: a character of three bytes counts four, one of one byte two."""
    return len(text.encode("utf-8", "replace")) + len(text)


def _narrowness(column: Column) -> float:
    return -column.width


@cache
def _lines(room: int) -> list[int]:
    """Lines of a text by its width, where ``room`` fits into one."""
    return [max(1, -(-width // room)) for width in range(_MOST_LINES * room + 1)]


class _Cells(dict[str | None, bytes]):
    """Cells of one style by text; the few thousand figures that occur are made once."""

    def __init__(self, style: str) -> None:
        self._style = style

    def __missing__(self, text: str | None) -> bytes:
        if len(self) >= _MOST_CELLS:
            self.clear()
        self[text] = made = cell_xml(text, self._style)
        return made


@cache
def cells_of(style: str) -> Mapping[str | None, bytes]:
    """Cells of one style by text."""
    return _Cells(style)


def cell_xml(text: str | None, style: str, lang: Lang = "zh") -> bytes:
    """One cell: a number where the style is for figures and the text is one, else a string; blank for None.

    ``1,234.5`` is a figure, ``86.18%`` is 0.8618; what has more than 15 digits stays text.
    """
    number, holds_text = _facts_of(style)
    if not text:
        return b'<c s="%d"/>' % number
    if not holds_text and _PLAIN.fullmatch(text):
        return b'<c s="%d"><v>%b</v></c>' % (number, text.encode())
    figure = None if holds_text else _NUMBER.fullmatch(text)
    if figure and (len(text) <= _LONGEST_NUMBER or sum(map(str.isdigit, text)) <= _LONGEST_NUMBER):
        value = text
        if not text.isdigit():
            value = figure[1].replace(",", "")
            value = f"{float(value) / 100:.12g}" if figure[2] else value
        return f'<c s="{number}"><v>{value}</v></c>'.encode()
    (cleaned,) = as_bytes((text,), lang)
    return b'<c s="%d" t="str"><v>%b</v></c>' % (number, cleaned) if cleaned else b'<c s="%d"/>' % number


@cache
def _facts_of(style: str) -> tuple[int, bool]:
    """Number of a style, and whether its cells hold texts."""
    return style_numbers()[style], bool(load("outputs.toml")["style"][style].get("text"))


class Stream:
    """The rows of one table, over as many sheets as Excel's row limit asks for.

    Attributes:
        sheet: Table of ``data/outputs.toml``.
        parts: One spool a sheet, at least one.
    """

    def __init__(self, sheet: str, lang: Lang, row_limit: int = ROW_LIMIT) -> None:
        self.sheet, self.lang = sheet, lang
        self.parts = [Spool()]
        self._room = row_limit - HEAD_ROWS

    def write(self, rows: bytes, count: int) -> tuple[int, int]:
        """Append some rows of XML; return where the first of them went (``add``)."""
        if count <= self._room - self.parts[-1].rows:
            return self.add(pack(rows, count))
        each = [row + _ROW_END for row in rows.split(_ROW_END)[:-1]]
        size = min(_BLOCK, self._room)
        places = [
            self.add(pack(b"".join(each[at : at + size]), len(each[at : at + size]))) for at in range(0, count, size)
        ]
        return places[0]

    def add(self, block: bytes) -> tuple[int, int]:
        """Append a block of rows; it is never divided between two sheets.

        Returns:
            Position in ``parts`` and number of the first row, 1-based, where the block went.

        Raises:
            ValueError: The block alone has more rows than a sheet takes.
        """
        rows = rows_in(block)
        if rows > self._room:
            raise ValueError(f"{rows} rows in one block, a sheet takes {self._room}")
        if self.parts[-1].rows + rows > self._room:
            self.parts.append(Spool())
        part = self.parts[-1]
        first = HEAD_ROWS + part.rows + 1
        part.add(block)
        return len(self.parts) - 1, first

    def close(self) -> None:
        """Remove the temporary files."""
        for part in self.parts:
            part.close()


def unfinished(left: int, lang: Lang) -> str:
    """What a title says behind its words where so many files are still to be read; nothing where none are."""
    return str(load("outputs.toml")["words"]["left"][lang]).format(files=left) if left else ""


class Layout:
    """The workbook that XlsxWriter lays out, without the streamed rows.

    Attributes:
        book: The ``xlsxwriter.Workbook``, in memory.
        formats: Its formats by style.
        left: How many files are still to be read.
    """

    def __init__(self, lang: Lang, left: int = 0) -> None:
        import datetime
        from io import BytesIO

        import xlsxwriter

        options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
        self.lang, self.left = lang, left
        self._file = BytesIO()
        self.book = xlsxwriter.Workbook(self._file, options)
        # the same results give the same bytes, whenever they are written
        self.book.set_properties({"created": datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC)})
        self.formats = add_formats(self.book, lang)

    def add_sheet(self, name: str) -> Any:
        """Add an empty sheet."""
        sheet = self.book.add_worksheet(name)
        sheet.hide_gridlines(2)
        return sheet

    def title(self, table: Mapping[str, Any]) -> str:
        """The title of a sheet; it says where files are still to be read."""
        return str(table["title"][self.lang]) + unfinished(self.left, self.lang)

    def _member(self) -> str:
        return f"xl/worksheets/sheet{len(self.book.worksheets())}.xml"

    def add_table(self, stream: Stream, part: int, hidden: frozenset[str] = frozenset(), frozen: int = 0) -> str:
        """Add the sheet of a stream's part: title, header, widths, filter, print set-up; its rows come later.

        Args:
            stream: The rows.
            part: Position of the part.
            hidden: Keys of columns to hide.
            frozen: Columns that stay when scrolling.

        Returns:
            The member that the sheet is kept in.
        """
        data, layout = load("outputs.toml"), columns(stream.sheet, self.lang)
        table = data[stream.sheet]
        name = str(table["name"][self.lang])
        if part:
            name = data["words"]["more"][self.lang].format(name=name, number=part + 1)
        sheet = self.add_sheet(name)
        sheet.write_string(0, 0, self.title(table), self.formats["title"])
        sheet.set_row(0, 30)
        sheet.set_row(1, 34)
        for position, column in enumerate(layout):
            sheet.set_column(position, position, column.width, None, {"hidden": column.key in hidden})
            sheet.write_string(1, position, column.header, self.formats["header"])
        sheet.freeze_panes(HEAD_ROWS, frozen)
        last = HEAD_ROWS + max(stream.parts[part].rows, 1) - 1
        sheet.autofilter(1, 0, last, len(layout) - 1)
        sheet.print_area(0, 0, last, sum(column.printed for column in layout) - 1)
        print_setup(sheet, self.lang, name, HEAD_ROWS)
        return self._member()

    def close(self) -> bytes:
        """Finish the workbook; return its bytes."""
        self.book.close()
        return self._file.getvalue()


class HasLinks(Protocol):
    """The links of a sheet (``Links``, ``Hyperlinks``)."""

    def places(self) -> Pieces:
        """The ``hyperlinks`` element of the sheet part; nothing when there is no link."""

    def relationships(self) -> Pieces:
        """The sheet's relationships part; nothing when there is none."""


def filled(part: bytes, member: str, rows: Spool, links: HasLinks | None = None) -> dict[str, Pieces]:
    """The content of a sheet part with its rows and links, and its relationships.

    Args:
        part: The sheet as it was laid out, without them.
        member: Its name in the package.
        rows: They follow the rows that are there.
        links: None for none.
    """
    before, end, rest = part.partition(b"</sheetData>")
    before = _DIMENSION.sub(b"", before)  # it would count the head alone; a reader goes by the rows without it
    places = links.places() if links is not None else []
    if links is None or not places:
        return {member: [before, rows, end + rest]}
    between, following, last = rest.partition(b"<printOptions")
    changed: dict[str, Pieces] = {member: [before, rows, end + between, *places, following + last]}
    if relations := links.relationships():
        folder, _, name = member.rpartition("/")
        changed[f"{folder}/_rels/{name}.rels"] = relations
    return changed


def blocks(items: Iterable[Any], size: int) -> Iterator[list[Any]]:
    """Divide a stream into lists of at most ``size``."""
    block: list[Any] = []
    for item in items:
        block.append(item)
        if len(block) == size:
            yield block
            block = []
    if block:
        yield block
