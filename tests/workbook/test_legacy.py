"""Every other format comes through one door, as the same cells; what cannot be known is said."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
import python_calamine
import xlwt
from hypothesis import given, settings
from hypothesis import strategies as st

from perfeval_xlsx.findings import Finding, PerfevalError
from perfeval_xlsx.form.read import find_forms
from perfeval_xlsx.limits import DEFAULT_LIMITS, MIB, Limits
from perfeval_xlsx.workbook import Cell, LegacyWorkbook, Merge, Workbook, crypto, open_any, open_workbook
from perfeval_xlsx.workbook.legacy_calamine import cell_of
from perfeval_xlsx.workbook.legacy_xls import read_xls
from perfeval_xlsx.workbook.legacy_xlsb import read_xlsb
from perfeval_xlsx.workbook.look import STACKED, turned
from perfeval_xlsx.workbook.package import read_package
from perfeval_xlsx.workbook.worker import ask

from .legacy_files import as_xls, ods_bytes, record, xls_bytes, xlsb_bytes, xlsb_strings, xlsb_styles
from .make import pack, parts, sheet_xml, texts

SAMPLES = sorted((Path(__file__).parents[2] / "sample_workbooks").glob("*.xlsx"))
PLAIN = pack(parts(sheet_xml('<row r="1"><c r="A1"><v>1</v></c></row>')) | {"xl/media/image1.png": os.urandom(9_000)})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def put(folder: Path, data: bytes, name: str = "自评表.xls") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def legacy(path: Path, limits: Limits = DEFAULT_LIMITS, passwords: tuple[str, ...] = ()) -> LegacyWorkbook:
    book = open_any(path, limits, passwords)
    assert isinstance(book, LegacyWorkbook)
    assert not book.lossless
    return book


def refused(path: Path, limits: Limits = DEFAULT_LIMITS, passwords: tuple[str, ...] = ()) -> Finding:
    with pytest.raises(PerfevalError) as error:
        open_any(path, limits, passwords)
    return error.value.finding


def an_xls() -> bytes:
    book = xlwt.Workbook(encoding="utf-8")
    sheet = book.add_sheet("自评表")
    percent = xlwt.easyxf("border: left thin, right medium, top double; align: wrap on, horiz center, rota 90", "0.00%")
    sheet.write(0, 0, 0.973, percent)
    sheet.write(0, 1, datetime(2023, 12, 31), xlwt.easyxf(num_format_str='yyyy"年"m"月"d"日"'))
    sheet.write(
        0,
        2,
        "第一行\n第二行",
        xlwt.easyxf("font: bold on, height 240, name 宋体; pattern: pattern solid, fore_colour yellow"),
    )
    sheet.write(0, 3, True)
    sheet.write(0, 4, 45291, xlwt.easyxf(num_format_str="M/D/YY"))
    sheet.write(0, 5, None, percent)
    sheet.write_merge(2, 4, 0, 1, "产出指标")
    sheet.write(5, 0, xlwt.Formula("1+1"))
    sheet.write(5, 1, 1234567.891, xlwt.easyxf(num_format_str="#,##0.00"))
    sheet.row(5).hidden = True
    sheet.col(3).hidden = True
    sheet.col(0).width = 256 * 20 + 183  # 20 characters and 5 pixels of padding
    book.add_sheet("说明").visibility = 1
    return xls_bytes(book)


def test_an_old_workbook_reads_as_a_person_sees_it(folder: Path) -> None:
    data = an_xls()
    book = legacy(put(folder, data))
    assert (book.format, book.digest, book.date1904, book.findings) == ("xls", sha256(data).hexdigest(), False, [])
    assert (book.sheet_names, book.sheet_states) == (["自评表", "说明"], ["visible", "hidden"])
    sheet = book.sheet(0)
    assert {place: (cell.text, cell.value, cell.type) for place, cell in sheet.cells.items()} == {
        (1, 1): ("97.30%", 0.973, "n"),
        (1, 2): ("2023年12月31日", 45291, "d"),
        (1, 3): ("第一行\n第二行", None, "s"),
        (1, 4): ("TRUE", None, "b"),
        (1, 5): ("2023/12/31", 45291, "d"),
        (3, 1): ("产出指标", None, "s"),
        (6, 2): ("1,234,567.89", 1234567.891, "n"),
    }
    assert (sheet.merges, sheet.hidden_rows, sheet.hidden_columns) == ([Merge(3, 1, 5, 2)], {6}, {4})
    look = book.look(sheet.cells[1, 1].style)
    assert look._replace(size=0, font="") == ("0.00%", 1, 2, 6, 0, True, "center", "", False, 0, "", "", 90)
    text = book.look(sheet.cells[1, 3].style)
    assert (text.bold, text.size, text.font, text.fill) == (True, 12, "宋体", "#FFFF00")
    assert book.number_format(book.style_at(0, 1, 6)) == "0.00%"
    assert (book.style_at(0, 90, 1), book.look(-1).code, book.number_format(10_000)) == (0, "General", "General")
    assert book.laid(0).widths[1] == pytest.approx(20, abs=0.01)
    assert not book.has_formulas(0)
    assert [found.name for found in book.sheets()] == ["自评表", "说明"]
    with pytest.raises(IndexError):
        book.sheet(2)


def test_old_values_are_those_another_reader_finds(folder: Path) -> None:
    data = an_xls()
    theirs = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_index(0).to_python(False)
    for (row, column), cell in legacy(put(folder, data)).sheet(0).cells.items():
        value = theirs[row - 1][column - 1]
        if isinstance(value, date):
            assert value.isoformat().startswith("2023-12-31")
        elif isinstance(value, bool):
            assert cell.text == str(value).upper()
        else:
            assert value == (cell.text if cell.value is None else cell.value)


def test_where_only_values_can_be_read_from_an_old_workbook_the_loss_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: object) -> None:
        raise AssertionError("an assertion of the library")

    data = an_xls()
    monkeypatch.setattr("xlrd.open_workbook", fail)
    contents = read_xls(data, DEFAULT_LIMITS)
    assert (contents.lost, [laid.sheet.state for laid in contents.sheets]) == (["B63"], ["visible", "hidden"])
    sheet = contents.sheets[0].sheet
    assert {place: cell.text for place, cell in sheet.cells.items()} == {
        (1, 1): "0.973", (1, 2): "2023/12/31", (1, 3): "第一行\n第二行", (1, 4): "TRUE", (1, 5): "2023/12/31", (3, 1): "产出指标",
        (6, 2): "1234567.891",
    }  # fmt: skip
    assert (sheet.cells[1, 2].value, sheet.merges) == (45291, [Merge(3, 1, 5, 2)])
    assert contents.looks[sheet.cells[1, 2].style].code == "yyyy/m/d"
    with pytest.raises(PerfevalError) as refused:
        read_xls(data[:1000], DEFAULT_LIMITS)
    assert refused.value.finding.code == "B66"


@pytest.mark.parametrize(
    ("value", "serial", "text"),
    [
        (datetime(2023, 12, 31, 18), 45291.75, "2023/12/31 18:00"),
        (datetime(2023, 12, 31), 45291, "2023/12/31"),
        (date(2023, 12, 31), 45291, "2023/12/31"),
        (time(18), 0.75, "18:00:00"),
        (timedelta(hours=36), 1.5, "36:00:00"),
        (True, None, "TRUE"),
        (12, 12, "12"),
    ],
)
def test_values_without_a_format_show_as_excel_shows_them_by_default(
    value: object, serial: float | None, text: str
) -> None:
    cell = cell_of(value)
    assert cell is not None
    assert (cell.value, cell.text) == (serial, text)


@pytest.mark.parametrize("sample", SAMPLES[:4], ids=lambda path: path.stem)
def test_a_form_reads_the_same_from_an_old_workbook(sample: Path, folder: Path) -> None:
    original = open_workbook(sample)
    expected = find_forms(original, "x")
    found = find_forms(legacy(put(folder, as_xls(original))), "x")  # type: ignore[arg-type]
    assert len(found) == len(expected)
    for theirs, ours in zip(expected, found, strict=True):
        theirs.formulas = []
        assert ours == theirs


def test_the_1904_date_system_of_an_old_workbook(folder: Path) -> None:
    book = xlwt.Workbook()
    book.dates_1904 = True
    book.add_sheet("a").write(0, 0, 43829, xlwt.easyxf(num_format_str="yyyy-mm-dd"))
    found = legacy(put(folder, xls_bytes(book)))
    assert (found.date1904, texts(found.sheet(0))) == (True, {(1, 1): "2023-12-31"})


TABLE = """
<table:table table:name="自评表" table:style-name="ta1" table:protected="true">
 <table:table-column table:style-name="co1" table:default-cell-style-name="pct"/>
 <table:table-column table:number-columns-repeated="2" table:visibility="collapse"/>
 <table:table-row table:style-name="ro1">
  <table:table-cell office:value-type="percentage" office:value="0.973"><text:p>97.30%</text:p></table:table-cell>
  <table:table-cell office:value-type="string" table:style-name="txt" table:number-columns-spanned="2" table:number-rows-spanned="2">
   <text:p>第<text:span>一</text:span>行<text:s text:c="2"/>续</text:p><text:p>第二行<text:tab/>完<text:line-break/>尾</text:p>
   <office:annotation><text:p>批注</text:p></office:annotation>
  </table:table-cell>
  <table:covered-table-cell table:number-columns-repeated="2"/>
  <table:table-cell office:value-type="date" office:date-value="2023-12-31"><text:p>2023年12月31日</text:p></table:table-cell>
  <table:table-cell office:value-type="float" office:value="3" table:formula="of:=SUM([.A1:.A2])"><text:p>3</text:p></table:table-cell>
  <table:table-cell office:value-type="boolean" office:boolean-value="true"><text:p>TRUE</text:p></table:table-cell>
  <table:table-cell table:number-columns-repeated="16376" table:style-name="pct"/>
 </table:table-row>
 <table:table-row table:number-rows-repeated="2" table:visibility="filter">
  <table:table-cell/>
  <table:table-cell office:value-type="string" table:number-columns-repeated="2"><text:p>同</text:p></table:table-cell>
 </table:table-row>
 <table:table-row table:number-rows-repeated="1048573"><table:table-cell table:number-columns-repeated="16384"/></table:table-row>
