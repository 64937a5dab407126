"""Draw the sample workbooks from the facts in ``scripts/samples/*.toml``.

    python scripts/make_samples.py [FOLDER]

Each data file describes one workbook: its sheets, the columns and labels of its forms, and the facts in them. Running
the script again writes the same bytes, so a change of a sample is a change of its data file; the keys are explained in
``scripts/samples/README.md``.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from math import ceil
from pathlib import Path
from typing import Any
from unicodedata import east_asian_width

import xlsxwriter
from xlsxwriter.utility import xl_cell_to_rowcol

DATA = Path(__file__).parent / "samples"
OUT = Path(__file__).parent.parent / "sample_workbooks"
WRITTEN_ON = datetime(2024, 1, 15, 9, 0, 0)
LINE_HEIGHT = 14.5

BODY = {"font_name": "宋体", "font_size": 10.5, "border": 1, "align": "center", "valign": "vcenter", "text_wrap": True}
TITLE = {"font_name": "方正小标宋_GBK", "font_size": 18, "align": "center", "valign": "vcenter", "text_wrap": True}
SUBTITLE = {"font_name": "楷体_GB2312", "font_size": 12, "align": "center", "valign": "vcenter"}
LABEL = {**BODY, "bold": True}
LEFT = {**BODY, "align": "left"}
NOTE = {"font_name": "宋体", "font_size": 10, "align": "left", "valign": "top", "text_wrap": True}
STACKED = {"rotation": 270, "text_wrap": False}

Facts = Mapping[str, Any]
Span = tuple[int, int]


def span(columns: str) -> Span:
    """Return the first and last 0-based column of ``"B"`` or ``"B:D"``."""
    first, _, last = columns.partition(":")
    return xl_cell_to_rowcol(f"{first}1")[1], xl_cell_to_rowcol(f"{last or first}1")[1]


def columns_between(left: Span, right: Span) -> Span:
    """Return the columns after ``left`` and before ``right``; ValueError where there are none."""
    if right[0] <= left[1] + 1:
        raise ValueError(f"no column between {left} and {right}")
    return left[1] + 1, right[0] - 1


def text_width(text: str) -> int:
    """Return the width of ``text`` in digits: a Chinese character counts two."""
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)


@dataclass
class Canvas:
    """One sheet being drawn from the top down.

    Attributes:
        book: The workbook, ``sheet`` its worksheet.
        widths: Column widths in digits.
        row: Next free row, 0-based.
        heights: Lines each row needs.
        formats: The workbook's cell formats by their properties, shared by its sheets.
    """

    book: Any
    sheet: Any
    widths: Sequence[float]
    formats: dict[tuple[tuple[str, Any], ...], Any]
    row: int = 0
    heights: dict[int, float] = field(default_factory=dict)

    def format(self, properties: Facts) -> Any:
        """Return the workbook's format with ``properties``, adding it once."""
        key = tuple(sorted(properties.items()))
        if key not in self.formats:
            self.formats[key] = self.book.add_format(dict(properties))
        return self.formats[key]

    def put(self, row: int, columns: Span, value: Any, style: Facts, last_row: int | None = None) -> None:
        """Write ``value`` over ``columns`` of ``row`` … ``last_row``, merged where that is more than one cell.

        Args:
            row: First row, 0-based.
            columns: First and last column, 0-based.
            value: Text, number, None, or a table with ``v`` (value), ``f`` (number format), ``formula``.
            style: Format properties.
            last_row: Last row of a cell merged down.
        """
        bottom = row if last_row is None else last_row
        facts = value if isinstance(value, Mapping) else {"v": value}
        look = self.format({**style, "num_format": facts["f"]} if "f" in facts else style)
        if bottom > row or columns[1] > columns[0]:
            self.sheet.merge_range(row, columns[0], bottom, columns[1], None, look)
        self._write(row, columns[0], facts, look)
        if isinstance(facts.get("v"), str) and "rotation" not in style:
            self._reserve(row, bottom, columns, facts["v"])

    def _write(self, row: int, column: int, facts: Facts, look: Any) -> None:
        value = facts.get("v")
        if "formula" in facts:
            self.sheet.write_formula(row, column, f"={facts['formula']}", look, value)
        elif value is None or value == "":
            self.sheet.write_blank(row, column, None, look)
        elif isinstance(value, str):
            self.sheet.write_string(row, column, value, look)
        else:
            self.sheet.write_number(row, column, value, look)

    def _reserve(self, row: int, bottom: int, columns: Span, text: str) -> None:
        """Note the lines ``text`` takes in its cell, shared by the rows it is merged over."""
        room = max(2.0, sum(self.widths[columns[0] : columns[1] + 1]) - 1.5)
        lines = sum(max(1, ceil(text_width(line) / room)) for line in text.split("\n"))
        for each in range(row, bottom + 1):
            self.heights[each] = max(self.heights.get(each, 1), lines / (bottom - row + 1))

    def set_heights(self) -> None:
        """Give every row the height its longest text needs; Excel does not do it for merged cells."""
        for row, lines in self.heights.items():
            self.sheet.set_row(row, max(20.0, round(lines * LINE_HEIGHT + 7, 1)))


