"""The total and the grade in the shapes they take."""

from __future__ import annotations

import pytest

from .blocks import funds, grid
from .sketch import read

TITLE = "A1:H1=2022年度项目支出绩效自评表"
TOTAL = "A5=总分 | F5=90 | G5=88"


@pytest.mark.parametrize(
    ("choice", "grade"),
    [
        ("优☑  良□  中□  差□", "优"),
        ("☑优 □良 □中 □差", "优"),
        ("□优 √良 □中 □差", "良"),
        ("优√ 良 中 差", "优"),
        ("■优□良□中□差", "优"),
        ("优（□）良（√）中（□）差（□）", "良"),
        ("（ ）优（√）良（ ）中（ ）差", "良"),
        ("优  √良  中  差", "良"),
        ("优【√】良【 】中【 】差【 】", "优"),
        ("优秀☐良好☑合格☐不合格☐", "良好"),
        ("√良", "良"),
        ("优√良中差", None),
        ("优☑ 良☑ 中□ 差□", None),
        ("优□ 良□ 中□ 差□", None),
        ("优 良 中 差", None),
    ],
)
def test_the_one_ticked_grade_counts(choice: str, grade: str | None) -> None:
    (form,) = read(f"{TITLE}\n{grid(2)}\n{TOTAL}\nA6:B6=自评等级 | C6:H6={choice}")
    assert form.total.get("grade") == grade
    assert form.total["score"] == "88"


@pytest.mark.parametrize(
    ("cells", "grade", "place"),
    [
        ("A5=总分 | F5=90 | G5=88 | H5=评价等级（优）", "优", "H5"),
        ("A5=总分 | F5=90 | G5=88 | H5=自评等级：良", "良", "H5"),
        ("A5=总分 | F5=90 | G5=88（良）", "良", "G5"),
        ("A5=总分 | F5=90 | G5=88分 良", "良", "G5"),
        ("A5=总分 | F5=90 | G5=88 | H5=优（90-100分）", "优", "H5"),
        ("A5=总分 | F5=90 | G5=88 | H5=按评分标准得出", None, "H5"),
    ],
)
def test_the_grade_stands_in_the_totals_row(cells: str, grade: str | None, place: str) -> None:
    (form,) = read(f"{TITLE}\n{grid(2)}\n{cells}")
    assert form.total == {"score": "88", "weight": "90", "grade": grade}
    assert form.total_cells["grade"] == place


@pytest.mark.parametrize(
    ("head", "grade", "place"),
    [
        ("A2:H2=自评总分：88分    评价等级：良", "良", "A2"),
        ("A2:H2=自评总分：88分（良）", "良", "A2"),
        ("A2=自评总分 | B2=88（良）", "良", "B2"),
        ("A2=自评总分 | B2=88 | C2=自评等级 | D2=□优 ☑良 □中 □差", "良", "D2"),
        ("A2=自评总分 | B2=88 | C2=自评等级 | D2=□优 □良 □中 □差", None, "D2"),
        ("A2=自评总分 | B2=88 | C2=自评等级 | D2=A级", "A级", "D2"),
    ],
)
def test_total_and_grade_stand_in_the_head(head: str, grade: str | None, place: str) -> None:
    (form,) = read(f"{TITLE}\n{head}\n{grid(3)}")
    assert (form.total["score"], form.total["grade"]) == ("88", grade)
    assert form.total_cells["grade"] == place


def test_a_total_with_its_grade_in_one_sentence() -> None:
    (form,) = read(f"{TITLE}\n{grid(2)}\nA5:H5=自评总得分 88 分（良）")
    assert (form.total["score"], form.total["grade"]) == ("88", "良")
    assert len(form.indicators) == 2


def test_points_stand_in_a_row_above_the_scores() -> None:
    (form,) = read(f"{TITLE}\n{grid(2)}\nA5=分值合计 | F5=90\nA6=自评得分 | G6=88")
    assert (form.total["weight"], form.total["score"]) == ("90", "88")
    assert (form.total_cells["weight"], form.total_cells["score"]) == ("F5", "G6")
    assert len(form.indicators) == 2


