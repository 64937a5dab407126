"""Formulas saved without results: computed by the engine, confirmed by LibreOffice, kept as formulas in the copy."""

from __future__ import annotations

import datetime
import re
import shutil
import subprocess
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter
from openpyxl.worksheet.formula import ArrayFormula

import perfeval_xlsx as pe
from perfeval_xlsx.data import load
from perfeval_xlsx.form import formulas as form_formulas
from perfeval_xlsx.form.model import Form
from perfeval_xlsx.form.read import find_forms
from perfeval_xlsx.limits import DEFAULT_LIMITS
from perfeval_xlsx.workbook import Cell, Workbook, formulas, open_workbook, row_column, save_copy, worker
from perfeval_xlsx.workbook.formulas import compute

pytest.importorskip("formualizer")
office = pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")

# One sheet: what the engine is trusted with, and what a spreadsheet shows for it.

FACTS: dict[str, Any] = {
    "A1": 10, "A2": 7.5, "A3": 2.675, "A4": -3.25, "A5": 0, "A6": "文字", "A8": "12", "A9": True, "A10": "100%", "A11": " x ",
    "A12": datetime.date(2022, 3, 4), "B1": "优", "B2": "良", "B3": "中", "B4": "差", "C1": 60, "C2": 80, "C3": 90,
    "C4": 95, "D1": 650, "D2": 637,
}  # fmt: skip
SHOWN: dict[str, str] = {
    "SUM(A1:A5)": "16.925", "SUM(C1:C4)/4": "81.25", "SUM(A6:A7)": "0", "A8+1": "13", "A10*2": "2", "A7": "0", 'A7&""': "",
    'SUMIF(C1:C4,">=80")': "265", 'SUMIF(B1:B4,"优",C1:C4)': "60", 'SUMIFS(C1:C4,C1:C4,">60",B1:B4,"<>差")': "170",
    "SUMPRODUCT(A1:A2,C1:C2)": "1200", "SUMPRODUCT((C1:C4>70)*(C1:C4))": "265", "PRODUCT(A1:A2)": "75",
    "AVERAGE(C1:C4)": "81.25", 'AVERAGEIF(C1:C4,">60",C1:C4)': "88.33333333", 'AVERAGEIFS(C1:C4,C1:C4,">80")': "92.5",
    "COUNT(C1:C4)": "4", "COUNTA(A1:A8)": "7", "COUNTBLANK(A5:A7)": "1", 'COUNTIF(B1:B4,"优")': "1",
    'COUNTIFS(C1:C4,">60",C1:C4,"<95")': "2", "MIN(10,A1*D2/D1)": "9.8", "MAX(A1:A5)": "10", "ABS(A4)": "3.25",
    "INT(A4)": "-4", "ROUND(A3,2)": "2.68", "ROUND(-2.5,0)": "-3", "ROUND(1.005,2)": "1.01", "ROUND(D2/D1*10,2)": "9.8",
    "ROUND(1234.5,-2)": "1200", "ROUNDUP(A3,1)": "2.7", "ROUNDDOWN(A4,1)": "-3.2", "TRUNC(A4)": "-3", "MOD(A4,2)": "0.75",
    "POWER(2,3)": "8", "2^3": "8", "-2^2": "4", "SQRT(16)": "4", 'IF(A1>5,"优","良")': "优", 'IF(A7="","空",A7)': "空",
    'IF(AND(A1>=90,A1<=100),"优",IF(A1>=80,"良","差"))': "差", "OR(A1<5,C1<50)": "FALSE", "NOT(FALSE)": "TRUE",
    "IF(A1<5,1)": "FALSE", 'IFERROR(1/0,"-")': "-", "1/0": "#DIV/0!", "ISERROR(1/0)": "TRUE", "ISERR(1/0)": "TRUE",
    "ISNA(1/0)": "FALSE", "ISNUMBER(A1)": "TRUE", "ISBLANK(A7)": "TRUE", "ISTEXT(A6)": "TRUE", "N(A6)": "0", "T(A1)": "",
    "LEFT(A6,1)": "文", "RIGHT(A6,1)": "字", 'MID("绩效自评",2,2)': "效自", 'LEN("绩效 ")': "3", "TRIM(A11)": "x",
    "CONCATENATE(A6,A1,A2)": "文字107.5", 'A2&"分"': "7.5分", 'SUBSTITUTE("98.5%","%","")': "98.5", 'FIND("效","绩效")': "2",
    'SEARCH("b","ABC")': "2", 'EXACT("a","A")': "FALSE", '"a"="A"': "TRUE", 'TEXT(D2/D1,"0.00%")': "98.00%",
    'TEXT(1234.5,"#,##0.00")': "1,234.50", 'TEXT(2.5,"0")': "3", 'TEXT(A12,"yyyy-mm-dd")': "2022-03-04",
    'VLOOKUP("良",B1:C4,2,FALSE)': "80", 'VLOOKUP("无",B1:C4,2,FALSE)': "#N/A", "HLOOKUP(60,C1:D2,2,FALSE)": "80",
    "LOOKUP(85,C1:C4,B1:B4)": "良", "INDEX(B1:C4,2,2)": "80", "MATCH(85,C1:C4,1)": "2", 'CHOOSE(2,"a","b")': "b",
    "RANK(80,C1:C4)": "3", "LARGE(C1:C4,2)": "90", "SMALL(C1:C4,2)": "80", "MEDIAN(C1:C4)": "85", "YEAR(A12)": "2022",
    "MONTH(A12)": "3", "DAY(A12)": "4", "A12-DATE(2022,1,1)": "62", "EOMONTH(A12,0)-A12": "27", "SUBTOTAL(9,A1:A5)": "16.925",
    "CEILING(2.3,1)": "3", "FLOOR(2.7,1)": "2", "数据!A1*2": "6", "SUM('表 2'!A1:A2,数据!A1)": "14", "50%": "0.5",
    "TRUE+1": "2", "FALSE": "FALSE", "+A1": "10", "A6>A1": "TRUE", "SUM(总分)": "325",
}  # fmt: skip
LATER = {'IFS(A1>20,"a",A1>5,"b")': "b", 'IFNA(VLOOKUP("无",B1:C4,2,FALSE),"缺")': "缺"}
"""Functions that came after 2007: a file names them with a prefix."""
LEFT_ALONE = [
    "TODAY()", "NOW()-A1", "RAND()", "YEAR(TODAY())", 'INDIRECT("A1")', "OFFSET(A1,1,0)", "NOSUCH(A1)", "IFERROR(NOSUCH(A1),0)",
    "A6*2", "VALUE(A8)", '0.1+0.2&""', 'CELL("row",A1)', "SUM(数据:后表!A1)", "A1:A2*2", "LET(x,A1,x+1)",
]  # fmt: skip


