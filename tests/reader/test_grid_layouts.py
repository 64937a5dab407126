"""The indicator grid in the shapes it takes: wide headers, levels elsewhere, rows that are none, forms side by side."""

from __future__ import annotations

import pytest

from perfeval_xlsx.form.model import Form

from .blocks import codes, funds, grid
from .sketch import read, sheet

TITLE = "A1:H1=2022年度项目支出绩效自评表"
HEADER = "A{0}=一级指标 | B{0}=二级指标 | C{0}=三级指标 | D{0}=年度指标值 | E{0}=实际完成值 | F{0}=分值 | G{0}=得分 | H{0}=偏差原因分析"
OUTPUT = "A{0}=产出指标 | B{0}=数量指标 | C{0}=巡查次数 | D{0}=12次 | E{0}=12次 | F{0}=50 | G{0}=50"
EFFECT = "A{0}=效益指标 | B{0}=社会效益指标 | C{0}=受益人数 | D{0}=80人 | E{0}=80人 | F{0}=40 | G{0}=38"
TOTAL = "A{0}=总分 | F{0}=90 | G{0}=88"


def names(form: Form) -> list[str | None]:
    return [row.values["level3"] for row in form.indicators]


def levels(form: Form) -> list[tuple[str | None, float | None]]:
    return [(row.values["level1"], row.level1_points) for row in form.indicators]


def test_comparator_figure_and_unit_under_one_merged_header() -> None:
    (form,) = read("""
        A1=一级指标 | B1=二级指标 | C1=三级指标 | D1:F1=年度指标值 | G1=实际完成值 | H1=分值 | I1=得分
        A2=产出指标 | B2=数量指标 | C2=巡查次数 | D2=≥ | E2=12 | F2=次 | G2=12 | H2=50 | I2=50
        A3=效益指标 | B3=社会效益 | C3=环境 | E3=明显 | G3=明显 | H3=40 | I3=40
        """)
    first, second = form.indicators
    assert (first.values["sign"], first.values["target"], first.values["unit"]) == ("≥", "12", "次")
    assert (first.cells["sign"], first.cells["target"], first.cells["unit"]) == ("D2", "E2", "F2")
    assert (second.values["target"], second.values.get("unit")) == ("明显", None)


def test_a_label_over_the_first_of_two_columns() -> None:
    (form,) = read("""
        A1=一级指标 | B1=二级指标 | C1=三级指标 | D1=年度指标值 | F1=2021年完成值 | G1=实际完成值 | H1=分值 | I1=得分
        A2=产出指标 | B2=数量指标 | C2=巡查次数 | D2=≥ | E2=12 | F2=11 | G2=12 | H2=50 | I2=50
        A3=效益指标 | B3=社会效益 | C3=环境 | D3=明显 | F3=一般 | G3=明显 | H3=40 | I3=40
        """)
    first, second = form.indicators
    assert (first.values["sign"], first.values["target"], first.cells["target"]) == ("≥", "12", "E2")
    assert (second.values["target"], second.values.get("unit"), second.cells["actual"]) == ("明显", None, "G3")


def test_a_number_and_a_name_under_one_header() -> None:
    (form,) = read("""
        A1=一级指标 | B1:C1=三级指标 | D1=年度指标值 | E1=实际完成值 | F1=分值 | G1=得分
        A2=产出指标 | B2=指标1 | C2=补助人数 | D2=20人 | E2=20人 | F2=50 | G2=50
        A3=效益指标 | B3=指标2 | C3=受益人数 | D3=80人 | E3=80人 | F3=50 | G3=50
        """)
    assert (names(form), form.indicators[0].cells["level3"]) == (["补助人数", "受益人数"], "C2")


@pytest.mark.parametrize(
    "section",
    ["A{0}:G{0}=一、{1}（{2}分）", "A{0}=一、{1}（{2}分）", "A{0}=（一）{1} | E{0}={2} | F{0}={2}", "A{0}={1}：{2}分"],
)
def test_levels_in_rows_of_their_own(section: str) -> None:
    (form,) = read(f"""
        A1=序号 | B1=三级指标 | C1=指标值 | D1=完成值 | E1=分值 | F1=得分 | G1=备注
        {section.format(2, "产出指标", 50)}
        A3=1 | B3=巡查次数 | C3=12次 | D3=12次 | E3=50 | F3=50
        {section.format(4, "效益指标", 50)}
        A5=2 | B5=受益人数 | C5=80人 | D5=80人 | E5=50 | F5=49
        A6=合计 | E6=100 | F6=99
        """)
    assert levels(form) == [("产出指标", 50), ("效益指标", 50)]
    assert (names(form), form.total["score"], codes(form)) == (["巡查次数", "受益人数"], "99", [])


