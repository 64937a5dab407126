"""One form over two sheets is read, scored, filled and talked about as one; where the evidence conflicts, as two."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openpyxl
import pytest

import perfeval_xlsx as pe
from perfeval_xlsx.batch.options import Options
from perfeval_xlsx.batch.reading import explain_score
from perfeval_xlsx.form.model import Form
from perfeval_xlsx.form.read import find_forms
from perfeval_xlsx.output.outline import form_lines
from perfeval_xlsx.workbook import on_sheet, open_workbook, split_sheet

from .pages import Cut, cut
from .sketch import read, sheet

SAMPLES = Path(__file__).parents[2] / "sample_workbooks"
SEED = SAMPLES / "市教育局_部门整体支出绩效自评表.xlsx"
BLANK = SAMPLES / "市教育局_部门整体支出绩效自评表_未评分.xlsx"
HEADER = 10
"""Row of the sample's indicator header; its total stands in row 56, a note in row 57."""

CUTS = [
    Cut(15),
    Cut(30, name="续表"),
    Cut(50, head=["续表"]),
    Cut(55, name="第 2 页", head=["（接上页）"], foot="（转下页）"),
    Cut(43, header=HEADER),
    Cut(38, header=HEADER, name="续", head=["续表"]),
    Cut(23, header=HEADER, head=["2021年度部门整体支出绩效自评表（续表）", "部门名称：株洲市教育局"]),
    Cut(56, name="总分页"),
    Cut(30, 55, name="续表"),
    Cut(30, 55, header=HEADER),
]


def facts(form: Form) -> list[object]:
    """All that a form says, whatever sheets it stands on."""
    rows = [(row.values, row.level1_points, row.extra) for row in form.indicators]
    left = [(row.values, row.reason) for row in form.left_out]
    funds = [(fund.label, fund.role, fund.values) for fund in form.funds]
    return [form.title, form.org, form.year, form.unit, form.kind, form.goals, funds, rows, left, form.total]


def codes(forms: list[Form]) -> list[list[str]]:
    return [[finding.code for finding in form.findings] for form in forms]


@pytest.mark.parametrize("how", CUTS)
def test_a_form_over_two_sheets_says_what_the_whole_one_says(tmp_path: Path, how: Cut) -> None:
    (whole,) = find_forms(open_workbook(SEED))
    (form,) = find_forms(open_workbook(cut(SEED, tmp_path / "两页.xlsx", how)))
    assert facts(form) == facts(whole)
    assert (form.sheet, form.number, form.findings) == (whole.sheet, 1, [])


@pytest.mark.parametrize("how", CUTS)
def test_every_cell_is_told_with_its_sheet(tmp_path: Path, how: Cut) -> None:
    path = cut(SEED, tmp_path / "两页.xlsx", how)
    (form,) = find_forms(open_workbook(path))
    book = openpyxl.load_workbook(path, data_only=True)
    told = [(row.cells["level3"], row.values["level3"]) for row in form.indicators]
    told += [(form.total_cells["score"], form.total["score"]), (form.total_cells["grade"], "等级：优")]
    for address, text in told:
        name, cell = split_sheet(address)
        assert str(book[name or form.sheet][cell].value) == text
        assert name in {None, how.name}


@pytest.mark.parametrize("how", CUTS)
def test_both_sheets_of_the_copy_are_filled(tmp_path: Path, how: Cut) -> None:
    (result,) = pe.score(cut(BLANK, tmp_path / "两页.xlsx", how), out=tmp_path / "out")
    assert (result["status"], result["total"], result["grade"], result["findings"]) == ("scored", "99", "优", [])
    book = openpyxl.load_workbook(tmp_path / "out" / str(result["copy"]), data_only=True)
    shown = {row["cell"]: _value(book, result["sheet"], row["cell"]) for row in result["indicators"]}
    assert shown == {row["cell"]: float(row["score"] or 0) for row in result["indicators"]}
    assert {split_sheet(str(row["cell"]))[0] for row in result["indicators"]} == (
        {None, how.name} if how.first < 56 else {None}
    )
    (form,) = find_forms(open_workbook(tmp_path / "out" / str(result["copy"])))
    assert (form.total["score"], form.total["grade"]) == ("99", "优")


def _value(book: Any, own: str | None, address: str | None) -> object:
    name, cell = split_sheet(str(address))
    return book[name or own][cell].value


