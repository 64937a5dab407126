"""What a value cell says, once read."""

from __future__ import annotations

from typing import NamedTuple


class Quantity(NamedTuple):
    """A target or an actual.

    Attributes:
        kind: number, percent, money, rate, range, ratio, duration; deadline; verdict, text, multiple; placeholder,
            blank; unreadable for a figure written in a way that is not understood (never presumed to be anything).
        comparator: ``>=``, ``>``, ``<=``, ``<``, ``=``, ``±`` or "".
        value: The figure in base units (元, 人, percentage points, 天 …); a range's lower bound; a deadline's last day.
        high: A range's upper bound, else None.
        unit: Canonical unit, "" where there is none; of a deadline ``date`` (value: proleptic ordinal) or
            ``day of year`` (value: day of a year of 365 days).
        scale: What 万, 亿 … multiplied the figure with; ``factor`` what its unit did (公里 → 米: 1000).
        approximate: Written as rounded (约, 余, 左右).
        text: The cell's text, normalised.
        verdict: ``met``, ``partial`` or ``unmet`` where the cell is a fixed verdict, else "".
        change: ``up`` or ``down`` where the figure is an increase or a decrease (较上年增长5%), else "".
        first: A deadline's first day where its words name a span (12月), in the unit of ``value``; else None.
        borrowed: The unit is not the cell's own but the unit column's or the name's.
        parts: The quantities of a cell that holds several (11月底完成100%).
    """

    kind: str
    comparator: str = ""
    value: float | None = None
    high: float | None = None
    unit: str = ""
    scale: float = 1.0
    factor: float = 1.0
    approximate: bool = False
    text: str = ""
    verdict: str = ""
    change: str = ""
    first: float | None = None
    borrowed: bool = False
    parts: tuple[Quantity, ...] = ()