BLOCK = "B{0}={1} | C{0}=甲{0} | D{0}=1 | E{0}=1 | F{0}=20 | G{0}=20"
KINDS = ("数量指标", "质量指标", "时效指标", "社会效益指标", "生态效益指标")


def block(labels: dict[int, str]) -> str:
    rows = [BLOCK.format(row, kind) for row, kind in enumerate(KINDS, 2)]
    return "\n".join(
        [
            HEADER.format(1),
            *(f"A{row}={labels[row]} | {text}" if row in labels else text for row, text in enumerate(rows, 2)),
        ]
    )


def test_level_labels_in_the_middle_of_their_blocks() -> None:
    (form,) = read(block({3: "产出指标（60分）", 6: "效益指标"}))
    assert levels(form) == [("产出指标", 60)] * 3 + [("效益指标", None)] * 2
    assert form.indicators[0].cells["level1"] == "A3"
    assert codes(form) == []


def test_a_level_label_that_cannot_be_placed_is_a_finding() -> None:
    (form,) = read(block({3: "子目标一", 6: "子目标二"}))
    assert [row.values["level1"] for row in form.indicators] == [None] * 5
    assert codes(form) == []
    (form,) = read(block({3: "产出指标"}))
    assert [(finding.code, finding.cell) for finding in form.findings] == [("R22", "C5")]


def test_level_labels_written_down_their_blocks() -> None:
    labels = dict(enumerate("产出指标", 2)) | dict(enumerate("效益指标", 6))
    rows = [
        BLOCK.format(row, kind)
        for row, kind in enumerate([*KINDS[:3], "成本指标", *KINDS[3:], "经济效益指标", "可持续影响指标"], 2)
    ]
    (form,) = read(
        "\n".join([HEADER.format(1), *(f"A{row}={labels[row]} | {text}" for row, text in enumerate(rows, 2))])
    )
    assert [row.values["level1"] for row in form.indicators] == ["产出指标"] * 4 + ["效益指标"] * 4
    assert form.indicators[3].cells["level1"] == "A2"


@pytest.mark.parametrize("name", ["填写完整率", "示例学校建设数", "例会召开次数"])
def test_names_that_look_like_hints_are_names(name: str) -> None:
    (form,) = read(
        f"{TITLE}\n{HEADER.format(2)}\n{OUTPUT.format(3)}\n{EFFECT.format(4)}\n{TOTAL.format(5)}".replace(
            "受益人数", name
        )
    )
    assert names(form) == ["巡查次数", name]


@pytest.mark.parametrize(
    "row",
    [
        "A3=例：产出指标 | B3=数量指标 | C3=例：培训人次 | D3=≥100人次 | E3=110人次 | F3=10 | G3=10",
        "C3=填写具体指标 | D3=填写指标值 | E3=填写实际完成值",
        "C3=请填写三级指标名称",
        "A3=1 | B3=2 | C3=3 | D3=4 | E3=5 | F3=6 | G3=7=5/4×6 | H3=8",
        "A3=甲 | B3=乙 | C3=丙 | D3=1 | E3=2 | F3=3 | G3=4 | H3=5",
        "A3=① | B3=② | C3=③ | D3=④ | E3=⑤ | F3=⑥ | G3=⑦",
        "A3=必填 | B3=必填 | C3=必填 | D3=必填 | E3=必填 | F3=自动计算 | G3=自动计算 | H3=选填",
    ],
)
def test_rows_that_say_how_to_fill_in_are_no_indicators(row: str) -> None:
    (form,) = read(f"{TITLE}\n{HEADER.format(2)}\n{row}\n{OUTPUT.format(4)}\n{EFFECT.format(5)}\n{TOTAL.format(6)}")
    assert (names(form), form.title, form.total["score"]) == (
        ["巡查次数", "受益人数"],
        "2022年度项目支出绩效自评表",
        "88",
    )


@pytest.mark.parametrize(
    "remark", ["A4:H4=注：以上为产出指标，合计50分", "A4:H4=（接下页）", "A4:H4=备注：指标值按年初批复填写"]
)
def test_a_remark_between_two_blocks_does_not_end_the_grid(remark: str) -> None:
    (form,) = read(f"{TITLE}\n{HEADER.format(2)}\n{OUTPUT.format(3)}\n{remark}\n{EFFECT.format(5)}\n{TOTAL.format(6)}")
    assert (names(form), form.total["score"]) == (["巡查次数", "受益人数"], "88")
    assert remark.partition("=")[2] in form.notes


def test_a_total_above_the_indicators() -> None:
    (form,) = read(f"{TITLE}\n{HEADER.format(2)}\n{TOTAL.format(3)}\n{OUTPUT.format(4)}\n{EFFECT.format(5)}")
    assert (names(form), form.total["score"], form.total_cells["score"]) == (["巡查次数", "受益人数"], "88", "G3")


