"""Target against actual: both parsed, brought to one unit, with a direction; arrays over all rows of a chunk.

What cannot be compared without a guess is not compared: see ``open_rows`` for the cases.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pandas as pd

from perfeval_xlsx.data import load
from perfeval_xlsx.form.dates import PLAIN_YEAR
from perfeval_xlsx.form.values import change_of, lower_is_better, parse_value, sign_comparator
from perfeval_xlsx.scoring.columns import Coded, Codes
from perfeval_xlsx.scoring.sides import CHANGES, Side, sides

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Objects = npt.NDArray[np.object_]

NUMERIC = frozenset({"number", "percent", "money", "rate", "range", "ratio", "duration"})
QUALITATIVE = frozenset({"text", "verdict", "multiple"})
_DATA = load("measure.toml")
_AMOUNTS = frozenset({"money", "rate"})
_GENERIC, _EXACT = frozenset(_DATA["generic_units"]), frozenset(_DATA["exact_units"])
_RATE_NAME = re.compile(_DATA["rate_words"])
_PLAIN = re.compile(r"(?!20[0-9]{2}\.)(?:0|[1-9][0-9]{0,8})(?:\.[0-9]{1,6})?")
"""Figures that are nothing but a number, and no month."""
_AT_LEAST, _AT_MOST = [">=", ">"], ["<=", "<"]
DIRECTIONS = ("", "name", "cost", "default", "sign")
_COMPARED, _NAMED, _COST, _DEFAULT, _SIGNED = range(len(DIRECTIONS))
_SPANS_ALIKE = 3
"""Days by which two months may differ in length and still be one kind of span."""


@dataclass(slots=True)
class Measured:
    """Target and actual of every row, comparable where ``comparable``.

    Attributes:
        target: The target column; ``actual`` the other one.
        low, high: The target's bounds; equal unless the target is a range.
        value: The actual in the target's unit, NaN where there is none.
        lower: Lower is better.
        directions: What decided that, as position in ``DIRECTIONS``.
        comparable: Both are numbers in one unit that can be compared without a guess; ``units`` both are numbers but in
            different units.
        assumed: The actual's unit was taken from the target; ``days`` deadline rows: days late (negative: early).
        deadline: Both are dates that can be compared.
        opposite: Target and actual are changes in opposite directions.
    """

    target: Side
    actual: Side
    low: Floats
    high: Floats
    value: Floats
    lower: Bools
    directions: Codes
    comparable: Bools
    units: Bools
    assumed: Bools
    deadline: Bools
    days: Floats
    opposite: Bools

    @property
    def direction(self) -> Objects:
        """Key of ``data/methods.toml [direction]`` saying what decided; "" when the comparator in the cell did."""
        return np.array(DIRECTIONS, dtype=object)[self.directions]


def measure(rows: pd.DataFrame | Coded, years: Floats) -> Measured:
    """Bring the targets and actuals of an indicators frame together; ``years``: the form's year by row, NaN unknown."""
    coded = rows if isinstance(rows, Coded) else Coded(rows)
    target, actual = sides(coded)
    value, other, comparable, units, assumed = _reconcile(target, actual, coded)
    deadline, days = _deadlines(target, actual, years)
    lower, directions = _direction(coded, target, actual)
    value, other = (np.where(target.equals("comparator", "±"), np.abs(v), v) for v in (value, other))
    low, high = target.value, np.where(np.isnan(target.high), target.value, target.high)
    named = coded.each("level3", lambda name: CHANGES.index("" if name is None else change_of(name)), np.int64)
    change = np.where(target.equals("change", ""), named, target.changes())
    opposite = comparable & ~actual.equals("change", "") & (change > 0) & (change != actual.changes())
    unsure = open_rows(target, actual, (low, high), (value, other), lower, directions == _DEFAULT, change)
    return Measured(
        target=target,
        actual=actual,
        low=low,
        high=high,
        value=value,
        lower=lower,
        directions=directions,
        comparable=comparable & ~opposite & ~unsure,
        units=units,
        assumed=assumed,
        deadline=deadline,
        days=days,
        opposite=opposite,
    )


def number(text: str | None) -> float:
    """Return the number a weight, score or amount cell shows (``"20分"``, ``"1,930万元"`` → base units), else NaN."""
    return _number(text) if text else float("nan")


@lru_cache(maxsize=16_384)
def _number(text: str) -> float:
    if _PLAIN.fullmatch(text):
        return float(text)
    quantity = parse_value(text)
    plain = quantity.kind in {"number", "percent", "money"} and not (quantity.comparator or quantity.change)
    return float("nan") if quantity.value is None or not plain or quantity.approximate else quantity.value


def numbers(texts: Iterable[str | None]) -> Floats:
    """``number`` over a column."""
    return np.array([number(text) for text in texts], dtype=np.float64)


def figures(rows: Coded, column: str) -> Floats:
    """``number`` over a column of a frame."""
    return rows.each(column, number, np.float64)


