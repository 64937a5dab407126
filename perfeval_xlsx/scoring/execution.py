"""The score of budget execution: one row a form, its total fund row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from perfeval_xlsx.form.value_columns import CellTexts, Context, Quantities
from perfeval_xlsx.scoring.columns import Coded, Codes, Floats, Objects, by_book, places, positions
from perfeval_xlsx.scoring.indicators import stands
from perfeval_xlsx.scoring.measure import numbers
from perfeval_xlsx.scoring.rounding import product_half_up
from perfeval_xlsx.scoring.rulebook import Rulebook

_BASES = ("annual_budget", "initial_budget")
AMOUNTS = frozenset({"money", "number"})
_CLOSE = 0.005

METHODS = (
    "execution_unweighted", "execution_missing", "execution_unfinished", "execution_band", "execution",
)  # fmt: skip
_UNWEIGHTED, _MISSING, _UNFINISHED, _BAND, _RATE = range(len(METHODS))
_STATES = np.array(["unweighted", "unscorable", "judged", "ruled", "ruled"], dtype=object)
"""By method."""
POINTS_FROM = ("", "points_cell", "points_header")
_CELL, _HEADER = 1, 2


@dataclass
class Executed:
    """The total rows, scored: their new columns, of figures and of words.

    Attributes:
        rows: The rows; ``form`` by row the position of its form.
        methods: By row, the position of its method in ``METHODS``; ``points_from`` that in ``POINTS_FROM``.
        texts: The budget as displayed.
        figures: The columns of figures.
    """

    rows: Coded
    form: Codes
    methods: Codes
    points_from: Codes
    texts: Objects
    figures: dict[str, Floats]

    @cached_property
    def words(self) -> dict[str, Objects]:
        """The columns of words."""
        return {
            "points_from": np.array(POINTS_FROM, dtype=object)[self.points_from],
            "budget_text": self.texts,
            "status": _STATES[self.methods],
            "method": np.array(METHODS, dtype=object)[self.methods],
        }


def score_execution(
    funds: pd.DataFrame, forms: pd.DataFrame, rest: Floats, books: Sequence[Rulebook], code: Codes
) -> Executed:
    """Score the total row of every form's fund table.

    Args:
        funds: The funds frame of ``to_frames``.
        forms: The forms frame.
        rest: By form, the points that its indicator rows leave of 100.
        books: The rulebooks in use.
        code: By form, the position of its rulebook.

    Returns:
        The total rows, indexed like ``funds``, the position of each one's form, and points, points_from (key of
        ``data/methods.toml [note]``: the form's header, or its own cell where that differs from the rulebook; else ""),
        typed, budget and budget_text (of the rulebook's base), spent, rate (1 = 100 %), share (of the points), score,
        low, high, status, method.
    """
    rows = _total_rows(funds)
    of_form = positions(forms, rows)
    book = code[of_form]
    units = forms["unit"].to_numpy(dtype=object)[of_form]
    stated = forms["execution_points"].to_numpy(dtype=float)[of_form]
    texts = _base(rows, books, book)
    both = np.concatenate([texts, rows.column("executed")])
    budget, spent = _amounts(both, np.concatenate([units, units])).reshape(2, -1)
    typed, weight = numbers(rows.column("self_score")), numbers(rows.column("weight"))
    usual = by_book(books, book, lambda b: b.execution.points)
    scored = rows.has("score") & ((np.abs(rest[of_form]) > _CLOSE) | ~np.isnan(typed))
    points = _points(weight, stated, np.where(scored, usual, np.nan))
    rate = np.divide(spent, budget, out=np.full(len(rows), np.nan), where=(budget > 0) & (spent >= 0))
    figures = {"points": points, "typed": typed, "budget": budget, "spent": spent, "rate": rate}
    decided, methods = _decided(figures, books, book)
    return Executed(rows, of_form, methods, _points_from(weight, stated, points, usual), texts, figures | decided)


def _total_rows(funds: pd.DataFrame) -> Coded:
    """The first total row of every form; all columns are texts or cells."""
    cells = funds.to_numpy(dtype=object)
    ids, roles = (cells[:, funds.columns.get_loc(name)].tolist() for name in ("form_id", "role"))
    firsts: dict[str, int] = {}
    for place, (form_id, role) in enumerate(zip(ids, roles, strict=True)):
        if role == "total":
            firsts.setdefault(form_id, place)
    places = list(firsts.values())
    frame = pd.DataFrame(cells[places], index=funds.index[places], columns=funds.columns, dtype=object, copy=False)
    return Coded(frame, dict(zip(funds.columns, cells[places].T, strict=True)))


def _base(rows: Coded, books: Sequence[Rulebook], book: Codes) -> Objects:
    """The budget the rate is taken of: the rulebook's column where the form has it, else the form's only one."""
    annual, initial = map(rows.column, _BASES)
    has_annual, has_initial = map(rows.has, _BASES)
    wants_initial = by_book(books, book, lambda b: float(b.execution.base == "initial_budget")) > 0
    return np.where(has_initial & (wants_initial | ~has_annual), initial, annual)


def _amounts(texts: Objects, units: Objects) -> Floats:
    """Amounts in 元; NaN where a cell shows none."""
    shown = [text if isinstance(text, str) else None for text in texts.tolist()]
    read = read_amounts(shown, [unit if isinstance(unit, str) else None for unit in units.tolist()])
    plain = [q.kind in AMOUNTS and not (q.comparator or q.approximate) for q in read.distinct]
    return np.where(np.array(plain, dtype=np.bool_)[read.codes], read.values, np.nan)


def read_amounts(texts: Sequence[str | None], units: Sequence[str | None]) -> Quantities:
    """Read amounts in the unit that the form of each states, if any."""
    known = {unit: place for place, unit in enumerate(dict.fromkeys(units))}
    contexts: list[Context] = [(None, unit, None) for unit in known]
    return CellTexts(texts).read(contexts, np.array([known[unit] for unit in units], dtype=np.int64))


def _points(weight: Floats, stated: Floats, usual: Floats) -> Floats:
    """Points of the rate: its own cell, else the header's, else the rulebook's where the form has a score cell.

    Where the indicators alone make 100 and nobody typed a score, the form does not score the rate: ``usual`` is NaN.
    """
    return np.where(weight > 0, weight, np.where(stated > 0, stated, usual))


def _points_from(weight: Floats, stated: Floats, points: Floats, usual: Floats) -> Codes:
    """Where points stand that the rulebook's article does not speak of, or that the form's header states anyway."""
    cell = weight > 0
    return np.where(cell & (points != usual), _CELL, np.where(~cell & (stated > 0), _HEADER, 0))


def _decided(figures: Mapping[str, Floats], books: Sequence[Rulebook], book: Codes) -> tuple[dict[str, Floats], Codes]:
    """What the rules make of the figures: columns of figures, and by row the position of its method."""
    points, rate, typed = (figures[name] for name in ("points", "rate", "typed"))
    top, bottom = figures["spent"].copy(), figures["budget"].copy()
    banded = by_book(books, book, lambda b: float(b.execution.method == "bands")) > 0
    for number, rulebook in enumerate(books):
        if rulebook.execution.bands:
            mine = book == number
            top[mine], bottom[mine] = _band(rate[mine], rulebook.execution.bands), 1.0
    known = ~np.isnan(rate)
    exact = np.clip(product_half_up(points, top, bottom, places(books, book)), 0.0, points)
    unfinished = known & (exact < points) & (by_book(books, book, lambda b: float(b.execution.finished_full)) > 0)
    methods = np.where(unfinished, _UNFINISHED, np.where(banded, _BAND, _RATE))
    methods = np.where(np.isnan(points), _UNWEIGHTED, np.where(known, methods, _MISSING))
    unweighted, missing = methods == _UNWEIGHTED, methods == _MISSING
    weighed = missing | (methods == _UNFINISHED)
    low = np.where(unweighted, np.nan, np.where(missing, 0.0, exact))
    high = np.where(unweighted, np.nan, np.where(weighed, points, exact))
    unless = np.where(missing, np.nan, exact)
    score = np.where(unweighted | (weighed & stands(typed, low, high)), typed, unless)
    share = np.where(banded & known, top, np.nan)
    return {"share": share, "score": score, "low": low, "high": high}, methods


def _band(rate: Floats, bands: Sequence[tuple[float, float]]) -> Floats:
    """Share of the points by rate; bands of (rate floor, share)."""
    ordered = sorted(bands)
    floors, shares = (np.array(column) for column in zip(*ordered, strict=True))
    return np.where(np.isnan(rate), np.nan, shares[np.clip(np.searchsorted(floors, rate, "right") - 1, 0, None)])
