"""Kinds and shapes of forms, each sketched as small as it can be."""

from __future__ import annotations

import pytest

from .sketch import read, reasons, sheet

GRID = "A1=一级指标 | B1=二级指标 | C1=三级指标 | D1=年度指标值 | E1=实际完成值 | F1=分值 | G1=得分 | H1=偏差原因分析"


def names(form: object) -> list[str | None]:
    return [row.values["level3"] for row in form.indicators]  # type: ignore[attr-defined]


def test_two_lists_of_funds_side_by_side() -> None:
    (form,) = read("""
        A1:I1=2021年林业局部门整体支出绩效自评表
        A2:A6=年度预算申请\\n(万元) | D2=年初预算数 | E2=全年预算数 | F2=全年执行数 | G2=分值 | H2=执行率 | I2=得分
        B3:C3=年度资金总额 | D3=475万元 | E3=475万元 | F3=382万元 | G3=10 | H3=80.42% | I3=8.04
        B4:C4=按收入性质分： | D4:I4=按支出性质分：
        B5:C5=其中：一般公共预算：187万元 | D5:I5=其中：基本支出：200万元
        B6:C6=其他资金：288万元 | D6:I6=项目支出：275万元
        A7=绩效指标 | B7=一级指标 | C7=二级指标 | D7=三级指标 | E7=年度指标值 | F7=实际完成值 | G7=分值 | H7=得分
        B8=产出指标 | C8=数量指标 | D8=造林面积 | E8=1.2万亩 | F8=1.2万亩 | G8=10 | H8=10
        """)
    assert form.unit == "万元"
    assert form.kind == "department"
    assert [(fund.label, fund.role) for fund in form.funds] == [
        ("年度资金总额", "total"),
        ("按收入性质分：", "part"),
        ("按支出性质分：", "part"),
        ("其中：一般公共预算：187万元", "part"),
        ("其中：基本支出：200万元", "part"),
        ("其他资金：288万元", "part"),
        ("项目支出：275万元", "part"),
    ]
    assert form.funds[1].values["initial_budget"] is None
    assert form.funds[0].cells["score"] == "I3"


def test_amounts_beside_their_labels() -> None:
    (form,) = read("""
        A1:F1=项目支出绩效自评表（2017年度）
        A2=项目名称 | B2:C2=校舍维修 | D2=主管部门 | E2:F2=教育局
        A3:A5=预算执行情况（万元） | B3=预算数： | C3=120 | D3=执行数： | E3=118.5
        B4=其中：财政拨款 | C4=100 | D4=其中：财政拨款 | E4=98.5
        B5=其他资金 | C5=20 | D5=其他资金 | E5=20
        A6=一级指标 | B6=二级指标 | C6=三级指标 | D6=预期指标值 | E6=实际完成指标值 | F6=得分
        A7=产出指标 | B7=数量指标 | C7=维修校舍 | D7=3栋 | E7=3栋 | F7=20
        """)
    total, *parts = form.funds
    assert (total.role, total.values, total.cells) == (
        "total",
        {"annual_budget": "120", "executed": "118.5"},
        {"annual_budget": "C3", "executed": "E3"},
    )
    assert [(part.label, part.values["annual_budget"]) for part in parts] == [
        ("其中：财政拨款", "100"),
        ("其他资金", "20"),
    ]
    assert (form.org, form.project, form.year, form.unit) == ("教育局", "校舍维修", 2017, "万元")


