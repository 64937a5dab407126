"""Totals, bounds, grades, and when a form has none."""

from __future__ import annotations

import math
from typing import Any

import pytest

from perfeval_xlsx.form.frames import to_frames
from perfeval_xlsx.scoring.rulebook import grade_alias, grade_of
from perfeval_xlsx.scoring.rulebook_file import load_rulebook
from perfeval_xlsx.scoring.score import retotal, score

from .build import a_form, figure, scored

FUND = {"annual_budget": "100", "executed": "100", "weight": "10", "score": "10"}
MET = {
    "level1": "产出指标",
    "level3": "培训人次",
    "target": "≥100人次",
    "actual": "100人次",
    "weight": "50",
    "score": "50",
}
SHORT = MET | {"actual": "80人次", "weight": "30", "score": "30"}
WORDS = MET | {
    "level1": "效益指标",
    "level3": "成效",
    "target": "显著",
    "actual": "显著",
    "weight": "10",
    "score": "10",
}
NO_WEIGHT = {"weight": None, "cells": {"weight": None}}


def total(rows: list[dict[str, Any]], book: str = "national-2020", **facts: Any) -> dict[str, Any]:
    record: dict[str, Any] = scored(a_form(rows, FUND, **facts), book).forms.to_dict("records")[0]
    return record


def shown(record: dict[str, Any]) -> tuple[str, ...]:
    return tuple(figure(record[name]) for name in ("points", "total", "low", "high"))


def test_rows_and_execution_add_up_with_the_bounds_of_judged_rows() -> None:
    record = total([MET, SHORT, WORDS])
    assert shown(record) == ("100", "94", "84", "94")
    assert (record["status"], record["grade"], record["low_grade"], record["high_grade"]) == (
        "scored",
        "优",
        "良",
        "优",
    )


def test_a_grade_that_no_reviewer_can_change() -> None:
    record = total([MET, SHORT | {"actual": "30人次"}, WORDS | {"actual": "部分达成预期指标", "score": "6"}])
    assert shown(record) == ("100", "75", "75", "76.99")
    assert record["low_grade"] == record["high_grade"] == record["grade"] == "中"


def test_points_that_are_not_100_have_a_total_and_no_grade() -> None:
    record = total([MET, SHORT])
    assert shown(record) == ("90", "84", "84", "84")
    assert (record["status"], record["grade"], record["low_grade"]) == ("pending", None, None)


def test_a_row_without_score_leaves_the_total_open_and_bounded() -> None:
    record = total([MET, SHORT | {"actual": None, "score": None}, WORDS])
    assert shown(record) == ("100", "", "60", "100")
    assert (record["status"], record["grade"], record["open_rows"]) == ("pending", None, 1)
    assert (record["low_grade"], record["high_grade"]) == ("中", "优")


def test_a_typed_score_keeps_an_unscorable_row_in_the_total() -> None:
    record = total([MET, SHORT | {"actual": None, "score": "29"}, WORDS])
    assert shown(record) == ("100", "99", "60", "100")
    assert record["status"] == "scored"


def test_a_row_marked_as_not_applicable_is_left_out_of_points_and_total() -> None:
    record = total([MET, SHORT, WORDS | {"sign": "不适用"}])
    assert shown(record) == ("90", "84", "84", "84")
    assert record["status"] == "pending"


def test_component_rows_count_nothing() -> None:
    record = total([MET, SHORT, WORDS, MET | {"level3": "其中：", "weight": None, "score": "5"}])
    assert shown(record) == ("100", "94", "84", "94")


@pytest.mark.parametrize("book", ["national-2020", "hubei-2020"])
def test_a_form_without_weights_is_reported_whatever_is_typed(book: str) -> None:
    record = total([MET | NO_WEIGHT, SHORT | NO_WEIGHT], book)
    assert (record["status"], record["grade"], record["low_grade"]) == ("reported", None, None)
    assert [figure(record[name]) for name in ("total", "low", "high")] == ["", "", ""]
    rows = scored(a_form([MET | NO_WEIGHT, SHORT | NO_WEIGHT], FUND), book).indicators
    assert rows["status"].tolist() == ["unweighted", "unweighted"]
    assert rows["score"].tolist() == [50, 30]


def test_a_form_without_a_score_column_is_reported() -> None:
    record = total([row | {"score": None, "cells": {"score": None}} for row in (MET, SHORT, WORDS)])
    assert (record["status"], figure(record["total"])) == ("reported", "")


def test_a_form_of_nothing_is_reported() -> None:
    record: dict[str, Any] = scored(a_form([])).forms.to_dict("records")[0]
    assert (record["status"], figure(record["total"])) == ("reported", "")


