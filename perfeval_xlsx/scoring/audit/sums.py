"""Whether a fund column's parts add up to its total, allowing for parts of parts."""

from __future__ import annotations

from collections.abc import Sequence

from perfeval_xlsx.scoring.audit.words import has, pattern


def parts_sum(total: float, values: Sequence[float], labels: Sequence[str], rows: int, near: float) -> float | None:
    """Return what the parts add up to where that contradicts the total, None where it does not.

    Args:
        total: The total in 元, NaN where its cell is blank.
        values: The parts that hold an amount, in the order of the sheet.
        labels: Their labels.
        rows: How many part rows the table has, blank ones included.
        near: How far sum and total may be apart.

    Parts that are themselves split (``其中`` below a part, rows that add up to the part above, sources within the
    treasury's money) count once; two lists of the same money (by source, by purpose) may stand below one total. One
    single part below its total may be a list left incomplete and says nothing.
    """
    wanted = sum(values)
    if total != total:
        return wanted if wanted > near else None
    if abs(total - wanted) <= near or abs(total - wanted / 2) <= near or (rows == 1 and wanted < total):
        return None
    readings = sum(_outer(values, labels, near)), sum(_without_sources(values, labels))
    return None if any(abs(total - each) <= near for each in readings) else wanted


def _without_sources(values: Sequence[float], labels: Sequence[str]) -> list[float]:
    """The parts that are no sources within the money of the part above, in a list that does not begin with one."""
    if has("fund", "source", labels[0]):
        return list(values)
    return [value for value, label in zip(values, labels, strict=True) if not has("fund", "source", label)]


def _outer(values: Sequence[float], labels: Sequence[str], near: float) -> list[float]:
    """The parts that are not parts of the part above them."""
    outer: list[float] = []
    at = 0
    while at < len(values):
        outer.append(values[at])
        at += 1 + _inner(values, labels, at, near)
    return outer


def _inner(values: Sequence[float], labels: Sequence[str], at: int, near: float) -> int:
    """How many rows below ``at`` split its amount."""
    running = 0.0
    for count, value in enumerate(values[at + 1 :], 1):
        running += value
        split = count > 1 or pattern("fund", "within").match(labels[at + 1]) is not None
        if values[at] > 0 and split and abs(running - values[at]) <= near:
            return count
    return 0
