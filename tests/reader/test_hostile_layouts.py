"""Headers that no template has: ranges that overlap or hide labels, a level that stands twice. None hangs."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perfeval_xlsx.workbook import Merge

from .sketch import read, sheet

HEAD = """\
A1=2023年度项目支出绩效自评表
A2=项目名称 | C2=某项目 | F2=实施单位 | H2=某局
A3=项目资金（万元） | D3=年初预算数 | E3=全年预算数 | F3=全年执行数 | G3=分值 | H3=执行率 | I3=得分
B4=年度资金总额 | D4=100 | E4=100 | F4=90 | G4=10 | H4=90% | I4=9
A6=年度总体目标 | B6=预期目标 | F6=实际完成情况
B7=按期完成 | F7=已完成
"""
GRID = """\
A8=绩效指标 | B8=一级指标 | C8=二级指标 | D8=三级指标 | E8=年度指标值 | F8=实际完成值 | G8=分值 | H8=得分 | I8=原因
B9=产出指标 | C9=数量指标 | D9=巡查次数 | E9=≥12次 | F9=12次 | G9=50 | H9=50
D10=培训人次 | E10=≥30人 | F10=31人 | G10=40 | H10=40
A11=总分 | G11=100 | H11=99
"""
RANGE = st.tuples(st.integers(1, 11), st.integers(1, 9), st.integers(0, 3), st.integers(0, 3))


@settings(deadline=None, max_examples=200)
@given(st.lists(RANGE, min_size=1, max_size=8))
def test_any_merged_ranges_are_lived_with(ranges: list[tuple[int, int, int, int]]) -> None:
    made = sheet(HEAD + GRID)
    made.merges += [Merge(top, left, top + down, left + across) for top, left, down, across in ranges]
    assert len(read(made)) <= 1


def test_a_header_below_ranges_that_overlap_comes_to_an_end() -> None:
    made = sheet(HEAD + GRID)
    made.merges += [Merge(8, 5, 10, 6), Merge(10, 6, 11, 7), Merge(8, 3, 8, 5)]
    assert len(read(made)) == 1


def test_a_fund_header_whose_labels_are_all_hidden_gives_no_amount() -> None:
    made = sheet(HEAD + GRID)
    made.merges.append(Merge(3, 1, 3, 9))
    (form,) = read(made)
    assert len(form.indicators) == 2
    assert not [text for fund in form.funds for text in fund.values.values() if text is not None]


@pytest.mark.parametrize(
    ("labels", "named"),
    [
        (["一级指标", "二级指标", "二级指标"], ("产出指标", "数量指标", "巡查次数")),
        (["一级指标", "一级指标"], ("产出指标", None, "数量指标")),
        (["二级指标", "二级指标"], (None, "产出指标", "数量指标")),
    ],
)
def test_of_a_level_that_stands_twice_the_last_column_holds_the_names(
    labels: list[str], named: tuple[str | None, ...]
) -> None:
    rows = [[*labels, "年度指标值", "实际完成值", "分值", "得分"]]
    rows += [[*["产出指标", "数量指标", "巡查次数"][: len(labels)], "12次", "12次", "90", "90"]]
    lines = [
        " | ".join(f"{'ABCDEFG'[at]}{row}={text}" for at, text in enumerate(texts)) for row, texts in enumerate(rows, 1)
    ]
    (form,) = read("\n".join(lines))
    values = form.indicators[0].values
    assert (values["level1"], values["level2"], values["level3"]) == named
    told = [
        (finding.code, finding.found, finding.expected) for finding in form.findings if finding.code in {"R06", "R25"}
    ]
    assert told == [("R25", labels[-1], "三级指标")]
