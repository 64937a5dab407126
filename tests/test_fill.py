"""The filled copy: which cell gets what, in whose hand, and what stays as it is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter
from factory import a_form, a_row, an_execution
from forms import PROJECT, SAMPLES, members

import perfeval_xlsx as pe
from perfeval_xlsx.form.model import Form, FundRow, IndicatorRow
from perfeval_xlsx.output.fill import Filling, fill, fill_all
from perfeval_xlsx.scoring.result import FormResult
from perfeval_xlsx.workbook import open_workbook

Cells = dict[str, Any]
"""What stands in a sheet: a value, a formula (text with ``=``), or a value with its number format or cached result."""


def draw(path: Path, cells: Cells, merged: tuple[str, ...] = ()) -> Path:
    """Draw a sheet; ``("=SUM(A1:A2)", 3)`` is a formula with its result, ``(0.5, "0.00%")`` a number with its format."""
    book = xlsxwriter.Workbook(str(path))
    sheet = book.add_worksheet("表")
    for area in merged:
        sheet.merge_range(area, "")
    for cell, value in cells.items():
        first, second = value if isinstance(value, tuple) else (value, None)
        if isinstance(first, str) and first.startswith("="):
            sheet.write_formula(cell, first, None, second)
        elif second is not None:
            style = book.add_format({"num_format": second})
            if first is None:
                sheet.write_blank(cell, None, style)
            else:
                sheet.write(cell, first, style)
        else:
            sheet.write(cell, first)
    book.close()
    return path


FORM = Form(
    path="表.xlsx", sheet="表", sheet_index=0, number=1, kind="project", extent=(1, 20),
    funds=[FundRow(5, "合计", "total", {"rate": None}, {"rate": "G5", "score": "H5", "executed": "F5"})],
    indicators=[IndicatorRow(12, {"level3": "一"}, {"score": "H12"}), IndicatorRow(13, {"level3": "二"}, {"score": "H13"})],
    total={"weight": "100", "score": None, "grade": None},
    total_cells={"weight": "G20", "score": "H20", "grade": "I20"},
)  # fmt: skip


def scored(**facts: Any) -> FormResult:
    rows = [a_row(12, score="10"), a_row(13, score="4.5", status="judged")]
    own = {"total": "92.5", "grade": "优", "indicators": rows, "execution": an_execution(rate="86.18%", score="8.62")}
    return a_form(**(own | facts))


def filled(tmp_path: Path, cells: Cells, form: Form = FORM, result: FormResult | None = None, **options: Any) -> Any:
    """Fill a drawn sheet; return the copy's sheet as openpyxl reads it (values), and the result."""
    result = result or scored()
    source = draw(tmp_path / "表.xlsx", {"A1": "自评表", **cells}, options.pop("merged", ()))
    fill(open_workbook(source), [form], [result], tmp_path / "copy.xlsx", durable=False, **options)
    return openpyxl.load_workbook(tmp_path / "copy.xlsx", data_only=True)["表"], result


def test_blank_cells_are_filled(tmp_path: Path) -> None:
    sheet, result = filled(tmp_path, {"F5": 86.18})
    shown = {cell: sheet[cell].value for cell in ("H12", "H13", "H5", "G5", "H20", "I20", "G20", "F5")}
    assert shown == {
        "H12": 10, "H13": 4.5, "H5": 8.62, "G5": "86.18%", "H20": 92.5, "I20": "优", "G20": None, "F5": 86.18,
    }  # fmt: skip
    assert result["replaced"] == []
    assert result["findings"] == []


def test_a_typed_score_is_replaced_and_reported(tmp_path: Path) -> None:
    form = replace(FORM, total={"weight": "100", "score": "93分", "grade": "良"})
    sheet, result = filled(tmp_path, {"H13": 5, "H20": "93分", "I20": "良"}, form)
    assert (sheet["H13"].value, sheet["H20"].value, sheet["I20"].value) == (4.5, 92.5, "优")
    assert result["replaced"] == [
        {"cell": "H13", "field": "score", "old": "5", "new": "4.5"},
        {"cell": "H20", "field": "total", "old": "93分", "new": "92.5"},
        {"cell": "I20", "field": "grade", "old": "良", "new": "优"},
    ]


