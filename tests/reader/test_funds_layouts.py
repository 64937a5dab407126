"""The fund table in the shapes it takes: pairs, lists side by side, amounts by source, other tables beside it."""

from __future__ import annotations

import pytest

from .blocks import codes, funds, grid
from .sketch import read

TITLE = "A1:H1=2022年度项目支出绩效自评表"


def test_amounts_beside_their_labels_carry_the_points_of_the_score() -> None:
    (form,) = read(f"""
        {TITLE}
        A2=全年预算数（万元） | B2=120 | C2=全年执行数（万元） | D2=108 | E2=执行率 | F2=90% | G2=得分（10分） | H2=9
        {grid(3)}
        """)
    (fund,) = form.funds
    assert fund.values == {"annual_budget": "120", "executed": "108", "rate": "90%", "score": "9"}
    assert (fund.role, fund.cells["score"], form.execution_points, form.unit) == ("total", "H2", 10.0, "万元")


def test_a_list_of_tasks_does_not_take_the_place_of_the_fund_table() -> None:
    (form,) = read(f"""
        A1:H1=2022年度部门整体支出绩效自评表
        {funds(2)}
        A5:A7=年度主要任务 | B5=任务名称 | C5:D5=主要内容 | E5=预算数（万元） | F5=执行数（万元） | G5:H5=完成情况
        B6=河道整治 | C6:D6=整治三条 | E6=80 | F6=70 | G6:H6=完成
        B7=巡查 | C7:D7=巡查十次 | E7=40 | F7=38 | G7:H7=完成
        {grid(8)}
        """)
    assert [(fund.label, fund.role, fund.values["executed"]) for fund in form.funds] == [
        ("年度资金总额", "total", "108"),
        ("其中：财政拨款", "part", "108"),
    ]


def test_a_list_beside_the_parts_is_not_taken_for_their_columns() -> None:
    (form,) = read(f"""
        {TITLE}
        {funds(2)}
        B5=其中：一般公共预算： | C5=150.2 | F5=其中：基本支出： | G5=120
        B6=政府性基金拨款 | C6=10 | F6=项目支出 | G6=30.2
        {grid(7)}
        """)
    beside = {fund.label: fund.values for fund in form.funds if fund.row in {5, 6} and fund.values}
    assert [values["rate"] for values in beside.values()] == [None, None]


def test_amounts_by_source_count_with_their_total() -> None:
    (form,) = read(f"""
        {TITLE}
        A2:B3=项目资金（万元） | C2:E2=全年预算数 | F2:H2=全年执行数 | I2:I3=分值 | J2:J3=执行率 | K2:K3=得分
        C3=小计 | D3=财政资金 | E3=其他资金 | F3=小计 | G3=财政资金 | H3=其他资金
        C4=120 | D4=100 | E4=20 | F4=108 | G4=90 | H4=18 | I4=10 | J4=90% | K4=9
        {grid(5)}
        """)
    (fund,) = form.funds
    assert (fund.values["annual_budget"], fund.values["executed"], fund.role) == ("120", "108", "total")
    assert (fund.cells["annual_budget"], fund.cells["executed"]) == ("C4", "F4")


def test_funds_told_in_a_sentence_are_not_passed_over() -> None:
    (form,) = read(f"""
        {TITLE}
        A2=项目资金（万元） | B2:H2=年度资金总额：120.5万元，其中财政拨款100万元；全年执行数：118.2万元，执行率98.09%
        {grid(3)}
        """)
    assert (form.funds, codes(form)) == ([], ["R13"])


@pytest.mark.parametrize(
    "labels",
    [
        ("预算批复数", "全年预算", "全年执行"),
        ("2022年年初预算", "2022年调整预算", "2022年实际支出"),
        ("年初数", "全年数", "执行数"),
    ],
)
def test_three_amounts_under_their_labels(labels: tuple[str, str, str]) -> None:
    table = funds(2)
    for usual, label in zip(("年初预算数", "全年预算数", "全年执行数"), labels, strict=True):
        table = table.replace(usual, label)
    (form,) = read(f"{TITLE}\n{table}\n{grid(5)}")
    names = ("initial_budget", "annual_budget", "executed")
    assert [form.funds[0].values[name] for name in names] == ["100", "120", "108"]
    assert codes(form) == []


