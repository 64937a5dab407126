"""Target against actual: both parsed, brought to one unit, with a direction; arrays over all rows of a chunk."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pandas as pd

from perfeval_xlsx.data import load
from perfeval_xlsx.form.values import Quantity, lower_is_better, normalise, parse_value

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Objects = npt.NDArray[np.object_]

NUMERIC = frozenset({"number", "percent", "money", "rate", "range", "ratio", "duration"})
QUALITATIVE = frozenset({"text", "verdict", "multiple"})
_AMOUNTS = frozenset({"money", "rate"})
_GENERIC = frozenset(load("measure.toml")["generic_units"])
_HINTS = tuple(load("measure.toml")["name_hints"])


@dataclass(slots=True)
class Side:
    """The quantities of one column, as arrays (object arrays of str, float64 with NaN)."""

    kind: Objects
    value: Floats
    high: Floats
    unit: Objects
    scale: Floats
    comparator: Objects
    verdict: Objects
    change: Objects
    text: Objects

    @classmethod
    def of(cls, quantities: list[Quantity]) -> Side:
        """Turn quantities into arrays."""
        return cls(
            kind=_objects(q.kind for q in quantities),
            value=np.array([q.value for q in quantities], dtype=np.float64),
            high=np.array([q.high for q in quantities], dtype=np.float64),
            unit=_objects(q.unit for q in quantities),
            scale=np.array([q.scale for q in quantities], dtype=np.float64),
            comparator=_objects(q.comparator for q in quantities),
            verdict=_objects(q.verdict for q in quantities),
            change=_objects(q.change for q in quantities),
            text=_objects(q.text for q in quantities),
        )

    def is_(self, kinds: frozenset[str] | str) -> Bools:
        """Rows whose kind is (one of) ``kinds``."""
        wanted = {kinds} if isinstance(kinds, str) else kinds
        return np.fromiter((kind in wanted for kind in self.kind), np.bool_, len(self.kind))


@dataclass(slots=True)
class Measured:
    """Target and actual of every row, comparable where ``comparable``.

    Attributes:
        target: The target column; ``actual`` the other one.
        low, high: The target's bounds; equal unless the target is a range.
        value: The actual in the target's unit, NaN where there is none.
        lower: Lower is better.
        direction: Key of ``data/methods.toml [direction]`` saying what decided, "" when the comparator in the cell did.
        comparable: Both are numbers in one unit; ``units`` both are numbers but in different units.
        assumed: The actual's unit was taken from the target; ``days`` deadline rows: days late (negative: early).
    """

    target: Side
    actual: Side
    low: Floats
    high: Floats
    value: Floats
    lower: Bools
    direction: Objects
    comparable: Bools
    units: Bools
    assumed: Bools
    deadline: Bools
    days: Floats
    opposite: Bools


def measure(rows: pd.DataFrame, years: Floats) -> Measured:
    """Bring the targets and actuals of an indicators frame together; ``years`` is the form's year by row (NaN unknown)."""
    target = Side.of(_parse(rows, rows["target"], signed=True))
    actual = Side.of(_parse(rows, rows["actual"], signed=False))
    value, comparable, units, assumed = _reconcile(target, actual)
    deadline, days = _deadlines(target, actual, years)
    lower, direction = _direction(rows, target)
    opposite = comparable & (target.change != "") & (actual.change != "") & (target.change != actual.change)
    return Measured(
        target=target,
        actual=actual,
        low=target.value,
        high=np.where(np.isnan(target.high), target.value, target.high),
        value=np.where(target.comparator == "±", np.abs(value), value),
        lower=lower,
        direction=direction,
        comparable=comparable & ~opposite,
        units=units,
        assumed=assumed,
        deadline=deadline,
        days=days,
        opposite=opposite,
    )


def number(text: str | None) -> float:
    """Return the number a weight, score or amount cell shows (``"20分"``, ``"1,930.44万元"`` → base units), else NaN."""
    return _number(text) if text else float("nan")


@lru_cache(maxsize=65_536)
def _number(text: str) -> float:
    quantity = parse_value(text)
    plain = quantity.kind in {"number", "percent", "money"} and quantity.value is not None and not quantity.comparator
    return float(quantity.value) if plain and quantity.value is not None else float("nan")


def numbers(texts: Iterable[str | None]) -> Floats:
    """``number`` over a column."""
    return np.array([number(text) for text in texts], dtype=np.float64)


def _objects(values: Iterable[str]) -> Objects:
    items = list(values)
    array = np.empty(len(items), dtype=object)
    array[:] = items
    return array


def _parse(rows: pd.DataFrame, texts: pd.Series[str], *, signed: bool) -> list[Quantity]:
    signs = rows["sign"] if signed else [None] * len(rows)
    return [
        parse_value(text, sign, unit, _hint(name))
        for text, sign, unit, name in zip(texts, signs, rows["unit"], rows["level3"], strict=True)
    ]