@dataclass(frozen=True)
class Rows:
    """The 1-based rows a formula may name: ``{row}`` its own, ``{fund}`` the fund total, ``{first}`` … ``{last}``."""

    row: int
    fund: int
    first: int = 0
    last: int = 0

    def fill(self, value: Any) -> Any:
        """Return ``value`` with the row numbers put into its formula."""
        if isinstance(value, Mapping) and "formula" in value:
            return {**value, "formula": value["formula"].format(**vars(self))}
        return value


def draw_form(canvas: Canvas, form: Facts) -> None:
    """Draw one form below what the sheet already holds."""
    _draw_head(canvas, form)
    side = span(form.get("side", "A"))
    fund = _draw_funds(canvas, form["funds"], side)
    if "goals" in form:
        _draw_goals(canvas, form["goals"], side)
    first, last = _draw_grid(canvas, form["grid"], side)
    rows = Rows(canvas.row + 1, fund, first, last)
    for cells in form.get("below", []):
        _draw_line(canvas, [[columns, rows.fill(value)] for columns, value in cells])
    for note in form.get("notes", []):
        canvas.put(canvas.row, span(form["width"]), note, NOTE)
        canvas.row += 1
    canvas.row += form.get("gap", 0)


def _draw_head(canvas: Canvas, form: Facts) -> None:
    canvas.row += form.get("skip", 0)
    for text, style in [(form["title"], TITLE), *((line, SUBTITLE) for line in form.get("subtitles", []))]:
        canvas.put(canvas.row, span(form["width"]), text, style)
        canvas.heights[canvas.row] = max(1.7 if style is TITLE else 1.0, 1.7 * (text.count("\n") + 1))
        canvas.row += 1
    for cells in form.get("head", []):
        _draw_line(canvas, cells)


def _draw_line(canvas: Canvas, cells: Sequence[Sequence[Any]]) -> None:
    """Draw one row of ``[columns, value]`` cells; long text stands on the left."""
    for columns, value in cells:
        long = isinstance(value, str) and text_width(value) > 40
        canvas.put(canvas.row, span(columns), value, LEFT if long else BODY)
    canvas.row += 1


def _draw_funds(canvas: Canvas, funds: Facts, side: Span) -> int:
    """Draw the fund table; return the 1-based row of its total."""
    top, columns = canvas.row, [(name, span(where), *rest) for name, where, *rest in funds["columns"]]
    label = columns_between(side, columns[0][1])
    canvas.put(top, label, funds.get("corner"), LABEL)
    for _, where, header, *_ in columns:
        canvas.put(top, where, header, LABEL)
    for number, row in enumerate(funds["rows"], top + 1):
        canvas.put(number, label, row["label"], BODY if row is funds["rows"][0] else LEFT)
        for name, where, _, *rest in columns:
            value = Rows(number + 1, top + 2, top + 3, top + 1 + len(funds["rows"])).fill(row.get(name))
            style = {**BODY, "num_format": rest[0]} if rest and not isinstance(value, str) else BODY
            canvas.put(number, where, value, style)
    canvas.row = top + 1 + len(funds["rows"])
    canvas.put(top, side, funds["side"], LABEL, canvas.row - 1)
    return top + 2


def _draw_goals(canvas: Canvas, goals: Facts, side: Span) -> None:
    top = canvas.row
    for where, header, text in goals["columns"]:
        canvas.put(top, span(where), header, LABEL)
        canvas.put(top + 1, span(where), text, LEFT)
    canvas.put(top, side, goals["side"], LABEL, top + 1)
    canvas.row = top + 2


def _draw_grid(canvas: Canvas, grid: Facts, side: Span) -> tuple[int, int]:
    """Draw the indicator grid; return its first and last 1-based row."""
    top, columns = canvas.row, [(name, span(where), header) for name, where, header in grid["columns"]]
    first = top + _draw_grid_header(canvas, grid, columns)
    rows = [dict(zip((name for name, *_ in columns), row, strict=True)) for row in grid["rows"]]
    last = first + len(rows) - 1
    for number, row in enumerate(rows, first):
        for name, where, _ in columns:
            if name not in {"level1", "level2"}:
                style = LEFT if name in {"level3", "deviation"} else BODY
                canvas.put(number, where, Rows(number + 1, 0).fill(row[name]), style)
    _draw_levels(canvas, columns, rows, first)
    canvas.put(top, side, grid["side"], {**LABEL, **(STACKED if grid.get("stacked") else {})}, last)
    canvas.row = last + 1
    return first + 1, last + 1