@pytest.mark.parametrize(
    ("cell", "text"), [("E4=108", "E4=已全额拨付"), ("G3=90%", "G3=已全部执行"), ("G3=90%", "G3=九成七")]
)
def test_a_word_in_a_cell_is_no_second_list(cell: str, text: str) -> None:
    (form,) = read(f"{TITLE}\n{funds(2)}\n{grid(5)}".replace(cell, text))
    assert [(fund.label, fund.role) for fund in form.funds] == [("年度资金总额", "total"), ("其中：财政拨款", "part")]
    assert form.funds[0].values["score"] == "9"
    assert text.partition("=")[2] in [value for fund in form.funds for value in fund.values.values()]


@pytest.mark.parametrize("goals", [True, False])
def test_pairs_over_two_rows_with_rate_and_score(goals: bool) -> None:
    between = "A4:A5=年度总体目标 | B4=预期目标 | E4=实际完成情况\nB5=修渠 | E5=已修\n" if goals else ""
    (form,) = read(f"""
        {TITLE}
        A2:A3=预算资金（万元） | B2=全年预算数 | C2=120 | D2=全年执行数 | E2=108
        B3=执行率 | C3=90% | D3=得分（10分） | E3=9
        {between}{grid(6)}
        """)
    (fund,) = form.funds
    assert fund.values == {"annual_budget": "120", "executed": "108", "rate": "90%", "score": "9"}
    assert (form.execution_points, form.unit) == (10.0, "万元")
    assert form.goals == ({"expected": "修渠", "actual": "已修"} if goals else {"expected": None, "actual": None})


def test_a_label_may_say_how_its_figure_is_reckoned() -> None:
    (form,) = read(f"""
        {TITLE}
        A2:B2=项目资金（万元） | C2=年初预算数 | D2=全年预算数 | E2=全年执行数 | F2=分值 | G2=执行率＝执行数/预算数 | H2=得分=分值×执行率
        A3=年度资金总额 | C3=100 | D3=120 | E3=108 | F3=10 | G3=90% | H3=9
        {grid(4)}
        """)
    (fund,) = form.funds
    assert (fund.values["rate"], fund.values["score"], fund.cells["score"]) == ("90%", "9", "H3")
    assert codes(form) == []


def test_a_label_beside_all_pairs_gives_way_to_the_one_with_an_amount() -> None:
    (form,) = read(f"""
        {TITLE}
        A2:A3=预算资金（万元） | C2=年初预算数 | D2=100 | F2=全年预算数 | G2=120
        C3=全年执行数 | D3=108 | F3=执行率 | H3=90%
        {grid(4)}
        """)
    (fund,) = form.funds
    assert fund.values == {"initial_budget": "100", "annual_budget": "120", "executed": "108", "rate": "90%"}
    assert (fund.cells["annual_budget"], fund.cells["rate"], codes(form)) == ("G2", "H3", [])


@pytest.mark.parametrize(
    ("rate", "budget", "found"),
    [("90%", "120", []), ("90.00%", "120", []), ("0.9", None, ["R12"]), ("80%", None, ["R12"]), ("—", None, ["R12"])],
)
def test_money_in_hand_is_the_budget_where_the_rate_bears_it_out(
    rate: str, budget: str | None, found: list[str]
) -> None:
    table = funds(2).replace("全年预算数", "实际到位数").replace("90%", rate)
    (form,) = read(f"{TITLE}\n{table}\n{grid(5)}")
    assert (form.funds[0].values.get("annual_budget"), codes(form)) == (budget, found)


def test_a_granted_budget_beside_the_one_of_the_year_is_the_initial_one() -> None:
    (form,) = read(f"{TITLE}\n{funds(2)}\n{grid(5)}".replace("年初预算数", "批复预算数"))
    assert (form.funds[0].values["initial_budget"], form.funds[0].values["annual_budget"]) == ("100", "120")
    assert codes(form) == []


