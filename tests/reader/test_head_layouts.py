"""The head of a form in the shapes it takes: the year, the unit that hands it in, the unit of money."""

from __future__ import annotations

import pytest

from .blocks import codes, funds, grid
from .sketch import read


@pytest.mark.parametrize("year", ["二〇二一", "二○二一", "二零二一", "二O二一", "2021", "２０２１"])
def test_a_year_is_read_in_any_numerals(year: str) -> None:
    (form,) = read(f"A1:H1={year}年度项目支出绩效自评表\n{grid(2)}")
    assert form.year == 2021


def test_the_labelled_year_is_the_forms_and_no_span_of_years_is() -> None:
    (form,) = read(f"""
        A1:H1=项目支出绩效自评表
        A2=项目编码 | B2=5300002201 | E2=预算年度 | F2=2023
        A3=项目名称 | B3:H3=2021—2025年数字档案建设
        A4=项目起止时间 | B4=2021年1月至2025年12月 | E4=评价时间 | F4=2024年3月1日
        {grid(5)}
        """)
    assert form.year == 2023


@pytest.mark.parametrize(
    ("title", "org"),
    [
        ("临海县水利局2022年度部门整体支出绩效自评表", "临海县水利局"),
        ("2022年度盐池县人民医院部门整体支出绩效自评表", "盐池县人民医院"),
        ("中国海洋气象研究所部门整体支出绩效自评表（2022年度）", "中国海洋气象研究所"),
        ("（2022年度）临海县水利局部门整体支出绩效自评表", "临海县水利局"),
        ("附件2：临海县水利局2022年度项目支出绩效自评表", "临海县水利局"),
        ("老旧小区2022年改造项目绩效自评表", None),
        ("县医院2022年设备购置项目绩效自评表", None),
        ("2022年度部门整体支出绩效自评表", None),
        ("县级部门整体支出绩效自评表", None),
        ("2022年度市直单位整体支出绩效自评表", None),
        ("2022年度项目支出绩效自评表", None),
        ("2022年度农村供水站项目支出绩效自评表", None),
    ],
)
def test_a_title_names_the_unit_at_its_year_or_before_the_whole_of_it(title: str, org: str | None) -> None:
    (form,) = read(f"A1:H1={title}\n{funds(2)}\n{grid(5)}")
    assert form.org == org


def test_a_labelled_name_is_preferred_to_the_titles() -> None:
    (form,) = read(f"A1:H1=临海县水利局2022年度部门整体支出绩效自评表\nA2=部门名称 | B2=临海县水文站\n{grid(3)}")
    assert (form.org, form.head_cells["org"]) == ("临海县水文站", "B2")


def test_a_blank_name_beside_its_label_keeps_its_cell() -> None:
    (form,) = read(f"A1:H1=2022年度项目支出绩效自评表\nA2=实施单位 | E2=联系电话 | F2=0571-8888\n{grid(3)}")
    assert (form.org, form.head_cells["org"]) == (None, "B2")


def test_names_stand_below_labels_that_share_a_row() -> None:
    (form,) = read(f"""
        A1:H1=2022年度项目支出绩效自评表
        A2:B2=项目名称 | C2:D2=主管部门 | E2:F2=实施单位 | G2:H2=项目负责人
        A3:B3=河道整治 | C3:D3=市水利局 | E3:F3=市水文站 | G3:H3=张三
        {grid(4)}
        """)
    assert (form.org, form.head_cells["org"], form.project) == ("市水文站", "E3", "河道整治")


def test_names_stand_below_the_goals() -> None:
    (form,) = read(f"""
        A1:H1=2022年度项目支出绩效自评表
        A2=年度总体目标 | B2:D2=预期目标 | E2:H2=实际完成情况
        B3:D3=整治河道三条 | E3:H3=已整治三条
        A4=项目名称 | B4=河道整治 | E4=实施单位 | F4=市水文站
        {funds(5)}
        {grid(8)}
        """)
    assert (form.org, form.project) == ("市水文站", "河道整治")
    assert form.goals == {"expected": "整治河道三条", "actual": "已整治三条"}


@pytest.mark.parametrize(
    ("label", "unit"),
    [("千元", "千元"), ("百万元", "百万元"), ("单位：亿元", "亿元"), ("金额：千万元", "千万元"), ("次", None)],
)
def test_the_unit_of_money_stands_in_a_label(label: str, unit: str | None) -> None:
    table = funds(2).replace("（万元）", "").replace("全年执行数", f"全年执行数（{label}）")
    (form,) = read(f"A1:H1=2022年度项目支出绩效自评表\n{table}\n{grid(5)}")
    assert form.unit == unit


def test_the_unit_of_money_stands_with_every_amount() -> None:
    table = funds(2).replace("（万元）", "")
    for amount in ("100", "120", "108"):
        table = table.replace(f"={amount} ", f"={amount}千元 ")
    (form,) = read(f"A1:H1=2022年度项目支出绩效自评表\n{table}\n{grid(5)}")
    assert form.unit == "千元"


@pytest.mark.parametrize("label", ["用款单位名称", "实施单位名称（盖章）", "项目实施单位"])
def test_names_of_the_label_that_names_the_unit(label: str) -> None:
    (form,) = read(f"A1:H1=2022年度项目支出绩效自评表\nA2=主管部门 | B2=市水利局 | E2={label} | F2=市水文站\n{grid(3)}")
    assert form.org == "市水文站"


