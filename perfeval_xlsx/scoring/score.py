"""Frames to scores: every row, the execution of the budget, then totals, bounds and grades."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from perfeval_xlsx.findings import Lang
from perfeval_xlsx.form.frames import Tables
from perfeval_xlsx.scoring.columns import Bools, Coded, Codes, Objects, places, positions, with_columns
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
        told: The indicators' columns as far as they were looked at; ``rows`` gives them out.
    """

    forms: pd.DataFrame
    funds: pd.DataFrame
    indicators: pd.DataFrame
    measured: Measured | None = None
    told: Coded | None = None

    def rows(self) -> Coded:
        """The indicators column by column; nothing is looked at twice."""
        told = self.told
        return told if told is not None and told.frame is self.indicators else Coded(self.indicators)


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
    rows = score_indicators(coded, forms["year"].to_numpy(dtype=float)[of_row], books, code[of_row])
    points = np.bincount(of_row, np.nan_to_num(rows.figures["points"]), len(forms))
    rest = np.asarray(FULL - points, dtype=np.float64)
    funds = score_execution(tables.funds, forms, rest, books, code)
    row_basis = row_sentences(rows, books, code[of_row], lang)
    fund_basis = execution_sentences(funds, books, code[funds.form], lang)
    owned = _Owned(rows.figures, of_row, len(forms)), _Owned(funds.figures, funds.form, len(forms))
    indicators = with_columns(coded.frame, rows.figures, rows.words | {"basis": row_basis})
    return ScoredTables(
        _totals(forms, owned, coded.has("score"), books, code),
        with_columns(funds.rows.frame, funds.figures, funds.words | {"basis": fund_basis}),
        indicators,
        rows.measured,
        coded.within(indicators),
    )


def retotal(scored: ScoredTables, rulebooks: Mapping[str, Rulebook]) -> ScoredTables:
    """Sum up anew after scores or bounds of rows were changed (a reviewer's decisions); rows stay as they are."""
    forms = scored.forms
    books, code = _coded(forms, rulebooks)
    rows, funds = Coded(scored.indicators), Coded(scored.funds)
    owned = _owned(forms, rows), _owned(forms, funds)
    return replace(scored, forms=_totals(forms, owned, rows.has("score"), books, code))


def _owned(forms: pd.DataFrame, rows: Coded) -> _Owned:
    figures = {name: rows.frame[name].to_numpy(dtype=float) for name in ("points", "score", "low", "high")}
    return _Owned(figures, positions(forms, rows), len(forms))


def _coded(forms: pd.DataFrame, rulebooks: Mapping[str, Rulebook]) -> tuple[list[Rulebook], Codes]:
    """The distinct rulebooks in use, and by form the position of its own."""
    of_form = [rulebooks[form_id] for form_id in forms["form_id"].tolist()]
    books = list({id(book): book for book in of_form}.values())
    place = {id(book): number for number, book in enumerate(books)}
    return books, np.array([place[id(book)] for book in of_form], dtype=np.int64)


class _Owned:
    """Figures of rows, the position of the form of each, and how many forms there are."""

    def __init__(self, figures: Mapping[str, Floats], form: Codes, size: int) -> None:
        self._size, self.form, self.weighted = size, form, ~np.isnan(figures["points"])
        every = bool(self.weighted.all())
        self._form = form if every else form[self.weighted]
        self._figures = figures if every else {name: values[self.weighted] for name, values in figures.items()}

    def sums(self, column: str) -> Floats:
        """By form, the sum of a column over the rows with points."""
        values = self._figures[column]
        return np.bincount(self._form, np.where(np.isnan(values), 0.0, values), self._size).astype(np.float64)

    def open(self) -> Codes:
        """By form, how many rows with points have no score."""
        return np.bincount(self._form[np.isnan(self._figures["score"])], minlength=self._size)


def _totals(
    forms: pd.DataFrame, owned: tuple[_Owned, _Owned], has_score: Bools, books: list[Rulebook], code: Codes
) -> pd.DataFrame:
    """Sum points, scores and bounds by form; abstain from a total or a grade that does not rest on 100 points."""
    rows, funds = owned

    def sums(column: str, decimals: Places) -> Floats:
        return half_up(np.asarray(rows.sums(column) + funds.sums(column), dtype=np.float64), decimals)

    open_rows = rows.open() + funds.open()
    points, decimals = sums("points", 2), places(books, code)
    has_points = np.bincount(rows.form, rows.weighted & has_score, len(forms)) > 0
    complete = np.abs(points - FULL) < _CLOSE
    status = np.where(~has_points, "reported", np.where((open_rows > 0) | ~complete, "pending", "scored"))
    total = np.where(has_points & (open_rows == 0), sums("score", decimals), np.nan)
    low, high = (np.where(has_points, sums(name, decimals), np.nan) for name in ("low", "high"))
    graded = complete & has_points
    figures: dict[str, Any] = {"points": points, "total": total, "low": low, "high": high}
    figures |= {"self_total_value": numbers(forms["self_total"].tolist()), "open_rows": open_rows}
    words = {
        "rulebook": [books[c].id for c in code],
        "support": [books[c].document_support for c in code],
        "grade": _grades(np.where(status == "scored", total, np.nan), books, code),
        "low_grade": _grades(np.where(graded, low, np.nan), books, code),
        "high_grade": _grades(np.where(graded, high, np.nan), books, code),
        "status": status,
    }
    return with_columns(forms, figures, words)


def _grades(totals: Floats, books: list[Rulebook], code: Codes) -> Objects:
    pairs = zip(totals.tolist(), code.tolist(), strict=True)
    grades = [None if total != total else grade_of(total, books[number]) for total, number in pairs]
    return np.array(grades, dtype=object)