</table:table>
<table:table table:name="藏" table:style-name="ta2"><table:table-row><table:table-cell office:value-type="time" office:time-value="PT36H30M00S"/></table:table-row></table:table>
"""  # fmt: skip
STYLES = """
<number:percentage-style style:name="N1"><number:number number:decimal-places="2" number:min-integer-digits="1"/><number:text>%</number:text></number:percentage-style>
<style:style style:name="ta2" style:family="table"><style:table-properties table:display="false"/></style:style>
<style:style style:name="co1" style:family="table-column"><style:table-column-properties style:column-width="2.54cm"/></style:style>
<style:style style:name="ro1" style:family="table-row"><style:table-row-properties style:row-height="0.5in"/></style:style>
<style:style style:name="base" style:family="table-cell"><style:table-cell-properties fo:border="0.06pt solid #000000" fo:wrap-option="wrap" style:direction="ttb"/></style:style>
<style:style style:name="pct" style:family="table-cell" style:parent-style-name="base" style:data-style-name="N1"><style:paragraph-properties fo:text-align="end"/></style:style>
<style:style style:name="txt" style:family="table-cell"><style:table-cell-properties style:rotation-angle="270" fo:border-left="2.5pt solid #000000" fo:background-color="#ffff00"/><style:text-properties fo:font-weight="bold" fo:font-size="12pt"/></style:style>
"""


def test_text_turns_as_the_binary_formats_say_it() -> None:
    assert [turned(code) for code in (0, 45, 90, 91, 135, 180, 200, 255)] == [0, 45, 90, -1, -45, -90, -90, STACKED]


def test_an_opendocument_spreadsheet_reads_as_it_shows(folder: Path) -> None:
    data = ods_bytes(TABLE, STYLES)
    book = legacy(put(folder, data, "自评表.ods"))
    assert (book.format, book.digest, book.sheet_states) == ("ods", sha256(data).hexdigest(), ["visible", "hidden"])
    sheet = book.sheet(0)
    assert sheet.cells == {
        (1, 1): Cell("97.30%", 0.973, None, 1, "n"),
        (1, 2): Cell("第一行  续\n第二行\t完\n尾", None, None, 2, "s"),
        (1, 5): Cell("2023年12月31日", 45291, None, 0, "d"),
        (1, 6): Cell("3", 3, "SUM([.A1:.A2])", 0, "n"),
        (1, 7): Cell("TRUE", None, None, 0, "b"),
        **{(row, column): Cell("同") for row in (2, 3) for column in (2, 3)},
    }
    assert (sheet.merges, sheet.protected) == ([Merge(1, 2, 2, 3)], True)
    assert (sheet.hidden_rows, sheet.hidden_columns) == ({2, 3}, {2, 3})
    assert book.number_format(1) == "0.00%"
    assert book.look(1)[1:7] == (1, 1, 1, 1, True, "right")
    assert (book.look(2).left, book.look(2).fill, book.look(2).bold, book.look(2).size) == (5, "#FFFF00", True, 12)
    assert (book.look(1).turned, book.look(2).turned) == (STACKED, -90)
    assert (book.laid(0).widths, book.laid(0).heights) == ({1: 13.0}, {1: 36.0})
    assert book.style_at(0, 1, 200) == 1
    assert book.sheet(1).cells[1, 1].value == pytest.approx(36.5 / 24)
    assert book.has_formulas(0)


DATA_STYLES = {
    '<number:number-style style:name="N"><number:number number:decimal-places="2" number:min-integer-digits="1" number:grouping="true"/></number:number-style>': "#,##0.00",
    '<number:number-style style:name="N"><number:number number:decimal-places="2" number:min-decimal-places="0" number:min-integer-digits="1"/><number:text>万元</number:text></number:number-style>': '0.##"万元"',
    '<number:number-style style:name="N"><number:number number:min-integer-digits="1"/></number:number-style>': "General",
    '<number:number-style style:name="N"><number:scientific-number number:decimal-places="2" number:min-integer-digits="1" number:min-exponent-digits="2"/></number:number-style>': "0.00E+00",
    '<number:date-style style:name="N"><number:year number:style="long"/><number:text>年</number:text><number:month/><number:text>月</number:text><number:day/><number:text>日</number:text></number:date-style>': 'yyyy"年"m"月"d"日"',
    '<number:time-style style:name="N"><number:hours/><number:text>:</number:text><number:minutes number:style="long"/></number:time-style>': "h:mm",
    '<number:text-style style:name="N"><number:text-content/></number:text-style>': "@",
    '<number:number-style style:name="P"><number:number number:decimal-places="1" number:min-integer-digits="1"/></number:number-style><number:number-style style:name="N"><number:text>-</number:text><number:number number:decimal-places="1" number:min-integer-digits="1"/><style:map style:condition="value()&gt;=0" style:apply-style-name="P"/></number:number-style>': "0.0;-0.0",
}


@pytest.mark.parametrize("style", DATA_STYLES)
def test_data_styles_become_number_formats(style: str, folder: Path) -> None:
    cell = '<style:style style:name="c" style:family="table-cell" style:data-style-name="N"/>'
    row = '<table:table-cell table:style-name="c" office:value-type="float" office:value="1"/>'
    data = ods_bytes(
        f'<table:table table:name="a"><table:table-row>{row}</table:table-row></table:table>', style + cell
    )
    book = legacy(put(folder, data))
    assert book.number_format(book.sheet(0).cells[1, 1].style) == DATA_STYLES[style]


def test_a_spreadsheet_written_by_another_library(folder: Path) -> None:
    from odf.opendocument import OpenDocumentSpreadsheet
    from odf.table import Table, TableCell, TableRow
    from odf.text import P

    document = OpenDocumentSpreadsheet()
    table, row = Table(name="自评表"), TableRow()
    for kind, value, shown in (("string", None, "一级指标"), ("float", 12.5, "12.5"), ("percentage", 0.5, "50%")):
        cell = TableCell(valuetype=kind, **({} if value is None else {"value": value}))
        cell.addElement(P(text=shown))
        row.addElement(cell)
    table.addElement(row)
    document.spreadsheet.addElement(table)
    buffer = io.BytesIO()
    document.save(buffer)
    book = legacy(put(folder, buffer.getvalue()))
    assert texts(book.sheet(0)) == {(1, 1): "一级指标", (1, 2): "12.5", (1, 3): "50%"}


def test_a_binary_workbook_reads_as_a_person_sees_it(folder: Path) -> None:
    cells = {
        (1, 1): 0.973, (1, 2): 45291.0, (1, 3): 0, (1, 4): "行内", (1, 5): True, (1, 6): "#DIV/0!", (1, 7): None,
        (2, 1): ("f", 3.0), (2, 2): ("f", "优"), (2, 3): ("f", False), (2, 4): ("f", "#DIV/0!"), (2, 5): ("f", ""),
        (3, 1): struct.pack("<i", 12 << 2 | 2), (3, 2): struct.pack("<i", -1250 << 2 | 3),
        (3, 3): struct.pack("<I", struct.unpack("<Q", struct.pack("<d", 0.5))[0] >> 32), (3, 300): 1.0, (2_500, 1): 1.0,
    }  # fmt: skip
    around = record(176, struct.pack("<4I", 4, 5, 0, 1)) + record(535, struct.pack("<HI", 0, 1))
    before = record(60, struct.pack("<4IH", 0, 1, 20 * 256, 0, 0)) + record(60, struct.pack("<4IH", 3, 3, 0, 0, 1))
    styled = {(1, 1): 1, (1, 2): 2, (1, 7): 1}
    data = xlsb_bytes(
        cells, styled, around=around, before=before, book=record(534, struct.pack("<3H", 0, 0, 1)), styles=xlsb_styles(),
        sharedStrings=xlsb_strings("共用_x000D_\n二"),
    )  # fmt: skip
    book = legacy(put(folder, data, "自评表.xlsb"))
    assert (book.format, book.sheet_names, book.findings) == ("xlsb", ["表", "藏"], [])
    assert (book.sheet_states, book.protected_structure) == (["visible", "hidden"], True)
    sheet = book.sheet(0)
    assert sheet.cells == {
        (1, 1): Cell("97.30%", 0.973, None, 1, "n"), (1, 2): Cell("2023/12/31", 45291, None, 2, "d"),
        (1, 3): Cell("共用\n二"), (1, 4): Cell("行内"), (1, 5): Cell("TRUE", type="b"), (1, 6): Cell("#DIV/0!", type="e"),
        (2, 1): Cell("3", 3, "", 0, "n"), (2, 2): Cell("优", None, ""), (2, 3): Cell("FALSE", None, "", 0, "b"),
        (2, 4): Cell("#DIV/0!", None, "", 0, "e"), (2, 5): Cell("", None, ""),
        (3, 1): Cell("12", 12, None, 0, "n"), (3, 2): Cell("-12.5", -12.5, None, 0, "n"),
        (3, 3): Cell("0.5", 0.5, None, 0, "n"),
    }  # fmt: skip
    assert (sheet.merges, sheet.hidden_rows, sheet.hidden_columns) == ([Merge(5, 1, 6, 2)], {2}, {4})
    assert (sheet.protected, book.has_formulas(0), book.has_formulas(1)) == (True, True, False)
    assert (book.laid(0).widths, book.laid(0).heights) == ({1: 19.29, 2: 19.29, 4: 0}, {3: 25})
    assert book.look(1) == ("0.00%", 1, 2, 6, 0, True, "center", "vcenter", True, 12, "宋体", "#FFFF00", STACKED)
    assert book.number_format(book.style_at(0, 1, 7)) == "0.00%"


def test_numbers_that_excel_does_not_know_are_errors(folder: Path) -> None:
    cells = {(1, 1): float("nan"), (1, 2): float("inf"), (1, 3): 1e308}
    book = legacy(put(folder, xlsb_bytes(cells, dict.fromkeys(cells, 2), styles=xlsb_styles())))
    assert texts(book.sheet(0)) == {(1, 1): "#NUM!", (1, 2): "#NUM!", (1, 3): "1E+308"}
    row = "".join(
        f'<table:table-cell office:value-type="float" office:value="{text}"/>' for text in ("NaN", "INF", "1e3")
    )
    table = f'<table:table table:name="a"><table:table-row>{row}</table:table-row></table:table>'
    assert texts(legacy(put(folder, ods_bytes(table))).sheet(0)) == {(1, 3): "1000"}


def test_the_1904_date_system_of_a_binary_workbook(folder: Path) -> None:
    data = xlsb_bytes({(1, 1): 43829.0}, {(1, 1): 2}, book=record(153, struct.pack("<I", 1)), styles=xlsb_styles())
    book = legacy(put(folder, data))
    assert (book.date1904, texts(book.sheet(0))) == (True, {(1, 1): "2023/12/31"})


def test_of_a_binary_workbook_that_is_not_understood_the_values_are_read_and_the_loss_is_said(folder: Path) -> None:
    data = xlsb_bytes({(1, 1): "一级指标", (2, 2): 0.973, (3, 1): True}, before=record(60, b"short"))
    book = legacy(put(folder, data, "自评表.xlsb"))
    assert texts(book.sheet(0)) == {(1, 1): "一级指标", (2, 2): "0.973", (3, 1): "TRUE"}
    [finding] = book.findings
    assert (finding.code, finding.severity, finding.found) == ("B62", "warning", "自评表.xlsb")
    assert "0.973" in finding.text()


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_whatever_a_binary_sheet_says_the_answer_is_a_finding_a_workbook_or_an_error_that_is_caught(
    data: st.DataObject,
) -> None:
    part = bytearray(xlsb_styles())
    for _ in range(data.draw(st.integers(1, 3))):
        part[data.draw(st.integers(0, len(part) - 1))] = data.draw(st.integers(0, 255))
    package = read_package(xlsb_bytes({(1, 1): 0.5, (2, 1): "x"}, {(1, 1): 1}, styles=bytes(part)))
    try:
        contents = read_xlsb(package)
    except (PerfevalError, struct.error, IndexError):
        return
    assert contents.sheets[0].sheet.cells[2, 1].text == "x"


@pytest.mark.slow
def test_a_library_that_dies_or_panics_costs_one_file() -> None:
    """One cell in each far corner: calamine lays out a dense grid of 17 thousand million cells."""
    data = xlsb_bytes({(1, 1): 1.0, (1_048_576, 16_384): 1.0})
    with pytest.raises(PerfevalError) as refused:
        ask("xlsb", data, "角.xlsb", replace(DEFAULT_LIMITS, worker_bytes=1_024 * MIB))
    assert refused.value.finding.code in {"B37", "B38", "B66"}
    assert refused.value.finding.text("suggestion")
    assert ask("xlsb", xlsb_bytes({(1, 1): "好"}), "好.xlsb", DEFAULT_LIMITS)[0]["sheets"][0]["cells"][0][2] == "好"


def test_a_reader_that_takes_too_long_is_given_up(folder: Path) -> None:
    finding = refused(put(folder, an_xls()), replace(DEFAULT_LIMITS, worker_seconds=0))
    assert (finding.code, finding.found, finding.expected) == ("B38", "自评表.xls", "0")


def test_a_process_that_cannot_start_is_a_finding(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(folder / "python"))
    finding = refused(put(folder, an_xls()))
    assert finding.code == "B45"
    assert str(folder / "python") in finding.text("suggestion")
    assert "损坏" not in finding.text() + finding.text("suggestion")


@pytest.mark.parametrize("limit", ["rows", "cells", "merges"])
@pytest.mark.parametrize("kind", ["xls", "ods"])
def test_the_limits_of_a_sheet_hold_in_every_format(kind: str, limit: str, folder: Path) -> None:
    data = an_xls() if kind == "xls" else ods_bytes(TABLE, STYLES)
    finding = refused(put(folder, data), replace(DEFAULT_LIMITS, **{limit: 0}))
    assert (finding.code, finding.args["limit"], finding.found) == ("B17", limit, "1")


@pytest.mark.parametrize("repeated", ["rows", "columns"])
def test_repetition_in_a_spreadsheet_is_no_bomb(repeated: str, folder: Path) -> None:
    cell = '<table:table-cell office:value-type="float" office:value="1" table:number-columns-repeated="{}"/>'
    rows, columns = (10**9, 1) if repeated == "rows" else (1, 10**9)
    table = f'<table:table-row table:number-rows-repeated="{rows}">{cell.format(columns)}</table:table-row>'
    data = ods_bytes(f'<table:table table:name="a">{table}</table:table>')
    if repeated == "rows":
        assert refused(put(folder, data)).args["limit"] == "rows"
    else:
        assert len(legacy(put(folder, data)).sheet(0).cells) == 256


def test_content_is_believed_not_the_extension(folder: Path) -> None:
    made = {"xls": an_xls(), "ods": ods_bytes(TABLE, STYLES), "xlsb": xlsb_bytes({(1, 1): 1.0}), "xlsx": PLAIN}
    for number, (kind, data) in enumerate(made.items()):
        for extension in ("xlsx", "xls", "et", "ods"):
            book = open_any(put(folder, data, f"{number}.{extension}"))
            assert (book.format, book.lossless) == (kind, kind == "xlsx")
    assert isinstance(open_any(put(folder, PLAIN, "a.xls")), Workbook)


def test_damage_is_a_finding(folder: Path) -> None:
    whole = an_xls()
    for data in (whole[:1500], whole[:-3000], whole[:512] + bytes(len(whole) - 512)):
        assert refused(put(folder, data)).code in {"B66", "B15", "B37"}
    encrypted = ods_bytes(TABLE, **{"META-INF/manifest.xml": "<manifest><encryption-data/></manifest>"})
    assert refused(put(folder, encrypted)).code == "B06"
    assert refused(put(folder, ods_bytes(TABLE.replace("</table:table-row>", "", 1)))).code == "B19"
    assert refused(put(folder, ods_bytes(""))).code == "B20"
    assert refused(folder / "没有.xls").code == "B01"


def encrypted(password: str, data: bytes = PLAIN) -> bytes:
    from msoffcrypto.format.ooxml import OOXMLFile

    target = io.BytesIO()
    OOXMLFile(io.BytesIO(data)).encrypt(password, target)
    return target.getvalue()


def test_an_encrypted_workbook_opens_with_one_of_the_passwords(folder: Path) -> None:
    data = encrypted("局2023")
    path = put(folder, data, "密.xlsx")
    book = open_any(path, passwords=["错", "局2023"])
    assert isinstance(book, Workbook)
    assert (texts(book.sheet(0)), book.digest) == ({(1, 1): "1"}, sha256(data).hexdigest())
    assert [(f.code, f.severity, f.found) for f in book.findings] == [("B67", "hint", "密.xlsx")]
    assert refused(path).code == "B06"
    wrong = refused(path, passwords=("错",))
    assert (wrong.code, "局2023" in wrong.text()) == ("B64", False)
    assert path.read_bytes() == data


def test_what_excel_locks_with_its_own_password_opens_without_one(folder: Path) -> None:
    assert texts(open_any(put(folder, encrypted("VelvetSweatshop"))).sheet(0)) == {(1, 1): "1"}


def test_without_the_extra_the_finding_says_how_to_get_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crypto.importlib.util, "find_spec", lambda _: None)
    finding = refused(put(folder, encrypted("1")), passwords=("1",))
    assert finding.code == "B65"
    assert "perfeval-xlsx[crypto]" in finding.text("suggestion")


def test_what_a_worker_is_told_never_shows_among_the_processes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[str]] = []
    run = subprocess.run

    def spy(command: list[str], **options: object) -> object:
        seen.append(command)
        return run(command, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(subprocess, "run", spy)
    assert ask("decrypt", encrypted("机密"), "a", DEFAULT_LIMITS, {"passwords": ["机密"]})[1] == PLAIN
    assert not any("机密" in part for command in seen for part in command)