def test_a_grid_without_levels() -> None:
    (form,) = read("""
        A1:H1=部门整体绩效自评表（融媒体中心） | I1=自评总分：97.6
        A2=部门名称 | B2:H2=融媒体中心
        A3:A4=项目资金 | B3=年初预算数 | C3=全年(调整)预算数 | D3=全年执行数 | E3=执行率(%) | F3=执行率权重 | G3=执行率得分(分)
        A4=部门预算执行情况 | E4=76% | F4=10 | G4=7.6
        A5=指标名称 | B5=计量单位 | C5=指标性质 | D5=年初指标值 | E5=调整指标值 | F5=全年完成值 | G5=得分系数(%) | H5=指标权重(分) | I5=指标得分(分) | J5=是否核心指标
        A6=播发稿件数量 | B6=篇 | C6=≥ | D6=2200 | E6=2000 | F6=2859 | G6=100% | H6=10 | I6=10 | J6=是
        A7=预算完成率 | B7=% | C7=≥ | D7=70 | F7=76 | G7=100% | H7=80 | I7=80 | J7=否
        """)
    first, second = form.indicators
    assert first.values == {
        "level1": None, "level2": None, "level3": "播发稿件数量", "target": "2000", "actual": "2859", "sign": "≥", "unit": "篇",
        "weight": "10", "score": "10",
    }  # fmt: skip
    assert first.cells["target"] == "E6"
    assert (second.values["target"], second.cells["target"]) == ("70", "D7")
    assert first.extra == {"得分系数(%)": "100%", "是否核心指标": "是"}
    assert (form.total["score"], form.total_cells["score"]) == ("97.6", "I1")


def test_points_before_targets_with_parent_and_component_rows() -> None:
    (form,) = read("""
        A1:H1=绩效目标自评表（2023年度）
        A2=一级指标 | B2=二级指标 | C2=三级指标 | D2=分值 | E2=年度指标值 | F2=全年实际值 | G2=得分 | H2=未完成原因及拟采取的改进措施
        A3:A6=产\\n出\\n指\\n标\\n（50分） | B3:B6=数量指标 | C3=★补助种植面积 | D3=20 | E3=46亩 | F3=46亩 | G3=20
        C4=其中桃树 | E4=12亩 | F4=12亩
        C5=其中蔬菜 | E5=34亩 | F5=34亩
        C6=…… | D6=
        A7:D7=总分 | G7=98
        """)
    assert names(form) == ["★补助种植面积", "其中桃树", "其中蔬菜"]
    assert [row.values["weight"] for row in form.indicators] == ["20", None, None]
    assert form.indicators[0].values["level1"] == "产\n出\n指\n标"
    assert form.indicators[0].level1_points == 50
    assert [row.reason for row in form.left_out] == ["unused"]
    assert form.total_cells == {"score": "G7", "grade": "H7"}


def test_one_score_over_several_rows_counts_once() -> None:
    (form,) = read(
        GRID
        + """
        A2:A3=产出指标 | B2:B3=数量指标 | C2=培训期数 | D2=2期 | E2=2期 | F2:F3=10 | G2:G3=10
        C3=培训人数 | D3=80人 | E3=85人
        """
    )
    first, second = form.indicators
    assert (first.values["weight"], second.values["weight"]) == ("10", None)
    assert first.cells["weight"] == second.cells["weight"] == "F2"
    assert second.values["level2"] == "数量指标"


def test_a_review_column_is_not_the_score() -> None:
    (form,) = read("""
        A1=三级指标 | B1=目标值 | C1=完成值 | D1=权重 | E1=复核分 | F1=自评得分 | G1=得分说明
        A2=培训期数 | B2=2 | C2=2 | D2=10 | E2=8 | F2=10 | G2=按比例
        """)
    assert form.indicators[0].values["score"] == "10"
    assert form.indicators[0].extra == {"复核分": "8", "得分说明": "按比例"}


def test_two_score_columns_the_second_for_review() -> None:
    (form,) = read("""
        A1=三级指标 | B1=目标值 | C1=完成值 | D1=权重 | E1=得分 | F1=得分（财政复核）
        A2=培训期数 | B2=2 | C2=2 | D2=10 | E2=10 | F2=
        """)
    assert form.indicators[0].cells["score"] == "E2"
    assert [finding.code for finding in form.findings] == []