def _hint(name: str | None) -> str | None:
    """Pass a name on only where it can matter, so that equal cells share one cached result."""
    return name if name and any(hint in name for hint in _HINTS) else None


def _reconcile(target: Side, actual: Side) -> tuple[Floats, Bools, Bools, Bools]:
    """Bring actuals into the target's unit: (value, comparable, units at odds, unit assumed)."""
    numeric = target.is_(NUMERIC) & actual.is_(NUMERIC) & ~np.isnan(target.value) & ~np.isnan(actual.value)
    bare_actual, bare_target = actual.unit == "", target.unit == ""
    generic = np.fromiter((u in _GENERIC for u in target.unit), np.bool_, len(target.unit)) | np.fromiter(
        (u in _GENERIC for u in actual.unit), np.bool_, len(actual.unit)
    )
    counted = ~np.isin(target.kind, ["percent", "money", "rate"]) & ~np.isin(actual.kind, ["percent", "money", "rate"])
    same = (target.unit == actual.unit) | (generic & counted) | bare_actual | bare_target
    value, settled = _bare(target, actual, bare_actual != bare_target)
    comparable = numeric & same & settled
    assumed = comparable & bare_actual & ~bare_target & (target.scale != 1) & (actual.value != value)
    return value, comparable, numeric & ~comparable, assumed


def _bare(target: Side, actual: Side, one_bare: Bools) -> tuple[Floats, Bools]:
    """Read a number without unit beside one with unit; not settled where two readings are possible.

    ``90`` against ``≤90万元`` can be 90 元 or 90 万元: the reading whose ratio is plausible counts, if only one is.
    ``0.95`` against ``≥90%`` can be 95 % or 0.95 %: nobody can know.
    """
    low, high = load("measure.toml")["plausible_ratio"]
    factor = np.where(one_bare, target.scale / actual.scale, 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        plain = actual.value / target.value
        scaled = plain * factor
    plain_fits, scaled_fits = (plain > low) & (plain < high), (scaled > low) & (scaled < high)
    two = one_bare & (factor != 1) & (actual.value != 0)
    value = np.where(two & scaled_fits & ~plain_fits, actual.value * factor, actual.value)
    percent = one_bare & ((target.kind == "percent") != (actual.kind == "percent"))
    bare_value = np.where(actual.unit == "", actual.value, target.value)
    other_value = np.where(actual.unit == "", target.value, actual.value)
    doubtful = percent & (np.abs(bare_value) <= 1) & (bare_value != 0) & (np.abs(other_value) > 1)
    return value, ~(two & (plain_fits == scaled_fits)) & ~doubtful


def _deadlines(target: Side, actual: Side, years: Floats) -> tuple[Bools, Floats]:
    """Rows of two dates, and how many days late the actual is; a date without year is taken in the form's year."""
    both = target.is_("deadline") & actual.is_("deadline")
    days = np.full(len(both), np.nan)
    for i in np.flatnonzero(both):
        first, second = target.value[i], actual.value[i]
        if target.unit[i] != actual.unit[i]:
            dated = first if target.unit[i] == "date" else second
            year = int(years[i]) if not np.isnan(years[i]) else pd.Timestamp.fromordinal(int(dated)).year
            first, second = (_ordinal(v, u, year) for v, u in ((first, target.unit[i]), (second, actual.unit[i])))
        days[i] = second - first
    return both, days


def _ordinal(value: float, unit: str, year: int) -> float:
    if unit == "date":
        return value
    plain = pd.Timestamp(2001, 1, 1) + pd.Timedelta(days=value - 1)
    return float(pd.Timestamp(year, plain.month, plain.day).toordinal())


def _direction(rows: pd.DataFrame, target: Side) -> tuple[Bools, Objects]:
    """Lower is better, and what decided: comparator or sign column, then the name, then the default."""
    names = [lower_is_better(name) if name else False for name in rows["level3"]]
    cost_words = load("measure.toml")["cost_words"]
    cost = target.is_(_AMOUNTS) & np.array([bool(n) and any(w in n for w in cost_words) for n in rows["level2"]], bool)
    by_name = np.array(names, dtype=np.bool_)
    explicit = np.isin(target.comparator, [">=", ">", "<=", "<", "±"])
    lower = np.where(explicit, np.isin(target.comparator, ["<=", "<", "±"]), by_name | cost)
    key = np.where(explicit, "", np.where(by_name, "name", np.where(cost, "cost", "default")))
    signed = explicit & np.array([bool(s) and parse_comparator(s) for s in rows["sign"]], dtype=np.bool_)
    return lower.astype(np.bool_), np.where(signed, "sign", key).astype(object)


@lru_cache(maxsize=1024)
def parse_comparator(sign: str) -> bool:
    """Whether a sign column's cell holds a comparator (``≥``), not a word such as 定量."""
    return parse_value("1", sign).comparator != "" and normalise(sign) != ""