def _reconcile(target: Side, actual: Side, rows: Coded) -> tuple[Floats, Floats, Bools, Bools, Bools]:
    """Bring actuals into the target's unit: (value, upper bound, comparable, units at odds, unit assumed)."""
    numeric = target.is_(NUMERIC) & actual.is_(NUMERIC) & ~np.isnan(target.value) & ~np.isnan(actual.value)
    bare_actual, bare_target = actual.equals("unit", ""), target.equals("unit", "")
    same = (target.unit == actual.unit) | bare_actual | bare_target
    _add_generic(same, target.unit, actual.unit)
    same |= (target.value == 0) & (actual.value == 0)
    one_bare = bare_actual != bare_target
    factor, settled = _bare(target, actual, one_bare)
    settled &= _percent(target, actual, one_bare, rows)
    comparable = numeric & same & settled
    value = _times(actual.value, factor)
    other = np.where(np.isnan(actual.high), value, _times(actual.high, factor))
    assumed = comparable & bare_actual & ~bare_target & (factor != 1)
    return value, other, comparable, numeric & ~comparable, assumed


def _times(values: Floats, factors: Floats) -> Floats:
    """The products, in decimals where there is something to multiply: 1.1 × 10,000 is 11,000."""
    result = values.copy()
    for i in np.flatnonzero((factors != 1) & ~np.isnan(values)):
        result[i] = float(Decimal(repr(float(values[i]))) * Decimal(repr(float(factors[i]))))
    return result


def _add_generic(same: Bools, targets: Objects, actuals: Objects) -> None:
    """Add the rows whose units differ in words only: 15个 and 15所, 每亩300 and 300元/亩."""
    rows = np.flatnonzero(~same)
    same[rows] = list(map(_alike, targets[rows], actuals[rows]))


@lru_cache(maxsize=4096)
def _alike(first: str, second: str) -> bool:
    if (first.startswith("/") and second.endswith(first)) or (second.startswith("/") and first.endswith(second)):
        return True
    counted = not {first, second} & _EXACT and "/" not in first + second
    return counted and bool({first, second} & _GENERIC)


