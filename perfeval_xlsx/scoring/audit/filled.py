"""Indicators as filled in: what is empty, unreadable, in other units, out of bounds, late."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import numpy as np

from perfeval_xlsx.scoring.audit.amounts import amounts
from perfeval_xlsx.scoring.audit.context import Context, Hit
from perfeval_xlsx.scoring.audit.registry import check
from perfeval_xlsx.scoring.audit.words import bare_name, has, name_of, pattern
from perfeval_xlsx.scoring.measure import NUMERIC, Bools

_GONE = frozenset({"blank", "placeholder"})


@check("I02")
def scored_rows_are_filled(context: Context) -> Iterator[Hit]:
    """A score stands beside an empty target or actual."""
    measured = context.measured
    target = measured.target.is_(_GONE) & ~_merged(context, "target")
    actual = measured.actual.is_(_GONE) & ~_merged(context, "actual")
    scored = context.counted & (context.typed > 0)
    for rows, variant in ((target & actual, "both"), (target & ~actual, "target"), (actual & ~target, "actual")):
        yield from context.hits(rows & scored, "score", variant=variant)


def _merged(context: Context, name: str) -> Bools:
    """Rows whose cell is that of the row above: one merged cell speaks for both."""
    return context.rows.has(name) & ~context.rows.own_cell(name)


@check("I03")
def numbers_are_answered(context: Context) -> Iterator[Hit]:
    """A numeric target is answered with words, or with a negative figure where none can be."""
    measured = context.measured
    numeric = measured.target.is_(NUMERIC)
    yield from context.hits(numeric & measured.actual.is_(frozenset({"text", "verdict"})), "actual", variant="")
    unreadable = numeric & measured.actual.is_("unreadable")
    yield from context.hits(unreadable, "actual", variant="unreadable")
    counted = measured.actual.is_(frozenset({"number", "money", "rate", "duration"}))
    change = context.rows.where("level3", lambda text: has("negative", "change", text))
    negative = numeric & counted & (measured.actual.value < 0) & ~(measured.target.value < 0) & ~change
    yield from context.hits(negative, "actual", variant="negative")


@check("I04")
def units_agree(context: Context) -> Iterator[Hit]:
    """Target and actual are in units that cannot be compared, or neither has any."""
    yield from context.hits(context.measured.units, "actual")
    for form, places in context.rows.groups(_unitless(context)):
        row = int(places[0])
        args = {**context.facts(row), "count": str(len(places))}
        found = context.rows.list("target")[row]
        yield Hit(form, context.rows.cell(row, "target"), "target", found, None, args, "bare")


def _unitless(context: Context) -> Bools:
    """Bare figures on both sides, where neither the name nor a column says what they count."""
    measured, rows = context.measured, context.rows
    bare = (measured.target.kind == "number") & (measured.target.unit == "")
    bare &= (measured.actual.kind == "number") & (measured.actual.unit == "")
    named = rows.where("level3", lambda text: has("rate", "unit_in_name", text) or has("rate", "counted", text))
    plain = (measured.target.scale == 1) & (measured.target.value != 0)
    without = bare & plain & ~named & ~rows.where("unit", str.strip) & ~rows.blank("level3")
    return np.asarray(without, dtype=np.bool_)


@check("I10")
def rates_stay_below_limit(context: Context) -> Iterator[Hit]:
    """A rate that cannot exceed 100 % does."""
    measured = context.measured
    limit = context.params("I10", "limit")[context.rows.form]
    bounded = context.rows.where("level3", _is_bounded) | (context.dimension == name_of("satisfaction"))
    for name, side in (("target", measured.target), ("actual", measured.actual)):
        above = bounded & (side.kind == "percent") & (side.value > limit + 1e-9)
        yield from context.hits(above, name, expected=lambda row: f"≤{limit[row]:g}%")


def _is_bounded(name: str) -> bool:
    bare = pattern("rate", "unit_in_name").sub("", bare_name(name))
    return has("rate", "bounded", bare) and not has("rate", "growth", bare)


@check("I11")
def deadlines_are_kept(context: Context) -> Iterator[Hit]:
    """A deadline lies after the form's year, or a late row has its full points."""
    measured = context.measured
    year = context.forms.floats("year")[context.rows.form]
    dated = (measured.target.kind == "deadline") & (measured.target.unit == "date")
    due = np.zeros(len(dated))
    due[dated] = [date.fromordinal(int(day)).year for day in measured.target.value[dated]]
    after = due > year
    yield from context.hits(dated & after, "target", args=lambda row: {"year": f"{year[row]:.0f}"}, variant="after")
    late = measured.deadline & (measured.days > 0) & context.full & context.counted
    yield from context.hits(late, "score", args=lambda row: {"days": f"{measured.days[row]:.0f}"})