def _draw_grid_header(canvas: Canvas, grid: Facts, columns: Sequence[tuple[str, Span, str]]) -> int:
    """Draw one header row, or two where a ``group`` stands above some columns; return their number."""
    group = grid.get("group")
    grouped = set(group["fields"]) if group else set()
    for name, where, header in columns:
        inner = name in grouped
        canvas.put(canvas.row + inner, where, header, LABEL, canvas.row + 1 if group and not inner else None)
    if group:
        over = [where for name, where, _ in columns if name in grouped]
        canvas.put(canvas.row, (over[0][0], over[-1][1]), group["label"], LABEL)
    return 2 if group else 1


def _draw_levels(canvas: Canvas, columns: Sequence[tuple[str, Span, str]], rows: Sequence[Facts], first: int) -> None:
    """Merge the levels down: level 2 within its level 1."""
    where = {name: place for name, place, _ in columns}
    for depth, name in enumerate(("level1", "level2"), 1):
        if name not in where:
            continue
        start = first
        for values, block in groupby([(row["level1"], row["level2"])[:depth] for row in rows]):
            size = len(list(block))
            canvas.put(start, where[name], values[-1], BODY, start + size - 1)
            start += size


def draw_list(canvas: Canvas, table: Facts) -> None:
    """Draw a plain list: a title, a header, rows."""
    canvas.put(canvas.row, (0, len(table["header"]) - 1), table["title"], TITLE)
    canvas.heights[canvas.row] = 1.7
    for number, row in enumerate([table["header"], *table["rows"]], canvas.row + 1):
        for column, value in enumerate(row):
            canvas.put(number, (column, column), value, LABEL if number == canvas.row + 1 else BODY)
    canvas.row += 2 + len(table["rows"])


def draw_text(canvas: Canvas, lines: Sequence[str]) -> None:
    """Draw lines of text in the first column."""
    for line in lines:
        canvas.put(canvas.row, (0, 0), line, NOTE)
        canvas.row += 1


def set_up_page(canvas: Canvas, page: Facts) -> None:
    """Print on A4, one page wide, centred, with page numbers."""
    sheet = canvas.sheet
    sheet.set_paper(9)
    if page.get("landscape"):
        sheet.set_landscape()
    sheet.fit_to_pages(1, page.get("pages", 0))
    sheet.set_margins(left=0.5, right=0.5, top=0.6, bottom=0.6)
    sheet.center_horizontally()
    sheet.set_footer("&C第 &P 页，共 &N 页")


def write_workbook(facts: Facts, folder: Path) -> Path:
    """Write the workbook of one data file into ``folder``; return its path."""
    path = folder / str(facts["file"])
    path.parent.mkdir(parents=True, exist_ok=True)
    book = xlsxwriter.Workbook(path)
    book.set_properties({"title": Path(facts["file"]).stem, "created": WRITTEN_ON})
    formats: dict[tuple[tuple[str, Any], ...], Any] = {}
    for page in facts["sheet"]:
        sheet = book.add_worksheet(page["name"])
        canvas = Canvas(book, sheet, page["widths"], formats)
        for column, width in enumerate(page["widths"]):
            sheet.set_column(column, column, width)
        _draw_sheet(canvas, page)
        canvas.set_heights()
        set_up_page(canvas, page)
        if page.get("hidden"):
            sheet.hide()
    book.close()
    return path


def _draw_sheet(canvas: Canvas, page: Facts) -> None:
    for form in page.get("form", []):
        draw_form(canvas, form)
    if "list" in page:
        draw_list(canvas, page["list"])
    draw_text(canvas, page.get("text", []))


def read_facts(path: Path) -> dict[str, Any]:
    """Read one data file; ``like`` takes another file's facts without the values it lists under ``blank``."""
    facts = tomllib.loads(path.read_text(encoding="utf-8"))
    if "like" not in facts:
        return facts
    base = read_facts(path.parent / facts["like"])
    for form in base["sheet"][0]["form"]:
        _blank(form, facts["blank"])
    return {**base, "file": facts["file"]}


def _blank(form: dict[str, Any], blank: Facts) -> None:
    for row in form["funds"]["rows"]:
        for name in blank["funds"]:
            row.pop(name, None)
    at = [number for number, column in enumerate(form["grid"]["columns"]) if column[0] in blank["grid"]]
    for row in form["grid"]["rows"]:
        for number in at:
            row[number] = ""
    form["below"][0] = [[columns, blank["total"].get(columns, value)] for columns, value in form["below"][0]]


def main(folder: Path = OUT) -> None:
    """Write every sample workbook into ``folder``."""
    for data in sorted(DATA.glob("*.toml")):
        print(write_workbook(read_facts(data), folder))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