def test_keep_fills_blanks_only(tmp_path: Path) -> None:
    sheet, result = filled(tmp_path, {"H13": 5, "I20": "良"}, keep=True)
    assert (sheet["H13"].value, sheet["H12"].value, sheet["I20"].value) == (5, 10, "良")
    assert result["replaced"] == []


@pytest.mark.parametrize("typed", [4.5, "4.50", "4.5分", "４.５"])
def test_what_says_the_same_in_another_hand_stays(tmp_path: Path, typed: object) -> None:
    sheet, result = filled(tmp_path, {"H13": typed})
    assert (sheet["H13"].value, result["replaced"]) == (typed, [])


@pytest.mark.parametrize(
    ("status", "score", "expected"),
    [("ruled", "3", 3), ("judged", "3", 3), ("reviewed", "3", 3), ("unscorable", "3", None), ("judged", None, None)],
)
def test_a_row_is_filled_as_far_as_its_score_is_known(
    tmp_path: Path, status: str, score: str | None, expected: float | None
) -> None:
    rows = [a_row(12), a_row(13, score=score, status=status)]
    sheet, _ = filled(tmp_path, {}, result=scored(indicators=rows, status="pending", total=None))
    assert (sheet["H13"].value, sheet["H20"].value, sheet["I20"].value) == (expected, None, None)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [("等级：", "等级：优"), ("等级: 良", "等级: 优"), ("评价等级： ", "评价等级： 优"), (None, "优"), ("优", "优")],
)
def test_the_grade_keeps_its_prefix(tmp_path: Path, typed: str | None, expected: str) -> None:
    known = {"等级: 良": "良", "优": "优"}.get(typed or "")
    form = replace(FORM, total={**FORM.total, "grade": known})
    sheet, result = filled(tmp_path, {"I20": typed} if typed else {}, form)
    assert sheet["I20"].value == expected
    assert [entry["old"] for entry in result["replaced"]] == (["等级: 良"] if known == "良" else []), (
        "a label is no grade"
    )


def test_a_grade_cell_that_holds_something_else_stays(tmp_path: Path) -> None:
    sheet, result = filled(tmp_path, {"I20": "（盖章）"})
    assert (sheet["I20"].value, result["replaced"]) == ("（盖章）", [])


def test_the_rate_is_a_number_under_a_percent_format(tmp_path: Path) -> None:
    sheet, _ = filled(tmp_path, {"G5": (None, "0.00%")})
    assert sheet["G5"].value == pytest.approx(0.8618)
    assert sheet["G5"].number_format == "0.00%"


@pytest.mark.parametrize(
    ("typed", "expected"), [("86.2%", "86.2%"), ("86%", "86%"), ("86.18％", "86.18％"), ("90%", "86.18%")]
)
def test_a_rate_that_agrees_as_far_as_it_is_printed_stays(tmp_path: Path, typed: str, expected: str) -> None:
    fund = replace(FORM.funds[0], values={"rate": typed})
    sheet, result = filled(tmp_path, {"G5": typed}, replace(FORM, funds=[fund]))
    assert (sheet["G5"].value, bool(result["replaced"])) == (expected, typed != expected)


def test_a_formula_that_agrees_stays_a_formula(tmp_path: Path) -> None:
    _, result = filled(tmp_path, {"H13": ("=9/2", 4.5), "H20": ("=H5+H12+H13+69.38", 0)})
    sheet: Any = openpyxl.load_workbook(tmp_path / "copy.xlsx")["表"]
    assert (sheet["H13"].value, sheet["H20"].value) == ("=9/2", "=H5+H12+H13+69.38")
    values: Any = openpyxl.load_workbook(tmp_path / "copy.xlsx", data_only=True)["表"]
    assert (values["H13"].value, values["H20"].value) == (4.5, 92.5), "a sum shows what it will come to"
    assert (result["replaced"], result["findings"]) == ([], [])


def test_a_formula_that_disagrees_is_left_and_named(tmp_path: Path) -> None:
    sheet, result = filled(tmp_path, {"H13": ("=5*1", 5)})
    assert sheet["H13"].value == 5
    (finding,) = result["findings"]
    facts = {key: finding[key] for key in ("code", "cell", "found", "expected")}  # type: ignore[literal-required]
    assert facts == {"code": "S10", "cell": "H13", "found": "5", "expected": "4.5"}


