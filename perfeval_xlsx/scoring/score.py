"""Frames to scores: every row, the execution of the budget, then totals, bounds and grades."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from perfeval_xlsx.findings import Lang
from perfeval_xlsx.form.frames import Tables
from perfeval_xlsx.scoring.execution import score_execution
from perfeval_xlsx.scoring.explain import execution_sentences, row_sentences
from perfeval_xlsx.scoring.indicators import score_indicators
from perfeval_xlsx.scoring.measure import Floats, numbers
from perfeval_xlsx.scoring.rounding import half_up
from perfeval_xlsx.scoring.rulebook import Rulebook, grade_of

FULL = 100.0
_CLOSE = 0.005


@dataclass(slots=True)
class ScoredTables:
    """The scored frames of a chunk; columns as ``form/frames.py`` documents them.

    Attributes:
        forms: One row a form: rulebook, points (all weights), total, low, high, grade, low_grade, high_grade, status.
        funds: The total fund row of each form that has one.
        indicators: Every indicator row; ``level_points`` etc. are left to the reports.
    """

    forms: pd.DataFrame
    funds: pd.DataFrame
    indicators: pd.DataFrame


def score(tables: Tables, rulebooks: Mapping[str, Rulebook], lang: Lang = "zh") -> ScoredTables:
    """Score a chunk of forms at once.

    Args:
        tables: What ``to_frames`` made of the forms.
        rulebooks: The rulebook of every form, by form_id.
        lang: Language of the basis sentences.

    Returns:
        The frames with scores, bounds, status, method and basis on every row.
    """
    forms = tables.forms
    books, code = _coded(forms, rulebooks)
    position = {form_id: i for i, form_id in enumerate(forms["form_id"])}
    of_row = np.array([position[form_id] for form_id in tables.indicators["form_id"]], dtype=int)
    scored = score_indicators(tables.indicators, forms["year"].to_numpy(dtype=float)[of_row], books, code[of_row])
    rows = scored.frame.assign(basis=row_sentences(scored, books, code[of_row], lang))
    funds = score_execution(tables.funds, forms, books, code)
    of_fund = np.array([position[form_id] for form_id in funds["form_id"]], dtype=int)
    funds = funds.assign(basis=execution_sentences(funds, books, code[of_fund], lang))
    return ScoredTables(_totals(forms, rows, funds, of_row, of_fund, books, code), funds, rows)


def _coded(forms: pd.DataFrame, rulebooks: Mapping[str, Rulebook]) -> tuple[list[Rulebook], np.ndarray]:
    """The distinct rulebooks in use, and by form the position of its own."""
    books: list[Rulebook] = []
    positions: dict[int, int] = {}
    code = np.zeros(len(forms), dtype=int)
    for i, form_id in enumerate(forms["form_id"]):
        book = rulebooks[form_id]
        if id(book) not in positions:
            positions[id(book)] = len(books)
            books.append(book)
        code[i] = positions[id(book)]
    return books, code


def _totals(
    forms: pd.DataFrame,
    rows: pd.DataFrame,
    funds: pd.DataFrame,
    of_row: np.ndarray,
    of_fund: np.ndarray,
    books: list[Rulebook],
    code: np.ndarray,
) -> pd.DataFrame:
    """Sum points, scores and bounds by form; abstain from a total or a grade that does not rest on 100 points."""
    size = len(forms)
    weighted, fund_weighted = rows["points"].notna().to_numpy(), funds["points"].notna().to_numpy()

    def sums(column: str) -> Floats:
        of_rows = np.bincount(of_row[weighted], np.nan_to_num(rows[column].to_numpy(float))[weighted], size)
        of_funds = np.nan_to_num(funds[column].to_numpy(float))[fund_weighted]
        return np.asarray(half_up(of_rows + np.bincount(of_fund[fund_weighted], of_funds, size)), dtype=np.float64)

    open_rows = np.bincount(of_row[weighted], rows["score"].isna().to_numpy()[weighted], size)
    open_rows = open_rows + np.bincount(of_fund[fund_weighted], funds["score"].isna().to_numpy()[fund_weighted], size)
    points = sums("points")
    scored_rows = np.array(["score" in cells for cells in rows["cells"]], dtype=np.bool_)
    has_points = np.bincount(of_row, weighted & scored_rows, size) > 0
    complete = np.abs(points - FULL) < _CLOSE
    status = np.where(~has_points, "reported", np.where((open_rows > 0) | ~complete, "pending", "scored"))
    total = np.where(has_points & (open_rows == 0), sums("score"), np.nan)
    low, high = (np.where(has_points, sums(name), np.nan) for name in ("low", "high"))
    graded = complete & has_points
    return forms.assign(
        rulebook=[books[c].id for c in code],
        support=[books[c].support for c in code],
        points=points,
        open_rows=open_rows.astype(int),
        total=total,
        low=low,
        high=high,
        grade=_grades(np.where(status == "scored", total, np.nan), books, code),
        low_grade=_grades(np.where(graded, low, np.nan), books, code),
        high_grade=_grades(np.where(graded, high, np.nan), books, code),
        self_total_value=numbers(forms["self_total"]),
        status=status.astype(object),
    )


def _grades(totals: Floats, books: list[Rulebook], code: np.ndarray) -> list[str | None]:
    return [
        None if np.isnan(total) else grade_of(total, books[c]) for total, c in zip(totals.tolist(), code, strict=True)
    ]
