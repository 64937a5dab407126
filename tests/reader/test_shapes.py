"""Shapes that published forms take beyond the national one, each as small as it can be."""

from __future__ import annotations

import pytest

from perfeval_xlsx.data import load
from perfeval_xlsx.form.labels import find

from .sketch import read

GRID = "A{0}=一级指标 | B{0}=二级指标 | C{0}=三级指标 | D{0}=年度指标值 | E{0}=实际完成值 | F{0}=分值 | G{0}=得分 | H{0}=偏差原因分析"
ROW = "A{0}=产出指标 | B{0}=数量指标 | C{0}=巡查次数 | D{0}=12次 | E{0}=12次 | F{0}=90 | G{0}=90"


def grid(top: int) -> str:
    """A grid of one row."""
    return f"{GRID.format(top)}\n{ROW.format(top + 1)}"


def codes(form: object) -> list[str]:
    return [finding.code for finding in form.findings]  # type: ignore[attr-defined]


@pytest.mark.parametrize(("block", "extra"), [("indicator", "extra"), ("fund", "fund_extra"), ("goals", None)])
@pytest.mark.parametrize("dress", ["{}", "{}：", "{}（万元）", "（1）{}", "二、{}"])
def test_no_label_is_taken_for_another_fields(block: str, extra: str | None, dress: str) -> None:
    data = load("labels.toml")
    fields = dict(data[block]) | ({"extra": data[extra]} if extra else {})
    owners: dict[str, str] = {}
    for field, entry in fields.items():
        for word in [*entry.get("words", ()), *entry.get("exact", ())]:
            match = find(block, dress.format(word))
            assert match is not None, word
            assert (match.field, owners.setdefault(word, field)) == (field, field), word


@pytest.mark.parametrize("merged", [True, False])
def test_the_block_of_fund_management_is_no_fund(merged: bool) -> None:
    side, block = ("A2:A4", "A5:A7") if merged else ("A2", "A5")
    (form,) = read(f"""
        A1:G1=转移支付区域绩效自评表（2022年度）
        {side}=资金投入情况（万元） | E2=全年预算数（A） | F2=全年执行数（B） | G2=预算执行率（B/A×100%）
        B3:D3=年度资金总额： | E3=47.5 | F3=47.5 | G3=100%
        B4:D4=其中：中央财政资金 | E4=35 | F4=35 | G4=100%
        {block}=资金管理情况 | E5=情况说明 | F5:G5=存在问题和改进措施
        B6:D6=分配科学性 | E6=按因素分配 | F6:G6=无
        B7:D7=使用规范性 | E7=合规 | F7:G7=无
        A8=总体目标完成情况 | B8:D8=总体目标 | E8:G8=全年实际完成情况
        B9:D9=救助困难群众 | E9:G9=已救助
        {GRID.format(10).replace(" | F10=分值 | G10=得分", "")}
        A11=产出指标 | B11=数量指标 | C11=救助人数 | D11=200人 | E11=210人
        """)
    assert [fund.label for fund in form.funds] == ["年度资金总额：", "其中：中央财政资金"]
    assert form.goals == {"expected": "救助困难群众", "actual": "已救助"}
    assert form.kind == "transfer"


def test_funds_by_task_with_their_total_below() -> None:
    (form,) = read(f"""
        A1:K1=部门整体支出绩效自评表（2021年度）
        A2:A6=年度主要任务 | B2:B3=任务名称 | C2:C3=完成情况 | D2:F2=预算数（万元） | G2:H2=执行数（万元） | I2:I3=分值 | J2:J3=执行率 | K2:K3=得分
        D3=总额 | E3=财政拨款 | F3=其他资金 | G3=总额 | H3=财政拨款
        B4=人员经费 | C4=已完成 | D4=210.5 | E4=210.5 | G4=210.5 | H4=210.5
        B5=统计业务 | C5=已完成 | D5=62 | E5=62 | G5=60 | H5=60
        B6=金额合计 | D6=272.5 | E6=272.5 | G6=270.5 | H6=270.5 | I6=10 | J6=99.27% | K6=9.93
        {grid(7)}
        """)
    assert [(fund.label, fund.role) for fund in form.funds] == [
        ("人员经费", "part"),
        ("统计业务", "part"),
        ("金额合计", "total"),
    ]
    total = form.funds[-1]
    assert (total.values["annual_budget"], total.cells["annual_budget"]) == ("272.5", "D6")
    assert (total.values["executed"], total.cells["executed"]) == ("270.5", "G6")
    assert form.unit == "万元"


