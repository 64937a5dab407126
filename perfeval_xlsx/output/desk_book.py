"""The auditor's workbooks: tables with title, note, header, filter and print set-up, written in constant memory.

A text of a form is written as a string whatever it looks like; the only links are those made by :func:`link_to`.
"""

from __future__ import annotations

import math
import os
import re
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from perfeval_xlsx.data import load
from perfeval_xlsx.findings import Finding, Lang, PerfevalError
from perfeval_xlsx.output.sheets import Column
from perfeval_xlsx.output.style import add_formats, print_setup
from perfeval_xlsx.workbook.cells import split_sheet
from perfeval_xlsx.workbook.strings import clean

HEAD_ROWS = 3
"""Title, note, header."""
ROW_LIMIT = 1_048_576
_LINK_LIMIT = 60_000
_LINE, _TALLEST = 14.0, 409.0
_LONGEST, _LONGEST_LINK = 32_767, 2_000
_UNSAFE_LINK = re.compile(r"#|%[0-9A-Fa-f]{2}")
_FIGURE = re.compile(r"-?\d{1,15}(\.\d+)?", re.ASCII)
_FORBIDDEN_NAME = re.compile(r"[\[\]:*?/\\]")

Value = str | int | float | None


class Link(NamedTuple):
    """A cell that is a link of ours: where to, and what it shows."""

    target: str
    text: str


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
    try:
        place = os.path.relpath(path, folder).replace("\\", "/")
    except ValueError:  # another drive
        place = Path(path).absolute().as_posix()
    elsewhere, address = split_sheet(cell or "A1")
    quoted = (elsewhere or sheet).replace("'", "''")
    link = f"external:{place}#'{quoted}'!{address}"
    return None if _UNSAFE_LINK.search(place) or len(link) > _LONGEST_LINK or clean(link) != link else link


class DeskBook:
    """A workbook being written, row by row; a context manager that saves it at the end, at once or not at all.

    Args:
        path: The workbook; its folder is made when missing.
        lang: Language of the words we add.

    Attributes:
        book: The ``xlsxwriter.Workbook``; ``formats`` its formats by style.
        folder: Where it will be, for relative links.
    """

    def __init__(self, path: Path, lang: Lang) -> None:
        import datetime

        import xlsxwriter

        self.path, self.lang, self.folder = path, lang, path.parent
        self._temporary = path.with_name(f".{secrets.token_hex(6)}.tmp")
        self._rows = TemporaryDirectory()
        options = {"constant_memory": True, "tmpdir": self._rows.name, "strings_to_urls": False}
        self.book = xlsxwriter.Workbook(str(self._temporary), options)
        # the same results give the same bytes, whenever they are written
        self.book.set_properties({"created": datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC)})
        self.formats = add_formats(self.book, lang) | self._own_formats()
        self._names: set[str] = set()

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
        from xlsxwriter.exceptions import XlsxFileError

        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            if kind is None:
                self.book.close()
                self._temporary.replace(self.path)
        except (OSError, XlsxFileError) as error:
            detail = {"detail": str(getattr(error, "strerror", None) or error)}
            raise PerfevalError(Finding("B26", found=self.path.name, args=detail)) from error
        finally:
            self._discard()

    def _discard(self) -> None:
        """Remove temporary files, also those of the rows, which XlsxWriter leaves open where closing fails."""
        with suppress(OSError):
            self._temporary.unlink(missing_ok=True)
        for sheet in self.book.worksheets():
            sheet.row_data_fh.close()
        self._rows.cleanup()

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
        self._number = 0
        self._begin()

    def _begin(self) -> None:
        self._number += 1
        words, name = load("desk.toml")["problems"]["continued"][self._book.lang], self._name
        name = name if self._number == 1 else words.format(name=name, number=self._number)
        self.sheet, self.sheet_name = self._book.sheet(name)
        self._links = 0
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

    def write(self, values: Mapping[str, Value | Link], marks: Mapping[str, str] | None = None) -> None:
        """Append a row.

        Args:
            values: By column key; a column that holds no text gets a number where the value is one.
            marks: Style by column key, instead of the column's own.
        """
        if self.row >= ROW_LIMIT:
            self.finish()
            self._begin()
        self.sheet.set_row(self.row, row_height(self.columns, values))
        for position, column in enumerate(self.columns):
            style = (marks or {}).get(column.key, column.style)
            self._cell(position, values.get(column.key), style, text=column.text)
        self.row += 1

    def _cell(self, position: int, value: Value | Link, style: str, *, text: bool) -> None:
        formats = self._book.formats
        if isinstance(value, Link):
            self._links += 1
            if self._links <= _LINK_LIMIT:
                shown = fit_text(value.text, self._book.lang)
                self.sheet.write_url(self.row, position, value.target, formats["link"], shown)
                return
            value = value.text
        if value is None or value == "":
            self.sheet.write_blank(self.row, position, None, formats[style])
            return
        figure = value if isinstance(value, (int, float)) else None if text else figure_of(value)
        if figure is None:
            self.sheet.write_string(self.row, position, fit_text(str(value), self._book.lang), formats[style])
        else:
            self.sheet.write_number(self.row, position, figure, formats[style])

    def finish(self) -> None:
        """Set the filter over the rows written; called once a table is complete."""
        self.sheet.autofilter(HEAD_ROWS - 1, 0, max(HEAD_ROWS, self.row - 1), len(self.columns) - 1)


def fit_name(name: str) -> str:
    """A sheet name as Excel takes it, with room for a number behind it."""
    return _FORBIDDEN_NAME.sub("_", clean(name)).strip("' ")[:28].rstrip("' ") or "_"


def row_height(columns: Sequence[Column], values: Mapping[str, Value | Link]) -> float:
    """The height in points that a row's wrapped texts need: not every program fits rows when it opens a file."""
    lines = 1
    for column in columns:
        value = values.get(column.key)
        text = value.text if isinstance(value, Link) else value
        # most texts are short, and a number always is: only the others are measured
        if isinstance(text, str) and (2 * len(text) >= column.width or "\n" in text):
            lines = max(lines, line_count(text, column.width))
    return min(_TALLEST, lines * _LINE + 3)


def line_count(text: str, width: float) -> int:
    """How many lines a text takes in a column ``width`` characters wide; a Chinese character is two wide."""
    return sum(max(1, math.ceil(wide(line) / (width - 1))) for line in text.split("\n"))


def wide(line: str) -> int:
    """How many characters wide a line is; a Chinese character is two wide."""
    return 2 * len(line) - len(line.encode("latin-1", "ignore"))


def figure_of(text: str | None) -> float | None:
    """The number a result's figure stands for (``"98.62"``), None where it is text."""
    return float(text) if text and _FIGURE.fullmatch(text) else None


def fit_text(text: str, lang: Lang) -> str:
    """A text as a cell can hold it; one that is too long is cut and says so."""
    text = text if text.isprintable() else clean(text)
    if len(text) <= _LONGEST // 2 or len(text.encode("utf-16-le")) // 2 <= _LONGEST:
        return text
    return text[: _LONGEST // 2 - 100] + str(load("outputs.toml")["words"]["cut"][lang])
