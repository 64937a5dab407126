"""The scored copy of a workbook that cannot be patched: a new .xlsx, laid out like the form."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

from perfeval_xlsx.findings import Finding
from perfeval_xlsx.workbook import Cell, LegacyWorkbook, Merge, Refusal, a1, open_workbook
from perfeval_xlsx.workbook import refusals as why
from perfeval_xlsx.workbook.display import compiled, show
from perfeval_xlsx.workbook.look import LaidSheet, Look
from perfeval_xlsx.workbook.patch import Edits, Value
from perfeval_xlsx.workbook.refusals import refusal, refuse
from perfeval_xlsx.workbook.save import publish, same_file
from perfeval_xlsx.workbook.strings import clean

_LONGEST_TEXT, _LARGEST, _LAST_ROW = 32_767, 1e307, 1_048_576
_LONGEST_NAME, _BAD_NAME = 31, str.maketrans(dict.fromkeys("[]:*?/\\", "_"))
_WIDEST = 30
_A4 = 9
_OPTIONS = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}


def relaid_note(book: LegacyWorkbook) -> Finding:
    """Return the finding that says the copy is laid out anew, and what it does not carry over."""
    return Finding(why.RELAID, None, None, book.path.name, args={"format": book.format})


def write_relaid(
    book: LegacyWorkbook, edits: Mapping[int, Edits], target: Path | str, *, durable: bool = True
) -> list[Refusal]:
    """Write a new .xlsx with a workbook's values, merges, widths, borders and number formats, and some cells set.

    Args:
        book: The workbook; its file is not touched.
        edits: By position of the sheet, then by row and column (1-based); an empty string blanks a cell.
        target: The copy's path; replaced at once, never half written.
        durable: Flush to disk before replacing.

    Returns:
        The cells that were not set, and why.

    Raises:
        PerfevalError: The target cannot be written, is the input itself, or does not read back as it should.
    """
    target = Path(target)
    if same_file(book.path, target):
        raise refuse(why.SAME_FILE, target.name)
    refused: list[Refusal] = []
    made: list[dict[tuple[int, int], Value]] = []
    for index in range(len(book.sheet_names)):
        done, objections = _sorted_out(book, index, edits.get(index, {}))
        made.append(done)
        refused += objections
    content = _content(book, made)
    publish(content, target, lambda copy: _verify(book, copy, made), durable=durable)
    return refused


def _sorted_out(book: LegacyWorkbook, index: int, edits: Edits) -> tuple[dict[tuple[int, int], Value], list[Refusal]]:
    """Part the edits of a sheet that can be made from those that cannot."""
    made: dict[tuple[int, int], Value] = {}
    refused: list[Refusal] = []
    for (row, column), value in sorted(edits.items()):
        code = _objection(book.sheet(index).merges, row, column, value)
        if code is None:
            made[row, column] = value
        else:
            refused.append(refusal(index, row, column, code))
    return made, refused


def _objection(merges: Sequence[Merge], row: int, column: int, value: Value) -> str | None:
    if not 0 < row <= _LAST_ROW or not 0 < column <= 256:
        return why.OUT_OF_RANGE
    if len(clean(value)) > _LONGEST_TEXT if isinstance(value, str) else not abs(float(value)) < _LARGEST:
        return why.BAD_VALUE
    inside = any(m.top <= row <= m.bottom and m.left <= column <= m.right and m[:2] != (row, column) for m in merges)
    return why.IN_MERGE if inside else None


def _content(book: LegacyWorkbook, made: Sequence[Mapping[tuple[int, int], Value]]) -> bytes:
    """Return the new workbook's bytes."""
    import xlsxwriter

    buffer = io.BytesIO()
    new = xlsxwriter.Workbook(buffer, _OPTIONS | {"date_1904": book.date1904})
    styles = _Styles(book, new)
    sheets = [new.add_worksheet(name) for name in _names(book.sheet_names)]
    for index, (sheet, edits) in enumerate(zip(sheets, made, strict=True)):
        _write_sheet(sheet, book.laid(index), edits, styles)
    _show(sheets, book.sheet_states)
    new.close()
    return buffer.getvalue()


def _names(names: Sequence[str]) -> Iterator[str]:
    """Yield the sheets' names as Excel takes them, no two the same."""
    taken: set[str] = set()
    for name in names:
        plain = name.translate(_BAD_NAME).strip("'")[:_LONGEST_NAME] or "_"
        number = 2
        while plain.lower() in taken:
            tail = f"_{number}"
            plain, number = plain[: _LONGEST_NAME - len(tail)] + tail, number + 1
        taken.add(plain.lower())
        yield plain


def _show(sheets: Sequence[Any], states: Sequence[str]) -> None:
    """Hide what was hidden; the first visible sheet is the one that opens."""
    visible = [sheet for sheet, state in zip(sheets, states, strict=True) if state == "visible"] or sheets[:1]
    for sheet, state in zip(sheets, states, strict=True):
        if sheet not in visible:
            sheet.very_hidden() if state == "veryHidden" else sheet.hide()
    visible[0].activate()
    visible[0].set_first_sheet()