def test_funds_on_their_side() -> None:
    (form,) = read(f"""
        A1:H1=2020年扶贫项目绩效自评表
        A2:A5=资金情况（万元） | B2=资金来源 | C2=合计 | D2=中央 | E2=省级
        B3=全年预算数 | C3=100 | D3=80 | E3=20
        B4=全年执行数 | C4=99 | D4=80 | E4=19
        B5=执行率 | C5=99% | D5=100% | E5=95%
        {grid(6)}
        """)
    assert [(fund.label, fund.role, fund.values["executed"]) for fund in form.funds] == [
        ("合计", "total", "99"), ("中央", "part", "80"), ("省级", "part", "19"),
    ]  # fmt: skip
    assert form.funds[0].cells == {"annual_budget": "C3", "executed": "C4", "rate": "C5"}


@pytest.mark.parametrize(
    ("rows", "total"),
    [
        ("B4=修缮 | C4=60 | D4=60\nB5=设备 | C5=40 | D5=38\nB6=两项 | C6=100 | D6=98", "两项"),
        ("B4=校舍修缮 | C4=60 | D4=60\nB5=其中：财政拨款 | C5=60 | D5=60", "校舍修缮"),
        ("B4=校舍修缮 | C4=60 | D4=60", "校舍修缮"),
    ],
)
def test_a_total_without_a_totals_label(rows: str, total: str) -> None:
    (form,) = read(f"A1:H1=项目支出绩效自评表\nA3=资金（万元） | C3=全年预算数 | D3=全年执行数\n{rows}\n{grid(8)}")
    assert [fund.label for fund in form.funds if fund.role == "total"] == [total]
    assert codes(form) == []


def test_funds_without_a_total_are_a_finding() -> None:
    rows = "B4=修缮 | C4=60 | D4=60\nB5=设备 | C5=40 | D5=38"
    (form,) = read(f"A1:H1=项目支出绩效自评表\nA3=资金（万元） | C3=全年预算数 | D3=全年执行数\n{rows}\n{grid(8)}")
    assert [fund.role for fund in form.funds] == ["part", "part"]
    assert [(finding.code, finding.cell) for finding in form.findings] == [("R11", "C4")]


def test_the_column_that_holds_amounts_is_the_budget() -> None:
    (form,) = read(f"""
        A1:H1=部门整体支出绩效自评表
        A2=预算执行情况 | B2:C2=年度预算数（万元） | D2=年初预算 | E2=调整后预算数 | F2=预算执行数
        B3:C3=总额 | D3=14 | E3=15.2 | F3=15.2
        {grid(5)}
        """)
    assert (form.funds[0].label, form.funds[0].cells["annual_budget"]) == ("总额", "E3")
    assert codes(form) == []


def test_two_columns_of_amounts_for_one_field_are_a_finding() -> None:
    head = "A1:H1=项目支出绩效自评表\nB2=资金来源 | C2=全年预算数 | D2=预算安排数 | E2=全年执行数\n"
    (form,) = read(f"{head}B3=合计 | C3=14 | D3=15 | E3=13\n{grid(5)}")
    assert [(finding.code, finding.cell) for finding in form.findings] == [("R06", "C2")]


@pytest.mark.parametrize(
    ("text", "code", "cell"),
    [
        ("B2=资金来源 | C2=全年预算数 | D2=已花的钱 | E2=执行率\nB3=合计 | C3=14 | D3=13 | E3=92.9%\n" + grid(5), "R12", "D2"),
        (grid(5).replace("G5=得分", "G5=自己打的"), "R12", "G5"),
        ("A2=项目资金 | B2=85万元\n" + grid(5), "R13", "A2"),
    ],
)  # fmt: skip
def test_what_was_not_understood_is_a_finding(text: str, code: str, cell: str) -> None:
    (form,) = read(f"A1:H1=项目支出绩效自评表\n{text}")
    assert [(finding.code, finding.cell) for finding in form.findings] == [(code, cell)]


def test_the_unknown_label_among_known_ones_is_the_one_above_it() -> None:
    (form,) = read("""
        A1:A2=一级指标 | B1:B2=二级指标 | C1:C2=三级指标 | D1:F1=年度指标值 | G1:G2=实际完成值 | H1:H2=分值 | I1:I2=得分 | J1:L1=偏差原因分析 | M1:M2=改进措施
        D2=运算符号 | E2=内容 | F2=度量单位 | J2=经费保障 | K2=制度保障 | L2=人员保障
        A3=履职效能 | B3=重点工作 | C3=清淤里程 | D3=≥ | E3=26 | F3=公里 | G3=25 | H3=15 | I3=14 | L3=是 | M3=增加人手
        """)
    (row,) = form.indicators
    assert (row.values["sign"], row.values["target"], row.values["unit"]) == ("≥", "26", "公里")
    assert (row.values["deviation"], row.cells["deviation"]) == ("增加人手", "M3")