def test_a_sum_over_a_formula_that_was_left_shows_its_own_sum_and_is_named(tmp_path: Path) -> None:
    cells = {"H13": ("=5*1", 5), "H20": ("=H5+H12+H13+69.38", 74), "I20": ('=IF(H20>=90,"良","中")', "中")}
    sheet, result = filled(tmp_path, cells, replace(FORM, total={**FORM.total, "grade": "中"}))
    assert (sheet["H13"].value, sheet["H20"].value, sheet["I20"].value) == (5, 93, "中")
    found = [
        (finding["code"], finding["cell"], finding["found"], finding["expected"]) for finding in result["findings"]
    ]
    assert found == [("S10", "H13", "5", "4.5"), ("S10", "H20", "93", "92.5"), ("S10", "I20", "中", "优")]


def test_a_stale_result_is_refreshed_with_what_the_formula_gives(tmp_path: Path) -> None:
    cells = {"E12": 9, "H13": ("=IF(E12>=10,5,ROUND(E12/10*5,2))", 0), "H20": ("=H5+H12+H13+69.38", 1)}
    for keep in (False, True):
        sheet, result = filled(tmp_path, cells, keep=keep)
        assert (sheet["H13"].value, sheet["H20"].value, result["findings"], result["replaced"]) == (4.5, 92.5, [], [])


def test_formulas_saved_without_results_get_theirs_where_nothing_typed_was_changed(tmp_path: Path) -> None:
    pytest.importorskip("formualizer")
    folder = tmp_path / "in"
    folder.mkdir()
    book = openpyxl.load_workbook(SAMPLES / "市水利局_河道治理项目支出绩效自评表.xlsx")
    book.save(folder / "表.xlsx")
    (result,) = pe.score(folder / "表.xlsx", out=tmp_path / "out")
    copy = openpyxl.load_workbook(tmp_path / "out" / str(result["copy"]), data_only=True)
    assert (copy["项目自评表"]["E6"].value, result["replaced"]) == (1150, [])


def test_a_cell_that_cannot_be_written_is_named_with_the_reason(tmp_path: Path) -> None:
    form = replace(FORM, indicators=[FORM.indicators[0], IndicatorRow(13, {"level3": "二"}, {"score": "H14"})])
    _, result = filled(tmp_path, {}, form, merged=("H13:H14",))
    (finding,) = result["findings"]
    assert (finding["code"], finding["cell"], finding["expected"]) == ("S11", "H14", "4.5")
    assert "左上角" in finding["message"]


def test_a_form_without_scores_is_copied_as_it_is(tmp_path: Path) -> None:
    filled(tmp_path, {"H12": 3}, result=scored(status="reported"))
    assert (tmp_path / "copy.xlsx").read_bytes() == (tmp_path / "表.xlsx").read_bytes()


def test_points_are_filled_in_where_the_total_has_none(tmp_path: Path) -> None:
    form = replace(FORM, total={**FORM.total, "weight": None})
    sheet, _ = filled(tmp_path, {}, form)
    assert sheet["G20"].value == 100


def test_two_forms_on_one_sheet_are_filled_each_for_itself(tmp_path: Path) -> None:
    below = replace(
        FORM, number=2, extent=(21, 40), indicators=[IndicatorRow(32, {"level3": "三"}, {"score": "H32"})],
        funds=[], total_cells={},
    )  # fmt: skip
    second = scored(indicators=[a_row(32, score="7")], execution=None)
    source = draw(tmp_path / "表.xlsx", {"A1": "自评表", "H32": 8})
    first = scored()
    fill(open_workbook(source), [FORM, below], [first, second], tmp_path / "copy.xlsx", durable=False)
    sheet = openpyxl.load_workbook(tmp_path / "copy.xlsx")["表"]
    assert (sheet["H12"].value, sheet["H32"].value) == (10, 7)
    assert (first["replaced"], [item["cell"] for item in second["replaced"]]) == ([], ["H32"])


