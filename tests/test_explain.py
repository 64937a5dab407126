"""`steps`: one score explained line by line."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scoring.build import FIRST_ROW, a_form
from scoring.test_properties import BOOKS, book_of, texts

from perfeval_xlsx.data import load
from perfeval_xlsx.form.frames import to_frames
from perfeval_xlsx.output.plain import check_lines
from perfeval_xlsx.scoring.steps import steps

FUND = {"annual_budget": "2079.21", "executed": "2000", "weight": "10", "score": "10"}
ROW = {"level1": "产出指标", "level3": "养护公路里程", "weight": "10"}


def explained(what: Any, row: dict[str, Any], book: str = "national-2020", lang: Any = "zh", **facts: Any) -> list[str]:
    form = a_form([ROW | row], FUND, **facts)
    return steps(to_frames([form]), book_of(book), form.id, what, lang)


def test_a_row_in_proportion() -> None:
    assert explained(FIRST_ROW, {"target": "≥180公里", "actual": "162公里", "score": "10"}) == [
        "养护公路里程（I9）：分值10，自评10，得分9",
        "年度指标值“≥180公里”：理解为数值，不低于，180000米",
        "实际完成值“162公里”：理解为数值，162000米",
        "方向：越高越好（目标值中的比较符号）",
        "完成率：162000 ÷ 180000 = 90.00%",
        "规则：完成目标的90.00%，按比例计分：10×90.00%",
        "计算：10 × 162000 ÷ 180000 = 9",
        "四舍五入保留2位小数：9",
        "结论：由规则计算，9分",
        "依据：财预〔2020〕10号：定量指标达到指标值得满分，未达到按完成值与指标值的比例计分，不超过分值上限（已见于实际表格）",
    ]


def test_a_late_row() -> None:
    row = {"level3": "专项资金拨付时间", "target": "9月30日前", "actual": "12月15日前", "weight": "2", "score": "1"}
    assert explained(FIRST_ROW, row) == [
        "专项资金拨付时间（I9）：分值2，自评1，得分1",
        "年度指标值“9月30日前”：理解为时限，9月30日",
        "实际完成值“12月15日前”：理解为时限，12月15日",
        "目标日期 9月30日，实际日期 12月15日：晚76天",
        "规则：晚76天，规则建议得分率50%，由人工判定",
        "允许范围：0–1.98分",
        "自评分：自评1分在允许范围0–1.98内，予以保留",
        "结论：须人工判定，1分",
        "依据：各项规定均无公式；建议得分率由人工判定（本工具判断）",
    ]


def test_a_row_in_english_with_direction_from_the_name() -> None:
    row = {"level3": "投诉率", "target": "2%", "actual": "3%", "weight": "9"}
    assert explained(FIRST_ROW, row, lang="en")[:8] == [
        "投诉率 (I9): points 9, typed none, score 6",
        "Target “2%”: read as a percentage, 2%",
        "Actual “3%”: read as a percentage, 3%",
        "Direction: lower is better (the name, “投诉率”)",
        "Rate: 2 ÷ 3 = 66.67%",
        "Rule: lower is better and the target was exceeded: 9 × target / actual (66.67%)",
        "Formula: 9 × 2 ÷ 3 = 6",
        "Rounded half up to 2 decimals: 6",
    ]


def test_points_taken_off_are_a_step_of_their_own() -> None:
    row = {"target": "≥180公里", "actual": "162公里", "extra": {"扣减分数": "1.5"}}
    lines = explained(FIRST_ROW, row, "guangxi")
    assert lines[7:10] == ["四舍五入保留2位小数：9", "减去“扣减分数”1.5，不低于0：7.5", "结论：由规则计算，7.5分"]


def test_a_row_that_cannot_be_scored() -> None:
    lines = explained(FIRST_ROW, {"target": "≥180公里", "actual": None, "score": None})
    assert lines[2] == "实际完成值“（空）”：理解为未填"
    assert lines[-2] == "结论：无法计分，得分留空"


def test_a_row_without_points() -> None:
    lines = explained(FIRST_ROW, {"target": "≥180公里", "actual": "162公里", "weight": None, "score": "9"})
    assert lines[-2:] == ["规则：本行没有分值，不单独计分", "结论：不单独计分，填报的9分原样保留"]


def test_dates_with_years() -> None:
    lines = explained(FIRST_ROW, {"target": "2021年9月", "actual": "2021年8月5日"})
    assert lines[3] == "目标日期 2021年9月30日，实际日期 2021年8月5日：没有延期"


def test_execution() -> None:
    row = {"target": "≥180公里", "actual": "162公里"}
    assert explained("execution", row) == [
        "预算执行率：分值10，自评10，得分9.62",
        "分母（全年预算数）：“2079.21”，即20792100元",
        "分子（全年执行数）：“2000”，即20000000元",
        "执行率：20000000 ÷ 20792100 = 96.19%",
        "分值取自本行分值栏：10",
        "规则：执行率 2000/2079.21 = 96.19%，10×96.19%，不超过10分；依据：财预〔2020〕10号：预算执行率10分（已见于实际表格）",
        "结论：由规则计算，9.62分",
    ]


def test_execution_points_from_header_and_rulebook() -> None:
    for stated, line in ((20.0, "分值取自表头：20"), (None, "表中未写分值，按规则：10")):
        form = a_form([], FUND | {"weight": None}, execution_points=stated)
        assert line in steps(to_frames([form]), book_of("national-2020"), form.id, "execution")


def test_the_total() -> None:
    row = {"target": "显著", "actual": "显著", "weight": "90", "score": "85"}
    assert explained("total", row) == [
        "总分：自评无，得分94.62",
        "产出指标：分值90，得分85",
        "预算执行率：分值10，得分9.62",
        "分值合计：100",
        "各项得分合计：94.62",
        "人工判定后可能的范围：9.62–99.62分",
        "等级：优（优≥90，良≥80，中≥60，差≥0）",
        "人工判定后等级可能在差到优之间",
        "依据：财预〔2020〕10号：90（含）–100分为优、80（含）–90分为良、60（含）–80分为中、60分以下为差（已见于实际表格）",
    ]


@pytest.mark.parametrize(
    ("lang", "line"),
    [("zh", "未写一级指标的各行：分值90，得分85"), ("en", "Rows without a first level: points 90, score 85")],
)
def test_rows_without_a_first_level_in_the_total(lang: Any, line: str) -> None:
    row = {"level1": None, "target": "显著", "actual": "显著", "weight": "90", "score": "85"}
    assert explained("total", row, lang=lang)[1] == line


@pytest.mark.parametrize(
    ("code", "lang", "value"), [("F06", "zh", "（否）"), ("F06", "en", "(no)"), ("C07", "zh", "（1.3、1.5、2.0、3.0）")]
)
def test_parameters_are_words(code: str, lang: Any, value: str) -> None:
    assert any(line.endswith(value) for line in check_lines(code, book_of("national-2020"), lang))


def test_a_total_that_cannot_be_given() -> None:
    assert "分值合计不是100，不评等级" in explained("total", {"target": "≥180公里", "actual": "180公里"})
    assert "有1项没有得分，不给总分" in explained("total", {"target": "", "actual": "", "weight": "90"})
    assert "表中没有分值或得分，不给总分" in explained("total", {"target": "1", "actual": "1", "weight": None})
    fixed = explained("total", {"target": "≥1公里", "actual": "1公里", "weight": "90"})
    assert "无论人工如何判定，等级都是优" in fixed


def test_what_is_not_there() -> None:
    form = a_form([ROW | {"target": "1", "actual": "1"}])
    tables, book = to_frames([form]), book_of("national-2020")
    for form_id, what in ((form.id, 77), (form.id, "execution"), ("none#1", "total")):
        with pytest.raises(KeyError):
            steps(tables, book, form_id, what)  # type: ignore[arg-type]


@settings(deadline=None, max_examples=40)
@given(st.lists(texts, min_size=1, max_size=3), st.sampled_from(BOOKS), st.sampled_from(["zh", "en"]))
def test_anything_can_be_explained(rows: list[dict[str, str]], name: str, lang: Any) -> None:
    form = a_form(rows, FUND)
    tables = to_frames([form])
    for what in (*range(FIRST_ROW, FIRST_ROW + len(rows)), "execution", "total"):
        lines = steps(tables, book_of(name), form.id, what, lang)  # type: ignore[arg-type]
        assert len(lines) >= 4
        assert all(line and "nan" not in line.lower().replace("finance", "") for line in lines)


def test_every_step_is_there_in_both_languages() -> None:
    for section, entries in load("steps.toml").items():
        for key, words in entries.items():
            assert set(words) == {"zh", "en"}, (section, key)
            assert all(words.values())
