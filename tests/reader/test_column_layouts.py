"""Columns of the grid under other words, or two that claim one field."""

from __future__ import annotations

import pytest

from .blocks import codes, grid
from .sketch import read

TITLE = "A1:H1=2022年度项目支出绩效自评表"


@pytest.mark.parametrize(
    ("usual", "label", "field"),
    [
        ("年度指标值", "标准值", "target"),
        ("年度指标值", "目标要求", "target"),
        ("实际完成值", "实际业绩值", "actual"),
        ("实际完成值", "实际执行情况", "actual"),
        ("分值", "权值", "weight"),
        ("分值", "基础分", "weight"),
        ("得分", "自评评分", "score"),
        ("得分", "评价得分", "score"),
    ],
)
def test_other_words_for_a_column(usual: str, label: str, field: str) -> None:
    (form,) = read(f"{TITLE}\n{grid(2)}".replace(f"={usual} ", f"={label} "))
    assert (form.columns[field][1], codes(form)) == (label, [])


def test_a_score_of_the_evaluation_gives_way_to_the_forms_own() -> None:
    (form,) = read(f"{TITLE}\n{grid(2)}".replace("H2=偏差原因分析", "H2=评价得分").replace("G3=50", "G3=50 | H3=44"))
    assert (form.columns["score"][1], form.indicators[0].values["score"]) == ("得分", "50")
    assert form.indicators[0].extra == {"评价得分": "44"}


@pytest.mark.parametrize(
    ("columns", "target", "actual"),
    [
        ("D3=年度指标值 | E3=实际完成值 | F3=2022\\n年指标值", "D4", "E4"),
        ("D3=20\\n20年完成值 | E3=年度指标值 | F3=完成值", "E4", "F4"),
        ("D3=2022年完成值 | E3=年度指标值 | F3=实际完成值", "E4", "F4"),
    ],
)
def test_the_years_column_though_labels_are_broken_and_names_hold_years(columns: str, target: str, actual: str) -> None:
    (form,) = read(f"""
        A1:H1=项目支出绩效自评表（2021年1月1日-2021年12月31日）
        A2=项目名称 | B2:H2=2022年办公用房修缮
        A3=一级指标 | C3=三级指标 | {columns} | G3=分值 | H3=得分
        A4=产出指标 | C4=巡查次数 | D4=11次 | E4=12次 | F4=13次 | G4=100 | H4=100
        """)
    row = form.indicators[0]
    assert (row.cells["target"], row.cells["actual"], codes(form)) == (target, actual, [])


@pytest.mark.parametrize("years", [("2021年", "2022年"), ("202\\n1年", "202\\n2年"), ("2021年度", "2022年度")])
def test_years_in_a_second_header_row(years: tuple[str, str]) -> None:
    before, own = years
    (form,) = read(f"""
        {TITLE}
        A2:A3=一级指标 | B2:B3=三级指标 | C2:D2=指标值 | E2:F2=完成值 | G2:G3=分值 | H2:H3=得分
        C3={before} | D3={own} | E3={before} | F3={own}
        A4=产出指标 | B4=巡查次数 | C4=9次 | D4=12次 | E4=10次 | F4=11次 | G4=100 | H4=90
        """)
    row = form.indicators[0]
    assert (row.values["target"], row.values["actual"], row.cells["target"], row.cells["actual"]) == (
        "12次",
        "11次",
        "D4",
        "F4",
    )
    assert codes(form) == []


@pytest.mark.parametrize("frame", ["【{}】", "[{}]", "〔{}〕"])
def test_labels_in_frames(frame: str) -> None:
    first, header, *rows = f"{TITLE}\n{grid(2)}".splitlines()
    framed = " | ".join(
        place + "=" + frame.format(label) for place, _, label in (cell.partition("=") for cell in header.split(" | "))
    )
    (form,) = read("\n".join([first, framed, *rows]))
    assert ([row.values["score"] for row in form.indicators], codes(form)) == (["50", "38"], [])


def test_columns_under_a_label_that_is_not_merged() -> None:
    (form,) = read(f"""
        {TITLE}
        A2=一级指标 | B2=三级指标 | C2=指标完成情况 | F2=分值 | G2=得分
        C3=目标 | D3=完成 | E3=完成率
        A4=产出指标 | B4=巡查次数 | C4=12次 | D4=11次 | E4=92% | F4=100 | G4=90
        """)
    row = form.indicators[0]
    assert (row.values["target"], row.values["actual"], row.extra) == ("12次", "11次", {"完成率": "92%"})
    assert codes(form) == []


def test_parts_of_the_target_under_a_label_that_is_not_merged() -> None:
    (form,) = read(f"""
        {TITLE}
        A2:A3=一级指标 | B2:B3=三级指标 | C2=年度指标值 | F2:F3=实际完成值 | G2:G3=分值 | H2:H3=得分
        C3=运算符号 | D3=内容 | E3=度量单位
        A4=产出指标 | B4=巡查次数 | C4=≥ | D4=12 | E4=次 | F4=11 | G4=100 | H4=90
        """)
    row = form.indicators[0]
    assert [row.values[name] for name in ("sign", "target", "unit", "actual")] == ["≥", "12", "次", "11"]
    assert codes(form) == []


@pytest.mark.parametrize(
    ("usual", "damaged", "field"),
    [
        ("分值", "分直", "weight"),
        ("得分", "得份", "score"),
        ("年度指标值", "年度指标伯", "target"),
        ("实际完成值", "实际完戌值", "actual"),
        ("偏差原因分析", "偏差原囚分析", "deviation"),
    ],
)
def test_a_slip_in_a_label_is_understood_and_told(usual: str, damaged: str, field: str) -> None:
    (form,) = read(f"{TITLE}\n{grid(2)}".replace(f"={usual} ", f"={damaged} ").replace(f"={usual}\n", f"={damaged}\n"))
    assert form.columns[field][1] == damaged
    told = [(finding.code, finding.found, finding.expected) for finding in form.findings]
    assert told == [("R25", damaged, usual)]


def test_a_slip_beside_the_right_label_is_another_column() -> None:
    (form,) = read(f"{TITLE}\n{grid(2)}".replace("H2=偏差原因分析", "H2=得份").replace("G3=50", "G3=50 | H3=44"))
    assert (form.columns["score"][1], form.indicators[0].values["score"], codes(form)) == ("得分", "50", ["R14"])


def test_letters_of_columns_below_their_labels() -> None:
    (form,) = read(f"""
        {TITLE}
        A2:B2=绩效指标 | C2:D2=指标值 | E2:E4=分值 | F2:F4=得分
        A3:A4=一级 | B3:B4=三级 | C3=年初目标 | D3=实际完成
        C4=（A） | D4=（B）
        A5=产出指标 | B5=巡查次数 | C5=12次 | D5=11次 | E5=100 | F5=90
        """)
    assert (form.columns["target"], form.columns["actual"], codes(form)) == (("C", "年初目标"), ("D", "实际完成"), [])
