"""Many cells as quantities at once: the words around their figures are told apart by one expression, read once each."""

from __future__ import annotations

import re
from collections.abc import Sequence
from operator import add
from typing import NamedTuple

from perfeval_xlsx.form.value_quantity import Quantity
from perfeval_xlsx.form.values import parse_value, pattern_of

Context = tuple[str | None, str | None, str | None]
"""The arguments of ``parse_value`` beside the text: sign, unit, name."""

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


def read_cells(texts: Sequence[str | None], contexts: Sequence[Context]) -> Quantities:
    """Read some cells in their contexts, every one as ``parse_value`` does."""
    heads, figures, places, rests = zip(*_figures(texts), strict=True) if texts else ((),) * 4
    keys = list(zip(heads, map(bool, figures), map(bool, places), rests, contexts, strict=True))
    distinct: list[Quantity] = []
    patterns = {key: _pattern(distinct, *key) for key in dict.fromkeys(keys)}
    codes, behind = zip(*map(patterns.__getitem__, keys), strict=True) if keys else ((), ())
    values = list(map(float, map(add, figures, behind)))
    read = Quantities(distinct, list(codes), values, list(texts))  # type: ignore[arg-type]
    for place, code in enumerate(codes):
        if code < 0:
            quantity = parse_value(texts[place], *contexts[place])
            read.codes[place], read.texts[place] = len(distinct), quantity.text
            read.values[place] = float("nan") if quantity.value is None else quantity.value
            distinct.append(quantity)
    return read


def _figures(texts: Sequence[str | None]) -> list[tuple[str, str, str, str]]:
    """What ``_LINES`` finds in every text."""
    plain = [text or "" for text in texts]
    lines = "\n".join(plain)
    if lines.count("\n") >= len(plain):
        lines = "\n".join(["" if "\n" in text else text for text in plain])
    return _LINES.findall(lines)


def _pattern(
    distinct: list[Quantity], head: str, figure: bool, places: bool, rest: str, context: Context
) -> tuple[int, str]:
    """Position of the quantity of such figures, and what to write behind a figure; -1 where each is read by itself."""
    pattern = pattern_of(head, places, rest, *context) if figure else None
    if pattern is None:
        return -1, "" if figure else "nan"
    distinct.append(pattern[0])
    return len(distinct) - 1, pattern[1]
