"""Target against actual, through ``measure`` and ``score_indicators``, against ``tests/values/pairs.toml``."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from perfeval_xlsx.form.frames import INDICATOR_COLUMNS
from perfeval_xlsx.form.values import parse_value
from perfeval_xlsx.scoring.indicators import Scored, score_indicators
from perfeval_xlsx.scoring.measure import number
from perfeval_xlsx.scoring.rulebook_file import load_rulebook

PAIRS = tomllib.loads((Path(__file__).parent / "values" / "pairs.toml").read_text(encoding="utf-8"))
ROWS = [row for group in PAIRS["group"] for row in group["rows"]]


def frame(rows: list[list[Any]]) -> pd.DataFrame:
    records = []
    for i, (name, target, actual, _, *rest) in enumerate(rows):
        extra = rest[0] if rest else {}
        values = {
            "form_id": "f", "row": i, "level1": "产出指标", "level2": extra.get("level2", "数量指标"), "level3": name,
            "target": target or None, "actual": actual or None, "sign": extra.get("sign"), "unit": extra.get("column"),
            "weight": "10", "cells": {"weight": f"G{i + 1}"},
        }  # fmt: skip
        records.append({**dict.fromkeys(INDICATOR_COLUMNS), **values})
    return pd.DataFrame({name: pd.Series([r[name] for r in records], dtype=object) for name in INDICATOR_COLUMNS})


def years(rows: list[list[Any]]) -> np.ndarray:
    stated = [row[4].get("year", 2021) if len(row) > 4 else 2021 for row in rows]
    return np.array([year or np.nan for year in stated], dtype=float)


@pytest.fixture(scope="module")
def scored() -> Scored:
    return score_indicators(frame(ROWS), years(ROWS), [load_rulebook("national-2020")], np.zeros(len(ROWS), dtype=int))


@pytest.mark.parametrize("place", range(len(ROWS)), ids=[f"{r[0]}-{r[1]}-{r[2]}" for r in ROWS])
def test_pairs(scored: Scored, place: int) -> None:
    method, _, figure = ROWS[place][3].partition(" ")
    verdicts, measured = scored.verdicts, scored.measured
    assert verdicts.method[place] == method
    if method in {"short", "reverse"}:
        assert verdicts.top[place] / verdicts.bottom[place] == pytest.approx(float(figure), rel=1e-9)
    elif method == "late":
        assert measured.days[place] == float(figure)
    elif method == "tier":
        assert measured.actual.verdict[place] == figure
    elif method == "on_time":
        assert measured.days[place] <= 0


def test_a_chunk_is_scored_as_its_rows_one_by_one(scored: Scored) -> None:
    book = load_rulebook("national-2020")
    for place in range(0, len(ROWS), 23):
        row = [ROWS[place]]
        alone = score_indicators(frame(row), years(row), [book], np.zeros(1, dtype=int))
        for name in ("score", "low", "high", "ratio"):
            left, right = alone.frame[name].iloc[0], scored.frame[name].iloc[place]
            assert left == right or (np.isnan(left) and np.isnan(right))


def test_no_rows_at_all() -> None:
    empty = frame([])
    result = score_indicators(empty, np.array([]), [load_rulebook("national-2020")], np.zeros(0, dtype=int))
    assert result.frame.empty


@pytest.mark.parametrize(
    ("text", "value"),
    [("20分", 20), ("10.00", 10), ("1,930.44万元", 19304400), ("22.5", 22.5), ("50%", 50), (" 8 ", 8), ("０", 0)],
)
def test_numbers_of_weights_and_scores(text: str, value: float) -> None:
    assert number(text) == value


@pytest.mark.parametrize("text", [None, "", "/", "约20", "≥10", "优", "10-20", "增长5", "十几"])
def test_what_is_no_number(text: str | None) -> None:
    assert np.isnan(number(text))


@settings(deadline=None, max_examples=200)
@given(st.from_regex(r"[0-9]{1,11}(\.[0-9]{0,8})?", fullmatch=True) | st.text("0123456789.,-+e%分年 ", max_size=8))
@example("2023.12")
@example("0.10")
@example("007")
def test_a_plain_figure_is_the_number_that_reading_it_gives(text: str) -> None:
    quantity = parse_value(text)
    plain = quantity.kind in {"number", "percent", "money"} and not (quantity.comparator or quantity.change)
    expected = quantity.value if plain and not quantity.approximate else None
    assert number(text) == expected or (expected is None and np.isnan(number(text)))