def test_points_between_the_levels_are_theirs() -> None:
    (form,) = read("""
        A1=一级指标 | B1=分值 | C1=二级指标 | D1=分值 | E1=三级指标 | F1=年度指标值 | G1=实际完成值 | H1=分值 | I1=得分
        A2:A3=产出指标 | B2:B3=50 | C2=数量指标 | D2=30 | E2=培训企业数 | F2=50家 | G2=55家 | H2=30 | I2=30
        C3=质量指标 | D3=20 | E3=合格率 | F3=90% | G3=93% | H3=20 | I3=20
        """)
    assert [(row.values["weight"], row.cells["weight"]) for row in form.indicators] == [("30", "H2"), ("20", "H3")]
    assert codes(form) == []


def test_a_side_label_beside_the_header_is_no_column() -> None:
    (form,) = read("""
        A1:B1=年度绩效指标完成情况 | C1=一级指标 | D1=三级指标 | E1=指标分值 | F1=预期指标值 | G1=实际完成指标值 | H1=指标得分
        A2:B2=年度绩效指标完成情况 | C2=产出指标 | D2=服务面积 | E2=20 | F2=800平方米 | G2=820平方米 | H2=20
        """)
    (row,) = form.indicators
    assert (row.cells["actual"], row.values["actual"], row.values["level1"]) == ("G2", "820平方米", "产出指标")


def test_a_side_label_beside_names_without_levels_is_no_level() -> None:
    (form,) = read("""
        A1=绩效指标 | B1=指标名称 | C1=计量单位 | D1=年初指标值 | E1=全年完成值 | F1=指标权重 | G1=指标得分
        B2=直补人数 | C2=人 | D2=8000 | E2=8012 | F2=40 | G2=40
        """)
    assert [row.values["level3"] for row in form.indicators] == ["直补人数"]


def test_the_side_label_of_goals_is_no_text() -> None:
    (form,) = read(f"""
        A1:H1=项目支出绩效自评表
        A2:A3=年度绩效目标完成情况 | B2:D2=年初绩效目标 | E2:H2=全年完成情况
        B3:D3=开展服务 | E3:H3=已开展
        {grid(4)}
        """)
    assert form.goals == {"expected": "开展服务", "actual": "已开展"}


def test_numbered_blocks() -> None:
    (form,) = read(f"""
        A1:H1=2021年度预算项目绩效自评表
        A2:H2=一、基本情况
        A3=实施（主管）单位 | B3:H3=永清县水务局
        A4:H4=二、预算执行情况
        A5=资金来源 | B5=预算安排数 | C5=资金到位数 | D5=资金执行数 | E5=预算执行进度
        A6=合计 | B6=80 | C6=80 | D6=78.4 | E6=98%
        A7=其他资金
        A8:H8=三、目标完成情况
        A9:D9=年度预期目标 | E9:H9=具体完成情况
        A10:D10=维修工程 | E10:H10=全部完成
        A11:H11=四、年度绩效指标完成情况
        {grid(12)}
        A14:E14=总分 | F14=90 | G14=90
        A15:H15=五、存在问题、原因及下一步整改措施
        """)
    assert form.org == "永清县水务局"
    assert [(fund.label, fund.values["annual_budget"], fund.values["executed"]) for fund in form.funds] == [
        ("合计", "80", "78.4"),
        ("其他资金", None, None),
    ]
    assert form.goals == {"expected": "维修工程", "actual": "全部完成"}
    assert form.total["score"] == "90"


def test_a_title_over_two_lines() -> None:
    (form,) = read(
        f"A1:H1=附件3\nA2:H2=东城区2021年度区级部门整体支出\nA3:H3=绩效自评表\nA4=填报单位（盖章）：教育局\n{grid(5)}"
    )
    assert (form.title, form.kind, form.year) == ("东城区2021年度区级部门整体支出绩效自评表", "department", 2021)
    assert (form.org, form.extent[0]) == ("教育局", 2)


