"""The auditor's workbooks: tables with title, note, header, filter and print set-up, written in constant memory.

A text of a form is written as a string whatever it looks like; the only links are those made by :func:`link_to`.
XlsxWriter lays out sheets and heads; the rows are joined as bytes (``output/parts.py``).
"""

from __future__ import annotations

import os
import re
import zipfile
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any

from perfeval_xlsx.data import load
from perfeval_xlsx.findings import Lang
from perfeval_xlsx.output import parts
from perfeval_xlsx.output.desk_rows import Hyperlinks, Marks, Row, rows_xml
from perfeval_xlsx.output.sheets import ROW_LIMIT, Column, filled
from perfeval_xlsx.output.style import add_formats, print_setup
from perfeval_xlsx.workbook.cells import split_sheet
from perfeval_xlsx.workbook.strings import clean

HEAD_ROWS = 3
"""Title, note, header."""
_BLOCK = 256
"""Rows that are made at once."""
_LINK_LIMIT = 60_000
_LONGEST_LINK = 2_000
_UNSAFE_LINK = re.compile(r"#|%[0-9A-Fa-f]{2}")
_FORBIDDEN_NAME = re.compile(r"[\[\]:*?/\\]")


@cache
def desk_columns(table: str, key: str, lang: Lang, left_out: frozenset[str] = frozenset()) -> tuple[Column, ...]:
    """The columns of a table of ``data/desk.toml``, without those marked as ``left_out`` (``"compared"``)."""
    return tuple(
        Column(c["key"], c[lang], c["width"], c["style"], text=c["style"] == "text")
        for c in load("desk.toml")[table][key]
        if not any(c.get(mark) for mark in left_out)
    )


def link_to(folder: Path, path: str | None, sheet: str | None, cell: str | None) -> str | None:
    """Return a relative link from a workbook in ``folder`` to a cell of another, None where none can be made.

    Args:
        folder: Where the workbook with the link will be.
        path: The file, as the run names it or relative to ``folder``.
        sheet: Its sheet.
        cell: A1 address, with the sheet's name where it stands on another one; None for the sheet's first cell.
    """
    if not path or sheet is None:
        return None
    place = _place(folder, path)
    elsewhere, address = split_sheet(cell or "A1")
    quoted = (elsewhere or sheet).replace("'", "''")
    link = f"external:{place}#'{quoted}'!{address}"
    return None if _UNSAFE_LINK.search(place) or len(link) > _LONGEST_LINK or clean(link) != link else link


@lru_cache(maxsize=256)
def _place(folder: Path, path: str) -> str:
    """A file as seen from a folder."""
    try:
        return os.path.relpath(path, folder).replace("\\", "/")
    except ValueError:  # another drive
        return Path(path).absolute().as_posix()


class DeskBook:
    """A workbook being written, row by row; a context manager that saves it at the end, at once or not at all.

    Args:
        path: The workbook; its folder is made when missing.
        lang: Language of the words we add.

    Attributes:
        book: The ``xlsxwriter.Workbook``; ``formats`` its formats by style, ``numbers`` their numbers.
        folder: Where it will be, for relative links.

    Raises:
        PerfevalError: At the end: it cannot be written.
    """

    def __init__(self, path: Path, lang: Lang) -> None:
        import datetime

        import xlsxwriter

        self.path, self.lang, self.folder = path, lang, path.parent
        self._file = BytesIO()
        self.book = xlsxwriter.Workbook(self._file, {"in_memory": True, "strings_to_urls": False})
        # the same results give the same bytes, whenever they are written
        self.book.set_properties({"created": datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC)})
        self.formats = add_formats(self.book, lang) | self._own_formats()
        self.numbers = {name: int(each._get_xf_index()) for name, each in self.formats.items()}
        self._names: set[str] = set()
        self._streams: dict[str, tuple[parts.Spool, Hyperlinks]] = {}

    def _own_formats(self) -> dict[str, Any]:
        fonts, base = load("outputs.toml")["font"][self.lang], load("outputs.toml")["base"]
        formats = {}
        for name, style in load("desk.toml")["style"].items():
            properties = {} if style.get("plain") else dict(base)
            properties["font_name"] = fonts["heading" if style.get("heading") else "body"]
            properties |= {key: value for key, value in style.items() if key not in {"plain", "heading"}}
            formats[name] = self.book.add_format(properties)
        return formats

    def __enter__(self) -> DeskBook:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self._save(self.laid_out())
        finally:
            for stream in self._streams.values():
                for each in stream:
                    each.close()

    def laid_out(self) -> bytes:
        """Finish the layout; return the workbook without the streamed rows."""
        self.book.close()
        return self._file.getvalue()

    def _save(self, layout: bytes) -> None:
        changed: dict[str, parts.Pieces] = {}
        with zipfile.ZipFile(BytesIO(layout)) as archive:
            for member, (rows, links) in self._streams.items():
                changed |= filled(archive.read(member), member, rows, links)
        parts.save(layout, changed, self.path, durable=False)

    def stream(self) -> tuple[parts.Spool, Hyperlinks]:
        """Begin the rows and links that the sheet added last goes on with."""
        stream = parts.Spool(), Hyperlinks()
        self._streams[f"xl/worksheets/sheet{len(self.book.worksheets())}.xml"] = stream
        return stream

    def sheet(self, name: str) -> tuple[Any, str]:
        """Add a sheet; return it and its name, made fit and unique."""
        plain = fit_name(name)
        unique, count = plain, 1
        while unique.casefold() in self._names:
            count += 1
            unique = f"{plain[:24]} {count}"
        self._names.add(unique.casefold())
        sheet = self.book.add_worksheet(unique)
        sheet.hide_gridlines(2)
        return sheet, unique

    def table(self, name: str, title: str, note: str, columns: Sequence[Column], frozen: int = 0) -> Table:
        """Add a sheet with a table: the rows follow, top to bottom."""
        return Table(self, name, (title, note), columns, frozen)


