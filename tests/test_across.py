"""Comparisons of forms over a whole run: each finds its case, with evidence, and leaves its near miss alone."""

from __future__ import annotations

import random
from typing import Any

import pandas as pd
import pytest

from perfeval_xlsx.data import load
from perfeval_xlsx.findings import Lang
from perfeval_xlsx.scoring.across import COLUMNS, across, org_key, record_of, self_against_rule
from perfeval_xlsx.scoring.record import FormRecord

NAMES = ("培训场次", "培训合格率", "学员就业率", "合作企业数", "人均费用", "学员满意度")
TARGETS = ("≥20场", "≥95%", "≥80%", "≥5家", "≤500元", "≥90%")
ACTUALS = ("21场", "96%", "82%", "6家", "480元", "93%")
REASONS = (
    "部分学员选择继续升学，下年加强与企业的岗位对接",
    "场地临时调整导致两期培训合并举办，总人数没有减少",
    "企业用工计划变化较大，已与园区建立对接机制",
)


def result(number: int, **changes: Any) -> dict[str, Any]:
    """A form's result: unit ``number``, with its own figures."""
    rows = changes.pop("rows", [(n, t, a, None) for n, t, a in zip(NAMES, TARGETS, ACTUALS, strict=True)])
    facts: dict[str, Any] = {
        "path": f"单位{number:03d}.xlsx", "form": 1, "org": f"单位{number:03d}", "kind": "project", "year": 2022,
        "total": "97.5", "self_total": "97.5",
        "execution": {"rate": "98.00%", "cell": "I5", "budget": "100", "executed": "98"},
        "indicators": [
            {"level3": name, "target": target, "actual": actual, "deviation": deviation, "cell": f"H{row}"}
            for row, (name, target, actual, deviation) in enumerate(rows, 12)
        ],
    }  # fmt: skip
    return {**facts, **changes}


def found(results: list[dict[str, Any]], code: str, **more: Any) -> pd.DataFrame:
    frame = across([record_of(each) for each in results], **more)
    return frame[frame["code"] == code].reset_index(drop=True)


def rate(text: str) -> dict[str, Any]:
    return {"rate": text, "cell": "I5", "budget": "100", "executed": text.rstrip("%")}


def told(reasons: tuple[str, ...], prefix: str = "") -> list[tuple[str, str, str, str | None]]:
    texts = [*reasons, *[None] * (len(NAMES) - len(reasons))]
    return [(prefix + n, t, a, d) for n, t, a, d in zip(NAMES, TARGETS, ACTUALS, texts, strict=True)]


def test_all_forms_of_a_unit_at_100() -> None:
    forms = [result(n, org="219001-河东局", self_total="100") for n in range(3)]
    (row,) = found(forms, "T05").to_dict("records")
    assert (row["path"], row["org"]) == (None, "219001-河东局")
    assert "3" in row["message"]
    assert found([*forms, result(4, org="河东局", self_total="99")], "T05").empty
    assert found(forms[:2], "T05").empty


def test_identical_texts_of_two_units() -> None:
    forms = [result(1, rows=told(REASONS)), result(2, rows=told(REASONS, "本项目"))]
    (row,) = found(forms, "T05").to_dict("records")
    assert (row["path"], row["cell"]) == ("单位002.xlsx", "H12")
    assert row["found"] == "部分学员选择继续升学,下年加强与企业的岗位对接"
    assert "单位001.xlsx" in row["message"]
    assert "100%" in row["message"]


def test_texts_that_are_few_or_of_one_unit_are_left_alone() -> None:
    assert found([result(1, rows=told(REASONS[:2])), result(2, rows=told(REASONS[:2]))], "T05").empty
    own = [result(1, rows=told(REASONS)), result(2, org="单位001", rows=told(REASONS, "二期"))]
    assert found(own, "T05").empty


def test_a_text_of_the_template_in_a_crowd_costs_no_more_than_its_size() -> None:
    forms = [result(n, rows=told(REASONS, f"项目{n}")) for n in range(120)]
    assert len(found(forms, "T05")) == 119


def test_one_target_through_all_forms_of_a_unit() -> None:
    rows = [(name, "100%", "100%", None) for name in NAMES]
    forms = [result(n, org="河东局", rows=rows) for n in range(3)]
    (row,) = found(forms, "X01").to_dict("records")
    assert row["found"] == "100%"
    assert "18" in row["message"]
    assert found([result(n, org="河东局") for n in range(3)], "X01").empty
    assert found([result(1, org="河东局", rows=[*rows, *rows, *rows])], "X01").empty, "one form is I06's"
    assert found(forms[:1], "X01").empty


def test_a_rate_far_from_its_peers() -> None:
    forms = [result(n, execution=rate(f"{95 + n % 5}%")) for n in range(12)]
    (row,) = found([*forms, result(20, execution=rate("31%"))], "X02").to_dict("records")
    assert (row["path"], row["cell"], row["found"]) == ("单位020.xlsx", "I5", "31.00%")
    assert row["expected"] == "96.00%"
    assert found([*forms, result(20, execution=rate("88%"))], "X02").empty
    assert found([*forms[:8], result(20, execution=rate("31%"))], "X02").empty
    assert found([*forms, result(20, kind="department", execution=rate("31%"))], "X02").empty