def test_points_left_of_the_levels() -> None:
    (form,) = read("""
        A1=分值 | B1=一级指标 | C1=三级指标 | D1=年度指标值 | E1=实际完成值 | F1=得分
        A2=60 | B2=产出指标 | C2=巡查次数 | D2=12次 | E2=12次 | F2=60
        """)
    assert form.indicators[0].cells["weight"] == "A2"


@pytest.mark.parametrize(
    ("columns", "target", "actual"),
    [
        ("D1=2021年实际完成值 | E1=2022年指标值 | F1=2022年实际完成值", "E3", "F3"),
        ("D1=2021年完成值 | E1=年度指标值 | F1=完成值", "E3", "F3"),
        ("D1=计划值 | E1=完成情况 | F1=2023年指标值", "D3", "E3"),
    ],
)
def test_the_column_of_the_forms_own_year(columns: str, target: str, actual: str) -> None:
    header = columns.replace("1=", "2=").replace("202年", "2021年")
    (form,) = read(f"""
        {TITLE}
        A2=一级指标 | C2=三级指标 | {header} | G2=分值 | H2=得分
        A3=产出指标 | C3=巡查次数 | D3=11次 | E3=12次 | F3=13次 | G3=100 | H3=100
        """)
    row = form.indicators[0]
    assert (row.cells["target"], row.cells["actual"], codes(form)) == (target, actual, [])


def test_the_plainer_label_wins() -> None:
    (form,) = read("""
        A1=指标类型 | B1=二级指标 | C1=三级指标 | D1=年度指标值 | E1=实际完成值 | F1=分值 | G1=得分 | H1=完成情况说明 | I1=未完成原因
        A2=定量 | B2=数量指标 | C2=巡查次数 | D2=12次 | E2=11次 | F2=50 | G2=45 | H2=已完成 | I2=降雨
        """)
    row = form.indicators[0]
    assert (row.values["level2"], row.values["deviation"]) == ("数量指标", "降雨")
    assert "R06" not in codes(form)


def test_a_hidden_column_gives_way_to_the_visible_one() -> None:
    made = sheet("""
        A1=三级指标 | B1=年度指标值 | C1=实际完成值 | D1=分值 | E1=得分 | F1=得分
        A2=巡查次数 | B2=12次 | C2=12次 | D2=50 | E2=1 | F2=50
        """)
    made.hidden_columns = {5}
    (form,) = read(made)
    assert form.indicators[0].cells["score"] == "F2"


def test_targets_kept_apart_by_kind_are_one_column() -> None:
    (form,) = read("""
        A1=三级指标 | B1=定量指标值 | C1=定性指标值 | D1=实际完成值 | E1=分值 | F1=得分
        A2=巡查次数 | B2=12次 | D2=12次 | E2=50 | F2=50
        A3=环境 | C3=改善 | D3=改善 | E3=50 | F3=50
        """)
    assert [row.values["target"] for row in form.indicators] == ["12次", "改善"]


def test_a_column_of_comparators_holds_the_signs() -> None:
    (form,) = read("""
        A1=三级指标 | B1=甲乙 | C1=年度指标值 | D1=实际完成值 | E1=分值 | F1=得分
        A2=巡查次数 | B2=≥ | C2=12 | D2=12 | E2=50 | F2=50
        A3=事故 | B3=≤ | C3=1 | D3=0 | E3=30 | F3=30
        A4=合格率 | B4== | C4=100% | D4=100% | E4=20 | F4=20
        """)
    assert [row.values["sign"] for row in form.indicators] == ["≥", "≤", "="]


def test_levels_under_labels_nobody_knows_are_told_by_their_names() -> None:
    (form,) = read("""
        A1=子丑 | B1=寅卯 | C1=年度指标值 | D1=实际完成值 | E1=分值 | F1=得分
        A2=产出指标 | B2=巡查次数 | C2=12次 | D2=12次 | E2=50 | F2=50
        A3=效益指标 | B3=受益人数 | C3=80人 | D3=80人 | E3=50 | F3=50
        """)
    assert [(row.values["level1"], row.values["level3"]) for row in form.indicators] == [
        ("产出指标", "巡查次数"),
        ("效益指标", "受益人数"),
    ]


def test_a_column_of_row_numbers_beside_the_form() -> None:
    lines = [TITLE, *grid(2).splitlines(), TOTAL.format(5)]
    numbered = "\n".join(f"{line} | I{row}={row}" for row, line in enumerate(lines, 1))
    (form,) = read(numbered)
    assert (names(form), form.total["score"], codes(form)) == (["巡查次数", "受益人数"], "88", [])