def workbook(cells: Mapping[str, Any], formula_cells: Mapping[str, str]) -> openpyxl.Workbook:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "表 一"
    for name, values in {"数据": [3, 4], "后表": [5], "表 2": [5, 6]}.items():
        other = book.create_sheet(name)
        for value in values:
            other.append([value])
    names = openpyxl.workbook.defined_name
    book.defined_names["总分"] = names.DefinedName("总分", attr_text="'表 一'!$C$1:$C$4")
    for address, value in cells.items():
        sheet[address] = value
    for address, formula in formula_cells.items():
        sheet[address] = f"={formula}"
    return book


def computed(tmp_path: Path, cells: Mapping[str, Any], formula_cells: Mapping[str, str]) -> dict[str, Cell]:
    """What the cells of formulas hold after they were computed."""
    path = tmp_path / "算.xlsx"
    workbook(cells, formula_cells).save(path)
    book = open_workbook(path)
    sheet = book.sheet(0)
    compute(book, [sheet])
    return {address: sheet.cells[row_column(address)] for address in formula_cells}


def placed(wanted: list[str]) -> dict[str, str]:
    return {f"H{row}": formula for row, formula in enumerate(wanted, 1)}


def test_trusted_functions_give_what_a_spreadsheet_shows(tmp_path: Path) -> None:
    wanted = SHOWN | {f"_xlfn.{formula}": shown for formula, shown in LATER.items()}
    cells = computed(tmp_path, FACTS, placed(list(wanted)))
    assert {f: cell.text for f, cell in zip(wanted, cells.values(), strict=True)} == wanted
    assert not any(cell.cached for cell in cells.values())


