"""Many cells as quantities at once: the words around their figures are told apart by one expression, read once each."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from perfeval_xlsx.form.value_quantity import Quantity
from perfeval_xlsx.form.values import parse_value, pattern_of

Cell = tuple[str | None, str | None, str | None, str | None]
"""The arguments of ``parse_value``: text, sign, unit, name."""

_LINES = re.compile(
    r"^(?:([≥≤><=±]?[\u4e00-\u9fa5]{0,5})(?!20[0-9]*\.)((?:[1-9][0-9]{0,8}|0)(\.[0-9]{1,6})?)([%‰/\u4e00-\u9fa5]{0,6})$|.*)",
    re.MULTILINE,
)
"""Every line once: words, figure, its decimal places, words where it is one figure with words that ``normalise`` leaves
as they are, and no month (2023.12); else nothing."""


class Quantities(NamedTuple):
    """Some cells, read.

    Attributes:
        distinct: The quantities that differ in more than figure and text.
        codes: By cell, the position in ``distinct``.
        values: By cell, the figure in base units (``Quantity.value``), NaN without one.
        texts: By cell, its text, normalised.
    """

    distinct: list[Quantity]
    codes: list[int]
    values: list[float]
    texts: list[str]


def read_cells(cells: Sequence[Cell]) -> Quantities:
    """Read some cells, every one as ``parse_value`` does."""
    read = Quantities([], [], [], [])
    known: dict[tuple[str | None, ...], tuple[int, str] | None] = {}
    for cell, (head, figure, places, rest) in zip(cells, _figures(cells), strict=True):
        found = None
        if figure:
            key = (head, places and ".", rest, *cell[1:])
            if key not in known:
                known[key] = _pattern(read, head, places, rest, cell)
            found = known[key]
        if found is None:
            quantity = parse_value(*cell)
            read.distinct.append(quantity)
            read.codes.append(len(read.distinct) - 1)
            read.values.append(float("nan") if quantity.value is None else quantity.value)
            read.texts.append(quantity.text)
        else:
            read.codes.append(found[0])
            read.values.append(float(figure + found[1]))
            read.texts.append(head + figure + rest)
    return read


def _figures(cells: Sequence[Cell]) -> list[tuple[str, str, str, str]]:
    """What ``_LINES`` finds in every cell."""
    texts = [cell[0] or "" for cell in cells]
    lines = "\n".join(texts)
    if lines.count("\n") >= len(texts):
        lines = "\n".join(["" if "\n" in text else text for text in texts])
    return _LINES.findall(lines) if texts else []


def _pattern(read: Quantities, head: str, places: str, rest: str, cell: Cell) -> tuple[int, str] | None:
    """Take up the quantity of such figures; its position, and what to write behind a figure."""
    pattern = pattern_of(head, places != "", rest, *cell[1:])
    if pattern is None:
        return None
    read.distinct.append(pattern[0])
    return len(read.distinct) - 1, pattern[1]