def test_rows_findings_and_explanations_name_the_sheet(tmp_path: Path) -> None:
    path = str(cut(SEED, tmp_path / "两页.xlsx", Cut(30, name="第 2 页")))
    (result,) = pe.score(path, out=tmp_path / "out")
    late = next(row for row in result["indicators"] if row["level3"] == "专项资金拨付时间")
    assert (late["row"], late.get("sheet"), late["cell"]) == (10, "第 2 页", "'第 2 页'!H10")
    assert "sheet" not in result["indicators"][0]
    (audited,) = pe.audit(path)
    found = [(finding["code"], finding["cell"]) for finding in audited["findings"]]
    assert ("C07", "'第 2 页'!F18") in found
    places = [split_sheet(str(cell))[0] or "" for _, cell in found]
    assert places == sorted(places)
    assert "（'第 2 页'!H10）" in explain_score(path, "'第 2 页'!h10", Options())[0]
    assert "（'第 2 页'!H10）" in explain_score(path, "专项资金拨付时间", Options())[0]
    (form,) = find_forms(open_workbook(path))
    lines = list(form_lines(form))
    assert "  工作表“第 2 页”第 1–28 行" in lines
    assert any("专项资金拨付时间" in line and "第 2 页" in line for line in lines)


def test_reviews_reach_the_second_sheet(tmp_path: Path) -> None:
    path = cut(SEED, tmp_path / "两页.xlsx", Cut(30))
    list(pe.score(path, out=tmp_path / "out"))
    table = tmp_path / "out" / "复核表.xlsx"
    book = openpyxl.load_workbook(table)
    rows = book.worksheets[0]
    heads = {cell.value: cell for row in rows.iter_rows() for cell in row}
    rows.cell(heads["Sheet2!H10"].row, heads["复核得分"].column, 0.5)
    assert "#'Sheet2'!H10" in f"{heads['Sheet2!H10'].hyperlink.target}#{heads['Sheet2!H10'].hyperlink.location}"
    book.save(table)
    (result,) = pe.audit(path, out=tmp_path / "again", reviews=table, annotate=True)
    assert result["total"] == "98.5"
    (copy,) = (tmp_path / "again").rglob("两页.xlsx")
    reviewed = openpyxl.load_workbook(copy, data_only=True)
    assert [reviewed["Sheet2"].cell(10, column).value for column in (8, 10)] == [1, 0.5]
    first, following = (reviewed[name] for name in ("部门整体自评表", "Sheet2"))
    assert [first.cell(row, 10).value for row in (4, 11, 29)] == [10, 2, 2]
    assert [following.cell(row, 10).value for row in (1, 27)] == [2, 98.5]


GRID = "A{0}=一级指标 | B{0}=二级指标 | C{0}=三级指标 | D{0}=年度指标值 | E{0}=实际完成值 | F{0}=分值 | G{0}=得分"
FUNDS = "A2=项目资金 | D2=全年预算数 | E2=全年执行数 | F2=分值\nB3=年度资金总额 | D3=10 | E3=9 | F3=10"
HEAD = f"A1:G1=项目支出绩效自评表\n{FUNDS}\n{GRID.format(4)}"
OUTPUT = "A5=产出指标 | B5=数量指标 | C5=巡查 | D5=12次 | E5=12次 | F5=50 | G5=50"
REST = "A{0}=效益指标 | B{0}=社会效益 | C{0}=受益 | D{0}=90人 | E{0}=90人 | F{0}=40 | G{0}=40"
TOTAL = "A{0}:E{0}=总分 | F{0}=100 | G{0}=99"


def two(first: str, second: str, name: str = "Sheet2") -> list[Form]:
    return read(sheet(first, "自评表"), sheet(second, name, 1))


def test_the_head_on_one_sheet_and_the_grid_on_the_next() -> None:
    (form,) = two(f"A1:G1=项目支出绩效自评表\n{FUNDS}", f"{GRID.format(1)}\n{REST.format(2)}\n{TOTAL.format(3)}")
    assert (form.title, form.sheet, len(form.funds)) == ("项目支出绩效自评表", "自评表", 1)
    assert (form.indicators[0].cells["score"], form.total_cells["score"]) == ("Sheet2!G2", "Sheet2!G3")


def test_three_sheets() -> None:
    more = REST.replace("40", "20")
    (form,) = read(
        sheet(f"{HEAD}\n{OUTPUT}", "一"),
        sheet("", "空", 1),
        sheet(more.format(1), "二", 2),
        sheet(f"{more.format(1)}\n{TOTAL.format(2)}", "三", 3),
    )
    assert [row.cells["score"] for row in form.indicators] == ["G5", "二!G1", "三!G1"]
    assert form.total_cells["score"] == "三!G2"


