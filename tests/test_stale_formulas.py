"""Formulas whose saved results are stale, from the file to the finding."""

from __future__ import annotations

from pathlib import Path

import pytest
import xlsxwriter
from audit_forms import findings, rules

from perfeval_xlsx.form.read import find_forms
from perfeval_xlsx.workbook import open_workbook


def written(path: Path, rate: float, total: float) -> Path:
    """A small form whose rate and total are formulas saved with these results."""
    book = xlsxwriter.Workbook(path)
    sheet = book.add_worksheet()
    percent = book.add_format({"num_format": "0.00%"})
    table = [
        ["2022年度项目支出绩效自评表"],
        ["项目名称", "培训", "实施单位", "河东局"],
        ["项目资金（万元）", "", "年初预算数", "全年预算数", "全年执行数", "分值", "执行率", "得分"],
        ["", "年度资金总额", 100, 100, 98, 10, None, 9.8],
        ["一级指标", "二级指标", "三级指标", "年度指标值", "实际完成值", "分值", "得分", "偏差原因分析及改进措施"],
        ["产出指标", "数量指标", "培训场次", "≥20场", "20场", 60, 60, ""],
        ["效益指标", "社会效益指标", "就业人数", "≥80人", "80人", 30, 30, ""],
        ["总分", "", "", "", "", 100, None, ""],
    ]
    for row, cells in enumerate(table):
        for column, value in enumerate(cells):
            if value not in {None, ""}:
                sheet.write(row, column, value)
    sheet.write_formula("G4", "=E4/D4", percent, rate)
    sheet.write_formula("G8", "=SUM(G6:G7)+H4", None, total)
    book.close()
    return path


@pytest.mark.parametrize(
    ("rate", "total", "stale"),
    [(0.98, 99.8, []), (0.98, 97.8, ["G8"]), (0.95, 99.8, ["G4"])],
)
def test_a_stale_result_is_found(tmp_path: Path, rate: float, total: float, stale: list[str]) -> None:
    (form,) = find_forms(open_workbook(written(tmp_path / "表.xlsx", rate, total)))
    found = findings([form], {form.id: rules({}, form)})
    assert found.loc[found["code"] == "M03", "cell"].tolist() == stale


def test_a_stale_rate_says_what_it_should_be(tmp_path: Path) -> None:
    (form,) = find_forms(open_workbook(written(tmp_path / "表.xlsx", 0.95, 99.8)))
    found = findings([form], {form.id: rules({}, form)})
    (row,) = found[found["code"] == "M03"].to_dict("records")
    assert (row["found"], row["expected"]) == ("95.00%", "98%")