def test_total_and_grade_stand_below_their_labels() -> None:
    (form,) = read(f"""
        {TITLE}
        {grid(2)}
        A5:A6=自评结论 | B5:E5=自评总分 | F5:H5=自评等级
        B6:E6=88 | F6:H6=良
        """)
    assert (form.total["score"], form.total["grade"]) == ("88", "良")
    assert (form.total_cells["score"], form.total_cells["grade"]) == ("B6", "F6")


def test_a_total_is_never_a_word() -> None:
    (form,) = read(f"{TITLE}\n{grid(2)}\nA5=自评总分 | F5=待定 | G5=自评等级")
    assert form.total.get("score") is None
    assert form.total.get("weight") is None


def test_a_total_below_the_funds_below_the_grid() -> None:
    (form,) = read(f"{TITLE}\n{grid(2)}\n{funds(5)}\nA8=总分 | F8=100 | G8=97")
    assert (form.total["weight"], form.total["score"]) == ("100", "97")
    assert (form.total_cells["weight"], form.total_cells["score"]) == ("F8", "G8")
    assert [(fund.label, fund.role) for fund in form.funds] == [("年度资金总额", "total"), ("其中：财政拨款", "part")]


def test_a_total_stands_right_of_a_note() -> None:
    (form,) = read(f"{TITLE}\n{grid(2)}\nA5=其他需要说明事项 | B5:D5=无 | E5=总分 | F5=90 | G5=88 | H5=优")
    assert form.total == {"score": "88", "weight": "90", "grade": "优"}
    assert len(form.indicators) == 2


def test_a_total_stands_above_the_indicators() -> None:
    rows = grid(2).splitlines()
    moved = "\n".join([rows[0], "A3=合计 | F3=90 | G3=88", *(line.replace("3=", "5=") for line in rows[1:2]), rows[2]])
    (form,) = read(f"{TITLE}\n{moved}")
    assert (form.total["weight"], form.total["score"]) == ("90", "88")
    assert [row.values["level3"] for row in form.indicators] == ["受益人数", "巡查次数"]


@pytest.mark.parametrize(
    ("cells", "weight", "score"),
    [
        ("A5=自评总分 | D5=88", None, "88"),
        ("A5=自评总分 | D5=88分", None, "88"),
        ("A5=总分 | D5=100", "100", None),
        ("A5=总分 | D5=待定", None, None),
        ("A5=总分 | D5=3 | G5=88", None, "88"),
    ],
)
def test_a_total_right_of_blank_cells(cells: str, weight: str | None, score: str | None) -> None:
    (form,) = read(f"{TITLE}\n{grid(2)}\n{cells}")
    assert (form.total.get("weight"), form.total.get("score")) == (weight, score)
    assert len(form.indicators) == 2


@pytest.mark.parametrize("cells", ["A5=分值合计 | F5=90 | G5=88", "A5:E5=分值合计 | F5=90 | G5=88"])
def test_the_sum_of_the_points_with_that_of_the_scores_is_the_total(cells: str) -> None:
    (form,) = read(f"{TITLE}\n{grid(2)}\n{cells}")
    assert (form.total["weight"], form.total["score"], len(form.indicators)) == ("90", "88", 2)
    (form,) = read(f"{TITLE}\n{grid(2)}\n{cells}\nA6=总分 | F6=100 | G6=97")
    assert (form.total["weight"], form.total["score"], len(form.indicators)) == ("100", "97", 2)


@pytest.mark.parametrize(("figure", "score"), [("88", "88"), ("待定", None)])
def test_total_and_grade_of_the_head_below_their_labels(figure: str, score: str | None) -> None:
    (form,) = read(f"""
        {TITLE}
        A2=项目名称 | C2=自评得分 | E2=自评等级
        A3=校舍维修 | C3={figure} | E3=良
        {grid(4)}
        """)
    assert (form.project, form.total, form.total_cells) == (
        "校舍维修",
        {"score": score, "grade": "良"},
        {"score": "C3", "grade": "E3"},
    )
