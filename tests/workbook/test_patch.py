"""Patching: what was set reads back, what was not is the same bytes; what must not be touched is refused."""

from __future__ import annotations

import io
import math
import re
import string
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import openpyxl
import pytest
import python_calamine
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.utils import get_column_letter

from perfeval_xlsx.workbook import Refusal, Workbook, a1, save_copy
from perfeval_xlsx.workbook.patch import number_text
from perfeval_xlsx.workbook.strings import clean

from .make import BOOK, MAIN, SHEET, members_of, opened, pack, parts, sheet_xml, texts

Edits = dict[tuple[int, int], Any]


def patched(rows: str, edits: Edits, **around: str) -> tuple[str, list[Refusal]]:
    """What stands in ``sheetData`` after the edits, and what was refused."""
    with TemporaryDirectory() as folder:
        book = opened(pack(parts(sheet_xml(rows, **around))))
        refused = save_copy(book, {0: edits}, Path(folder) / "a.xlsx", durable=False)
        part = members_of((Path(folder) / "a.xlsx").read_bytes())[SHEET].decode()
    found = re.search(r"<sheetData>(.*)</sheetData>", part, re.DOTALL)
    return found[1] if found else part, refused


CASES: dict[str, tuple[str, Edits, str]] = {
    "style kept": (
        '<row r="1"><c r="A1" s="7"><v>1</v></c></row>', {(1, 1): 2},
        '<row r="1"><c r="A1" s="7"><v>2</v></c></row>'),
    "text becomes number": (
        '<row r="1"><c r="A1" s="7" t="str"><v>1</v></c></row>', {(1, 1): 9.5},
        '<row r="1"><c r="A1" s="7"><v>9.5</v></c></row>'),
    "number becomes text": (
        '<row r="1"><c r="A1" s="7"><v>1</v></c></row>', {(1, 1): "优 <&>"},
        '<row r="1"><c r="A1" s="7" t="inlineStr"><is><t>优 &lt;&amp;&gt;</t></is></c></row>'),
    "blank cell filled": (
        '<row r="1"><c r="A1" s="7"/></row>', {(1, 1): 2},
        '<row r="1"><c r="A1" s="7"><v>2</v></c></row>'),
    "cell blanked": (
        '<row r="1"><c r="A1" s="7" t="inlineStr"><is><t>x</t></is></c></row>', {(1, 1): ""},
        '<row r="1"><c r="A1" s="7"/></row>'),
    "formula kept": (
        '<row r="1"><c r="A1" s="7"><f>B1+1</f><v>1</v></c></row>', {(1, 1): 2},
        '<row r="1"><c r="A1" s="7"><f>B1+1</f><v>2</v></c></row>'),
    "formula without a cached value gets one": (
        '<row r="1"><c r="A1"><f>B1+1</f></c></row>', {(1, 1): 2},
        '<row r="1"><c r="A1"><f>B1+1</f><v>2</v></c></row>'),
    "formula with a text result": (
        '<row r="1"><c r="A1"><f>B1+1</f><v>1</v></c></row>', {(1, 1): "优"},
        '<row r="1"><c r="A1" t="str"><f>B1+1</f><v>优</v></c></row>'),
    "formula whose result was an error": (
        '<row r="1"><c r="A1" t="e"><f>1/0</f><v>#DIV/0!</v></c></row>', {(1, 1): 1},
        '<row r="1"><c r="A1"><f>1/0</f><v>1</v></c></row>'),
    "shared formulas stay shared": (
        '<row r="1"><c r="A1"><f t="shared" ref="A1:A2" si="0">B1</f><v>1</v></c></row>'
        '<row r="2"><c r="A2"><f t="shared" si="0"/><v>1</v></c></row>', {(1, 1): 2, (2, 1): 3},
        '<row r="1"><c r="A1"><f t="shared" ref="A1:A2" si="0">B1</f><v>2</v></c></row>'
        '<row r="2"><c r="A2"><f t="shared" si="0"/><v>3</v></c></row>'),
    "missing cells in order": (
        '<row r="1"><c r="B1"><v>1</v></c><c r="D1"><v>2</v></c></row>', {(1, 1): 0, (1, 3): 0, (1, 5): 0},
        '<row r="1"><c r="A1"><v>0</v></c><c r="B1"><v>1</v></c><c r="C1"><v>0</v></c><c r="D1"><v>2</v></c>'
        '<c r="E1"><v>0</v></c></row>'),
    "missing cells take the row's style": (
        '<row r="1" s="4" customFormat="1"/>', {(1, 2): 1},
        '<row r="1" s="4" customFormat="1"><c r="B1" s="4"><v>1</v></c></row>'),
    "missing rows in order": (
        '<row r="2"><c r="A2"><v>1</v></c></row><row r="4"/>', {(1, 1): 0, (3, 2): 0, (3, 1): 0, (5, 1): 0},
        '<row r="1"><c r="A1"><v>0</v></c></row><row r="2"><c r="A2"><v>1</v></c></row>'
        '<row r="3"><c r="A3"><v>0</v></c><c r="B3"><v>0</v></c></row><row r="4"/><row r="5"><c r="A5"><v>0</v></c></row>'),
    "blanking what is not there changes nothing": (
        '<row r="2"/>', {(1, 1): "", (2, 1): ""}, '<row r="2"/>'),
    "no row at all": ("", {(3, 2): 5}, '<row r="3"><c r="B3"><v>5</v></c></row>'),
    "white space is kept": (
        '<row r="1"><c r="A1"/></row>', {(1, 1): " 优\n"},
        '<row r="1"><c r="A1" t="inlineStr"><is><t xml:space="preserve"> 优\n</t></is></c></row>'),
    "what looks like an escape is escaped": (
        '<row r="1"><c r="A1"/></row>', {(1, 1): "_x000D_"},
        '<row r="1"><c r="A1" t="inlineStr"><is><t>_x005F_x000D_</t></is></c></row>'),
    "extensions and comments are kept": (
        '<row r="1"><!-- 注 --><c r="A1" ph="1"><v>1</v><extLst><ext uri="u"/></extLst></c></row>', {(1, 1): 2},
        '<row r="1"><!-- 注 --><c r="A1" ph="1"><v>2</v><extLst><ext uri="u"/></extLst></c></row>'),
    "no addresses": (
        "<row><c><v>1</v></c><c><v>2</v></c></row><row><c/></row>", {(1, 2): 9, (1, 3): 8, (2, 1): 7},
        '<row><c><v>1</v></c><c><v>9</v></c><c r="C1"><v>8</v></c></row><row><c><v>7</v></c></row>'),
    "single quotes and blanks in tags": (
        "<row r='1' ><c  r='A1'  s='3' t = 'b' ><v>1</v ></c ></row >", {(1, 1): 2},
        "<row r='1' ><c  r='A1'  s='3'><v>2</v></c></row >"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_the_bytes_of_a_patched_sheet(case: str) -> None:
    rows, edits, expected = CASES[case]
    assert patched(rows, edits) == (expected, [])


def test_a_self_closing_sheet_is_opened(tmp_path: Path) -> None:
    book = opened(pack(parts(f'<worksheet xmlns="{MAIN}"><sheetData/></worksheet>')))
    assert save_copy(book, {0: {(1, 1): 1}}, tmp_path / "a.xlsx") == []
    assert texts(opened((tmp_path / "a.xlsx").read_bytes()).sheet(0)) == {(1, 1): "1"}


REFUSED: dict[str, tuple[str, str, tuple[int, int], Any, str]] = {
    "merged, not the first cell": (
        '<row r="1"><c r="B1"/></row>',
        '<mergeCells><mergeCell ref="A1:B2"/></mergeCells>',
        (2, 2),
        1,
        "B31",
    ),
    "merged over many rows": ("", '<mergeCells><mergeCell ref="A1:A900"/></mergeCells>', (700, 1), 1, "B31"),
    "array formula": (
        '<row r="1"><c r="A1"><f t="array" ref="A1:A3">B1:B3</f><v>1</v></c></row>',
        "",
        (1, 1),
        1,
        "B32",
    ),
    "inside an array": (
        '<row r="1"><c r="A1"><f t="array" ref="A1:A3">B1:B3</f><v>1</v></c></row>',
        "",
        (3, 1),
        1,
        "B32",
    ),
    "data table": ('<row r="1"><c r="A1"><f t="dataTable" ref="A1:B2"/><v>1</v></c></row>', "", (2, 2), 1, "B32"),
    "cell metadata": ('<row r="1"><c r="A1" cm="1"><v>1</v></c></row>', "", (1, 1), 1, "B33"),
    "value metadata": ('<row r="1"><c r="A1" vm="1" t="e"><v>#VALUE!</v></c></row>', "", (1, 1), 1, "B33"),
    "not a number": ("", "", (1, 1), math.nan, "B34"),
    "infinite": ("", "", (1, 1), math.inf, "B34"),
    "text too long": ("", "", (1, 1), "长" * 32_768, "B34"),
    "row 0": ("", "", (0, 1), 1, "B35"),
    "row beyond the last": ("", "", (1_048_577, 1), 1, "B35"),
    "column beyond the limit": ("", "", (1, 257), 1, "B35"),
    "cells out of order": ('<row r="1"><c r="B1"><v>1</v></c><c r="A1"><v>2</v></c></row>', "", (1, 1), 1, "B36"),
    "a cell twice": ('<row r="1"><c r="A1"><v>1</v></c><c r="A1"><v>2</v></c></row>', "", (1, 1), 1, "B36"),
    "a row twice": ('<row r="1"><c r="A1"/></row><row r="1"><c r="B1"/></row>', "", (1, 1), 1, "B36"),
    "a new row among rows out of order": ('<row r="5"/><row r="3"/>', "", (4, 1), 1, "B36"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_must_not_be_touched_is_refused_and_the_rest_is_written(case: str) -> None:
    rows, after, (row, column), value, code = REFUSED[case]
    edits: Edits = {(row, column): value}
    before = opened(pack(parts(sheet_xml(rows, after=after))))
    content, refused = patched(rows, edits, after=after)
    assert [(r.sheet, r.row, r.column, r.code) for r in refused] == [(0, row, column, code)]
    assert refused[0].text("zh") == refused[0].reason
    assert refused[0].text("en") != refused[0].reason
    assert content == rows
    others = {(60, 5): 4.5}
    if code != "B36" or "row" not in case:
        content, refused = patched(rows, edits | others, after=after)
        assert len(refused) == 1
        assert '<c r="E60"><v>4.5</v></c>' in content
    assert before.sheet(0).index == 0


def test_rows_below_the_stop_are_neither_read_nor_written() -> None:
    rows = '<row r="1"><c r="A1"><v>1</v></c></row><row r="5000"><c r="A5000"><v>2</v></c></row>'
    content, refused = patched(rows, {(2, 1): 3, (5000, 1): 4})
    assert [(r.row, r.code) for r in refused] == [(2, "B35"), (5000, "B35")]
    assert content == rows


FORMULA = '<row r="1"><c r="A1"><v>1</v></c><c r="B1"><f>A1</f><v>1</v></c></row>'


@pytest.mark.parametrize(
    ("workbook", "expected"),
    [
        ("<sheets/>", '</sheets><calcPr fullCalcOnLoad="1"/></workbook>'),
        ('<sheets/><calcPr calcId="191029"/>', '</sheets><calcPr calcId="191029" fullCalcOnLoad="1"/></workbook>'),
        (
            '<sheets/><calcPr fullCalcOnLoad="0" calcId="1"></calcPr>',
            '</sheets><calcPr calcId="1" fullCalcOnLoad="1"></calcPr></workbook>',
        ),
        (
            "<sheets/><definedNames><definedName name='a'>1</definedName></definedNames><oleSize ref='A1'/>",
            "</definedNames><calcPr fullCalcOnLoad=\"1\"/><oleSize ref='A1'/></workbook>",
        ),
        ("<sheets/><extLst/>", '</sheets><calcPr fullCalcOnLoad="1"/><extLst/></workbook>'),
    ],
)
def test_excel_is_asked_to_recalculate_where_a_formula_may_depend_on_a_changed_cell(
    workbook: str, expected: str
) -> None:
    members = parts(sheet_xml(FORMULA))
    text = str(members[BOOK])
    _, _, tail = workbook.partition("<sheets/>")
    book = opened(pack(members | {BOOK: text.replace("</sheets>", "</sheets>" + tail)}))
    copy = saved(book, {0: {(1, 1): 2}})
    assert members_of(copy)[BOOK].decode().endswith(expected)
    assert members_of(saved(book, {0: {(1, 2): 5}}))[BOOK] == members_of(book.package.data)[BOOK]
    assert saved(book, {0: {}}) == book.package.data


def saved(book: Workbook, edits: dict[int, Edits]) -> bytes:
    with TemporaryDirectory() as folder:
        assert save_copy(book, edits, Path(folder) / "a.xlsx", durable=False) == []
        return (Path(folder) / "a.xlsx").read_bytes()


def test_numbers_are_written_as_a_person_writes_them() -> None:
    values = [10.0, 0.1, 1e15, 1e22, -0.0, 97.3, 3, True, Decimal("9.50"), Decimal("1E+3"), 1 / 3, 5e-324]
    assert [number_text(value) for value in values] == [
        "10", "0.1", "1000000000000000.0", "1e+22", "0", "97.3", "3", "1", "9.50", "1000", "0.3333333333333333", "5e-324",
    ]  # fmt: skip
    assert [float(number_text(value)) for value in values] == [float(value) for value in values]


# Random sheets and random edits: two independent readers see what was written, and every other member is the same.

CELL_TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc"), include_characters="\n\t", exclude_characters="\ufffe\uffff\x7f"),
    min_size=1, max_size=12,
)  # fmt: skip
NUMBER = st.one_of(st.integers(-(10**9), 10**9), st.floats(-1e12, 1e12, allow_nan=False), st.just(0.1 + 0.2))
PLACE = st.tuples(st.integers(1, 25), st.integers(1, 12))
CELLS = st.dictionaries(PLACE, st.one_of(CELL_TEXT, NUMBER, st.booleans(), st.just("=1+1")), max_size=20)
EDITS = st.dictionaries(PLACE, st.one_of(CELL_TEXT, NUMBER), min_size=1, max_size=12)
MERGES = st.lists(st.tuples(st.integers(1, 20), st.integers(1, 9), st.integers(0, 3), st.integers(1, 2)), max_size=2)


def by_openpyxl(cells: Edits, merges: list[tuple[int, int, int, int]], shared: bool) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for (row, column), value in cells.items():
        made = sheet.cell(row, column, value)
        if isinstance(value, str) and value != "=1+1":
            made.data_type = "s"
        made.number_format = "0.00%"
    taken: set[tuple[int, int]] = set()
    for row, column, down, right in merges:
        inside = {(r, c) for r in range(row, row + down + 1) for c in range(column, column + right + 1)}
        if not inside & taken:
            taken |= inside
            sheet.merge_cells(start_row=row, start_column=column, end_row=row + down, end_column=column + right)
    if shared:
        book.create_sheet("other")["A1"] = "=Sheet!A1"
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def by_xlsxwriter(cells: Edits, merges: list[tuple[int, int, int, int]], shared: bool) -> bytes:
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    sheet = book.add_worksheet()
    style = book.add_format({"num_format": "0.00%", "border": 1})
    for (row, column), value in cells.items():
        if value == "=1+1":
            sheet.write_formula(row - 1, column - 1, value, style, 2)
        else:
            sheet.write(row - 1, column - 1, value, style)
    if merges:
        row, column, down, right = merges[0]
        sheet.merge_range(row - 1, column - 1, row + down - 1, column + right - 1, "合", style)
    if shared:
        book.add_worksheet().write_formula(0, 0, "=Sheet1!A1")
    book.close()
    return buffer.getvalue()


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([by_openpyxl, by_xlsxwriter]), CELLS, MERGES, st.booleans(), EDITS)
def test_what_is_written_is_read_back_by_others_and_all_else_is_as_it_was(
    write: Callable[..., bytes], cells: Edits, merges: list[tuple[int, int, int, int]], shared: bool, edits: Edits
) -> None:
    data = write(cells, merges, shared)
    book = opened(data)
    with TemporaryDirectory() as folder:
        refused = save_copy(book, {0: edits}, Path(folder) / "a.xlsx", durable=False)
        copy = (Path(folder) / "a.xlsx").read_bytes()
    assert {r.code for r in refused} <= {"B31"}
    made = {place: value for place, value in edits.items() if place not in {(r.row, r.column) for r in refused}}
    before, after = members_of(data), members_of(copy)
    assert list(before) == list(after)
    changed = {name for name in before if before[name] != after[name]}
    assert changed <= {SHEET, BOOK}
    recalculated = bool(made) and other_formulas(book, made)
    assert b'fullCalcOnLoad="1"' in after[BOOK] if recalculated else BOOK not in changed
    check_read_back(made, copy)
    old = openpyxl.load_workbook(io.BytesIO(data)).worksheets[0]
    new = openpyxl.load_workbook(io.BytesIO(copy)).worksheets[0]
    places = {(cell.row, cell.column) for row in old.iter_rows() for cell in row} - set(made)
    for row, column in places:
        assert old.cell(row, column).value == new.cell(row, column).value
        assert old.cell(row, column).number_format == new.cell(row, column).number_format
    assert sorted(map(str, old.merged_cells.ranges)) == sorted(map(str, new.merged_cells.ranges))


def other_formulas(book: Workbook, made: Edits) -> bool:
    return any(
        cell.formula is not None and not (index == 0 and place in made)
        for index in range(len(book.sheet_names))
        for place, cell in book.sheet(index).cells.items()
    )


def check_read_back(made: Edits, copy: bytes) -> None:
    """Every value set is what openpyxl and calamine find in the cell."""
    found = openpyxl.load_workbook(io.BytesIO(copy), data_only=True).worksheets[0]
    rows = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(copy)).get_sheet_by_index(0).to_python(False)
    for (row, column), value in made.items():
        theirs = found.cell(row, column).value
        others = rows[row - 1][column - 1]
        if isinstance(value, str):
            # Neither reader decodes _xHHHH_ escapes; ours does.
            assert str(theirs).replace("_x005F_", "_") == clean(value), a1(row, column)
            assert str(others).replace("_x005F_", "_") == clean(value)
            assert opened(copy).sheet(0).cells[row, column].text == clean(value)
        else:
            assert theirs == value
            assert others == value


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 1_048_576), st.integers(1, 16_384))
def test_addresses_are_those_of_openpyxl(row: int, column: int) -> None:
    assert a1(row, column) == f"{get_column_letter(column)}{row}"
    assert set(a1(row, column)) <= set(string.ascii_uppercase + string.digits)
