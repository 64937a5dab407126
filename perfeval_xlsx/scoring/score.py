"""Frames to scores: every row, the execution of the budget, then totals, bounds and grades."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from perfeval_xlsx.findings import Lang
from perfeval_xlsx.form.frames import Tables
from perfeval_xlsx.scoring.columns import Coded, Codes, Objects, each, has, places, positions, with_columns, with_texts
from perfeval_xlsx.scoring.execution import score_execution
from perfeval_xlsx.scoring.explain import execution_sentences, row_sentences
from perfeval_xlsx.scoring.indicators import score_indicators
from perfeval_xlsx.scoring.measure import Floats, Measured, numbers
from perfeval_xlsx.scoring.rounding import Places, half_up
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
        measured: Target and actual of every indicator row as quantities.
    """

    forms: pd.DataFrame
    funds: pd.DataFrame
    indicators: pd.DataFrame
    measured: Measured | None = None


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
    coded = Coded(tables.indicators)
    of_row = positions(forms, coded)
    scored = score_indicators(coded, forms["year"].to_numpy(dtype=float)[of_row], books, code[of_row])
    rows = with_texts(scored.frame, "basis", row_sentences(scored, books, code[of_row], lang))
    points = np.bincount(of_row, np.nan_to_num(rows["points"].to_numpy(dtype=float)), len(forms))
    rest = np.asarray(FULL - points, dtype=np.float64)
    funds = score_execution(tables.funds, forms, rest, books, code)
    of_fund = positions(forms, Coded(funds))
    funds = with_texts(funds, "basis", execution_sentences(funds, books, code[of_fund], lang))
    totals = _totals(forms, (rows, of_row), (funds, of_fund), books, code)
    return ScoredTables(totals, funds, rows, scored.measured)


def retotal(scored: ScoredTables, rulebooks: Mapping[str, Rulebook]) -> ScoredTables:
    """Sum up anew after scores or bounds of rows were changed (a reviewer's decisions); rows stay as they are."""
    books, code = _coded(scored.forms, rulebooks)
    rows, funds = ((frame, positions(scored.forms, Coded(frame))) for frame in (scored.indicators, scored.funds))
    return replace(scored, forms=_totals(scored.forms, rows, funds, books, code))


def _coded(forms: pd.DataFrame, rulebooks: Mapping[str, Rulebook]) -> tuple[list[Rulebook], Codes]:
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


_Owned = tuple[pd.DataFrame, Codes]
"""Rows, and the position of the form of each."""


def _totals(forms: pd.DataFrame, rows: _Owned, funds: _Owned, books: list[Rulebook], code: Codes) -> pd.DataFrame:
    """Sum points, scores and bounds by form; abstain from a total or a grade that does not rest on 100 points."""
    size, of_row = len(forms), rows[1]
    weighted = ~np.isnan(rows[0]["points"].to_numpy(float))

    def sums(column: str, decimals: Places) -> Floats:
        of_rows, of_funds = (_sums(part, size, column) for part in (rows, funds))
        return half_up(np.asarray(of_rows + of_funds, dtype=np.float64), decimals)

    open_rows = _sums(rows, size, "score", np.isnan) + _sums(funds, size, "score", np.isnan)
    points, decimals = sums("points", 2), places(books, code)
    has_points = np.bincount(of_row, weighted & has(rows[0], "score"), size) > 0
    complete = np.abs(points - FULL) < _CLOSE
    status = np.where(~has_points, "reported", np.where((open_rows > 0) | ~complete, "pending", "scored"))
    total = np.where(has_points & (open_rows == 0), sums("score", decimals), np.nan)
    low, high = (np.where(has_points, sums(name, decimals), np.nan) for name in ("low", "high"))
    graded = complete & has_points
    figures: dict[str, Any] = {"points": points, "total": total, "low": low, "high": high}
    figures |= {"self_total_value": numbers(forms["self_total"].tolist()), "open_rows": open_rows.astype(int)}
    words = {
        "rulebook": [books[c].id for c in code],
        "support": [books[c].document_support for c in code],
        "grade": _grades(np.where(status == "scored", total, np.nan), books, code),
        "low_grade": _grades(np.where(graded, low, np.nan), books, code),
        "high_grade": _grades(np.where(graded, high, np.nan), books, code),
        "status": status,
    }
    return with_columns(forms, figures, words)


def _sums(part: _Owned, size: int, column: str, of: Callable[[Floats], Any] = np.nan_to_num) -> Floats:
    """By form, the sum of a column, or of what a function makes of it, over the rows with points."""
    frame, form = part
    weighted = ~np.isnan(frame["points"].to_numpy(float))
    values = of(frame[column].to_numpy(float))[weighted]
    return np.bincount(form[weighted], values, size).astype(np.float64)


def _grades(totals: Floats, books: list[Rulebook], code: Codes) -> Objects:
    grades = np.full(len(totals), None, dtype=object)
    for number, book in enumerate(books):
        mine = (code == number) & ~np.isnan(totals)
        grades[mine] = each(totals[mine], lambda total, book=book: grade_of(total, book))  # type: ignore[misc]
    return grades