def test_every_trusted_function_is_tried() -> None:
    tried = set(re.findall(r"([A-Z]+)(?=\()", " ".join([*SHOWN, *LATER]))) | {"TRUE", "FALSE"}
    assert set(load("formulas.toml")["functions"]) <= tried


def test_the_document_lists_them() -> None:
    document = (Path(__file__).parent.parent / "docs" / "formats.md").read_text(encoding="utf-8")
    (listed,) = re.findall(r"```text\n(.*?)```", document, re.S)
    assert listed.split() == load("formulas.toml")["functions"]
    codes = set(re.findall(r"\b[BRS]\d\d\b", document))
    assert codes <= set(load("messages.toml")["finding"])
    assert {f"B6{number}" for number in range(1, 8)} <= codes


@office
@pytest.mark.slow
def test_libreoffice_agrees(tmp_path: Path) -> None:
    at = placed(list(SHOWN))
    cells = computed(tmp_path, FACTS, at)
    sheet = recalculated(tmp_path / "算.xlsx", tmp_path)["表 一"]
    for address, cell in cells.items():
        theirs = sheet[address].value
        assert same(cell, theirs), (at[address], cell.text, theirs)


def same(cell: Cell, theirs: object) -> bool:
    if cell.value is not None:
        return isinstance(theirs, int | float) and cell.value == pytest.approx(theirs, abs=1e-9)
    return cell.text == ("" if theirs is None else str(theirs).upper() if isinstance(theirs, bool) else theirs)