class _Styles:
    """The formats of the new workbook, made as they are needed."""

    def __init__(self, book: LegacyWorkbook, new: Any) -> None:
        self.book, self._new = book, new
        self._formats: dict[Look, Any] = {}

    def format(self, style: int, value: Value = "") -> Any:
        """Return the format that looks like a style; text that it would change is shown under General as it is."""
        look = self.book.look(style)
        if isinstance(value, str) and compiled(look.code).text(value) != value:
            look = look._replace(code="General")
        if look not in self._formats:
            self._formats[look] = self._new.add_format(dict(_properties(look)))
        return self._formats[look]


def _properties(look: Look) -> Iterator[tuple[str, Any]]:
    """Yield a look in the terms of XlsxWriter, what is default left out."""
    named = {
        "left": look.left, "right": look.right, "top": look.top, "bottom": look.bottom, "text_wrap": look.wrap,
        "align": look.horizontal, "valign": look.vertical, "bold": look.bold, "font_size": look.size,
        "font_name": look.font, "bg_color": look.fill, "rotation": look.turned,
    }  # fmt: skip
    yield from ((name, value) for name, value in named.items() if value)
    if look.code != "General":
        yield "num_format", look.code


def _write_sheet(sheet: Any, laid: LaidSheet, edits: Mapping[tuple[int, int], Value], styles: _Styles) -> None:
    source = laid.sheet
    sheet.set_paper(_A4)
    sheet.fit_to_pages(1, 0)
    _measure(sheet, laid)
    for (row, column), style in laid.blanks.items():
        sheet.write_blank(row - 1, column - 1, None, styles.format(style))
    _merge(sheet, laid, styles)
    for (row, column), cell in source.cells.items():
        if (row, column) not in edits:
            value = _value(styles.book, cell)
            _put(sheet, row, column, value, styles.format(cell.style, value))
    for (row, column), value in edits.items():
        old = source.cells.get((row, column))
        style = old.style if old else laid.blanks.get((row, column), 0)
        _put(sheet, row, column, value, styles.format(style, value))


def _merge(sheet: Any, laid: LaidSheet, styles: _Styles) -> None:
    """Merge what was merged; a range inside or across another one is left out, since Excel refuses it."""
    from xlsxwriter.exceptions import OverlappingRange

    for merge in laid.sheet.merges:
        if merge[:2] == merge[2:]:
            continue
        anchor = laid.sheet.cells.get(merge[:2])
        style = anchor.style if anchor else laid.blanks.get(merge[:2], 0)
        with suppress(OverlappingRange):
            sheet.merge_range(
                merge.top - 1, merge.left - 1, merge.bottom - 1, merge.right - 1, "", styles.format(style)
            )


def _measure(sheet: Any, laid: LaidSheet) -> None:
    """Set widths and heights, and hide what was hidden; a width that is not known fits the longest line."""
    source = laid.sheet
    widths = laid.widths or _fitting(source.cells)
    for column in sorted(widths.keys() | source.hidden_columns):
        sheet.set_column(column - 1, column - 1, widths.get(column), None, {"hidden": column in source.hidden_columns})
    for row in sorted(laid.heights.keys() | source.hidden_rows):
        sheet.set_row(row - 1, laid.heights.get(row), None, {"hidden": row in source.hidden_rows})


def _fitting(cells: Mapping[tuple[int, int], Cell]) -> dict[int, float]:
    """Return widths for columns by their texts, wide characters counting double."""
    widths: dict[int, float] = {}
    for (_, column), cell in cells.items():
        longest = max(sum(2 if ord(char) > 0x2E7F else 1 for char in line) for line in cell.text.split("\n"))
        widths[column] = max(widths.get(column, 8), min(longest + 2, _WIDEST))
    return widths


def _value(book: LegacyWorkbook, cell: Cell) -> Value:
    """Return what the copy's cell holds: the number where its format shows it as the form does, else the text."""
    if cell.value is None or show(cell.value, book.number_format(cell.style), book.date1904) != cell.text:
        return cell.text
    return cell.value


def _put(sheet: Any, row: int, column: int, value: Value, style: Any) -> None:
    """Write one value; no text ever becomes a formula or a link."""
    if isinstance(value, Decimal):
        value = float(value)
    if not isinstance(value, str):
        sheet.write_number(row - 1, column - 1, value, style)
    elif clean(value):
        sheet.write_string(row - 1, column - 1, clean(value), style)
    else:
        sheet.write_blank(row - 1, column - 1, None, style)


def _verify(book: LegacyWorkbook, content: bytes, made: Sequence[Mapping[tuple[int, int], Value]]) -> None:
    """Read the copy back and compare every cell.

    Raises:
        PerfevalError: A cell is missing or holds something else.
    """
    copy = open_workbook(book.path, data=content)
    for index, edits in enumerate(made):
        wanted = {place: _value(book, cell) for place, cell in book.sheet(index).cells.items()} | dict(edits)
        found = copy.sheet(index).cells
        for place, value in wanted.items():
            if not _holds(found.get(place), value):
                raise refuse(why.NOT_VERIFIED, f"{book.sheet_names[index]} {a1(*place)}")


def _holds(cell: Cell | None, value: Value) -> bool:
    """Whether a cell read back holds a value; XlsxWriter writes numbers with 16 digits, Excel keeps 15."""
    if isinstance(value, str):
        return ("" if cell is None else cell.text) == clean(value)
    return cell is not None and cell.value is not None and math.isclose(cell.value, float(value), rel_tol=1e-15)
