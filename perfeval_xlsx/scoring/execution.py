"""The score of budget execution: one row a form, its total fund row."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from perfeval_xlsx.form.values import parse_value
from perfeval_xlsx.scoring.measure import Floats, numbers
from perfeval_xlsx.scoring.rounding import product_half_up
from perfeval_xlsx.scoring.rulebook import Rulebook


def score_execution(funds: pd.DataFrame, forms: pd.DataFrame, books: Sequence[Rulebook], code: np.ndarray) -> pd.DataFrame:
    """Score the total row of every form's fund table.

    Args:
        funds: The funds frame of ``to_frames``.
        forms: The forms frame.
        books: The rulebooks in use; ``code`` by form, the position of its rulebook.

    Returns:
        The total rows with points, typed, budget and budget_text (of the rulebook's base), spent, rate (1 = 100 %),
        score, low, high, status, method added; indexed like ``funds``.
    """
    position = {form_id: i for i, form_id in enumerate(forms["form_id"])}
    rows = funds[funds["role"] == "total"].drop_duplicates("form_id")
    of_form = np.array([position[form_id] for form_id in rows["form_id"]], dtype=int)
    book = code[of_form]
    units = forms["unit"].to_numpy(dtype=object)[of_form]
    stated = forms["execution_points"].to_numpy(dtype=float)[of_form]
    texts = [_base(row, books[b].execution.base) for row, b in zip(rows.to_dict("records"), book, strict=True)]
    budget = _amounts([text for text in texts], units)
    spent = _amounts(rows["executed"].tolist(), units)
    points = _points(rows, stated, books, book)
    rate = np.divide(spent, budget, out=np.full(len(rows), np.nan), where=(budget > 0) & (spent >= 0))
    frame = rows.assign(
        points=points, typed=numbers(rows["self_score"]), budget=budget, budget_text=texts, spent=spent, rate=rate
    )
    return _decide(frame, books, book)


def _base(row: dict[str, object], base: str) -> str | None:
    """The budget the rate is taken of: the rulebook's column where the form has it, else the form's only one."""
    cells = row["cells"]
    assert isinstance(cells, dict)
    name = base if base in cells else next((c for c in ("annual_budget", "initial_budget") if c in cells), base)
    text = row[name]
    return None if text is None else str(text)


def _amounts(texts: Sequence[str | None], units: np.ndarray) -> Floats:
    values = []
    for text, unit in zip(texts, units, strict=True):
        quantity = parse_value(text, None, unit)
        values.append(quantity.value if quantity.kind in {"money", "number"} else None)
    return np.array(values, dtype=np.float64)


def _points(rows: pd.DataFrame, stated: Floats, books: Sequence[Rulebook], book: np.ndarray) -> Floats:
    """Points of the rate: its own cell, else the header's, else the rulebook's where the form has a score cell."""
    typed = numbers(rows["weight"])
    usual = np.array([b.execution.points for b in books], dtype=np.float64)[book]
    scored = np.array(["score" in cells for cells in rows["cells"]], dtype=np.bool_)
    points = np.where(typed > 0, typed, np.where(stated > 0, stated, np.where(scored, usual, np.nan)))
    return np.asarray(points, dtype=np.float64)


def _decide(frame: pd.DataFrame, books: Sequence[Rulebook], book: np.ndarray) -> pd.DataFrame:
    points, rate, typed = (frame[name].to_numpy(dtype=float) for name in ("points", "rate", "typed"))
    top, bottom = frame["spent"].to_numpy(dtype=float).copy(), frame["budget"].to_numpy(dtype=float).copy()
    banded = np.array([b.execution.method == "bands" for b in books], dtype=np.bool_)[book]
    for number, rulebook in enumerate(books):
        if rulebook.execution.method == "bands":
            mine = book == number
            top[mine], bottom[mine] = _band(rate[mine], rulebook.execution.bands), 1.0
    weighted, known = ~np.isnan(points), ~np.isnan(rate)
    exact = np.clip(product_half_up(points, top, bottom), 0.0, points)
    status = np.where(~weighted, "unweighted", np.where(known, "ruled", "unscorable"))
    method = np.where(
        ~weighted,
        "execution_unweighted",
        np.where(known, np.where(banded, "execution_band", "execution"), "execution_missing"),
    )
    score = np.where(status == "ruled", exact, typed)
    return frame.assign(
        score=score,
        low=np.where(status == "ruled", exact, np.where(weighted, 0.0, np.nan)),
        high=np.where(status == "ruled", exact, points),
        status=status.astype(object),
        method=method.astype(object),
    )


def _band(rate: Floats, bands: Sequence[tuple[float, float]]) -> Floats:
    fraction = np.zeros(len(rate))
    for floor, share in sorted(bands):
        fraction = np.where(rate >= floor, share, fraction)
    return fraction