class Table:
    """One table; where Excel's row limit is reached it goes on in a further sheet.

    Attributes:
        sheet: The XlsxWriter sheet being written; ``sheet_name`` its name; ``row`` the next row, 0-based.
    """

    def __init__(
        self, book: DeskBook, name: str, heading: tuple[str, str], columns: Sequence[Column], frozen: int
    ) -> None:
        self._book, self._name, self._heading, self.columns, self._frozen = book, name, heading, columns, frozen
        self._places = {column.key: position for position, column in enumerate(columns, start=1)}
        self._number = 0
        self._waiting: list[tuple[Row, Marks]] = []
        self._targets: list[tuple[int, int, str, str]] = []
        self._begin()

    def _begin(self) -> None:
        self._number += 1
        words, name = load("desk.toml")["problems"]["continued"][self._book.lang], self._name
        name = name if self._number == 1 else words.format(name=name, number=self._number)
        self.sheet, self.sheet_name = self._book.sheet(name)
        self._rows, self._links = self._book.stream()
        self._linked = 0
        formats = self._book.formats
        for position, column in enumerate(self.columns):
            self.sheet.set_column(position, position, column.width)
        self.sheet.freeze_panes(HEAD_ROWS, self._frozen)
        print_setup(self.sheet, self._book.lang, self.sheet_name, HEAD_ROWS)
        for row, (height, text, style) in enumerate(((30, self._heading[0], "title"), (18, self._heading[1], "line"))):
            self.sheet.set_row(row, height)
            self.sheet.write_string(row, 0, text, formats[style])
        self.sheet.set_row(2, 32)
        for position, column in enumerate(self.columns):
            self.sheet.write_string(2, position, column.header, formats["header"])
        self.row = HEAD_ROWS

    def write(self, values: Row, marks: Marks | None = None, links: Mapping[str, str] | None = None) -> None:
        """Append a row.

        Args:
            values: By column key; a column that holds no text gets a number where the value is one.
            marks: Style by column key, instead of the column's own.
            links: Target by column key (``link_to``); beyond what a sheet takes they are left out.
        """
        if self.row >= ROW_LIMIT:
            self.finish()
            self._begin()
        self.row += 1
        marks = marks or {}
        if links and self._linked < _LINK_LIMIT:
            self._linked += len(links)
            marks = {**marks, **dict.fromkeys(links, "link")}
            self._targets += [(self.row, self._places[key], to, str(values[key])) for key, to in links.items()]
        self._waiting.append((values, marks))
        if len(self._waiting) == _BLOCK:
            self._flush()

    def _flush(self) -> None:
        """Make the rows that wait."""
        if self._waiting:
            rows, marks = zip(*self._waiting, strict=True)
            xml = rows_xml(self.columns, rows, marks, self._book.numbers, self._book.lang)
            self._rows.add(parts.pack(xml.encode(), len(rows)))
            self._links.add(self._targets)
            self._waiting, self._targets = [], []

    def finish(self) -> None:
        """Complete the sheet, with a filter over the rows written; called once a table is complete."""
        self._flush()
        self.sheet.autofilter(HEAD_ROWS - 1, 0, max(HEAD_ROWS, self.row - 1), len(self.columns) - 1)


def fit_name(name: str) -> str:
    """A sheet name as Excel takes it, with room for a number behind it."""
    return _FORBIDDEN_NAME.sub("_", clean(name)).strip("' ")[:28].rstrip("' ") or "_"