@pytest.mark.parametrize(
    ("head", "total"),
    [
        ("A2:C2=自评得分：97.5分 | D2:H2=自评等级：优", {"score": "97.5", "grade": "优"}),
        ("A2=自评总分（分） | D2=97.5 | F2=等级", {"score": "97.5", "grade": None}),
        ("A2=填报日期： | B2:H2=总分：    分", {"score": None}),
        ("A2=自评得分 | C2=财政审核评分 | D2=95", {"score": None}),
    ],
)
def test_a_total_in_the_head(head: str, total: dict[str, str | None]) -> None:
    (form,) = read(f"A1:H1=项目支出绩效自评表\n{head}\n{grid(4)}")
    assert form.total == total


def test_the_heads_grade_counts_where_the_total_has_none() -> None:
    (form,) = read(f"A1:H1=项目支出绩效自评表\nA2=自评等级 | B2=优\n{grid(4)}\nA6:E6=总分 | F6=90 | G6=90")
    assert form.total == {"weight": "90", "score": "90", "grade": "优"}
    assert form.total_cells["grade"] == "B2"


def test_a_total_below_a_note() -> None:
    (form,) = read(
        f"A1:H1=项目支出绩效自评表\n{grid(2)}\nA4=其他需要说明事项 | B4:H4=无\nA5:E5=总分 | F5=90 | G5=90 | H5=优"
    )
    assert form.total == {"weight": "90", "score": "90", "grade": "优"}
    assert form.notes[:2] == ["其他需要说明事项", "无"]


def test_goals_between_two_grids_are_no_indicators() -> None:
    (form,) = read("""
        A1:H1=2021年度整体绩效自评表
        B2=一级指标 | C2=二级指标 | D2=三级指标 | E2=年初目标值 | F2=实际完成值 | G2=得分
        B3=产出指标 | C3=数量指标 | D3=除险水库 | E3=6座 | F3=6座 | G3=40
        A4=年度目标2（40分） | B4:G4=保障供水安全
        B5=一级指标 | C5=二级指标 | D5=三级指标 | E5=年初目标值 | F5=实际完成值 | G5=得分
        B6=产出指标 | C6=数量指标 | D6=新增供水 | E6=2万人 | F6=2万人 | G6=40
        A7:F7=总分 | G7=80
        """)
    assert [row.values["level3"] for row in form.indicators] == ["除险水库", "新增供水"]
    assert form.total["score"] == "80"


def test_the_next_forms_rows_do_not_divide_this_ones_levels() -> None:
    first, second = read(f"""
        A1:G1=水库移民项目绩效自评表
        A2=绩效指标 | B2:C2=指标名称 | D2=计量单位 | E2=年初指标值 | F2=全年完成值 | G2=指标得分
        B3:C3=直补人数 | D3=人 | E3=800 | F3=801 | G3=40
        A4=养护项目支出绩效自评表
        {grid(5)}
        """)
    assert (first.indicators[0].values["level2"], first.indicators[0].values["level3"]) == (None, "直补人数")
    assert second.title == "养护项目支出绩效自评表"


def test_a_table_scored_by_rules_above_the_grid_is_passed_over() -> None:
    (form,) = read(f"""
        A1:H1=2019年度项目支出绩效自评表
        A2=资金来源 | B2=全年预算数（万元） | C2=全年执行数
        A3=资金总额 | B3=210 | C3=210
        A4=预期目标 | E4=实际完成情况
        A5=资助学生 | E5=已资助
        A6=一级指标 | B6=二级指标 | C6=三级指标 | D6=评分标准 | E6=标准分 | F6=自评分
        A7=决策 | B7=绩效目标 | C7=目标合理性 | D7=合理得5分 | E7=5 | F7=5
        {grid(8)}
        """)
    assert [row.values["level3"] for row in form.indicators] == ["巡查次数"]
    assert form.funds[0].values["annual_budget"] == "210"
    assert form.goals == {"expected": "资助学生", "actual": "已资助"}
    assert form.title == "2019年度项目支出绩效自评表"


def test_labels_split_over_two_cells() -> None:
    (form,) = read("""
        A1:G1=项目支出绩效自评表
        A2=资金（万元） | D2=年初 | E2=全年 | F2=全年 | G2=执行率
        D3=预算数 | E3=预算数 | F3=执行数
        A4=年度资金总额 | D4=45 | E4=46 | F4=44.1 | G4=95.87%
        A5=一级 | B5=二级 | C5=三级 | D5=年度 | E5=实际 | F5=分值 | G5=得分
        A6=指标 | B6=指标 | C6=指标 | D6=指标值 | E6=完成值
        A7=产出指标 | B7=数量指标 | C7=整修渠道 | D7=12公里 | E7=12公里 | F7=50 | G7=50
        """)
    (total,) = form.funds
    assert total.values == {"initial_budget": "45", "annual_budget": "46", "executed": "44.1", "rate": "95.87%"}
    (row,) = form.indicators
    assert (row.values["level1"], row.values["level3"], row.values["target"]) == ("产出指标", "整修渠道", "12公里")