def _bare(target: Side, actual: Side, one_bare: Bools) -> tuple[Floats, Bools]:
    """What to multiply a number without unit with beside one with unit; not settled where two readings are possible.

    A bare number is in the unit the other cell is written in: ``9`` beside ``≥10公里`` is 9 公里. Whether the other
    cell's 万 applies too is open: ``90`` against ``≤90万元`` can be 90 元 or 90 万元; the reading whose ratio is
    plausible counts, if only one is. Returned factors bring the actual to the target's figures.
    """
    low, high = _DATA["plausible_ratio"]
    factor = np.where(one_bare, target.factor / actual.factor, 1.0)
    bare_scale = np.where(actual.equals("unit", ""), actual.scale, target.scale)
    scale = np.where(one_bare & (bare_scale == 1), target.scale / actual.scale, 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        plain = actual.value * factor / target.value
        scaled = plain * scale
    plain_fits, scaled_fits = (plain > low) & (plain < high), (scaled > low) & (scaled < high)
    two = (scale != 1) & (actual.value != 0)
    return factor * np.where(two & scaled_fits & ~plain_fits, scale, 1.0), ~(two & (plain_fits == scaled_fits))


def _percent(target: Side, actual: Side, one_bare: Bools, rows: Coded) -> Bools:
    """Rows whose percents can be told: ``0.95`` beside ``≥90%`` can be 95 % or 0.95 %, and nobody can know.

    A bare target answered in percent is a percentage only if its name says so or it is 100: ``50`` beside ``100%`` may
    be 50 people, all of them reached.
    """
    bare_actual = actual.equals("unit", "")
    target_percent, actual_percent = target.equals("unit", "%"), actual.equals("unit", "%")
    mixed = one_bare & (target_percent != actual_percent)
    loose_target, loose_actual = (side.borrowed | side.equals("unit", "") for side in (target, actual))
    percent = mixed | (target_percent & actual_percent)
    small_actual = loose_actual & (np.abs(actual.value) <= 1) & (actual.value != 0) & (np.abs(target.value) > 1)
    small_target = loose_target & (np.abs(target.value) <= 1) & (target.value != 0) & (np.abs(actual.value) > 1)
    rate = rows.each("level3", lambda name: name is not None and bool(_RATE_NAME.search(name)), np.bool_)
    bare = np.where(bare_actual, actual.value, target.value)
    told = rate | (bare == 100) | (bare_actual & (bare <= 100)) | (bare == 0)
    unsure = (percent & (small_actual | small_target)) | (mixed & ~told)
    return np.array(~unsure, dtype=np.bool_)


def open_rows(
    target: Side,
    actual: Side,
    bounds: tuple[Floats, Floats],
    answer: tuple[Floats, Floats],
    lower: Bools,
    default: Bools,
    change: Codes,
) -> Bools:
    """Rows whose figures leave more than one verdict.

    Args:
        target: The targets.
        actual: The actuals.
        bounds: The target's bounds.
        answer: The actual's bounds, in the target's unit.
        lower: Lower is better.
        default: The direction is a default.
        change: The target's change, from the cell or the name, as position in ``CHANGES``.

    Returns:
        True where the actual is a span, a bound or rounded and only part of what it may be reaches the target; where
        only one of the two is a change; where a ratio has no direction; where an actual lies above a two-sided range.
    """
    (low, high), (value, other) = bounds, answer
    reached: Bools = np.where(lower, (value <= high) & (other <= high), (value >= low) & (other >= low))
    bound = actual.compares((*_AT_LEAST, *_AT_MOST))
    favourable = actual.compares(_AT_MOST) == lower
    margin = _DATA["rounded_margin"]
    clear: Bools = np.where(lower, other <= high / margin, value >= low * margin)
    vague = (value != other) | (bound & favourable) | target.approximate
    unsure = (vague & ~reached) | (bound & ~favourable) | (actual.approximate & ~clear)
    unsure |= target.is_("ratio") & ~target.compares((*_AT_LEAST, *_AT_MOST)) & (value != low)
    unsure |= default & target.is_("range") & ~target.equals("unit", "%") & (other > high)
    unsure |= _half_change(target, actual, low, value, change)
    return np.array(unsure, dtype=np.bool_)


def _half_change(target: Side, actual: Side, low: Floats, value: Floats, change: Codes) -> Bools:
    """Rows where the actual is a change and the target none, or the other way round beyond belief."""
    unchanged = actual.equals("change", "")
    alone = ~unchanged & (change == 0)
    minus = (value < 0) & (change == CHANGES.index("down"))
    unlike = ~target.equals("change", "") & unchanged & (value > _DATA["change_ratio"] * low)
    return np.asarray(alone | minus | unlike, dtype=np.bool_)


def _deadlines(target: Side, actual: Side, years: Floats) -> tuple[Bools, Floats]:
    """Rows of two dates that can be compared, and how many days late the actual is.

    A date without year is taken in the form's year; where that is unknown, and the other date has one, nothing is said.
    An actual that spans the target's last day (第四季度 against 12月15日前) may be either, unless both are spans of one
    length.
    """
    both = target.is_("deadline") & actual.is_("deadline")
    days = np.full(len(both), np.nan)
    for i in np.flatnonzero(both).tolist():
        mixed = target.unit[i] != actual.unit[i]
        (due, due_first), (done, done_first) = (_dated(side, i, mixed, years[i]) for side in (target, actual))
        spans = (due - due_first, done - done_first)
        alike = min(spans) > 0 and abs(spans[0] - spans[1]) <= _SPANS_ALIKE
        if alike or not done_first <= due < done:
            days[i] = done - due
    return both & ~np.isnan(days), days


def _dated(side: Side, row: int, mixed: bool, year: float) -> tuple[float, float]:
    """Last and first day of a deadline, as ordinals where the two sides are of different kinds."""
    last = side.value[row]
    first = last if np.isnan(side.first[row]) else side.first[row]
    if not mixed or side.unit[row] == "date":
        return last, first
    return (float("nan"),) * 2 if np.isnan(year) else (_ordinal(last, int(year)), _ordinal(first, int(year)))


def _ordinal(day: float, year: int) -> float:
    plain = datetime.date(PLAIN_YEAR, 1, 1) + datetime.timedelta(days=day - 1)
    return float(plain.replace(year=year).toordinal())


def _direction(rows: Coded, target: Side, actual: Side) -> tuple[Bools, Codes]:
    """Lower is better, and what decided: comparator or sign column, then the name, then the default.

    A target that is a decrease (降低10%) is better when higher, whatever its name. An amount is one even where the
    target leaves its unit to the actual (1600 answered by 1700元/亩).
    """
    fall = target.equals("change", "down")
    cost_words = _DATA["cost_words"]
    amounts = target.is_(_AMOUNTS) | (target.equals("unit", "") & target.is_("number") & actual.is_(_AMOUNTS))
    cost = amounts & rows.contains("level2", cost_words)
    by_name = rows.each("level3", lambda name: name is not None and lower_is_better(name), np.bool_)
    by_name, cost = by_name & ~fall, cost & ~fall
    explicit = target.compares((*_AT_LEAST, *_AT_MOST, "±"))
    lower = np.where(explicit, target.compares((*_AT_MOST, "±")), by_name | cost)
    key = np.where(explicit, _COMPARED, np.where(by_name, _NAMED, np.where(cost, _COST, _DEFAULT)))
    signed = explicit & rows.each("sign", lambda sign: sign is not None and bool(sign_comparator(sign)), np.bool_)
    return lower.astype(np.bool_), np.where(signed, _SIGNED, key)