@pytest.mark.parametrize(
    "pairs",
    [
        "A2:A3=预算资金（万元） | B2=全年预算数 | C2=120 | D2=全年执行数 | E2=108\nB3=执行率 | C3=90% | D3=得分（10分） | E3=9",
        "A2=全年预算数（万元） | B2=120 | C2=全年执行数（万元） | D2=108 | E2=执行率 | F2=90% | G2=得分（10分） | H2=9",
    ],
)
def test_a_list_of_tasks_does_not_take_the_place_of_pairs(pairs: str) -> None:
    (form,) = read(f"""
        A1:H1=2022年度部门整体支出绩效自评表
        {pairs}
        A4:A6=年度主要任务 | B4:D4=任务名称 | E4=预算数 | F4=执行数 | G4:H4=完成情况
        B5:D5=河道整治 | E5=80 | F5=70 | G5:H5=完成
        B6:D6=巡查 | E6=40 | F6=38 | G6:H6=完成
        {grid(7)}
        """)
    (fund,) = form.funds
    assert (fund.role, fund.values) == (
        "total",
        {"annual_budget": "120", "executed": "108", "rate": "90%", "score": "9"},
    )
    assert codes(form) == []


def test_a_fact_of_the_head_above_amounts_in_rows_is_no_funds_name() -> None:
    (form,) = read(f"""
        {TITLE}
        A2:H2=实施单位：水务局    填报日期：2023年3月1日
        A3:A5=项目资金（万元） | B3:D3=全年预算数 | E3:H3=120
        B4:D4=全年执行数 | E4:H4=108
        B5:D5=执行率 | E5:H5=90%
        {grid(6)}
        """)
    (fund,) = form.funds
    assert (fund.label, fund.role, fund.values["executed"], form.org) == (None, "total", "108", "水务局")


@pytest.mark.parametrize("label", ["项目资金万元", "项目资金（万元）", "预算执行情况万元"])
def test_the_unit_at_the_end_of_a_label(label: str) -> None:
    (form,) = read(f"{TITLE}\n{funds(2)}\n{grid(5)}".replace("项目资金（万元）", label))
    assert (form.unit, codes(form)) == ("万元", [])


def test_amounts_of_the_forms_own_year() -> None:
    (form,) = read(f"""
        {TITLE}
        A2=项目资金（万元） | B2=资金来源 | C2=2021年预算数 | D2=2021年执行数 | E2=2022年预算数 | F2=2022年执行数 | G2=执行率 | H2=得分
        B3=年度资金总额 | C3=100 | D3=99 | E3=120 | F3=108 | G3=90% | H3=9
        B4=其中：财政拨款 | C4=100 | D4=99 | G4=— | H4=—
        {grid(5)}
        """)
    assert [form.funds[0].cells[name] for name in ("annual_budget", "executed")] == ["E3", "F3"]
    assert codes(form) == []


def test_amounts_behind_their_labels_in_one_row_are_no_header() -> None:
    (form,) = read(f"""
        {TITLE}
        A2:B2=预算执行情况（万元） | C2=预算数：120 | E2=执行数：108 | G2=执行率：90%
        {grid(3)}
        """)
    (fund,) = form.funds
    assert fund.values == {"annual_budget": "120", "executed": "108", "rate": "90%"}
    assert (fund.role, fund.cells["executed"], form.unit, codes(form)) == ("total", "E2", "万元", [])


def test_points_of_the_score_in_brackets_below_its_label() -> None:
    (form,) = read(f"""
        {TITLE}
        A2:A4=项目资金（万元） | B2:B3=资金来源 | C2=全年预算数 | D2=全年执行数 | E2=执行率 | F2=得分
        C3=（A） | D3=（B） | E3=（B/A） | F3=（10分）
        B4=年度资金总额 | C4=120 | D4=108 | E4=90% | F4=9
        {grid(5)}
        """)
    (fund,) = form.funds
    assert (fund.role, fund.values["executed"], fund.values["score"], form.execution_points) == (
        "total",
        "108",
        "9",
        10.0,
    )
    assert (form.columns["funds.score"], codes(form)) == (("F", "得分"), [])