def recalculated(path: Path, folder: Path) -> openpyxl.Workbook:
    """The workbook as LibreOffice computes it anew."""
    out = folder / "lo"
    profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
    target = ["--convert-to", "xlsx:Calc MS Excel 2007 XML", "--outdir", str(out)]
    command = ["soffice", profile, "--headless", *target, str(path)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return openpyxl.load_workbook(out / path.name, data_only=True)


def test_what_cannot_be_vouched_for_is_left_alone(tmp_path: Path) -> None:
    cells = computed(tmp_path, FACTS, placed(LEFT_ALONE))
    shown = {f: (cell.text, cell.value) for f, cell in zip(LEFT_ALONE, cells.values(), strict=True)}
    assert shown == dict.fromkeys(LEFT_ALONE, ("", None))


def test_what_rests_on_it_is_left_alone_too(tmp_path: Path) -> None:
    chain = {"H1": "YEAR(TODAY())", "H2": "H1+1", "H3": "IFERROR(H2,0)", "H4": "A1+1", "H5": "H6", "H6": "H5"}
    cells = computed(tmp_path, FACTS, chain)
    assert {address: cell.text for address, cell in cells.items()} == {
        "H1": "", "H2": "", "H3": "", "H4": "11", "H5": "", "H6": "",
    }  # fmt: skip


def test_an_error_that_may_be_the_engine_s_own_is_never_hidden(tmp_path: Path) -> None:
    """A spreadsheet takes the text 1,200 for a number, the engine does not: IFERROR would make it 0."""
    cells = computed(tmp_path, {"A1": "1,200", "A2": "无"}, {"H1": "IFERROR(A1*2,0)", "H2": "IFERROR(A2*2,0)"})
    assert (cells["H1"].text, cells["H2"].text) == ("", "0")


def test_a_result_shows_under_the_cell_s_own_format(tmp_path: Path) -> None:
    book = workbook({"A1": 637, "A2": 650}, {"H1": "A1/A2", "H2": "DATE(2022,3,4)", "H3": "A1*2", "H4": "A1>A2"})
    for address, code in {"H1": "0.00%", "H2": "yyyy年m月d日", "H3": '#,##0.00"万元"'}.items():
        book["表 一"][address].number_format = code
    book.save(tmp_path / "算.xlsx")
    opened = open_workbook(tmp_path / "算.xlsx")
    sheet = opened.sheet(0)
    assert compute(opened, [sheet]) == {0: {(1, 8), (2, 8), (3, 8), (4, 8)}}
    got = [(cell.text, cell.type, cell.cached) for row in range(1, 5) for cell in [sheet.cells[row, 8]]]
    assert got == [
        ("98.00%", "n", False), ("2022年3月4日", "d", False), ("1,274.00万元", "n", False), ("FALSE", "b", False),
    ]  # fmt: skip


def test_a_cell_the_engine_reads_otherwise_spoils_what_rests_on_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = worker.ask

    def misread(*arguments: Any, **options: Any) -> Any:
        answer, rest = asked(*arguments, **options)
        answer["results"][0]["from"][0][3] = None
        return answer, rest

    monkeypatch.setattr(formulas, "ask", misread)
    cells = computed(tmp_path, FACTS, {"H1": "A1+A2", "H2": "A1-A2"})
    assert (cells["H1"].text, cells["H2"].text) == ("", "2.5")


@pytest.mark.parametrize("limits", [{"worker_seconds": 0}, {"worker_bytes": 1 << 20}])
def test_an_engine_that_hangs_or_dies_costs_nothing_but_its_results(tmp_path: Path, limits: dict[str, int]) -> None:
    workbook(FACTS, {"H1": "A1+A2"}).save(tmp_path / "算.xlsx")
    book = open_workbook(tmp_path / "算.xlsx", replace(DEFAULT_LIMITS, **limits))
    assert compute(book, [book.sheet(0)]) == {}
    assert book.sheet(0).cells[1, 8] == Cell("", None, "A1+A2", cached=False)


def test_a_workbook_that_counts_from_1904_is_left_alone(tmp_path: Path) -> None:
    book = workbook(FACTS, {"H1": "A1+A2"})
    book.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
    book.save(tmp_path / "算.xlsx")
    opened = open_workbook(tmp_path / "算.xlsx")
    assert compute(opened, [opened.sheet(0)]) == {}


def test_a_link_to_another_file_that_is_not_there_leaves_results_out(tmp_path: Path) -> None:
    cells = computed(tmp_path, FACTS, {"H1": "[1]别表!A1+1", "H2": "H1*2"})
    assert {cell.text for cell in cells.values()} == {""}


# A form, as programs write it.

FORM: dict[str, Any] = {
    "A1": "2022年度项目支出绩效自评表", "A2": "项目名称", "B2": "河道治理", "C2": "实施单位", "D2": "河东局",
    "A3": "项目资金（万元）", "C3": "年初预算数", "D3": "全年预算数", "E3": "全年执行数", "F3": "分值", "G3": "执行率", "H3": "得分",
    "B4": "年度资金总额", "C4": "=数据!A1", "D4": "=数据!A1", "E4": "=SUM(数据!A2:A3)", "F4": 10, "G4": "=E4/D4",
    "H4": "=ROUND(F4*G4,2)", "A5": "一级指标", "B5": "二级指标", "C5": "三级指标", "D5": "年度指标值", "E5": "实际完成值",
    "F5": "分值", "G5": "得分", "H5": "偏差原因分析及改进措施", "A6": "产出指标", "B6": "数量指标", "C6": "培训场次", "D6": "≥20场",
    "E6": "=数据!A4&\"场\"", "F6": 60, "G6": '=IF(数据!A4>=20,F6,0)', "A7": "效益指标", "B7": "社会效益指标", "C7": "就业人数",
    "D7": "≥80人", "E7": "80人", "F7": 30, "G7": 30, "A8": "总分", "F8": "=SUM(F4,F6:F7)", "G8": "=SUM(G6:G7)+H4",
}  # fmt: skip
FIGURES = (650, 600, 37, 22)
TEXTS = {"C4": "650", "E4": "637", "G4": "98.00%", "H4": "9.8", "E6": "22场", "G6": "60", "F8": "100", "G8": "99.8"}


def by_openpyxl(path: Path, changes: Mapping[str, Any] = {}) -> Path:
    """The form without any result."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "自评表"
    data = book.create_sheet("数据")
    for value in FIGURES:
        data.append([value])
    for address, value in {**FORM, **changes}.items():
        sheet[address] = value
    sheet["G4"].number_format = "0.00%"
    book.save(path)
    return path


def by_xlsxwriter(path: Path, results: Mapping[str, Any] = {}) -> Path:
    """The form with a 0 for every result, or with these."""
    book = xlsxwriter.Workbook(str(path))
    sheet, data = book.add_worksheet("自评表"), book.add_worksheet("数据")
    data.write_column(0, 0, FIGURES)
    percent = book.add_format({"num_format": "0.00%"})
    for address, value in FORM.items():
        if str(value).startswith("="):
            sheet.write_formula(address, value, percent if address == "G4" else None, results.get(address, 0))
        else:
            sheet.write(address, value)
    book.close()
    return path


def the_form(path: Path) -> tuple[Form, Workbook]:
    book = open_workbook(path)
    (form,) = find_forms(book)
    return form, book


def texts(book: Workbook) -> dict[str, str]:
    return {address: book.sheet(0).cells[row_column(address)].text for address in TEXTS}


@pytest.mark.parametrize("write", [by_openpyxl, by_xlsxwriter])
def test_a_form_without_results_reads_as_a_spreadsheet_shows_it(tmp_path: Path, write: Callable[[Path], Path]) -> None:
    form, book = the_form(write(tmp_path / "表.xlsx"))
    assert texts(book) == TEXTS
    assert form.funds[0].values["rate"] == "98.00%"
    assert (form.indicators[0].values["actual"], form.indicators[0].values["score"]) == ("22场", "60")
    assert (form.total["weight"], form.total["score"]) == ("100", "99.8")
    (finding,) = (found for found in form.findings if found.code in {"R17", "R18", "R19"})
    assert (finding.code, finding.cell) == ("R17", "C4")
    assert "重新计算" in finding.text()
    assert {found.cell: found.recomputed for found in form.formulas}["G8"] == "99.8"


@office
@pytest.mark.slow
def test_libreoffice_reads_the_form_alike(tmp_path: Path) -> None:
    sheet = recalculated(by_openpyxl(tmp_path / "表.xlsx"), tmp_path)["自评表"]
    shown = {address: sheet[address].value for address in TEXTS}
    assert shown == {"C4": 650, "E4": 637, "G4": 0.98, "H4": 9.8, "E6": "22场", "G6": 60, "F8": 100, "G8": 99.8}


def test_an_audit_says_once_which_cells_were_computed(tmp_path: Path) -> None:
    (result,) = pe.audit(by_openpyxl(tmp_path / "表.xlsx"))
    found = {f["cell"]: f for f in result["findings"] if f["code"] in {"M01", "M02", "M03", "R17", "R18"}}
    assert {(f["code"], f["severity"]) for f in found.values()} == {("M02", "hint")}
    assert set(found) == {"C4"}
    assert "9个单元格" in found["C4"]["message"]
    assert found["C4"]["message"].endswith("C4、D4、E4、G4、H4…")


def test_without_the_engine_nothing_is_taken_for_zero(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formulas, "is_installed", lambda: False)
    monkeypatch.setattr(form_formulas, "is_installed", lambda: False)
    for write in (by_openpyxl, by_xlsxwriter):
        path = write(tmp_path / f"{write.__name__}.xlsx")
        form, book = the_form(path)
        assert set(texts(book).values()) == {""}
        (finding,) = (found for found in form.findings if found.code.startswith("R1"))
        assert finding.code == "R18"
        assert "perfeval-xlsx[formulas]" in finding.text("suggestion")
        (result,) = pe.score(path)
        row = result["indicators"][0]
        assert (row["status"], row["score"], row["self_score"]) == ("unscorable", None, None)
        assert result["total"] is None
        assert "R18" in {f["code"] for f in result["findings"]}


def test_a_result_that_cannot_be_computed_is_said_to_be_missing(tmp_path: Path) -> None:
    form, _ = the_form(by_openpyxl(tmp_path / "表.xlsx", {"E6": "=NOSUCH(数据!A4)"}))
    told = {found.code: found.found for found in form.findings}
    assert told["R19"] == "E6"
    assert "E6" not in told["R17"]
    assert form.indicators[0].values["actual"] is None


def test_a_form_whose_labels_are_formulas_is_found(tmp_path: Path) -> None:
    labels = {address: f'="{FORM[address]}"' for address in ("C5", "D5", "E5", "F5", "G5")}
    form, _ = the_form(by_openpyxl(tmp_path / "表.xlsx", labels))
    assert [row.values["level3"] for row in form.indicators] == ["培训场次", "就业人数"]


def test_saved_results_cost_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: object, **__: object) -> None:
        raise AssertionError("no process is needed")

    monkeypatch.setattr(formulas, "ask", forbidden)
    results = TEXTS | {"C4": 650, "D4": 650, "E4": 637, "G4": 0.98, "H4": 9.8, "G6": 60, "F8": 100, "G8": 99.8}
    form, book = the_form(by_xlsxwriter(tmp_path / "表.xlsx", results))
    assert texts(book) == TEXTS
    assert not {found.code for found in form.findings} & {"R17", "R18", "R19"}


def test_a_zero_that_is_one_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """XlsxWriter's own 0 and a true one look alike; where the cells confirm it no engine is asked."""
    monkeypatch.setattr(formulas, "is_installed", lambda: False)
    path = tmp_path / "零.xlsx"
    book = xlsxwriter.Workbook(str(path))
    sheet = book.add_worksheet()
    sheet.write_column("A1", [0, 5, 0])
    for address, formula in {
        "B1": "=A1+A3",
        "B2": "=A2*1",
        "B3": "=B1*2",
        "B4": "=B2-5",
        "B5": "=IF(A1=0,1,2)",
    }.items():
        sheet.write_formula(address, formula)
    book.close()
    opened = open_workbook(path)
    formulas.doubt_zeros(opened, opened.sheet(0))
    assert [opened.sheet(0).cells[row, 2].text for row in range(1, 6)] == ["0", "", "0", "", ""]


# The copy.


def scored(path: Path, out: Path) -> tuple[Any, Path]:
    (result,) = pe.score(path, out=out)
    return result, out / result["copy"]


def formulas_in(path: Path) -> dict[str, str]:
    sheet = openpyxl.load_workbook(path)["自评表"]
    cells = (cell for row in sheet.iter_rows() for cell in row if cell.data_type == "f")
    return {cell.coordinate: cell.value for cell in cells}


def test_the_copy_keeps_formulas_and_carries_their_results(tmp_path: Path) -> None:
    path = by_openpyxl(tmp_path / "表.xlsx")
    result, copy = scored(path, tmp_path / "out")
    assert (result["total"], result["replaced"]) == ("99.8", [])
    assert formulas_in(copy) == formulas_in(path)
    sheet = openpyxl.load_workbook(copy, data_only=True)["自评表"]
    assert {address: sheet[address].value for address in ("G4", "H4", "G6", "G8")} == {
        "G4": 0.98, "H4": 9.8, "G6": 60, "G8": 99.8,
    }  # fmt: skip
    assert not {f["code"] for f in result["findings"]} & {"S10", "S11"}
    assert recalculates(copy)


def recalculates(path: Path) -> bool:
    with zipfile.ZipFile(path) as package:
        return b'fullCalcOnLoad="1"' in package.read("xl/workbook.xml")


def test_a_rate_cut_by_its_format_gets_its_own_result(tmp_path: Path) -> None:
    path = by_openpyxl(tmp_path / "表.xlsx", {"D4": 653})
    _, copy = scored(path, tmp_path / "out")
    sheet = openpyxl.load_workbook(copy, data_only=True)["自评表"]
    assert sheet["G4"].value == pytest.approx(637 / 653, abs=1e-15)


def test_a_formula_that_disagrees_stays_and_is_reported(tmp_path: Path) -> None:
    path = by_openpyxl(tmp_path / "表.xlsx", {"G6": "=F6/2"})
    result, copy = scored(path, tmp_path / "out")
    found = [(f["cell"], f["found"], f["expected"]) for f in result["findings"] if f["code"] == "S10"]
    assert found == [("G6", "30", "60"), ("G8", "69.8", "99.8")]
    assert formulas_in(copy)["G6"] == "=F6/2"
    sheet = openpyxl.load_workbook(copy, data_only=True)["自评表"]
    assert (sheet["G6"].value, sheet["G8"].value) == (30, 69.8)
    assert recalculates(copy)


def test_array_formulas_are_refused(tmp_path: Path) -> None:
    path = by_openpyxl(tmp_path / "表.xlsx", {"G6": ArrayFormula("G6:G7", "=F6:F7*1")})
    result, copy = scored(path, tmp_path / "out")
    assert {f["cell"] for f in result["findings"] if f["code"] == "S11"} >= {"G6"}
    assert openpyxl.load_workbook(copy)["自评表"]["G6"].value.text == "=F6:F7*1"


# Shared formulas and the calculation chain, as Excel writes them.

SHARED = (
    '<c r="G6"><f t="shared" ref="G6:G8" si="0">F6*1</f>{}</c>',
    '<c r="G7"><f t="shared" si="0"/>{}</c>',
    '<c r="G8"><f t="shared" si="0"/>{}</c>',
)
CHAIN = "xl/calcChain.xml"
CHAIN_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.calcChain+xml"
CHAIN_KIND = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/calcChain"


def with_shared(path: Path, results: tuple[str, str, str]) -> Path:
    """A sheet whose column G shares one formula over column F (8, 9, 10), and a calculation chain."""
    plain = path.with_name("plain.xlsx")
    book = xlsxwriter.Workbook(str(plain))
    sheet = book.add_worksheet("表")
    sheet.write_column("F6", [8, 9, 10])
    for row in (6, 7, 8):
        sheet.write_formula(f"G{row}", f"=F{row}*1", None, 1)
    sheet.write_formula("H9", "=SUM(G6:G8)", None, 27)
    book.close()
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    links = "".join(f'<c r="{cell}" i="1"/>' for cell in ("H9", "G8", "G7", "G6"))
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            content = old.read(name).decode()
            for row, (shared, result) in enumerate(zip(SHARED, results, strict=True), 6):
                content = re.sub(rf'<c r="G{row}"><f>F{row}\*1</f><v>1</v></c>', shared.format(result), content)
            content = content.replace("</Types>", f'<Override PartName="/{CHAIN}" ContentType="{CHAIN_TYPE}"/></Types>')
            if name == "xl/_rels/workbook.xml.rels":
                link = f'<Relationship Id="rId77" Type="{CHAIN_KIND}" Target="calcChain.xml"/>'
                content = content.replace("</Relationships>", f"{link}</Relationships>")
            new.writestr(name, content)
        new.writestr(CHAIN, f'<?xml version="1.0" encoding="UTF-8"?>\n<calcChain xmlns="{main}">{links}</calcChain>')
    return path


def test_shared_formulas_are_computed_each_on_its_own_row(tmp_path: Path) -> None:
    book = open_workbook(with_shared(tmp_path / "表.xlsx", ("", "", "")))
    assert compute(book, [book.sheet(0)]) == {0: {(6, 7), (7, 7), (8, 7)}}
    assert [book.sheet(0).cells[row, 7].text for row in (6, 7, 8)] == ["8", "9", "10"]


def test_a_shared_master_gets_a_result_and_stays_the_master(tmp_path: Path) -> None:
    """Only its result changes: its formula, by which the others live, is copied byte for byte."""
    path = with_shared(tmp_path / "表.xlsx", ("<v>0</v>", "<v>9</v>", "<v>10</v>"))
    copy = tmp_path / "copy.xlsx"
    assert save_copy(open_workbook(path), {0: {(6, 7): 8.0, (7, 7): 9.5}}, copy) == []
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(copy) as new:
        assert new.read(CHAIN) == old.read(CHAIN)
        part = new.read("xl/worksheets/sheet1.xml").decode()
    for shared, value in zip(SHARED, ("8", "9.5", "10"), strict=True):
        assert shared.format(f"<v>{value}</v>") in part
    sheet, values = openpyxl.load_workbook(copy)["表"], openpyxl.load_workbook(copy, data_only=True)["表"]
    assert [sheet[f"G{row}"].value for row in (6, 7, 8)] == ["=F6*1", "=F7*1", "=F8*1"]
    assert [values[f"G{row}"].value for row in (6, 7, 8)] == [8, 9.5, 10]
    assert recalculates(copy)


@office
@pytest.mark.slow
def test_libreoffice_computes_shared_formulas_of_a_copy(tmp_path: Path) -> None:
    path = with_shared(tmp_path / "表.xlsx", ("<v>0</v>", "<v>0</v>", "<v>0</v>"))
    save_copy(open_workbook(path), {0: {(6, 7): 8.0, (6, 6): 7.0}}, tmp_path / "copy.xlsx")
    sheet = recalculated(tmp_path / "copy.xlsx", tmp_path)["表"]
    assert [sheet[cell].value for cell in ("G6", "G7", "G8")] == [7, 9, 10]