def test_a_rate_without_points_of_its_own_takes_the_rulebook_s_only_where_there_is_room() -> None:
    """Indicators that make 100 leave nothing for a rate that the form does not score."""
    fund = FUND | {"weight": None, "score": None}
    full = scored(a_form([MET, MET], fund))
    assert (full.funds["method"][0], figure(full.forms["total"][0])) == ("execution_unweighted", "100")
    room = scored(a_form([MET, MET | {"weight": "40", "score": "40"}], fund))
    assert (room.funds["method"][0], figure(room.forms["total"][0])) == ("execution", "100")
    typed = scored(a_form([MET, MET], fund | {"score": "10"}))
    assert figure(typed.forms["points"][0]) == "110"


GRADES = [
    (100, "优"), (90, "优"), (89.995, "良"), (89.99, "良"), (89.5, "良"), (80, "良"), (79.99, "中"), (60, "中"), (59.99, "差"),
    (0, "差"), (-1, "差"), (103, "优"),
]  # fmt: skip


@pytest.mark.parametrize(("points", "grade"), GRADES)
def test_half_open_grades(points: float, grade: str) -> None:
    assert grade_of(points, load_rulebook("national-2020")) == grade


def test_no_grade_for_no_total() -> None:
    with pytest.raises(ValueError, match="no grade"):
        grade_of(math.nan, load_rulebook("national-2020"))


def test_a_total_just_below_a_grade_stays_below_it() -> None:
    """89.5 has a home: 良; and the grade goes by the total as it is printed."""
    half = total([MET, SHORT, WORDS | {"score": "5.5"}])
    assert (figure(half["total"]), half["grade"]) == ("89.5", "良")
    below = total([MET, SHORT, WORDS | {"score": "5.994"}])
    assert (figure(below["total"]), below["grade"]) == ("89.99", "良")
    tie = total([MET, SHORT, WORDS | {"score": "5.995"}])
    assert (figure(tie["total"]), tie["grade"]) == ("90", "优")


def test_words_for_a_grade() -> None:
    book = load_rulebook("national-2020")
    texts = [
        "优",
        "等级：优",
        "等级: 优秀",
        " 良 好 ",
        "“中”",
        "一般",
        "合格",
        "较差",
        "不合格",
        "差",
        "优良",
        "",
        "无",
    ]
    found = ["优", "优", "优", "良", "中", "中", "中", "差", "差", "差", None, None, None]
    assert [grade_alias(text, book) for text in texts] == found


SHARED = [
    MET | {"weight": "40", "score": "40", "cells": {"weight": "I9", "score": "J9"}},
    MET | {"weight": "40", "score": "40", "cells": {"weight": "I9", "score": "J9"}},
]
REST = [MET | {"weight": "40", "score": "40"}, WORDS]


def test_rows_that_share_one_cell_of_points_and_are_all_met() -> None:
    tables = scored(a_form([*SHARED, *REST], FUND))
    assert tables.indicators["method"].tolist() == ["met", "shared", "met", "echo"]
    assert [figure(value) for value in tables.indicators["score"]] == ["40", "", "40", "10"]
    assert figure(tables.forms["points"][0]) == "100"
    assert figure(tables.forms["total"][0]) == "100"


def test_rows_that_share_one_cell_of_points_and_miss_one() -> None:
    rows = [SHARED[0], SHARED[1] | {"actual": "80人次"}, *REST]
    typed, blank = scored(a_form(rows, FUND)), scored(a_form([row | {"score": None} for row in rows], FUND))
    assert typed.indicators["method"].tolist() == ["shared_missed", "shared", "met", "echo"]
    assert [figure(value) for value in typed.indicators["score"]][:2] == ["40", ""]
    assert figure(typed.forms["low"][0]) == "50"
    assert [figure(value) for value in blank.indicators["score"]][:2] == ["", ""]
    assert blank.forms["status"][0] == "pending"


def test_rows_that_share_points_but_not_scores_are_left_to_a_person() -> None:
    rows = [row | {"cells": {"weight": "I9"}, "score": "20"} for row in SHARED]
    tables = scored(a_form([*rows, *REST], FUND))
    assert tables.indicators["method"].tolist() == ["shared_split", "shared", "met", "echo"]
    assert [figure(value) for value in tables.indicators["score"]][:2] == ["", ""]
    assert (tables.forms["status"][0], figure(tables.forms["total"][0])) == ("pending", "")


def test_the_same_anchor_in_another_form_is_not_shared() -> None:
    forms = [a_form([SHARED[0]], path="a.xlsx"), a_form([SHARED[1]], path="b.xlsx")]
    assert scored(forms).indicators["method"].tolist() == ["met", "met"]


def test_summing_up_anew_after_a_decision() -> None:
    form = a_form([MET, SHORT, WORDS], FUND)
    books = {form.id: load_rulebook("national-2020")}
    tables = score(to_frames([form]), books)
    tables.indicators.loc[2, ["score", "low", "high"]] = 7.0
    again = retotal(tables, books)
    assert shown(again.forms.to_dict("records")[0]) == ("100", "91", "91", "91")
    assert again.forms["grade"][0] == again.forms["low_grade"][0] == "优"
