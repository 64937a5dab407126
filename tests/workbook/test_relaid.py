"""The copy of a workbook that cannot be patched: laid out like the form, with the figures in their cells."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest
import xlwt

from perfeval_xlsx.findings import PerfevalError
from perfeval_xlsx.form.read import find_forms
from perfeval_xlsx.output.relaid import relaid_note, write_relaid
from perfeval_xlsx.workbook import LegacyWorkbook, open_any, open_workbook, save

from .legacy_files import as_xls, ods_bytes, record, xls_bytes, xlsb_bytes
from .make import texts
from .test_legacy import SAMPLES, STYLES, TABLE, an_xls


def opened(folder: Path, data: bytes, name: str = "自评表.xls") -> LegacyWorkbook:
    path = folder / name
    path.write_bytes(data)
    book = open_any(path)
    assert isinstance(book, LegacyWorkbook)
    return book


@pytest.mark.parametrize("kind", ["xls", "ods", "xlsb"])
def test_the_copy_shows_what_the_form_shows_with_the_edits_in_place(kind: str, tmp_path: Path) -> None:
    made = {
        "xls": an_xls,
        "ods": lambda: ods_bytes(TABLE, STYLES),
        "xlsb": lambda: xlsb_bytes({(1, 1): "一", (2, 2): 0.5}),
    }
    book = opened(tmp_path, made[kind](), f"自评表.{kind}")
    edits = {0: {(9, 2): 9.5, (9, 3): Decimal("1.50"), (1, 1): "改", (9, 4): "=1+1", (9, 5): "https://a.b"}}
    assert write_relaid(book, edits, tmp_path / "out" / "copy.xlsx") == []
    copy = open_workbook(tmp_path / "out" / "copy.xlsx")
    assert (copy.sheet_names, copy.sheet_states) == (book.sheet_names, book.sheet_states)
    assert not any(copy.has_formulas(index) for index in range(len(copy.sheet_names)))
    expected = texts(book.sheet(0)) | {
        (1, 1): "改",
        (9, 2): "9.5",
        (9, 3): "1.5",
        (9, 4): "=1+1",
        (9, 5): "https://a.b",
    }
    assert texts(copy.sheet(0)) == expected
    assert sorted(copy.sheet(0).merges) == sorted(book.sheet(0).merges)
    assert copy.sheet(0).hidden_rows == book.sheet(0).hidden_rows
    assert copy.sheet(0).hidden_columns == book.sheet(0).hidden_columns
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["copy.xlsx"]


def test_formats_borders_widths_and_fonts_come_along(tmp_path: Path) -> None:
    book = opened(tmp_path, an_xls())
    write_relaid(book, {0: {(1, 6): 0.25}}, tmp_path / "copy.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "copy.xlsx")["自评表"]
    for address in ("A1", "F1"):
        cell = sheet[address]
        assert (cell.number_format, cell.alignment.wrap_text, cell.alignment.horizontal) == ("0.00%", True, "center")
        assert (cell.border.left.style, cell.border.right.style, cell.border.top.style) == ("thin", "medium", "double")
    assert (sheet["C1"].font.b, sheet["C1"].font.sz, sheet["C1"].font.name) == (True, 12, "宋体")
    assert sheet["C1"].fill.fgColor.rgb == "FFFFFF00"
    assert sheet.column_dimensions["A"].width == pytest.approx(20.71, abs=0.01)
    assert sheet["A1"].alignment.textRotation == 90
    assert sheet.page_setup.fitToHeight == 0
    assert open_workbook(tmp_path / "copy.xlsx").sheet(0).cells[1, 6].text == "25.00%"


def test_where_nothing_is_known_of_the_layout_widths_fit_and_cells_are_framed(tmp_path: Path) -> None:
    book = opened(tmp_path, xlsb_bytes({(1, 1): "一级指标一级指标", (2, 2): "长" * 50}, before=record(60, b"short")))
    write_relaid(book, {}, tmp_path / "copy.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "copy.xlsx").active
    assert sheet is not None
    assert sheet["A1"].border.left.style == "thin"
    assert (sheet.column_dimensions["A"].width > 16, sheet.column_dimensions["B"].width < 40) == (True, True)


@pytest.mark.parametrize("sample", SAMPLES[:3], ids=lambda path: path.stem)
def test_the_copy_reads_as_the_same_form(sample: Path, tmp_path: Path) -> None:
    book = opened(tmp_path, as_xls(open_workbook(sample)))
    write_relaid(book, {}, tmp_path / "copy.xlsx")
    assert find_forms(open_workbook(tmp_path / "copy.xlsx"), "x") == find_forms(book, "x")  # type: ignore[arg-type]


def test_what_cannot_be_set_is_refused_and_the_rest_is_written(tmp_path: Path) -> None:
    book = opened(tmp_path, an_xls())
    edits = {0: {(4, 2): 1, (0, 1): 1, (1, 300): 1, (8, 1): float("nan"), (8, 2): "长" * 40_000, (8, 3): "好"}}
    refused = write_relaid(book, edits, tmp_path / "copy.xlsx")
    assert {(r.row, r.column): r.code for r in refused} == {
        (4, 2): "B31", (0, 1): "B35", (1, 300): "B35", (8, 1): "B34", (8, 2): "B34",
    }  # fmt: skip
    assert texts(open_workbook(tmp_path / "copy.xlsx").sheet(0))[8, 3] == "好"


def test_a_cell_can_be_blanked_and_keeps_its_look(tmp_path: Path) -> None:
    book = opened(tmp_path, an_xls())
    write_relaid(book, {0: {(1, 1): ""}}, tmp_path / "copy.xlsx")
    copy = open_workbook(tmp_path / "copy.xlsx")
    assert (1, 1) not in copy.sheet(0).cells
    assert copy.number_format(copy.style_at(0, 1, 1)) == "0.00%"


def test_names_that_excel_refuses_are_changed_and_the_first_visible_sheet_opens(tmp_path: Path) -> None:
    row = '<table:table-row><table:table-cell office:value-type="float" office:value="1"/></table:table-row>'
    names = ["藏", "a/b:c", "A_B_C", "长" * 40, "长" * 41]
    tables = "".join(
        f'<table:table table:name="{name}" table:style-name="{"ta2" if name == "藏" else "x"}">{row}</table:table>'
        for name in names
    )
    book = opened(tmp_path, ods_bytes(tables, STYLES))
    write_relaid(book, {4: {(1, 2): 2}}, tmp_path / "copy.xlsx")
    copy = open_workbook(tmp_path / "copy.xlsx")
    assert copy.sheet_names == ["藏", "a_b_c", "A_B_C_2", "长" * 31, "长" * 29 + "_2"]
    assert copy.sheet_states == ["hidden", "visible", "visible", "visible", "visible"]
    assert texts(copy.sheet(4)) == {(1, 1): "1", (1, 2): "2"}
    assert openpyxl.load_workbook(tmp_path / "copy.xlsx").active.title == "a_b_c"  # type: ignore[union-attr]


def test_overlapping_merges_are_left_out(tmp_path: Path) -> None:
    spanned = '<table:table-cell table:number-columns-spanned="2" table:number-rows-spanned="2"/>'
    table = f'<table:table table:name="a"><table:table-row>{spanned}{spanned}</table:table-row></table:table>'
    write_relaid(opened(tmp_path, ods_bytes(table)), {0: {(1, 1): "甲"}}, tmp_path / "copy.xlsx")
    copy = open_workbook(tmp_path / "copy.xlsx").sheet(0)
    assert (len(copy.merges), texts(copy)) == (1, {(1, 1): "甲"})


def test_the_input_is_never_overwritten_and_a_failure_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = an_xls()
    book = opened(tmp_path, data)
    with pytest.raises(PerfevalError) as refused:
        write_relaid(book, {}, tmp_path / "x" / ".." / "自评表.xls")
    assert refused.value.finding.code == "B28"

    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(save.os, "fsync", fail)
    with pytest.raises(PerfevalError) as refused:
        write_relaid(book, {}, tmp_path / "copy.xlsx")
    assert refused.value.finding.code == "B26"
    assert [path.name for path in tmp_path.iterdir()] == ["自评表.xls"]
    assert (tmp_path / "自评表.xls").read_bytes() == data


def test_a_copy_that_reads_back_otherwise_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import xlsxwriter.worksheet

    monkeypatch.setattr(xlsxwriter.worksheet.Worksheet, "_write_number", lambda *_: 0)
    with pytest.raises(PerfevalError) as refused:
        write_relaid(opened(tmp_path, an_xls()), {}, tmp_path / "copy.xlsx")
    assert refused.value.finding.code == "B27"
    assert not (tmp_path / "copy.xlsx").exists()


def test_text_that_a_format_changes_is_kept_as_it_shows(tmp_path: Path) -> None:
    source = xlwt.Workbook(encoding="utf-8")
    sheet = source.add_sheet("a")
    for row, (text, code) in enumerate(
        [("市教育局", '0;0;0;"单位："@'), (" 空格 ", "_ * #,##0.00_ ;_ @_ "), ("隐", ";;;")]
    ):
        sheet.write(row, 0, text, xlwt.easyxf(num_format_str=code))
    sheet.write(4, 0, None, xlwt.easyxf(num_format_str='0;0;0;"等级："@'))
    book = opened(tmp_path, xls_bytes(source))
    assert write_relaid(book, {0: {(5, 1): "优", (6, 1): " 良 "}}, tmp_path / "copy.xlsx") == []
    shown = texts(open_workbook(tmp_path / "copy.xlsx").sheet(0))
    assert shown == {(1, 1): "单位：市教育局", (2, 1): " 空格 ", (5, 1): "优", (6, 1): " 良 "}


def test_dates_keep_their_day_in_the_1904_system(tmp_path: Path) -> None:
    source = xlwt.Workbook()
    source.dates_1904 = True
    source.add_sheet("a").write(0, 0, 43829, xlwt.easyxf(num_format_str="yyyy-mm-dd"))
    write_relaid(opened(tmp_path, xls_bytes(source)), {}, tmp_path / "copy.xlsx")
    assert texts(open_workbook(tmp_path / "copy.xlsx").sheet(0)) == {(1, 1): "2023-12-31"}


def test_the_note_names_the_file_and_what_is_not_carried_over(tmp_path: Path) -> None:
    note = relaid_note(opened(tmp_path, an_xls()))
    assert (note.code, note.severity) == ("B61", "hint")
    for lang, words in (("zh", ("自评表.xls", ".xls", "公式")), ("en", ("自评表.xls", ".xls", "formulas"))):
        assert all(word in note.text("message", lang) for word in words)  # type: ignore[arg-type]
    assert note.text("suggestion")
