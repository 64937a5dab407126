"""The machine interface: its keys, nulls and texts are fixed; a change of this file is a change of the contract."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from forms import NO_FORM, PROJECT, SAMPLES, SEED

import perfeval_xlsx as pe
from perfeval_xlsx.form.model import Form, FundRow, IndicatorRow
from perfeval_xlsx.output.interface import json_line, read_object, score_object

FORM = Form(
    path="in/表.xlsx", sheet="表", sheet_index=0, number=1, kind="department", title="2021年度自评表", org="教育局",
    year=2021, unit="万元", province="湖南",
    funds=[FundRow(5, "合计", "total", {"executed": "2079.21", "rate": "100.00%"}, {"executed": "F5", "rate": "H5"})],
    goals={"expected": "目标", "actual": None}, goal_cells={"expected": "B8"},
    indicators=[
        IndicatorRow(12, {"level1": "产出指标", "level3": "学生\n数", "target": "≥1", "weight": "2"}, {"score": "H12"}, 50.0)
    ],
    left_out=[IndicatorRow(13, {"level3": "指标2："}, {}, reason="unused")],
    total={"score": "99", "grade": None}, total_cells={"score": "H56"}, notes=["注"], extent=(1, 56),
)  # fmt: skip

READ: dict[str, Any] = {
    "schema": 1, "path": "in/表.xlsx", "sheet": "表", "form": 1, "kind": "department", "title": "2021年度自评表",
    "org": "教育局", "year": 2021, "unit": "万元",
    "funds": [
        {
            "label": "合计", "role": "total", "initial_budget": None, "annual_budget": None, "executed": "2079.21",
            "weight": None, "rate": "100.00%", "score": None, "cells": {"executed": "F5", "rate": "H5"},
        }
    ],
    "goals": {"expected": "目标", "actual": None},
    "indicators": [
        {
            "level1": "产出指标", "level2": None, "level3": "学生\n数", "target": "≥1", "actual": None, "sign": None,
            "unit": None, "weight": "2", "score": None, "deviation": None, "level1_points": "50",
            "cells": {"score": "H12"},
        }
    ],
    "total": {"weight": None, "score": "99", "grade": None, "cells": {"score": "H56"}},
}  # fmt: skip

SCORE_KEYS = [
    "schema", "path", "sheet", "form", "status", "copy", "kind", "title", "org", "year", "rulebook", "support", "total",
    "grade", "grade_final", "low", "high", "low_grade", "high_grade", "self_total", "self_grade", "execution", "levels",
    "indicators", "replaced", "findings",
]  # fmt: skip
EXECUTION_KEYS = [
    "budget", "executed", "rate", "weight", "score", "low", "high", "self_rate", "self_score", "status", "method",
    "basis", "cell",
]  # fmt: skip
ROW_KEYS = [
    "row", "level1", "level2", "level3", "target", "actual", "weight", "self_score", "score", "low", "high", "status",
    "method", "basis", "cell", "deviation",
]  # fmt: skip
FINDING_KEYS = ["code", "severity", "cell", "field", "found", "expected", "message", "basis", "suggestion"]


def test_what_read_says_of_a_form() -> None:
    assert read_object(FORM) == READ
    assert list(read_object(FORM)) == list(READ)


def test_an_object_takes_one_line() -> None:
    line = json_line(read_object(FORM))
    assert "\n" not in line
    assert json.loads(line) == READ
    assert "教育局" in line


def test_a_line_separator_in_a_cell_does_not_split_the_line() -> None:
    line = json_line(read_object(replace(FORM, title="一\u2028二\x85三\r四")))
    assert len(line.splitlines()) == 1
    assert json.loads(line)["title"] == "一\u2028二\x85三\r四"


def test_what_score_says_of_the_seed_form() -> None:
    value = score_object(pe.score(SEED)[0])
    assert set(value) == set(SCORE_KEYS)
    facts = ("schema", "sheet", "form", "status", "copy", "rulebook", "total", "grade", "self_total", "self_grade")
    assert [value[key] for key in facts] == [1, "部门整体自评表", 1, "scored", None, "hunan", "99", "优", "99", "优"]
    assert set(value["execution"]) == set(EXECUTION_KEYS)
    shown = {key: value["execution"][key] for key in ("rate", "score", "self_score", "cell")}
    assert shown == {"rate": "100.00%", "score": "10", "self_score": "10", "cell": "I4"}
    assert all(set(row) == set(ROW_KEYS) for row in value["indicators"])
    (late,) = (row for row in value["indicators"] if row["cell"] == "H39")
    facts = ("level3", "weight", "self_score", "score", "low", "high", "status", "method")
    assert [late[key] for key in facts] == ["专项资金拨付时间", "2", "1", "1", "0", "1.98", "judged", "late"]


def test_every_value_has_its_type_in_every_state() -> None:
    for result in pe.audit(SAMPLES):
        value = score_object(result)
        assert set(value) == set(SCORE_KEYS)
        assert json.loads(json_line(value)) == value
        for key in ("total", "grade", "low", "high", "self_total", "self_grade", "rulebook", "org"):
            assert value[key] is None or isinstance(value[key], str), key
        assert value["year"] is None or isinstance(value["year"], int)
        for finding in value["findings"]:
            assert set(finding) == set(FINDING_KEYS)
            assert all(item is None or isinstance(item, str) for item in finding.values())
        for row in value["indicators"]:
            assert all(item is None or isinstance(item, str) for key, item in row.items() if key != "row")


def test_a_file_without_a_form_has_the_same_keys() -> None:
    (value,) = map(score_object, pe.score(NO_FORM))
    assert set(value) == set(SCORE_KEYS)
    assert (value["status"], value["sheet"], value["form"], value["indicators"]) == ("skipped", None, None, [])
    (value,) = map(score_object, pe.score("没有.xlsx"))
    assert set(value) == set(SCORE_KEYS)
    assert (value["status"], [finding["code"] for finding in value["findings"]]) == ("failed", ["B01"])


def test_audit_says_the_same_without_a_copy() -> None:
    result = pe.audit(PROJECT)[0]
    assert set(score_object(result, copy=False)) == set(SCORE_KEYS) - {"copy"}
