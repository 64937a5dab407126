"""Scores of the rows against what the rules give."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from perfeval_xlsx.data import load
from perfeval_xlsx.scoring.audit.context import NEAR, Context, Hit
from perfeval_xlsx.scoring.audit.registry import check
from perfeval_xlsx.scoring.audit.words import admits_shortfall
from perfeval_xlsx.scoring.columns import one_of
from perfeval_xlsx.scoring.figures import show, show_percent
from perfeval_xlsx.scoring.measure import QUALITATIVE, Bools, Floats
from perfeval_xlsx.scoring.rounding import half_up

_BORDER = 0.011
"""A score on the border between two tiers may belong to either."""


@check("C01")
def score_within_points(context: Context) -> Iterator[Hit]:
    """A score above its points or below 0; without points, scores that grew with over-achievement."""
    typed, points = context.typed, context.points
    above = context.counted & (typed > points + NEAR)
    yield from context.hits(above, "score", expected=lambda row: f"≤{show(points[row])}", args=_weight(context))
    yield from context.hits(context.counted & (typed < 0), "score", expected="≥0", variant="negative")
    grown, whole = _grown(context)
    enough = (context.by_form_count(grown) >= 2)[context.rows.form]
    yield from context.hits(
        grown & enough,
        "score",
        expected=lambda row: f"≤{show(whole[row])}",
        args=lambda row: {"weight": show(whole[row]), "ratio": show_percent(float(context.rows.floats("ratio")[row]))},
        variant="grown",
    )


def _grown(context: Context) -> tuple[Bools, Floats]:
    """Rows without points whose broken score is a whole number of points times a ratio above 1, and that number."""
    ratio, typed = context.rows.floats("ratio"), context.typed
    whole = np.round(typed / ratio)
    explained = np.abs(whole * ratio - typed) <= 0.5 * 10.0**-context.printed + 1e-9
    broken = np.abs(typed - np.round(typed)) > NEAR
    bare = ~context.rows.has("weight") & context.measured.comparable & ~context.measured.lower
    return bare & (ratio > 1) & (whole >= 1) & broken & explained & (typed > whole + NEAR), whole


def _weight(context: Context) -> Callable[[int], dict[str, str]]:
    return lambda row: {"weight": show(float(context.points[row]))}


@check("C02")
def score_is_rule(context: Context) -> Iterator[Hit]:
    """Full points though missed, a score that is not the rule's, or points taken off though met."""
    typed, points, rule = context.typed, context.points, context.rows.floats("score")
    tolerance = context.tolerance[context.rows.form]
    ruled = context.counted & (context.rows.texts("status") == "ruled") & (typed >= 0) & (typed <= points + NEAR)
    missed_zero = context.counted & (context.rows.texts("method") == "zero_missed") & context.full
    met = ruled & (rule >= points - 1e-9)
    missed = ruled & ~met
    done = one_of(context.rows.texts("method"), ("met", "on_time"))
    full = (missed & context.full & ~done) | missed_zero
    off = missed & ~full & ((np.abs(typed - rule) > tolerance + 1e-9) | context.full)
    rounded = missed & ~full & ~off & (typed - rule > float(load("audit_words.toml")["rounding"]["up"]))
    reduced = met & (typed < points - NEAR) & ~_printed_short(context)
    proportional = reduced & as_higher(context)
    for rows, variant in ((full, "full"), (off, ""), (rounded, "rounded"), (reduced & ~proportional, "reduced")):
        yield from context.hits(rows, "score", expected=_rule(context), args=_why(context), variant=variant)


def _printed_short(context: Context) -> Bools:
    """Rows whose points have more places than the form prints scores with, and whose score is those points rounded."""
    coarse = np.where(context.tolerance >= 0.5, 0, np.where(context.tolerance >= 0.1, 1, 2))[context.rows.form]
    step = 10.0**-coarse
    near = np.abs(context.typed - context.points) < step - 1e-9
    finer = np.abs(np.round(context.points / step) * step - context.points) > 1e-9
    return np.asarray(near & finer, dtype=np.bool_)


def _rule(context: Context) -> Callable[[int], str]:
    rule = context.rows.floats("score")
    return lambda row: show(float(rule[row]))


def _why(context: Context) -> Callable[[int], dict[str, str]]:
    basis = context.rows.list("basis")
    return lambda row: {"weight": show(float(context.points[row])), "basis": str(basis[row])}


def as_higher(context: Context) -> Bools:
    """Lower-is-better rows that are met, with a score in proportion of actual to target."""
    measured = context.measured
    share = measured.value / measured.high
    wrong = half_up(np.clip(context.points * share, 0, context.points))
    lower = measured.comparable & measured.lower & (share < 1) & (share > 0)
    close = np.abs(context.typed - wrong) <= np.minimum(context.tolerance[context.rows.form], 0.1) + 1e-9
    return np.asarray(lower & close & (context.typed < context.points - NEAR), dtype=np.bool_)


@check("C03")
def qualitative_score_in_tier(context: Context) -> Iterator[Hit]:
    """The score of a stated tier lies outside that tier's band."""
    rows, typed = context.rows, context.typed
    low, high = rows.floats("low"), rows.floats("high")
    tier = context.counted & (rows.texts("method") == "tier") & (typed >= 0) & (typed <= context.points + NEAR)
    outside = (typed < low - _BORDER) | (typed > high + _BORDER)
    yield from context.hits(
        tier & outside,
        "score",
        expected=lambda row: f"{show(float(low[row]))}–{show(float(high[row]))}",
        args=_why(context),
    )