@check("I12")
def cost_stays_within(context: Context) -> Iterator[Hit]:
    """A cost above its target has full points; cost targets above the budget."""
    measured, rows = context.measured, context.rows
    cost = is_cost(context)
    over = cost & measured.comparable & measured.lower & (measured.value > measured.high) & (measured.high > 0)
    yield from context.hits(over & context.full, "actual")
    money = cost & (measured.target.kind == "money") & (measured.low > 0) & (measured.target.comparator != ">=")
    budget = _budget(context)
    perhaps = (budget > 0) & (context.by_form_sum(measured.high, money) > budget)
    whole = rows.where("level3", lambda text: has("cost", "total", text), money & perhaps[rows.form])
    for form, places in rows.groups(money & perhaps[rows.form]):
        values = measured.high[places]
        parts = values[~whole[places]]
        top = int(places[int(np.argmax(values))])
        asked = max(float(values.max()), float(parts.sum()))
        if asked > budget[form] * 1.005:
            args = {**context.facts(top), "sum": f"{asked / 1e4:g}", "budget": f"{budget[form] / 1e4:g}"}
            yield Hit(form, rows.cell(top, "target"), "target", rows.list("target")[top], None, args, "budget")


def is_cost(context: Context) -> Bools:
    """Rows below a cost level."""
    named = context.rows.where("level2", lambda text: has("level2", "cost", text))
    return np.asarray(named | (context.dimension == name_of("cost")), dtype=np.bool_)


def _budget(context: Context) -> np.ndarray:
    """The larger budget of every form in 元, NaN where it is unknown or has no unit."""
    budget = np.full(context.size, np.nan)
    pair = [amounts(context, context.total, name) for name in ("initial_budget", "annual_budget")]
    budget[context.total.form] = np.fmax(*pair)
    known = np.array([unit is not None for unit in context.forms.list("unit")], dtype=np.bool_)
    return np.where(known, budget, np.nan)


@check("I13")
def satisfaction_was_measured(context: Context) -> Iterator[Hit]:
    """Satisfaction is exactly 100 %, or a word stands where a survey would give a rate."""
    rows, measured = context.rows, context.measured
    satisfied = context.dimension == name_of("satisfaction")
    surveyed = rows.where("actual", _names_survey, satisfied) | rows.where("deviation", _names_survey, satisfied)
    hundred = measured.actual.is_(frozenset({"percent", "number"})) & (np.abs(measured.actual.value - 100) < 1e-9)
    hundred &= measured.actual.is_("percent") | (measured.target.value <= 100)
    yield from context.hits(satisfied & hundred & ~surveyed, "actual")
    worded = measured.actual.is_(frozenset({"text", "verdict"}))
    yield from context.hits(satisfied & worded & ~surveyed, "actual", variant="no_survey")


def _names_survey(text: str) -> bool:
    return has("satisfaction", "survey", text)


@check("I14")
def excluded_rows_are_listed(context: Context) -> Iterator[Hit]:
    """Rows marked as not applicable."""
    yield from context.hits(context.rows.texts("method") == "excluded", "sign")