def test_a_copy_that_cannot_be_written_costs_itself_alone(tmp_path: Path) -> None:
    source = draw(tmp_path / "表.xlsx", {"A1": "自评表", "H12": 9})
    targets = [tmp_path / "a.xlsx", source, tmp_path / "b.xlsx"]
    results = [scored() for _ in targets]
    fillings = [
        Filling(open_workbook(source), [FORM], [result], target)
        for result, target in zip(results, targets, strict=True)
    ]
    failures = fill_all(fillings, durable=False)
    assert [failed and failed.finding.code for failed in failures] == [None, "B28", None]
    for target in (targets[0], targets[2]):
        assert openpyxl.load_workbook(target)["表"]["H12"].value == 10
    assert openpyxl.load_workbook(source)["表"]["H12"].value == 9


def test_in_a_run_too_a_copy_that_cannot_be_written_costs_itself_alone(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name in ("a.xlsx", "b.xlsx", "c.xlsx"):
        (tmp_path / "in" / name).write_bytes(PROJECT.read_bytes() + name.encode())  # equal files are one
    (tmp_path / "out" / "scored" / "b.xlsx").mkdir(parents=True)
    results = {Path(result["path"]).name: result for result in pe.score(tmp_path / "in", out=tmp_path / "out")}
    assert [results[name]["copy"] for name in ("a.xlsx", "b.xlsx", "c.xlsx")] == [
        "scored/a.xlsx",
        None,
        "scored/c.xlsx",
    ]
    codes = {name: {found["code"] for found in result["findings"]} for name, result in results.items()}
    assert codes["b.xlsx"] == codes["a.xlsx"] | {"B26"}
    assert codes["a.xlsx"] == codes["c.xlsx"]
    assert results["b.xlsx"]["replaced"] == []


@pytest.mark.parametrize("path", sorted(SAMPLES.rglob("*.xlsx")), ids=lambda path: path.stem)
def test_nothing_else_in_a_sample_changes(path: Path, tmp_path: Path) -> None:
    """Every member but the sheets is byte for byte the same, every cell not filled has its value and its style."""
    (*results,) = pe.score(path, out=tmp_path)
    if results[0]["copy"] is None:
        return
    before, after = members(path), members(tmp_path / results[0]["copy"])
    assert before.keys() == after.keys()
    changed = {name for name in before if before[name] != after[name]}
    assert all(name.startswith("xl/worksheets/sheet") or name == "xl/workbook.xml" for name in changed)
    old, new = (openpyxl.load_workbook(file) for file in (path, tmp_path / results[0]["copy"]))
    ours = {row["cell"] for result in results for row in result["indicators"]}
    ours |= {cell for form in pe.read(path) for cell in form.total_cells.values()}
    ours |= {cell for form in pe.read(path) for fund in form.funds for cell in fund.cells.values()}
    for sheet in old:
        for row in sheet.iter_rows():
            for cell in row:
                copied = new[sheet.title][cell.coordinate]
                assert copied.has_style == cell.has_style
                assert copied.style_id == cell.style_id
                if cell.coordinate not in ours:
                    assert copied.value == cell.value


@pytest.mark.parametrize(
    ("text", "total", "shown"),
    [
        ("自评总分：88分  等级：良", {"score": "88", "grade": "良"}, "自评总分：92.5分  等级：优"),
        ("总分：92.5分", {"score": "92.5"}, "总分：92.5分"),
        ("总分:88", {"score": "88"}, "总分:92.5"),
    ],
)
def test_a_total_in_its_labels_own_cell_keeps_the_label(
    tmp_path: Path, text: str, total: dict[str, str], shown: str
) -> None:
    form = replace(FORM, total={"weight": "100", **total}, total_cells=dict.fromkeys(total, "A20"))
    sheet, result = filled(tmp_path, {"A20": text}, form)
    assert sheet["A20"].value == shown
    assert [r["old"] for r in result["replaced"]] == ([text] if text != shown else [])


@pytest.mark.parametrize(
    ("text", "shown"), [("自评总分：   分", "自评总分：92.5分"), ("总分：", "总分：92.5"), ("见附页", "见附页")]
)
def test_a_label_whose_figure_is_missing_is_kept(tmp_path: Path, text: str, shown: str) -> None:
    form = replace(FORM, total={"weight": "100", "score": None}, total_cells={"score": "A20"})
    sheet, _ = filled(tmp_path, {"A20": text}, form)
    assert sheet["A20"].value == shown
