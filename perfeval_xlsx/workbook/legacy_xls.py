"""Old binary workbooks (.xls, .et): values with formats, merges, widths and borders, read in the worker process."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from perfeval_xlsx.limits import Limits
from perfeval_xlsx.workbook import refusals as why
from perfeval_xlsx.workbook.cells import Cell, Merge, Sheet
from perfeval_xlsx.workbook.legacy_calamine import read_calamine
from perfeval_xlsx.workbook.look import Contents, Gatherer, LaidSheet, Look, number_cell, shown_width, text_cell, turned
from perfeval_xlsx.workbook.refusals import refuse
from perfeval_xlsx.workbook.styles import BUILTIN

_STATES = ("visible", "hidden", "veryHidden")
_HORIZONTAL = ("", "left", "center", "right", "fill", "justify", "center_across", "distributed")
_VERTICAL = ("top", "vcenter", "", "vjustify", "vdistributed")
_ERRORS = {0: "#NULL!", 7: "#DIV/0!", 15: "#VALUE!", 23: "#REF!", 29: "#NAME?", 36: "#NUM!", 42: "#N/A"}
_TEXT, _NUMBER, _DATE, _BOOLEAN, _ERROR, _BLANK = 1, 2, 3, 4, 5, 6


def read_xls(data: bytes, limits: Limits) -> Contents:
    """Read a workbook of the BIFF family; what xlrd cannot read is left to calamine, without formats.

    Args:
        data: The file's bytes.
        limits: Bounds on cells, rows and merges.

    Raises:
        PerfevalError: Encrypted, damaged, or over a limit.
    """
    import xlrd

    try:
        with Path(os.devnull).open("w", encoding="utf-8") as log:
            book = xlrd.open_workbook(file_contents=data, formatting_info=True, ragged_rows=True, logfile=log)
    except Exception as error:
        if "encrypted" in str(error).lower():
            raise refuse(why.ENCRYPTED) from error
        return read_calamine(data, "xls", limits, why.FORMATS_LOST)
    contents = Contents("xls", looks=list(_looks(book)), date1904=bool(book.datemode))
    for index, sheet in enumerate(book.sheets()):
        contents.sheets.append(_sheet(sheet, index, contents, limits))
    return contents


def _looks(book: Any) -> Iterator[Look]:
    """Yield the look of every cell format (XF record)."""
    for xf in book.xf_list:
        font = book.font_list[xf.font_index] if xf.font_index < len(book.font_list) else None
        border, align = xf.border, xf.alignment
        yield Look(
            _code(book, xf.format_key),
            border.left_line_style, border.right_line_style, border.top_line_style, border.bottom_line_style,
            bool(align.text_wrapped), _named(_HORIZONTAL, align.hor_align), _named(_VERTICAL, align.vert_align),
            bool(font and (font.bold or font.weight >= 600)), font.height / 20 if font else 0,
            font.name if font else "", _fill(book, xf), turned(align.rotation),
        )  # fmt: skip


def _named(names: tuple[str, ...], number: int) -> str:
    return names[number] if 0 <= number < len(names) else ""


def _fill(book: Any, xf: Any) -> str:
    """Return the colour of a solid background."""
    colour = book.colour_map.get(xf.background.pattern_colour_index) if xf.background.fill_pattern == 1 else None
    return "#{:02X}{:02X}{:02X}".format(*colour) if colour else ""


def _code(book: Any, key: int) -> str:
    """Return a format's code; one that Excel leaves unwritten shows as in Chinese, as in newer files."""
    from xlrd.formatting import std_format_strings

    found = book.format_map.get(key)
    code = found.format_str if found else "General"
    return BUILTIN.get(key, code) if not found or code == std_format_strings.get(key) else code


def _sheet(source: Any, index: int, contents: Contents, limits: Limits) -> LaidSheet:
    sheet = Sheet(source.name, index, _STATES[source.visibility] if source.visibility < 3 else "visible")
    laid = LaidSheet(sheet)
    gatherer = Gatherer(laid, limits)
    for top, bottom, left, right in source.merged_cells:
        sheet.merges.append(Merge(top + 1, left + 1, bottom, right))
    gatherer.check_merges()
    for row in range(source.nrows):
        if not gatherer.reaches(row + 1):
            break
        for column in range(source.row_len(row)):
            cell, style = _cell(source, row, column, contents)
            if cell is not None or style:
                gatherer.put(row + 1, column + 1, cell, style)
    _measures(source, laid, limits)
    return laid


def _cell(source: Any, row: int, column: int, contents: Contents) -> tuple[Cell | None, int]:
    """Return a cell and its style."""
    kind, value = source.cell_type(row, column), source.cell_value(row, column)
    style = source.cell_xf_index(row, column) if kind else 0
    code = contents.looks[style].code if style < len(contents.looks) else "General"
    if kind == _TEXT:
        return text_cell(value, code, style), style
    if kind in {_NUMBER, _DATE}:
        return number_cell(float(value), code, style, contents.date1904), style
    if kind == _BOOLEAN:
        return Cell("TRUE" if value else "FALSE", style=style, type="b"), style
    if kind == _ERROR:
        return Cell(_ERRORS.get(value, "#N/A"), style=style, type="e"), style
    return None, style if kind == _BLANK else 0


def _measures(source: Any, laid: LaidSheet, limits: Limits) -> None:
    """Keep widths, heights and what is hidden."""
    for column, info in source.colinfo_map.items():
        if column < limits.columns:
            laid.widths[column + 1] = shown_width(info.width)
            if info.hidden:
                laid.sheet.hidden_columns.add(column + 1)
    for row, info in source.rowinfo_map.items():
        if info.hidden:
            laid.sheet.hidden_rows.add(row + 1)
        elif info.height_mismatch:
            laid.heights[row + 1] = info.height / 20
