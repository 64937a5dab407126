"""Switches of a rulebook: points taken off, what a form without cost indicators may get, decimals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from perfeval_xlsx.scoring.rulebook import Rulebook

from .build import a_form, figure, own_rulebook, scored

COST = """
[cost]
none_at_most = 5
article = "未设置成本指标的，成本指标得分不超过5分"
support = "filed"
"""
ROW = {
    "level1": "产出指标",
    "level3": "培训人次",
    "target": "≥100人次",
    "actual": "90人次",
    "weight": "10",
    "score": "9",
}
NONE = {"level1": "成本指标", "level2": "经济成本指标", "level3": "无", "target": "/", "actual": "/", "weight": "10"}


def found(rows: list[dict[str, Any]], book: Rulebook | str) -> list[tuple[str, ...]]:
    frame = scored(a_form(rows), book).indicators
    records = frame.to_dict("records")
    return [(*(figure(r[k]) for k in ("score", "low", "high")), r["status"], r["method"]) for r in records]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [("10", ""), ("5", "5"), ("3", "3"), ("", "")],
)
def test_without_cost_indicators_at_most_five_points(typed: str, expected: str, tmp_path: Path) -> None:
    rows = found([ROW, NONE | {"score": typed}], own_rulebook(tmp_path, COST))
    assert rows[1] == (expected, "0", "5", "judged", "no_cost")


def test_one_cost_indicator_lifts_the_limit(tmp_path: Path) -> None:
    one = NONE | {"level3": "培训成本", "target": "≤10万元", "actual": "9万元"}
    rows = found([one, NONE | {"score": "10"}], own_rulebook(tmp_path, COST))
    assert [row[-1] for row in rows] == ["met", "missing_target"]


def test_the_limit_is_never_above_the_points(tmp_path: Path) -> None:
    rows = found([NONE | {"weight": "4", "score": "4"}], own_rulebook(tmp_path, COST))
    assert rows == [("4", "0", "4", "judged", "no_cost")]


def test_the_limit_is_off_by_default() -> None:
    assert found([NONE | {"score": "10"}], "national-2020")[0][-1] == "missing_target"


DEDUCTIONS = [
    ("1.5", ("7.5", "7.5", "7.5", "ruled", "short")),
    ("", ("9", "9", "9", "ruled", "short")),
    ("/", ("9", "9", "9", "ruled", "short")),
    ("0", ("9", "9", "9", "ruled", "short")),
    ("20", ("0", "0", "0", "ruled", "short")),
    ("见说明", ("9", "0", "10", "unscorable", "deduction_unreadable")),
    ("-1", ("9", "0", "10", "unscorable", "deduction_unreadable")),
]


@pytest.mark.parametrize(("taken", "expected"), DEDUCTIONS)
@pytest.mark.parametrize("label", ["扣减分数", "扣 减\n分 数", "扣减分数（分）"])
def test_points_taken_off(label: str, taken: str, expected: tuple[str, ...]) -> None:
    row = ROW | {"extra": {"得分计算方法": "比例", label: taken or None}}
    assert found([row], "guangxi") == [expected]


def test_points_taken_off_move_the_band_of_a_judged_row() -> None:
    row = ROW | {"target": "有效", "actual": "部分达成预期指标", "extra": {"扣减分数": "2"}}
    judged = [found([row | {"score": typed}], "guangxi")[0] for typed in ("", "5", "7")]
    assert judged == [("5", "4", "5.99", "judged", "tier")] * 3


def test_the_sentence_says_what_was_taken_off() -> None:
    row = ROW | {"extra": {"扣减分数": "1.5"}}
    assert "减去“扣减分数”1.5分" in scored(a_form([row]), "guangxi").indicators["basis"][0]


def test_other_rulebooks_know_no_such_column() -> None:
    row = ROW | {"extra": {"扣减分数": "1.5"}}
    assert found([row], "national-2020")[0][0] == "9"


def test_forms_of_different_rulebooks_in_one_chunk(tmp_path: Path) -> None:
    """A rulebook's switches reach its own forms only."""
    own = own_rulebook(tmp_path, '[rounding]\ndecimals = 1\narticle = "一位小数"\nsupport = "filed"\n')
    row = ROW | {"actual": "97.25人次"}
    assert found([row], own)[0][0] == "9.7"
    assert found([row], "national-2020")[0][0] == "9.73"


@pytest.mark.parametrize(
    ("target", "actual", "expected"),
    [
        ("是", "是", ("10", "10", "10", "ruled", "direct_met")),
        ("否", "否", ("10", "10", "10", "ruled", "direct_met")),
        ("是", "否", ("0", "0", "0", "ruled", "direct_missed")),
        ("否", "是", ("0", "0", "0", "ruled", "direct_missed")),
        ("是", "基本完成", ("9", "8", "10", "judged", "tier")),
        ("合规", "是", ("9", "8", "10", "judged", "tier")),
        ("是", "/", ("9", "0", "10", "unscorable", "missing_actual")),
    ],
)
def test_a_question_of_yes_or_no(target: str, actual: str, expected: tuple[str, ...]) -> None:
    row = ROW | {"level3": "是否通过验收", "target": target, "actual": actual}
    assert found([row], "national-2021-core") == [expected]
    assert not found([row], "national-2020")[0][-1].startswith("direct")
