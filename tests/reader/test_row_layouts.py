"""Rows of the grid that are no indicators, or that a person does not see."""

from __future__ import annotations

import pytest

from .blocks import codes, grid
from .sketch import read, sheet

TITLE = "A1:I1=2022年度项目支出绩效自评表"
SIDE = """
    A1:I1=2022年度项目支出绩效自评表
    A2=绩效指标 | B2=一级指标 | C2=二级指标 | D2=三级指标 | E2=年度指标值 | F2=实际完成值 | G2=分值 | H2=得分
    B3=产出指标 | C3=数量指标 | D3=巡查次数 | E3=12次 | F3=12次 | G3=50 | H3=50
    B4=效益指标 | C4=社会效益指标 | D4=受益人数 | E4=80人 | F4=80人 | G4=40 | H4=38"""


@pytest.mark.parametrize("label", ["小计", "本页小计", "过次页", "分值小计"])
def test_a_subtotal_under_the_side_label(label: str) -> None:
    (form,) = read(f"{SIDE}\nA5={label} | G5=90 | H5=88\nA6=总分 | G6=90 | H6=88")
    assert [row.row for row in form.indicators] == [3, 4]
    assert [(row.row, row.reason) for row in form.left_out] == [(5, "subtotal")]
    assert (form.total["score"], codes(form)) == ("88", [])


def test_a_row_filled_with_nothing_but_none_is_not_in_use() -> None:
    (form,) = read(f"{SIDE}\nC5=其他效益指标 | D5=无 | E5=无 | F5=无")
    assert ([row.row for row in form.indicators], [row.reason for row in form.left_out]) == ([3, 4], ["unused"])


def test_none_may_be_what_an_indicator_is_measured_by() -> None:
    (form,) = read(f"{SIDE}\nC5=质量指标 | D5=重大安全事故 | E5=无 | F5=无")
    assert [row.values["level3"] for row in form.indicators] == ["巡查次数", "受益人数", "重大安全事故"]


@pytest.mark.parametrize("label", ["偏差大或目标未完成原因分析", "偏差原因及改进措施", "存在问题及改进措施"])
def test_reasons_right_below_the_last_indicator_are_a_note(label: str) -> None:
    (form,) = read(f"{TITLE}\n{grid(2)}\nA5:B5={label} | C5:H5=人数减少")
    assert ([row.row for row in form.indicators], form.left_out) == ([3, 4], [])
    assert form.notes == [label, "人数减少"]


def test_indicators_in_hidden_rows_are_told() -> None:
    made = sheet(f"{TITLE}\n{grid(2)}")
    made.hidden_rows = {1, 4}
    (form,) = read(made)
    assert [row.row for row in form.indicators] == [3, 4]
    assert [(finding.code, finding.severity, finding.cell, finding.found) for finding in form.findings] == [
        ("R24", "hint", "A4", "4")
    ]
    assert "第4行" in form.findings[0].text()