def test_a_header_repeated_on_the_next_page() -> None:
    (form,) = read(
        GRID
        + """
        A2=产出指标 | B2=数量指标 | C2=培训期数 | D2=2期 | E2=2期 | F2=10 | G2=10
        A3=一级指标 | B3=二级指标 | C3=三级指标 | D3=年度指标值 | E3=实际完成值 | F3=分值 | G3=得分 | H3=偏差原因分析
        A4=效益指标 | B4=社会效益指标 | C4=受益人数 | D4=80人 | E4=85人 | F4=10 | G4=10
        A5:E5=总分 | F5=100 | G5=99
        """
    )
    assert names(form) == ["培训期数", "受益人数"]


def test_subtotals_are_no_indicators() -> None:
    (form,) = read(
        GRID
        + """
        A2=产出指标 | B2=数量指标 | C2=培训期数 | D2=2期 | E2=2期 | F2=50 | G2=50
        A3:E3=合计 | F3=50 | G3=50
        A4=效益指标 | B4=社会效益指标 | C4=受益人数 | D4=80人 | E4=85人 | F4=40 | G4=40
        C5=小计 | F5=40 | G5=40
        A6:E6=总分 | F6=100 | G6=99
        """
    )
    assert names(form) == ["培训期数", "受益人数"]
    assert [(row.row, row.reason) for row in form.left_out] == [(3, "subtotal"), (5, "subtotal")]
    assert form.total_cells["score"] == "G6"


def test_levels_under_one_label() -> None:
    (form,) = read("""
        A1:C1=绩效指标 | D1=年度指标值 | E1=实际完成值 | F1=分值 | G1=得分
        A2:A3=产出指标 | B2=数量指标 | C2=培训期数 | D2=2期 | E2=2期 | F2=10 | G2=10
        B3=质量指标 | C3=合格率 | D3=90% | E3=95% | F3=10 | G3=10
        """)
    assert [(r.values["level1"], r.values["level2"], r.values["level3"]) for r in form.indicators] == [
        ("产出指标", "数量指标", "培训期数"),
        ("产出指标", "质量指标", "合格率"),
    ]


def test_a_level_that_reaches_over_its_neighbour() -> None:
    (form,) = read(
        GRID
        + """
        A2:B2=满意度指标（10分） | C2=群众满意度 | D2=90% | E2=95% | F2=10 | G2=10
        """
    )
    (row,) = form.indicators
    assert (row.values["level1"], row.values["level2"]) == ("满意度指标", None)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("A1=一级指标 | B1=二级指标 | C1=三级指标 | D1=分值 | E1=评分标准 | F1=得分\nA2=投入 | C2=目标设定 | D2=10 | E2=合理得10分", "R03"),
        ("A1=一级指标 | B1=二级指标 | C1=三级指标 | D1=年度指标值\nA2=产出指标 | B2=数量指标 | C2=期数 | D2=2", "R04"),
        ("A1=序号 | B1=项目名称 | C1=预算数 | D1=执行数\nA2=1 | B2=道路 | C2=10 | D2=9", "R01"),
        ("A1=填表说明\nA2=三级指标、年度指标值、实际完成值、分值、得分均须填写。", "R01"),
    ],
)  # fmt: skip
def test_what_is_no_form(text: str, code: str) -> None:
    assert read(text) == []
    assert reasons(text) == [code]


def test_hidden_and_example_sheets_give_way() -> None:
    body = GRID + "\nA2=产出指标 | B2=数量指标 | C2=期数 | D2=2 | E2=2 | F2=10 | G2=10"
    forms = read(sheet(body, "自评表"), sheet(body, "样表", 1), sheet(body, "备份", 2, "hidden"))
    assert [form.sheet for form in forms] == ["自评表"]
    assert [(finding.code, finding.found) for finding in forms[0].findings] == [("R02", "样表"), ("R02", "备份")]
    assert [form.sheet for form in read(sheet(body, "备份", 0, "hidden"))] == ["备份"]


def test_a_column_that_contradicts_its_label_is_a_finding() -> None:
    (form,) = read(
        GRID
        + """
        C2=培训期数 | D2=10 | E2=10 | F2=≥2期 | G2=2期
        C3=培训人数 | D3=10 | E3=10 | F3=≥80人 | G3=85人
        """
    )
    assert [(finding.code, finding.cell) for finding in form.findings] == [("R07", "F2"), ("R07", "G2")]


