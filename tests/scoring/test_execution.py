"""The score of budget execution: base, rate, points from cell, header or rulebook, bands, abstention."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perfeval_xlsx.form.model import FundRow
from perfeval_xlsx.scoring.figures import show_percent

from .build import a_form, figure, own_rulebook, scored

FULL = {"initial_budget": "100", "annual_budget": "200", "executed": "150", "weight": "10", "score": "7"}
CASES = [
    # rulebook, fund row, header points → rate, score, low, high, status, method
    ("national-2020", {}, None, "75.00%", "7.5", "7.5", "7.5", "ruled", "execution"),
    ("national-2020", {"executed": "200"}, None, "100.00%", "10", "10", "10", "ruled", "execution"),
    ("national-2020", {"executed": "230"}, None, "115.00%", "10", "10", "10", "ruled", "execution"),
    ("national-2020", {"executed": "0"}, None, "0.00%", "0", "0", "0", "ruled", "execution"),
    ("national-2020", {"annual_budget": "2,079.21", "executed": "2079.21万元"},
     None, "100.00%", "10", "10", "10", "ruled", "execution"),
    ("national-2020", {"annual_budget": "1200000元", "executed": "60"},
     None, "50.00%", "5", "5", "5", "ruled", "execution"),
    ("national-2020", {"annual_budget": "0"}, None, "", "7", "0", "10", "unscorable", "execution_missing"),
    ("national-2020", {"annual_budget": ""}, None, "", "7", "0", "10", "unscorable", "execution_missing"),
    ("national-2020", {"executed": "—", "score": ""},
     None, "", "", "0", "10", "unscorable", "execution_missing"),
    ("national-2020", {"executed": "", "score": "17"},
     None, "", "", "0", "10", "unscorable", "execution_missing"),
    ("national-2020", {"executed": "约150"}, None, "", "7", "0", "10", "unscorable", "execution_missing"),
    ("national-2020", {"executed": "≤150"}, None, "", "7", "0", "10", "unscorable", "execution_missing"),
    ("national-2020", {"executed": "-5"}, None, "", "7", "0", "10", "unscorable", "execution_missing"),
    # the form's own budget column where it has but one
    ("national-2020", {"no": ("annual_budget",)}, None, "150.00%", "10", "10", "10", "ruled", "execution"),
    ("beijing-haidian", {"initial_budget": "160"},
     None, "93.75%", "9.38", "9.38", "9.38", "ruled", "execution"),
    ("beijing-haidian", {"no": ("initial_budget",)}, None, "75.00%", "7.5", "7.5", "7.5", "ruled", "execution"),
    # points: cell, header, rulebook
    ("national-2020", {"weight": "", "no": ("weight",)},
     20.0, "75.00%", "15", "15", "15", "ruled", "execution"),
    ("national-2020", {"weight": "8"}, 20.0, "75.00%", "6", "6", "6", "ruled", "execution"),
    ("hubei-2020", {"weight": "", "no": ("weight",)}, None, "75.00%", "15", "15", "15", "ruled", "execution"),
    ("national-2020", {"weight": "", "score": "", "no": ("weight", "score")},
     None, "75.00%", "", "", "", "unweighted", "execution_unweighted"),
    # bands: 100 % full, 80–100 % seven, 60–80 % five, below nothing; a finished project would have full points
    ("national-2021-core", {"executed": "200", "score": ""},
     None, "100.00%", "10", "10", "10", "ruled", "execution_band"),
    ("national-2021-core", {"executed": "199.9", "score": ""},
     None, "99.95%", "7", "7", "10", "judged", "execution_unfinished"),
    ("national-2021-core", {"executed": "160", "score": ""},
     None, "80.00%", "7", "7", "10", "judged", "execution_unfinished"),
    ("national-2021-core", {"executed": "159.99", "score": "10"},
     None, "80.00%", "10", "5", "10", "judged", "execution_unfinished"),
    ("national-2021-core", {"executed": "120", "score": "4"},
     None, "60.00%", "5", "5", "10", "judged", "execution_unfinished"),
    ("national-2021-core", {"executed": "119", "score": ""},
     None, "59.50%", "0", "0", "10", "judged", "execution_unfinished"),
]  # fmt: skip


@pytest.mark.parametrize(("book", "facts", "header", "rate", "points", "low", "high", "status", "method"), CASES)
def test_a_total_fund_row(
    book: str, facts: dict[str, Any], header: float | None, rate: str, points: str, low: str, high: str,
    status: str, method: str,
) -> None:  # fmt: skip
    form = a_form([], FULL | facts, execution_points=header)
    record = scored(form, book).funds.to_dict("records")[0]
    found = [figure(record[key]) for key in ("score", "low", "high")]
    shown = "" if record["rate"] != record["rate"] else show_percent(record["rate"])
    assert (shown, *found, record["status"], record["method"]) == (rate, points, low, high, status, method)


def test_plain_bands_are_ruled(tmp_path: Path) -> None:
    own = """