@check("C04")
def qualitative_actual_is_word(context: Context) -> Iterator[Hit]:
    """A qualitative target is answered with a bare figure."""
    measured = context.measured
    worded = measured.target.is_(QUALITATIVE) & (measured.target.kind != "multiple")
    bare = (measured.actual.kind == "number") & (measured.actual.unit == "")
    yield from context.hits(worded & bare, "actual")


@check("C05")
def lost_points_have_reason(context: Context) -> Iterator[Hit]:
    """Points are lost and nobody says why."""
    lost = context.counted & (context.typed < context.points - NEAR) & (context.typed >= 0)
    lost &= context.rows.has("deviation") & ~context.reasoned & ~_printed_short(context)
    yield from context.hits(
        lost & ~context.noted[context.rows.form],
        "score",
        args=lambda row: {
            "weight": show(float(context.points[row])),
            "lost": show(float(context.points[row] - context.typed[row])),
            "reason": str(context.rows.list("deviation")[row] or "–"),
        },
    )


@check("C06")
def full_points_are_done(context: Context) -> Iterator[Hit]:
    """Full points, while the reason or the actual admits that something is open."""
    rows, full = context.rows, context.counted & context.full
    reason = rows.where("deviation", admits_shortfall, full)
    actual = rows.where("actual", admits_shortfall, full & (context.measured.actual.kind == "text"))

    def words(row: int) -> dict[str, str]:
        text = rows.list("deviation" if reason[row] else "actual")[row]
        return {"words": admits_shortfall(str(text))}

    yield from context.hits(full & (reason | actual), "score", args=words)


@check("C07")
def over_achievement_has_reason(context: Context) -> Iterator[Hit]:
    """The actual is far above the target and nobody says why."""
    ratio = context.rows.floats("ratio")
    line = context.book(lambda b: b.quantitative.over_reason, context.rows.form)
    over = _exceeds(context) & (ratio >= line - 1e-9) & context.rows.has("deviation") & ~context.reasoned
    bands = [sorted(context.param("C07", "bands", form)) for form in range(context.size)]

    def band(row: int) -> dict[str, str]:
        reached = [each for each in bands[context.rows.form[row]] if ratio[row] >= each - 1e-9] or [line[row]]
        return {"ratio": show_percent(float(ratio[row])), "band": show_percent(float(reached[-1]), 0)}

    yield from context.hits(over & ~context.noted[context.rows.form], "actual", args=band)


def _exceeds(context: Context) -> Bools:
    """Comparable higher-is-better rows; a maximum that was kept is no over-achievement."""
    measured = context.measured
    counts = context.rows.texts("method") != "excluded"
    return np.asarray(counts & measured.comparable & ~measured.lower & (measured.low > 0), dtype=np.bool_)


@check("C08")
def targets_are_ambitious(context: Context) -> Iterator[Hit]:
    """Several rows reach a multiple of their targets."""
    ratio = context.rows.floats("ratio")
    least = context.params("C08", "ratio")[context.rows.form]
    for form, places in context.rows.groups(_exceeds(context) & (ratio >= least - 1e-9)):
        if len(places) >= context.param("C08", "rows", form):
            row = int(places[0])
            cells = "、".join(filter(None, (context.rows.cell(int(place), "target") for place in places)))
            args = {"count": str(len(places)), "ratio": show_percent(float(least[row]), 0), "cells": cells}
            yield Hit(form, context.rows.cell(row, "target"), "target", context.rows.list("target")[row], None, args)


@check("C09")
def zero_target_has_no_ratio(context: Context) -> Iterator[Hit]:
    """A target of 0 was missed, yet some of the points are given."""
    part = (context.typed > NEAR) & ~context.full
    missed = context.counted & (context.rows.texts("method") == "zero_missed")
    yield from context.hits(missed & part, "score", expected="0", args=_weight(context))


@check("C10")
def lower_is_scored_as_lower(context: Context) -> Iterator[Hit]:
    """A lower-is-better row has its score the wrong way round."""
    measured = context.measured
    missed = measured.comparable & measured.lower & (measured.value > measured.high) & (measured.high > 0)
    wrong = (missed & context.full) | as_higher(context)
    ruled = context.counted & (context.rows.texts("status") == "ruled")
    yield from context.hits(wrong & ruled, "score", expected=_rule(context), args=_why(context))


@check("C11")
def points_weigh_once(context: Context) -> Iterator[Hit]:
    """The total is the sum of score × points: weighted a second time."""
    scored = context.counted & (context.points > 0) & ~np.isnan(context.typed)
    total = context.total
    own, points = total.floats("typed"), total.floats("points")
    plain = context.by_form_sum(context.typed, scored) + context.by_form_sum(own, ~np.isnan(own), total)
    twice = context.by_form_sum(context.typed * context.points / 100, scored)
    twice_all = twice + context.by_form_sum(own * points / 100, ~np.isnan(own * points), total)
    added = twice + context.by_form_sum(own, ~np.isnan(own), total)
    stated, rows = context.typed_total, context.by_form_count(scored)
    near = np.minimum(np.abs(stated - twice_all), np.abs(stated - added)) < 0.06
    for form in np.flatnonzero((rows >= 3) & near & (np.abs(stated - plain) > 1)).tolist():
        found = context.forms.list("self_total")[form]
        yield Hit(form, context.forms.cell(form, "self_total"), "self_total", found, show(float(plain[form])))