@pytest.mark.parametrize(
    ("head", "year"),
    [
        ("A1:H1=项目支出绩效自评表\nA2:H2=（2022 年度）", 2022),
        ("A1:H1=2022年项目支出绩效自评表", 2022),
        ("A1:H1=项目支出绩效自评表\nA2=填报日期：2023年3月5日", None),
        ("A1:H1=项目支出\\n绩效自评表\\n（2022\\n年度）", 2022),
        ("A1:H1=项目支出绩效自评表\nA2=评价年度 | B2=2022年", 2022),
    ],
)
def test_the_year_is_the_titles(head: str, year: int | None) -> None:
    (form,) = read(f"{head}\n" + GRID.replace("1=", "4=") + "\nC5=期数 | D5=2 | E5=2 | F5=10 | G5=10")
    assert form.year == year


def test_the_year_of_the_file_name_where_the_form_names_none() -> None:
    body = GRID + "\nC2=期数 | D2=2 | E2=2 | F2=10 | G2=10"
    assert read(body, path="2021年自评表.xlsx")[0].year == 2021
    assert read(body, path="自评表-2021-01.xlsx")[0].year is None


def test_a_conclusion_below_the_total_is_no_grade() -> None:
    (form,) = read(
        GRID
        + """
        C2=期数 | D2=2 | E2=2 | F2=90 | G2=90
        A3:E3=合计 | F3=100 | G3=100
        A4=评价结论 | B4:H4=本年度任务全部完成，自评结果良好。
        A5=自评等级 | B5:H5=优
        """
    )
    assert (form.total["grade"], form.total_cells["grade"]) == ("优", "B5")
    assert "本年度任务全部完成，自评结果良好。" in form.notes


@pytest.mark.parametrize(
    ("row", "total", "cells"),
    [
        ("A3:E3=总分：100分 | G3=96", {"weight": "100", "score": "96", "grade": None}, {"weight": "F3", "score": "G3", "grade": "H3"}),
        ("A3:H3=自评总分：96.5分  等级：优", {"score": "96.5", "grade": "优"}, {"score": "A3", "grade": "A3"}),
        ("A3:E3=总分（100分） | F3=100 | G3=96 | H3=良", {"weight": "100", "score": "96", "grade": "良"}, {"weight": "F3", "score": "G3", "grade": "H3"}),
        ("A3=合  计 | F3:G3=96", {"score": "96", "grade": None}, {"score": "F3", "grade": "H3"}),
    ],
)  # fmt: skip
def test_totals_in_every_hand(row: str, total: dict[str, str | None], cells: dict[str, str]) -> None:
    (form,) = read(f"{GRID}\nA2=产出指标 | B2=数量指标 | C2=期数 | D2=2 | E2=2 | F2=90 | G2=90\n{row}")
    assert names(form) == ["期数"]
    assert (form.total, form.total_cells) == (total, cells)


def test_exchanged_columns_are_a_finding() -> None:
    (form,) = read(
        GRID
        + """
        A2:A4=产出指标（50分） | B2=数量指标 | C2=期数 | D2=2 | E2=≥2 | F2=18 | G2=20
        C3=人数 | D3=85 | E3=≥80 | F3=14 | G3=15
        C4=课时 | D4=44 | E4=≥40 | F4=15 | G4=15
        """
    )
    assert [(finding.code, finding.field) for finding in form.findings] == [("R09", "weight"), ("R09", "target")]


HUBEI = "B{0}=一级指标 | C{0}=二级指标 | D{0}=三级指标 | E{0}=年初目标值(A) | F{0}=实际完成值(B) | G{0}=得分"