[execution]
method = "bands"
bands = [
  { from = 0.9, fraction = 1.0 },
  { from = 0.5, to = 0.9, fraction = 0.4 },
  { from = 0.0, to = 0.5, fraction = 0.0 },
]
article = "自定"
support = "filed"
"""
    book = own_rulebook(tmp_path, own)
    found = [scored(a_form([], FULL | {"executed": spent}), book).funds.iloc[0] for spent in ("180", "179", "99")]
    assert [(row["score"], row["status"], row["method"]) for row in found] == [
        (10.0, "ruled", "execution_band"), (4.0, "ruled", "execution_band"), (0.0, "ruled", "execution_band"),
    ]  # fmt: skip


def test_only_total_rows_are_scored_and_one_a_form() -> None:
    form = a_form([], FULL)
    part = FundRow(6, "其中：财政拨款", "part", {"annual_budget": "200", "executed": "150"}, {"executed": "F6"})
    again = FundRow(7, "合计", "total", dict(form.funds[0].values), {"score": "G7"})
    form.funds += [part, again]
    assert scored(form).funds["row"].tolist() == [5]
    form.funds = [part]
    assert scored(form).funds.empty


def test_amounts_in_yuan() -> None:
    form = a_form([], FULL | {"annual_budget": "412500", "executed": "405075"}, unit="元")
    record = scored(form).funds.iloc[0]
    assert (record["budget"], record["spent"], record["score"]) == (412500, 405075, 9.82)


def test_the_sentence_says_amounts_rate_and_article() -> None:
    assert scored(a_form([], FULL)).funds["basis"].tolist() == [
        "执行率 150/200 = 75.00%，10×75.00%，不超过10分；依据：财预〔2020〕10号：预算执行率10分（已见于实际表格）"
    ]
    assert scored(a_form([], FULL | {"executed": ""})).funds["basis"].tolist() == [
        "预算数或执行数未填、为0或读不出，无法计算执行率；保留自评7分；依据：财预〔2020〕10号：预算执行率10分（已见于实际表格）"
    ]
    english = scored(a_form([], FULL | {"executed": "160"}), "national-2021-core", "en").funds["basis"].iloc[0]
    assert english.startswith("rate 160/200 = 80.00%: an unfinished project gets 70%")
    assert "the typed 7 lies within 7–10 and stands" in english
    assert english.endswith("(text not verified)")


def basis(facts: dict[str, Any], header: float | None, book: str = "national-2020", lang: str = "zh") -> str:
    return str(scored(a_form([], FULL | facts, execution_points=header), book, lang).funds["basis"].iloc[0])


def test_points_of_the_forms_own_header_are_not_put_down_to_an_article() -> None:
    blank = {"weight": "", "no": ("weight",)}
    assert basis(blank, 20.0) == "执行率 150/200 = 75.00%，20×75.00%，不超过20分；分值20取自本表表头"
    assert basis(blank, 20.0, lang="en") == (
        "rate 150/200 = 75.00%; 20 × 75.00%, at most 20; the 20 points are stated in the form's own header"
    )
    assert basis({"weight": "8"}, 20.0) == "执行率 150/200 = 75.00%，8×75.00%，不超过8分；分值8取自本行分值栏"


def test_an_article_stays_where_it_speaks_of_the_same_points_or_of_the_bands() -> None:
    blank = {"weight": "", "no": ("weight",)}
    same = basis(blank, 10.0)
    assert "分值10取自本表表头；依据：财预〔2020〕10号：预算执行率10分" in same
    assert basis(blank, 20.0, "hubei-2020").endswith(
        "湖北省自评表：得分（20分×执行率），预算数为调整后财政资金总额（含上年结转）（已见于实际表格）"
    )
    banded = basis(blank | {"executed": "200"}, 20.0, "national-2021-core")
    assert "分值20取自本表表头；依据：财预〔2021〕101号" in banded


@settings(deadline=None, max_examples=80)
@given(st.integers(1, 10**8), st.integers(0, 10**8), st.integers(1, 40))
def test_the_rate_times_points_is_exact(budget: int, spent: int, points: int) -> None:
    fund = {"annual_budget": f"{budget / 100:.2f}", "executed": f"{spent / 100:.2f}", "weight": str(points)}
    score = scored(a_form([], fund)).funds["score"].iloc[0]
    share = min(Fraction(points), points * Fraction(spent, budget))
    assert Fraction(str(score)) == Fraction((200 * share + 1) // 2, 100)