def test_over_achievement_far_from_its_peers() -> None:
    over = [
        (n, t, a, None) for n, t, a in zip(NAMES, TARGETS, ("60场", "96%", "82%", "30家", "480元", "93%"), strict=True)
    ]
    forms = [result(n) for n in range(12)]
    (row,) = found([*forms, result(20, rows=over)], "X03").to_dict("records")
    assert (row["path"], row["found"], row["expected"]) == ("单位020.xlsx", "40.00%", "0.00%")
    once = [(n, t, a, None) for n, t, a in zip(NAMES, TARGETS, ("60场", *ACTUALS[1:]), strict=True)]
    assert found([*forms, result(20, rows=once)], "X03").empty


def test_one_project_filed_twice_with_other_figures() -> None:
    changed = [(n, t, a, None) for n, t, a in zip(NAMES, TARGETS, ("25场", *ACTUALS[1:]), strict=True)]
    forms = [result(1), result(1, path="单位001（更正）.xlsx", rows=changed)]
    (row,) = found(forms, "X04").to_dict("records")
    assert (row["path"], row["cell"], row["found"], row["expected"]) == ("单位001（更正）.xlsx", "H12", "25场", "21场")
    assert "培训场次" in row["message"]
    spent = {"rate": "97.00%", "cell": "I5", "budget": "100", "executed": "97"}
    (row,) = found([result(1), result(1, path="更正.xlsx", execution=spent)], "X04", lang="en").to_dict("records")
    assert "executed amount: 97 against 98" in row["message"]
    assert found([result(1), result(1, path="副本.xlsx")], "X04").empty
    assert found([result(1), result(1, path="上年.xlsx", year=2021, rows=changed)], "X04").empty
    assert found([result(1), result(2, rows=changed)], "X04").empty


def test_last_years_form_filed_again() -> None:
    before = record_of(result(1, path="2021/单位001.xlsx", year=2021))
    (row,) = found([result(1)], "X05", previous=[before]).to_dict("records")
    assert row["path"] == "单位001.xlsx"
    assert "2021" in row["message"]
    fresh = [(n, t, a, None) for n, t, a in zip(NAMES, TARGETS, ("22场", "97%", *ACTUALS[2:]), strict=True)]
    assert found([result(1, rows=fresh)], "X05", previous=[before]).empty
    assert found([result(2)], "X05", previous=[before]).empty
    assert len(found([result(1), result(1, path="旧.xlsx", year=2021)], "X05")) == 1


def test_units_of_the_list_that_filed_nothing() -> None:
    forms = [result(1, org="219001-河东区教育局"), result(2, org="河东区卫生健康局")]
    rows = found(forms, "X06", roster=["河东区教育局", "河东区卫生健康局（本级）", " 河东区水利局 "])
    assert rows["expected"].tolist() == ["河东区水利局"]
    assert found(forms, "X06").empty


def test_a_unit_that_inflates() -> None:
    forms = [result(n, org="河东局", self_total="98", total=total) for n, total in enumerate(("92", "90"))]
    (row,) = found([*forms, result(9)], "X07").to_dict("records")
    assert found([forms[0], result(9)], "X07").empty, "one form is told by its own checks"
    assert (row["org"], row["found"], row["expected"]) == ("河东局", "98", "91")
    table = self_against_rule(record_of(each) for each in [*forms, result(9), result(10, total=None)])
    assert table["org"].tolist() == ["河东局", "单位009"]
    assert table.loc[0, ["forms", "difference", "largest"]].tolist() == [2, 7.0, 8.0]


def test_nothing_to_compare() -> None:
    assert across([]).empty
    assert tuple(across([]).columns) == COLUMNS
    assert self_against_rule([]).empty
    blank = result(1, org=None, year=None, rows=[], execution=None, total=None, self_total=None)
    assert across([record_of(blank), record_of(blank)]).empty


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_comparison_has_its_words(lang: Lang) -> None:
    rows = [(name, "100%", "100%", None) for name in NAMES]
    forms = [result(n, org="河东局", rows=rows, self_total="100", total="90") for n in range(3)]
    frame = across(map(record_of, forms), roster=["河西局"], lang=lang)
    assert {"T05", "X01", "X06", "X07"} <= set(frame["code"])
    assert not frame["message"].str.contains("–").any()
    assert (frame["severity"] == frame["code"].map(lambda code: load("checks.toml")["check"][code]["severity"])).all()


def test_the_order_of_units_and_a_switch() -> None:
    rows = [(name, "100%", "100%", None) for name in NAMES]
    records: list[FormRecord] = [
        record_of(result(n, org="河东局", rows=rows, self_total="100", total="90")) for n in range(3)
    ]
    records += [record_of(result(n, rows=told(REASONS, f"{n}"))) for n in range(10, 20)]
    whole = across(records)
    mixed = records[:]
    random.Random(1).shuffle(mixed)
    assert sorted(across(mixed)["code"]) == sorted(whole["code"])
    assert whole["path"].isna().is_monotonic_increasing
    assert "X01" not in set(across(records, parameters={"X01": {"enabled": False}})["code"])
    assert "X01" not in set(across(records, parameters={"X01": {"rows": 1000}})["code"])


def test_a_units_name_without_code_and_white_space() -> None:
    assert org_key("219001-河东 区教育局") == org_key("河东区教育局") == "河东区教育局"
    assert org_key(None) is None
    assert org_key(" ") is None