@pytest.mark.parametrize(
    "cell",
    [
        "填报单位（盖章）：市水文站    填报日期：2023年3月10日",
        "填报单位：市水文站    填 报 日 期：2023年3月10日",
        "填报单位：市水文站；填报人：张三",
        "填报单位：市水文站填报人：张三",
        "填报单位：市水文站　　金额单位：万元",
        "填报单位：市水文站  经费渠道：财政拨款",
        "主管部门：市水利局    实施单位：市水文站",
        "主管部门：市水利局实施单位：市水文站 项目负责人及联系电话：张三",
    ],
)
def test_a_name_ends_where_another_fact_begins(cell: str) -> None:
    (form,) = read(f"A1:H1=2022年度项目支出绩效自评表\nA2:H2={cell}\n{grid(3)}")
    assert (form.org, form.head_cells["org"]) == ("市水文站", "A2")


def test_a_name_beside_its_label_ends_where_another_fact_begins() -> None:
    (form,) = read(f"A1:H1=2022年度项目支出绩效自评表\nA2=实施单位 | B2:H2=市水文站   联系电话：0571-8888\n{grid(3)}")
    assert form.org == "市水文站"


@pytest.mark.parametrize(("head", "told"), [("元", ["R21"]), ("万元", [])])
def test_two_units_of_money_are_told(head: str, told: list[str]) -> None:
    (form,) = read(f"A1:H1=2022年度项目支出绩效自评表\nH2=金额单位：{head}\n{funds(3)}\n{grid(6)}")
    assert (form.unit, codes(form)) == ("万元", told)
    assert [finding.cell for finding in form.findings] == ["H2"][: len(told)]


@pytest.mark.parametrize(
    "head",
    [
        "A2=项目名称 | B2:H2=2021—2025年数字档案建设",
        "A2=项目名称：2023年数字档案建设",
        "A2=项目期限 | B2=2021年至2025年",
        "A2=实施期限：2023年",
        "A2=（2021-2023年）",
    ],
)
def test_neither_a_projects_name_nor_its_term_gives_the_year(head: str) -> None:
    (form,) = read(f"A1:H1=项目支出绩效自评表\n{head}\n{grid(3)}")
    assert form.year is None


def test_a_line_below_the_title_gives_the_year() -> None:
    (form,) = read(f"A1:H1=项目支出绩效自评表\nA2=（2022年度）\nA3=项目名称 | B3=2021年数字档案建设\n{grid(4)}")
    assert form.year == 2022


def test_goals_beside_their_labels_in_one_row() -> None:
    (form,) = read(f"""
        A1:H1=2022年度项目支出绩效自评表
        A2:B2=年度绩效目标 | C2:D2=整治河道三条，惠及两村 | E2=目标完成情况 | F2:H2=三条河道全部整治
        {grid(4)}
        """)
    assert form.goals == {"expected": "整治河道三条，惠及两村", "actual": "三条河道全部整治"}
    assert form.goal_cells == {"expected": "C2", "actual": "F2"}


def test_a_title_beside_the_head_of_row_numbers() -> None:
    lines = ["A1=行次 | B1=2022年度项目支出绩效自评表", "A2=1 | B2=实施单位 | C2=水务局"]
    lines += ["A3=2 | B3=一级指标 | C3=三级指标 | D3=年度指标值 | E3=实际完成值 | F3=分值 | G3=得分"]
    lines += ["A4=3 | B4=产出指标 | C4=巡查次数 | D4=12次 | E4=12次 | F4=100 | G4=100"]
    (form,) = read("\n".join(lines))
    assert (form.title, form.year, form.org, form.head_cells["title"]) == (
        "2022年度项目支出绩效自评表",
        2022,
        "水务局",
        "B1",
    )


def test_goals_beside_their_labels_with_blank_cells_between() -> None:
    (form,) = read(f"""
        A1:H1=2022年度项目支出绩效自评表
        A2=年度绩效目标 | C2=修渠三条 | F2=目标完成情况 | H2=已修三条
        {grid(3)}
        """)
    assert (form.goals, form.goal_cells) == (
        {"expected": "修渠三条", "actual": "已修三条"},
        {"expected": "C2", "actual": "H2"},
    )


@pytest.mark.parametrize(
    ("cell", "org"),
    [
        ("填报单位（盖章） 临海县水利局", "临海县水利局"),
        ("填报单位（盖章）\u3000\u3000临海县水利局", "临海县水利局"),
        ("实施单位 名称", None),
        ("主管部门 及代码", None),
    ],
)
def test_a_unit_behind_its_label_without_a_colon(cell: str, org: str | None) -> None:
    (form,) = read(f"A1:H1=2022年度项目支出绩效自评表\nA2:H2={cell}\n{grid(3)}")
    assert form.org == org


@pytest.mark.parametrize("name", ["水务局（公章）", "水务局 （盖章）", "水务局(单位公章)", "水务局"])
def test_the_place_of_a_seal_is_no_part_of_the_units_name(name: str) -> None:
    for cells in (f"A2:H2=填报单位：{name}", f"A2=填报单位 | B2:H2={name}"):
        (form,) = read(f"A1:H1=2022年度项目支出绩效自评表\n{cells}\n{grid(3)}")
        assert form.org == "水务局"
