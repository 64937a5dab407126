"""Rows of the grid that do not count: a template's unfilled row, an example, a blank one, a subtotal."""

from __future__ import annotations

import re

from perfeval_xlsx.form.labels import is_hint, is_one_of, is_placeholder, is_unused, pattern, plain_row
from perfeval_xlsx.form.model import IndicatorRow

_DIGIT = re.compile("[1-9１-９]")


def why_left_out(row: IndicatorRow) -> str | None:
    """Why a row does not count: a template's unfilled row, a blank one, a subtotal."""
    values = row.values
    if any(_is_example(row, values.get(name) or "") for name in ("level3", "target")):
        return "hint"
    names = [values.get(level) or "" for level in ("level1", "level2", "level3")]
    beside = () if names[2] else row.extra.values()
    if any(is_one_of(name, "rows", "subtotal") for name in (*names, *beside) if name):
        return "subtotal"
    nothing = is_unused if names[2] and is_unused(names[2]) else is_placeholder  # 无 | 无 | 无
    if not all(nothing(values.get(name) or "") for name in ("target", "actual")):
        return None
    if any(is_figure_in(values.get(name)) for name in ("weight", "score")):
        return None
    if names[2] and not is_unused(names[2]):
        return None
    return "unused" if names[2] else "blank"


def _is_example(row: IndicatorRow, text: str) -> bool:
    """Whether a text tells how a row is filled in: marked as an example, or a hint in a row without points."""
    if not is_hint(text):
        return False
    points = any(is_figure_in(row.values.get(name)) for name in ("weight", "score"))
    return not points or pattern("rows", "example").match(plain_row(text)) is not None


def is_figure_in(text: str | None) -> bool:
    """Whether a cell holds a figure other than 0."""
    return text is not None and _DIGIT.search(text) is not None
