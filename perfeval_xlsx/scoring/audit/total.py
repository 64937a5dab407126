"""The total and the grade."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from perfeval_xlsx.scoring.audit.amounts import total_rates
from perfeval_xlsx.scoring.audit.context import NEAR, Context, Hit, decimals
from perfeval_xlsx.scoring.audit.registry import check
from perfeval_xlsx.scoring.audit.words import gives_reason, has
from perfeval_xlsx.scoring.figures import show, show_percent
from perfeval_xlsx.scoring.measure import Bools, Floats
from perfeval_xlsx.scoring.rulebook import grade_alias, grade_of

_FEW = 3
"""With fewer rows full points everywhere say nothing."""


@check("T01")
def total_is_sum(context: Context) -> Iterator[Hit]:
    """The total is not the sum of the typed scores."""
    total, sums = context.typed_total, _sums(context)
    grid, execution = sums
    places = np.array([decimals(text) for text in context.forms.list("self_total")])
    near = np.maximum(np.where(places < context.places, 0.5 * 10.0**-places, 0.0), _rounding(context)) + 1e-9
    off = _complete(context) & (np.abs(total - grid - execution) > near)
    for form in np.flatnonzero(off).tolist():
        args = {"grid": show(float(grid[form])), "execution": show(float(execution[form]))}
        found, expected = context.forms.list("self_total")[form], show(float(grid[form] + execution[form]))
        yield Hit(form, context.forms.cell(form, "self_total"), "self_total", found, expected, args)


def _sums(context: Context) -> tuple[Floats, Floats]:
    """Typed scores of the grid and of the execution rate, by form."""
    own = context.total.floats("typed")
    return context.by_form_sum(context.typed, context.scored), context.by_form_sum(own, ~np.isnan(own), context.total)


def _rounding(context: Context) -> Floats:
    """By form, how far a sum of figures shown rounded may be from the sum of those behind them (three deviations)."""
    places, shown = context.places, context.printed
    count = context.by_form_count((shown > 0) & (shown == places[context.rows.form]))
    return np.maximum(0.01, 3 * 10.0**-places * np.sqrt(count / 12))


def _complete(context: Context) -> Bools:
    """Forms in which every row with points, and the execution rate if it has any, carries a typed score."""
    open_rows = (context.points > 0) & np.isnan(context.typed)
    open_rate = (context.total.floats("points") > 0) & np.isnan(context.total.floats("typed"))
    scored = context.by_form_count(~np.isnan(context.typed)) > 0
    closed = (context.by_form_count(open_rows) == 0) & (context.by_form_count(open_rate, context.total) == 0)
    return np.asarray(scored & closed, dtype=np.bool_)


@check("T02")
def grade_follows_total(context: Context) -> Iterator[Hit]:
    """The grade is not the one its total has."""
    for form in np.flatnonzero(~np.isnan(context.typed_total)).tolist():
        text, total = context.forms.list("self_grade")[form], float(context.typed_total[form])
        book = context.by_form[form]
        written = grade_alias(text, book) if text else None
        if written is not None and total >= 0 and written != grade_of(total, book):
            args = {"total": show(total)}
            yield Hit(form, context.forms.cell(form, "self_grade"), "self_grade", text, grade_of(total, book), args)


@check("T03")
def total_within_limit(context: Context) -> Iterator[Hit]:
    """The total exceeds what a form can reach."""
    limit = context.params("T03", "limit")
    for form in np.flatnonzero(context.typed_total > limit + 1e-9).tolist():
        found = context.forms.list("self_total")[form]
        yield Hit(form, context.forms.cell(form, "self_total"), "self_total", found, f"≤{limit[form]:g}")


@check("T04")
def not_everything_full(context: Context) -> Iterator[Hit]:
    """Every row and the execution rate have all their points."""
    weighted = context.counted & (context.points > 0)
    rows, full = context.by_form_count(weighted), context.by_form_count(weighted & context.full)
    points, own = context.total.floats("points"), context.total.floats("typed")
    short = context.by_form_count((points > 0) & ~(own >= points - NEAR), context.total)
    for form in np.flatnonzero((rows >= _FEW) & (rows == full) & (short == 0)).tolist():
        cell = context.forms.cell(form, "self_total")
        yield Hit(form, cell, "self_total", context.forms.list("self_total")[form], None, {"rows": str(rows[form])})


@check("T06")
def poor_results_have_remedy(context: Context) -> Iterator[Hit]:
    """A poor total or a low rate, and nowhere a reason or a remedy."""
    reasoned = context.by_form_count(context.reasoned) > 0
    silent = ~reasoned & ~context.noted & ~_remedy_noted(context)
    poor = context.typed_total < context.params("T06", "below") - 1e-9
    for form in np.flatnonzero(poor & silent).tolist():
        args = {"total": show(float(context.typed_total[form]))}
        cell = context.forms.cell(form, "self_total")
        yield Hit(form, cell, "self_total", context.forms.list("self_total")[form], None, args)
    total = context.total
    rate = total_rates(context)
    low = (rate < context.params("T06", "rate")[total.form] - 1e-9) & (silent & ~poor)[total.form]
    yield from context.hits(
        low & ~total.where("reason", gives_reason),
        "rate",
        part=total,
        instead=("executed",),
        args=lambda row: {"rate": show_percent(float(rate[row]))},
        variant="rate",
    )


def _remedy_noted(context: Context) -> Bools:
    """Forms whose rows below the grid speak of a remedy."""
    notes = (context.tables.notes.get(form_id, ()) for form_id in context.forms.list("form_id"))
    return np.array([any(has("reason", "remedy", text) for text in texts) for texts in notes], dtype=np.bool_)