def test_a_header_in_two_rows_with_a_blank_one_between() -> None:
    (form,) = read("""
        A1=一级指标 | B1=三级指标 | C1:D1=指标完成情况 | E1=分值 | F1=得分
        C3=年初目标值 | D3=实际完成情况
        A4=产出指标 | B4=巡查次数 | C4=12次 | D4=11次 | E4=50 | F4=45
        """)
    assert (form.indicators[0].values["target"], form.indicators[0].values["actual"]) == ("12次", "11次")


def test_a_blank_row_after_every_row() -> None:
    lines = [TITLE, *funds(2).splitlines(), *grid(5).splitlines(), TOTAL.format(8)]
    spaced = "\n".join(
        " | ".join(_moved(item, 2 * row - 1) for item in line.split(" | ")) for row, line in enumerate(lines, 1)
    )
    (form,) = read(spaced)
    assert ([fund.role for fund in form.funds], names(form), form.total["score"]) == (
        ["total", "part"],
        ["巡查次数", "受益人数"],
        "88",
    )


def _moved(item: str, row: int) -> str:
    place, _, text = item.partition("=")
    return ":".join(f"{corner.rstrip('0123456789')}{row}" for corner in place.split(":")) + f"={text}"


def _beside(item: str, by: int) -> str:
    place, _, text = item.strip().partition("=")
    corners = [f"{chr(ord(corner[0]) + by)}{corner[1:]}" for corner in place.split(":")]
    return ":".join(corners) + f"={text}"


@pytest.mark.parametrize(("by", "down"), [(8, 0), (9, 0), (9, 2)])
def test_forms_side_by_side(by: int, down: int) -> None:
    first = f"{TITLE}\n{funds(2)}\n{grid(5)}\n{TOTAL.format(8)}"
    second = first.replace("巡查次数", "培训期数")
    moved = [
        " | ".join(_beside(_moved(item, row + down), by) for item in line.split(" | "))
        for row, line in enumerate(second.splitlines(), 1)
    ]
    left, right = read(f"{first}\n" + "\n".join(moved))
    assert (names(left), names(right)) == (["巡查次数", "受益人数"], ["培训期数", "受益人数"])
    assert (left.total_cells["score"], right.total_cells["score"]) == ("G8", f"{chr(ord('G') + by)}{8 + down}")
    assert (left.number, right.number, codes(left), codes(right)) == (1, 2, [], [])
    assert [fund.values["executed"] for fund in right.funds] == ["108", "108"]


def test_a_page_that_repeats_the_head_goes_on_with_the_form() -> None:
    head = "A{0}:H{0}=2022年度项目支出绩效自评表\nA{1}=项目名称 | B{1}:H{1}=校舍维修"
    (form,) = read(
        f"{head.format(1, 2)}\n{HEADER.format(3)}\n{OUTPUT.format(4)}\n{head.format(5, 6)}\n{HEADER.format(7)}\n{EFFECT.format(8)}\n{TOTAL.format(9)}"
    )
    assert (names(form), form.total["score"]) == (["巡查次数", "受益人数"], "88")


def test_a_table_left_alone_beside_a_form_is_told() -> None:
    rules = "A1=一级指标 | B1=二级指标 | C1=三级指标 | D1=分值 | E1=评分标准 | F1=得分\nA2=投入 | C2=目标设定 | D2=10 | E2=合理得10分"
    (form,) = read(sheet(f"{TITLE}\n{grid(2)}"), sheet(rules, "评分表", 1))
    assert [(finding.code, finding.found, finding.cell) for finding in form.findings] == [("R03", "评分表", None)]


@pytest.mark.parametrize(
    ("head", "found"),
    [("A2=自评总分：95", [("R23", "A2")]), ("A2=自评总分：88", []), ("A2=自评总分：88分", []), ("A2=自评等级：良", [("R23", "A2")]), ("A2=自评等级：优", [])],
)  # fmt: skip
def test_a_head_that_contradicts_the_total_row_is_a_finding(head: str, found: list[tuple[str, str]]) -> None:
    (form,) = read(f"{TITLE}\n{head}\n{grid(3)}\n{TOTAL.format(6)} | H6=优")
    assert [(finding.code, finding.cell) for finding in form.findings] == found
    assert (form.total["score"], form.total["grade"]) == ("88", "优")


@pytest.mark.parametrize(
    ("text", "total"),
    [
        ("A6=自评总分：88分    自评等级：优", {"score": "88", "weight": None, "grade": "优"}),
        ("A6=自评总得分 88 分（优）", {"score": "88", "weight": None, "grade": "优"}),
        ("A6=总分：100分", {"score": None, "weight": "100", "grade": None}),
    ],
)
def test_a_total_in_one_cell_left_of_blank_ones(text: str, total: dict[str, str | None]) -> None:
    (form,) = read(f"{TITLE}\n{HEADER.format(3)}\n{OUTPUT.format(4)}\n{EFFECT.format(5)}\n{text}")
    assert {name: form.total.get(name) for name in ("score", "weight", "grade")} == total
