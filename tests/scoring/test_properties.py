"""Properties of scoring: exact rounding, bounds, monotony, and a chunk that scores like its forms one by one."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from functools import cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from perfeval_xlsx.form.frames import to_frames
from perfeval_xlsx.scoring.figures import show, show_percent
from perfeval_xlsx.scoring.rounding import half_up, product_half_up, show_figures, show_percents
from perfeval_xlsx.scoring.rulebook import Rulebook
from perfeval_xlsx.scoring.rulebook_file import builtin_rulebooks, load_rulebook
from perfeval_xlsx.scoring.score import score

from .build import a_form, scored

OWN = settings(deadline=None, max_examples=25)
BOOKS = ["national-2020", "anhui", "hubei-2020", "national-2021-core"]

weights = st.decimals("0.01", "100", places=2)
amounts = st.one_of(
    st.decimals("0.01", "99999", places=2),
    st.integers(1, 400).map(Decimal),
    st.sampled_from([Decimal(2**n) for n in range(1, 9)] + [Decimal(n) for n in (40, 80, 125, 200, 400, 800)]),
)


def exact(value: Fraction) -> Decimal:
    """Half up to two places, in whole numbers."""
    return (Decimal((200 * value.numerator + value.denominator) // (2 * value.denominator)) / 100).quantize(
        Decimal("0.01"), ROUND_HALF_UP
    )


Case = tuple[Decimal, Decimal, Decimal]
cases = st.lists(st.tuples(amounts, amounts, weights), min_size=1, max_size=30)
TIES: list[Case] = [
    (Decimal(8), Decimal(5), Decimal(1)),
    (Decimal(80), Decimal(67), Decimal("0.2")),
    (Decimal(3), Decimal(2), Decimal("22.5")),
    (Decimal(100), Decimal("97.3"), Decimal(10)),
    (Decimal(100), Decimal(60), Decimal(10)),
]


def scores(book: str, sign: str, rows: Sequence[Case]) -> list[Decimal]:
    """Scores of rows of target, actual and weight."""
    made = [
        {"level3": "培训", "target": f"{sign}{target}个", "actual": f"{actual}个", "weight": str(weight)}
        for target, actual, weight in rows
    ]
    frame = scored(a_form(made), book).indicators
    return [Decimal(show(score)).quantize(Decimal("0.01")) for score in frame["score"]]


@OWN
@given(cases)
@example(TIES)
def test_a_share_of_the_weight_is_rounded_as_exact_arithmetic(rows: list[Case]) -> None:
    whole = [(Fraction(target), Fraction(actual), Fraction(weight)) for target, actual, weight in rows]
    more = [exact(min(points, points * actual / target)) for target, actual, points in whole]
    less = [exact(min(points, points * target / actual)) for target, actual, points in whole]
    linear = [
        exact(points * max(Fraction(0), min(Fraction(1), 2 - actual / target))) for target, actual, points in whole
    ]
    assert scores("national-2020", "≥", rows) == more
    assert scores("national-2020", "≤", rows) == less
    assert scores("anhui", "≤", rows) == linear


@OWN
@given(cases)
@example(TIES)
def test_counting_from_the_pass_line_is_exact(rows: list[Case]) -> None:
    line = Fraction(3, 5)
    rates = [
        (min(Fraction(1), Fraction(actual) / Fraction(target)), Fraction(points)) for target, actual, points in rows
    ]
    expected = [exact(points * max(Fraction(0), (rate - line) / (1 - line))) for rate, points in rates]
    assert scores("national-2021-core", "≥", rows) == expected


@given(st.lists(st.tuples(weights, amounts, amounts), min_size=1, max_size=20), st.integers(0, 2))
@settings(deadline=None, max_examples=200)
def test_products_of_columns_are_exact(rows: list[tuple[Decimal, Decimal, Decimal]], places: int) -> None:
    columns = [np.array([float(row[i]) for row in rows]) for i in range(3)]
    found = product_half_up(*columns, decimals=places)  # type: ignore[misc]
    power = 10**places
    for value, (weight, top, bottom) in zip(found.tolist(), rows, strict=True):
        whole = (2 * Fraction(weight) * Fraction(top) / Fraction(bottom) * power + 1) // 2
        assert value == pytest.approx(float(Fraction(whole, power)), rel=1e-15)


@given(st.decimals("0", "999", places=5))
@settings(deadline=None, max_examples=300)
def test_half_up_agrees_with_decimal(value: Decimal) -> None:
    expected = value.quantize(Decimal("0.01"), ROUND_HALF_UP)
    assert Decimal(show(half_up(np.array([float(value)]))[0])).quantize(Decimal("0.01")) == expected


def test_a_sum_that_is_a_tie_but_for_noise_is_rounded_up() -> None:
    noisy = 1.005 + 1.005 + 1.005
    assert noisy < 3.015
    assert half_up(np.array([noisy, 3.015 - 1e-6])).tolist() == [3.02, 3.01]
    assert np.isnan(half_up(np.array([np.nan]))[0])


@OWN
@given(st.lists(st.just(np.nan) | st.floats(-1e15, 1e15) | st.integers(0, 40_000).map(lambda n: n / 20_000)))
@example([0.86183, 0.861850, 0.0, -0.0, -0.5, 1e15, 1.00005, 12_345.678])
def test_many_percentages_are_shown_as_each_is(ratios: list[float]) -> None:
    expected = [None if ratio != ratio else show_percent(ratio) for ratio in ratios]
    assert show_percents(np.array(ratios, dtype=np.float64)) == expected


@OWN
@given(st.lists(st.just(np.nan) | st.floats(-1e15, 1e15) | st.integers(-50, 60_000).map(lambda n: n / 500)))
@example([99.99, 100.0, 100.01, 0.1 + 0.2, 0.005, -0.0, -0.01, 8.125])
def test_many_figures_are_shown_as_each_is(values: list[float]) -> None:
    expected = [None if value != value else show(value) for value in values]
    assert show_figures(np.array(values, dtype=np.float64)).tolist() == expected
    assert show_figures(np.array([values, values], dtype=np.float64)).tolist() == [expected, expected]


TARGETS = [
    "≥100人次", "100", "≤5起", "0起", "≥95%", "95%-98%", "9月30日前", "2021年12月底", "显著", "有效提升", "达成预期指标", "/", "",
    "≥8000万元", "±5%", "1:3", "增长5%", "1600元/亩", "不少于12种", ">0个", "≥90%（含）", "见附件", "-3", "三次",
]  # fmt: skip
ACTUALS = [
    "100人次", "73", "8起", "0起", "0", "89.9%", "97%", "12月15日前", "2022年3月", "显著", "部分达成预期指标", "未完成", "已完成", "尚未启动",
    "下降3%", "/", "", "13700万元", "2000元/亩", "1:2", "-3", "约90%", "11月底完成100%", "见附件", "三次",
]  # fmt: skip
texts = st.fixed_dictionaries(
    {
        "level1": st.sampled_from(["产出指标", "效益指标", "满意度指标", "成本指标"]),
        "level2": st.sampled_from(["数量指标", "成本指标", None]),
        "level3": st.sampled_from(["培训人次", "投诉率", "完成时间", "群众满意度", "单位成本"]),
        "target": st.sampled_from(TARGETS),
        "actual": st.sampled_from(ACTUALS),
        "sign": st.sampled_from([None, "≥", "≤", "=", "定性", "不适用"]),
        "unit": st.sampled_from([None, "%", "人次", "万元"]),
        "weight": st.sampled_from([None, "10", "3.71", "0", "22.5", "0.03"]),
        "score": st.sampled_from([None, "10", "1", "0", "3.5", "-1", "99", "2.345", "无"]),
    }
)


@cache
def book_of(name: str) -> Rulebook:
    return load_rulebook(name)


@settings(deadline=None, max_examples=80)
@given(st.lists(texts, min_size=1, max_size=12), st.sampled_from(BOOKS))
def test_bounds_hold_every_score_and_no_score_exceeds_its_weight(rows: list[dict[str, str]], book: str) -> None:
    frame = scored(a_form(rows), book_of(book)).indicators
    for row in frame.to_dict("records"):
        assert row["status"] in {"ruled", "judged", "unscorable", "unweighted"}
        assert row["method"]
        assert row["basis"]
        if row["status"] == "unweighted":
            continue
        assert 0 <= row["low"] <= row["high"] <= row["points"]
        if not np.isnan(row["score"]):
            assert row["low"] - 0.005 <= row["score"] <= row["high"] + 0.005
        if row["status"] == "ruled":
            assert row["low"] == row["score"] == row["high"]


@settings(deadline=None, max_examples=40)
@given(st.lists(texts, min_size=1, max_size=8), st.sampled_from(BOOKS))
def test_a_typed_score_never_moves_what_arithmetic_decides(rows: list[dict[str, str]], book: str) -> None:
    typed = scored(a_form(rows), book_of(book)).indicators
    blank = scored(a_form([row | {"score": None} for row in rows]), book_of(book)).indicators
    ruled = typed["status"] == "ruled"
    assert typed["status"].tolist() == blank["status"].tolist()
    assert typed["method"].tolist() == blank["method"].tolist()
    pd.testing.assert_series_equal(typed["score"][ruled], blank["score"][ruled])
    inside = (typed["status"] == "judged") & (typed["typed"] >= typed["low"]) & (typed["typed"] <= typed["high"])
    assert (typed["score"][inside] == typed["typed"][inside]).all()


@OWN
@given(target=amounts, actuals=st.lists(amounts, min_size=2, max_size=20), book=st.sampled_from(BOOKS))
def test_doing_more_never_costs_points(target: Decimal, actuals: list[Decimal], book: str) -> None:
    rows = [(target, actual, Decimal("12.5")) for actual in sorted(actuals)]
    more, less = scores(book, "≥", rows), scores(book, "≤", rows)
    assert more == sorted(more)
    assert less == sorted(less, reverse=True)


@settings(deadline=None, max_examples=15)
@given(
    st.lists(st.tuples(st.lists(texts, min_size=1, max_size=5), st.sampled_from(BOOKS)), min_size=2, max_size=5),
    st.randoms(use_true_random=False),
)
def test_a_chunk_scores_like_its_forms_one_by_one_in_any_order(
    forms: list[tuple[list[dict[str, str]], str]], random: object
) -> None:
    fund = {"annual_budget": "300", "executed": "210", "weight": "10", "score": "7"}
    made = [(a_form(rows, fund, path=f"{i}.xlsx"), book) for i, (rows, book) in enumerate(forms)]
    random.shuffle(made)  # type: ignore[attr-defined]
    books = {form.id: book_of(book) for form, book in made}
    whole = score(to_frames([form for form, _ in made]), books)
    for form, book in made:
        alone = scored(form, book_of(book))
        for table in ("forms", "funds", "indicators"):
            frame = getattr(whole, table)
            mine = frame[frame["form_id"] == form.id].reset_index(drop=True)
            pd.testing.assert_frame_equal(mine, getattr(alone, table).reset_index(drop=True))


def test_every_rulebook_scores_every_kind_of_row() -> None:
    rows = [{"level3": "培训人次", "target": t, "actual": a, "weight": "1"} for t in TARGETS for a in ACTUALS]
    for book in builtin_rulebooks():
        frame = scored(a_form(rows), book).indicators
        assert len(frame) == len(rows)
        assert set(frame["status"]) == {"ruled", "judged", "unscorable"}