@pytest.mark.parametrize("section", ["A{0}:A{1}=年度绩效目标2\\n(40分)", "A{2}:G{2}=年度绩效目标2(40分)"])
def test_a_grid_a_goal_under_headers_of_their_own_is_one_form(section: str) -> None:
    between = "A{2}" in section
    top = 7 if between else 6
    (form,) = read(f"""
        A1:G1=2020年度水土保持监测项目绩效自评表
        A2=预算执行情况(万元)(20分) | D2=预算数(A) | E2=执行数(B) | F2=执行率(B/A) | G2=得分(20分*执行率)
        B3:C3=年度财政资金总额 | D3=10 | E3=10 | F3=100% | G3=20
        {HUBEI.format(4)}
        B5=产出指标 | C5=质量指标 | D5=数据合格率 | E5=100% | F5=100% | G5=40
        {section.format(top, top + 1, 6)}
        {HUBEI.format(top)}
        B{top + 1}=产出指标 | C{top + 1}=时效指标 | D{top + 1}=资料上报 | E{top + 1}=12月底之前 | F{top + 1}=12月 | G{top + 1}=40
        A{top + 2}:F{top + 2}=总分 | G{top + 2}=100
        """)
    assert names(form) == ["数据合格率", "资料上报"]
    assert (form.execution_points, form.total["score"]) == (20, "100")


def test_goals_above_the_funds() -> None:
    (form,) = read("""
        A1:K1=部门预算项目支出绩效自评表(2023年度)
        A2=实施单位 | C2:K2=发展和改革局
        A3:K3=1.项目年度目标完成情况
        A4:E4=项目年度目标 | F4:K4=年度目标完成情况
        A5:E5=保障工资发放。 | F5:K5=已完成。
        A6=2.项目实施内容及过程概述 | F6:K6=略
        A7:A9=年度预算数(万元) | E7=年初预算 | F7=调整后预算数 | G7=预算执行数 | H7=预算执行率 | I7=权重 | J7=得分 | K7=原因
        B8:D8=总额 | E8=238.93 | F8=251.89 | G8=251.89 | H8=100.00% | I8=10
        A10=绩效指标(90分) | B10=一级指标 | C10=二级指标 | D10=三级指标 | E10=指标性质 | F10=指标值 | G10=度量单位 | H10=完成值 | I10=权重 | J10=得分 | K10=未完成原因分析
        B11=产出指标 | C11=数量指标 | D11=覆盖率 | E11== | F11=100 | G11=% | I11=60
        A12:H12=合计 | I12=100
        """)
    assert form.goals == {"expected": "保障工资发放。", "actual": "已完成。"}
    assert form.goal_cells == {"expected": "A5", "actual": "F5"}
    assert form.funds[0].label == "总额"
    assert form.indicators[0].values["sign"] == "="
    assert (form.org, form.year, form.unit) == ("发展和改革局", 2023, "万元")


@pytest.mark.parametrize(
    ("fund", "name", "target"),
    [
        ("A3=预算执行率 | B3=资金情况 | C3=债券资金支出进度 | D3=100% | E3=92%", "债券资金支出进度", "100%"),
        ("A3:C3=预算执行率（10分） | D3=5000万元 | E3=4600万元", "预算执行率（10分）", "5000万元"),
    ],
)
def test_a_fund_row_among_the_indicators_is_an_indicator(fund: str, name: str, target: str) -> None:
    (form,) = read(f"""
        A1:H1=2022年度新增专项债券项目绩效自评表
        {GRID.replace("1=", "2=")}
        {fund} | F3=10 | G3=9.2
        A4:A5=产出指标 | B4=数量指标 | C4=管网长度 | D4=≥12公里 | E4=12公里 | F4=60 | G4=60
        B5=质量指标 | C5=合格率 | D5=100% | E5=100% | F5=30 | G5=30
        A6:E6=总分 | F6=100 | G6=99.2
        """)
    assert form.funds == []
    assert names(form) == [name, "管网长度", "合格率"]
    assert form.indicators[0].values["target"] == target
    assert form.indicators[0].cells["score"] == "G3"
    assert (form.total["score"], form.findings) == ("99.2", [])