def test_the_form_after_the_rest_of_one_is_a_form_of_its_own() -> None:
    forms = two(
        f"{HEAD}\n{OUTPUT}",
        f"{GRID.format(1)}\n{REST.format(2)}\n{TOTAL.format(3)}\nA4:G4=维修项目支出绩效自评表\n{GRID.format(5)}\n{REST.format(6)}",
    )
    assert [(form.sheet, form.title, form.number) for form in forms] == [
        ("自评表", "项目支出绩效自评表", 1), ("Sheet2", "维修项目支出绩效自评表", 2),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (f"{HEAD}\n{OUTPUT}\n{TOTAL.format(6)}", f"A1=续表\n{GRID.format(2)}\n{REST.format(3)}\n{TOTAL.format(4)}"),
        (f"{HEAD}\n{OUTPUT}".replace("F5=50", "F5=90"), f"{GRID.format(1)}\n{REST.format(2)}"),
        (f"{HEAD}\n{OUTPUT}", f"{GRID.format(1)}\n{REST.format(2)}".replace("F2=40", "F2=90")),
        (f"{HEAD}\n{OUTPUT}", f"{GRID.format(1)}\n{REST.format(2)}".replace("F1=分值 | G1=得分", "F1=得分 | G1=分值")),
        (f"{HEAD}\n{OUTPUT}\n{REST.format(6)}".replace("F5=50", "F5=10").replace("F6=40", "F6=10"), f"{GRID.format(1)}\n{OUTPUT.replace('5=', '2=')}"),
    ],
)  # fmt: skip
def test_where_the_evidence_conflicts_two_forms_are_read(first: str, second: str) -> None:
    forms = two(first, second)
    assert codes(forms) == [[], ["R10"]]
    assert all(not form.pages for form in forms)


@pytest.mark.parametrize(
    "second",
    ["A1=填表说明\nA2=1.三级指标按实填写。", "A1=产出指标 | B1=数量指标\nA2=效益指标 | B2=社会效益", "A1=单位 | B1=电话\nA2=水务局 | B2=5551234"],
)  # fmt: skip
def test_other_sheets_are_left_alone(second: str) -> None:
    (form,) = two(f"{HEAD}\n{OUTPUT}\n{REST.format(6)}", second)
    assert (len(form.indicators), form.pages, form.findings) == (2, [], [])


def test_a_sheet_that_says_it_goes_on_and_does_not_fit_is_a_finding() -> None:
    (form,) = two(f"{HEAD}\n{OUTPUT}", "A1=续表\nA2=巡查 | B2=12次\nA3=培训 | B3=3次")
    assert [(finding.code, finding.found) for finding in form.findings] == [("R20", "Sheet2")]


@pytest.mark.parametrize(
    "line", ["A6=续表", "A6:G6=（接上页）", "A6:G6=项目支出绩效自评表（续）", "A6:G6=续表2\nA7=单位名称：水务局"]
)
@pytest.mark.parametrize("header", [True, False])
def test_a_page_break_on_one_sheet(line: str, header: bool) -> None:
    if "单位" in line and not header:
        line = line.partition("\n")[0]
    again = GRID.format(8) + "\n" if header else ""
    (form,) = read(f"{HEAD}\n{OUTPUT}\n{line}\n{again}{REST.format(9)}\n{TOTAL.format(10)}")
    assert [(row.row, row.values["level1"]) for row in form.indicators] == [(5, "产出指标"), (9, "效益指标")]
    assert (form.total["score"], form.left_out, form.findings) == ("99", [], [])


def test_a_level_repeated_on_the_next_page_keeps_its_points() -> None:
    first = OUTPUT.replace("产出指标", "产出指标（90分）")
    (form,) = two(f"{HEAD}\n{first}", f"{REST.format(1).replace('效益指标', '产出指标')}\n{TOTAL.format(2)}")
    assert [(row.values["level1"], row.level1_points) for row in form.indicators] == [
        ("产出指标", 90),
        ("产出指标", 90),
    ]


@pytest.mark.parametrize(
    ("name", "address"),
    [("续表", "续表!H5"), ("Sheet2", "Sheet2!H5"), ("第 2 页", "'第 2 页'!H5"), ("A1", "'A1'!H5"), ("2页", "'2页'!H5"), ("甲's!乙", "'甲''s!乙'!H5")],
)  # fmt: skip
def test_addresses_carry_their_sheet_as_in_excel(name: str, address: str) -> None:
    assert on_sheet(name, "H5") == address
    assert split_sheet(address) == (name, "H5")
    assert split_sheet("H5") == (None, "H5")


def test_forms_side_by_side_have_review_columns_of_their_own(tmp_path: Path) -> None:
    book = openpyxl.load_workbook(SEED)
    first = book.worksheets[0]
    for left, top, right, bottom in [merge.bounds for merge in first.merged_cells.ranges]:
        first.merge_cells(None, top, left + 10, bottom, right + 10)
    for row in list(first.iter_rows(max_col=9)):
        for cell in row:
            if cell.value is not None:
                first.cell(cell.row, cell.column + 10, cell.value).number_format = cell.number_format
    first["R11"] = 1
    book.save(tmp_path / "两张.xlsx")
    results = list(pe.audit(tmp_path / "两张.xlsx", out=tmp_path / "out", annotate=True))
    assert [(result["form"], result["execution"]["cell"]) for result in results if result["execution"]] == [
        (1, "I4"),
        (2, "S4"),
    ]
    (copy,) = (tmp_path / "out").rglob("两张.xlsx")
    sheet = openpyxl.load_workbook(copy, data_only=True)[results[0]["sheet"]]
    reviewed = [sheet.cell(11, column).value for column in range(20, 24)]
    assert (reviewed[0], reviewed[1], reviewed[2]) == (2, None, 2)
    assert reviewed[3] is not None
