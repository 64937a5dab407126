"""Workbooks of which calamine hands over the values only (.xlsb, and .xls that nothing else reads)."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

from perfeval_xlsx.limits import Limits
from perfeval_xlsx.workbook import refusals as why
from perfeval_xlsx.workbook.cells import Cell, Merge, Sheet
from perfeval_xlsx.workbook.look import Contents, Gatherer, LaidSheet, Look, number_cell, text_cell
from perfeval_xlsx.workbook.refusals import refuse

_DAY, _STAMP, _CLOCK, _SPAN = "yyyy/m/d", "yyyy/m/d h:mm", "h:mm:ss", "[h]:mm:ss"
_CODES = ("General", _DAY, _STAMP, _CLOCK, _SPAN)
_EPOCH = datetime(1899, 12, 30)


def read_calamine(data: bytes, form: str, limits: Limits, lost: str) -> Contents:
    """Read values and dates; every cell is given a thin border, since none is known.

    Args:
        data: The file's bytes.
        form: Name of the format.
        limits: Bounds on cells, rows and merges.
        lost: Code of the finding that says what cannot be read in this way.

    Raises:
        PerfevalError: Encrypted, damaged, or over a limit.
    """
    import python_calamine

    try:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
    except python_calamine.PasswordError as error:
        raise refuse(why.ENCRYPTED) from error
    except python_calamine.CalamineError as error:
        raise refuse(why.DAMAGED, detail=str(error)) from error
    looks = [Look(code, 1, 1, 1, 1, wrap=True, vertical="vcenter") for code in _CODES]
    contents = Contents(form, looks=looks, lost=[lost])
    for index, about in enumerate(book.sheets_metadata):
        state = {"Hidden": "hidden", "VeryHidden": "veryHidden"}.get(str(about.visible).rpartition(".")[2], "visible")
        laid = LaidSheet(Sheet(about.name, index, state))
        contents.sheets.append(laid)
        if str(about.typ).endswith("WorkSheet"):
            _fill(laid, book.get_sheet_by_index(index), limits)
    return contents


def _fill(laid: LaidSheet, source: Any, limits: Limits) -> None:
    gatherer = Gatherer(laid, limits)
    for (top, left), (bottom, right) in source.merged_cell_ranges or ():
        laid.sheet.merges.append(Merge(top + 1, left + 1, bottom + 1, right + 1))
    gatherer.check_merges()
    for row, values in _rows(source):
        if not gatherer.reaches(row):
            break
        for column, value in values:
            gatherer.put(row, column, cell_of(value))


def _rows(source: Any) -> Iterator[tuple[int, list[tuple[int, Any]]]]:
    """Yield each row's number with the column and value of its cells, blank ones inside the table too."""
    if source.start is None:
        return
    top, left = source.start
    for row, values in enumerate(source.to_python(skip_empty_area=True), top + 1):
        yield row, list(enumerate(values, left + 1))


def cell_of(value: Any) -> Cell | None:
    """Return the cell of a Python value; dates show as Excel shows them by default."""
    if isinstance(value, bool):
        return Cell("TRUE" if value else "FALSE", type="b")
    if isinstance(value, int | float):
        return number_cell(float(value), "General")
    if isinstance(value, str):
        return text_cell(value)
    serial, style = _serial(value)
    return number_cell(serial, _CODES[style], style)


def _serial(value: datetime | date | time | timedelta) -> tuple[float, int]:
    """Return the serial of a date, time or span, and the style that shows it."""
    if isinstance(value, datetime):
        serial = (value - _EPOCH) / timedelta(days=1)
        return serial, 1 if serial.is_integer() else 2
    if isinstance(value, date):
        return float((datetime(value.year, value.month, value.day) - _EPOCH).days), 1
    if isinstance(value, time):
        span = timedelta(hours=value.hour, minutes=value.minute, seconds=value.second, microseconds=value.microsecond)
        return span / timedelta(days=1), 3
    return value / timedelta(days=1), 4