def test_funds_below_the_grid() -> None:
    (form,) = read(f"""
        A1:H1=项目支出绩效自评表
        {grid(2)}
        A4:E4=总分 | F4=90 | G4=90
        A5=项目资金（万元） | D5=全年预算数 | E5=全年执行数
        B6=年度资金总额 | D6=20 | E6=19
        """)
    assert (form.funds[0].label, form.funds[0].cells["executed"], form.unit) == ("年度资金总额", "E6", "万元")
    assert form.total["score"] == "90"


def test_a_column_nobody_knows_is_a_hint() -> None:
    (form,) = read(f"A1:H1=项目支出绩效自评表\n{grid(2)}\nI2=甲乙丙 | I3=内容".replace("A2=一级指标", "A2=子丑寅"))
    assert [(finding.code, finding.cell) for finding in form.findings] == [("R14", "A2"), ("R14", "I2")]


def test_one_goal_label_that_nobody_knows() -> None:
    (form,) = read(f"A1:H1=项目支出绩效自评表\nA2:D2=预期目标 | E2:H2=甲乙丙\nA3:D3=修路 | E3:H3=已修\n{grid(4)}")
    assert form.goals == {"expected": "修路", "actual": None}
    assert codes(form) == ["R14"]


@pytest.mark.parametrize("row", ["A5=甲乙丙 | F5=100 | G5=97", "A5:E5=甲乙丙 | F5=100 | G5=97"])
def test_a_total_under_a_label_nobody_knows_is_a_finding(row: str) -> None:
    second = ROW.format(4).replace("90", "10").replace("A4=产出指标 | B4=数量指标", "B4=质量指标")
    (form,) = read(f"A1:H1=项目支出绩效自评表\n{grid(2)}\n{second}\n{row}")
    assert [(finding.code, finding.cell) for finding in form.findings] == [("R15", "F5")]


def test_two_parts_of_one_sheet_that_may_be_one_form() -> None:
    funds = "A2=项目资金 | D2=全年预算数 | E2=全年执行数\nB3=年度资金总额 | D3=10 | E3=9"
    second = grid(6).replace("F6=分值 | G6=得分", "F6=得分 | G6=分值")
    first, following = read(f"A1:H1=项目支出绩效自评表\n{funds}\n{grid(4)}\n{second}")
    assert (codes(first), codes(following)) == ([], ["R16"])


def test_amounts_behind_their_labels_in_one_cell() -> None:
    (form,) = read(f"""
        A1:H1=2017年度项目支出绩效自评表
        A2=预算执行情况 | B2:D2=预算数：120万元 | E2:H2=执行数：118.5万元
        {grid(3)}
        """)
    (total,) = form.funds
    assert (total.role, total.values) == ("total", {"annual_budget": "120万元", "executed": "118.5万元"})
    assert (total.cells["executed"], form.unit) == ("E2", "万元")


def test_weights_in_percent_are_weights() -> None:
    (form,) = read(f"A1:H1=项目支出绩效自评表\n{grid(2)}".replace("F3=90", "F3=90%"))
    assert form.indicators[0].values["weight"] == "90%"
    assert codes(form) == []


def test_blank_rows_inside_the_tables() -> None:
    (form,) = read(f"""
        A1:H1=项目支出绩效自评表
        A2=项目资金（万元） | D2=全年预算数 | E2=全年执行数
        B4=年度资金总额 | D4=10 | E4=9
        B6=其他资金
        A8:D8=预期目标 | E8:H8=实际完成情况
        A10:D10=修路 | E10:H10=已修
        {grid(12)}
        """)
    assert [fund.label for fund in form.funds] == ["年度资金总额", "其他资金"]
    assert form.goals == {"expected": "修路", "actual": "已修"}


def test_the_next_forms_enclosure_number_is_no_indicator() -> None:
    first, second = read(f"A1:H1=项目支出绩效自评表\n{grid(2)}\nA4=附件2\nA5:H5=养护项目支出绩效自评表\n{grid(6)}")
    assert [row.values["level3"] for row in first.indicators] == ["巡查次数"]
    assert second.extent[0] == 5
