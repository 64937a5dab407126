"""A sheet of a blank form being drawn: merged cells, formulas with values, input checks, heights, print set-up."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from math import ceil
from typing import Any

from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.worksheet import Worksheet

from perfeval_xlsx.data import load
from perfeval_xlsx.findings import Lang
from perfeval_xlsx.output.style import A4, text_width

LINE, PADDING, LEAST = 14.5, 8.0, 30.0
"""Height of a line of text, what a row adds to its lines, and the lowest row, which shows two lines, in points."""
MARGINS = {"left": 0.5, "right": 0.5, "top": 0.6, "bottom": 0.6}
ALLOWED = {"format_rows": True, "format_columns": True, "insert_rows": True, "delete_rows": True}
"""What a protected form still lets a clerk do besides typing into its open cells."""

Span = tuple[int, int]
"""First and last column, 0-based."""


class FormSheet(Worksheet):  # type: ignore[misc]
    """A worksheet whose formulas may have an empty text as their value, written as Excel itself writes it."""

    def _xml_formula_element(self, formula: str, result: Any, attributes: list[tuple[str, str]]) -> None:
        if result == "":
            attributes = [*attributes, ("t", "str")]
        super()._xml_formula_element(formula, result, attributes)


@cache
def span(place: str) -> Span:
    """Return the columns of ``"B"`` or ``"B:D"``."""
    first, _, last = place.partition(":")
    letters = {xl_col_to_name(column): column for column in range(256)}
    return letters[first], letters[last or first]


class Canvas:
    """One sheet being drawn from the top down.

    Attributes:
        row: Next free row, 0-based.
        last: Last column of the form, 0-based.
        heights: Lines each row needs.
    """

    def __init__(self, book: Any, sheet: Any, widths: list[float], lang: Lang) -> None:
        self._book, self._sheet, self._widths, self._lang = book, sheet, widths, lang
        self._styles: dict[str, Any] = {}
        self.row, self.last = 0, len(widths) - 1
        self.heights: dict[int, float] = {}
        for column, width in enumerate(widths):
            sheet.set_column(column, column, width)

    def style(self, name: str) -> Any:
        """Return the workbook's format of a style, adding it once."""
        if name not in self._styles:
            styles = load("templates.toml")["style"]
            self._styles[name] = self._book.add_format({**styles["base"], **styles[name]})
        return self._styles[name]

    def put(self, columns: Span, value: str | float | None, style: str, *, row: int = -1, bottom: int = -1) -> None:
        """Write a value; a text is never taken for a formula or a link.

        Args:
            columns: Columns it stands over, merged where there are several.
            value: Text, number, or None for an empty cell.
            style: Name of the style.
            row: Row, by default the next free one.
            bottom: Last row of a cell merged down, by default its own.
        """
        top = self.row if row < 0 else row
        last, look = max(top, bottom), self.style(style)
        if last > top or columns[1] > columns[0]:
            self._sheet.merge_range(top, columns[0], last, columns[1], None, look)
        if value is None or value == "":
            self._sheet.write_blank(top, columns[0], None, look)
        elif isinstance(value, str):
            self._sheet.write_string(top, columns[0], value, look)
            self._reserve(top, last, columns, value)
        else:
            self._sheet.write_number(top, columns[0], value, look)

    def formula(self, columns: Span, formula: str, value: str | float, style: str) -> None:
        """Write a formula into the next free row, with the value it has while the form is blank."""
        self.put(columns, None, style)
        self._sheet.write_formula(self.row, columns[0], f"={formula}", self.style(style), value)

    def check(self, column: int, prompt: str, rule: Mapping[str, Any]) -> None:
        """Let a cell of the next free row take only what ``rule`` admits, in the words of ``prompt``."""
        words = load("templates.toml")["prompt"][prompt]
        options = dict(rule)
        for kind in ("input", "error"):
            if kind in words and not (kind == "error" and rule.get("show_error") is False):
                options |= {f"{kind}_title": words["title"][self._lang], f"{kind}_message": words[kind][self._lang]}
        self._sheet.data_validation(self.row, column, self.row, column, options)

    def alarm(self, column: int, formula: str) -> None:
        """Show a cell of the next free row in the alarm style while ``formula`` holds."""
        rule = {"type": "formula", "criteria": f"={formula}", "format": self._alarm()}
        self._sheet.conditional_format(self.row, column, self.row, column, rule)

    def _alarm(self) -> Any:
        return self._book.add_format(load("templates.toml")["style"]["alarm"])

    def _reserve(self, row: int, bottom: int, columns: Span, text: str) -> None:
        """Note the lines a text takes, shared by the rows it is merged over."""
        room = max(2.0, sum(self._widths[columns[0] : columns[1] + 1]) - 1.5)
        lines = sum(max(1, ceil(text_width(line) / room)) for line in text.split("\n"))
        for each in range(row, bottom + 1):
            self.heights[each] = max(self.heights.get(each, 1), lines / (bottom - row + 1))

    def finish(self, frozen: int, header: int, *, landscape: bool) -> None:
        """Set heights, protect the labels, freeze the head, print on A4 one page wide with the grid's header repeated.

        Excel does not fit the height of rows with merged cells, and prints the colours of input cells unless told.
        """
        sheet = self._sheet
        for row in range(self.row):
            sheet.set_row(row, max(LEAST, round(self.heights.get(row, 1) * LINE + PADDING, 1)))
        sheet.protect("", ALLOWED)
        sheet.freeze_panes(frozen, 0)
        sheet.repeat_rows(header)
        sheet.set_paper(A4)
        if landscape:
            sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
        sheet.set_margins(**MARGINS)
        sheet.center_horizontally()
        sheet.print_black_and_white()
        sheet.print_area(0, 0, self.row - 1, self.last)
        sheet.set_footer(f"&C{load('templates.toml')['text']['page']}")
