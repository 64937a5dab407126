"""Units: what follows a figure, as a canonical unit with the factor that leads to it."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from perfeval_xlsx.data import load

_DATA = load("values.toml")


class Unit(NamedTuple):
    """A unit as read.

    Attributes:
        name: Canonical unit (元, 人, %, 元/亩 …), "" where there is none.
        scale: What 万 or 亿 multiply the figure with; ``factor`` what leads from the unit as written to ``name``.
        kind: Kind of quantity the unit makes: number, percent, money, duration, rate.
        size: How many characters were read.
    """

    name: str
    scale: float
    factor: float
    kind: str
    size: int


NONE = Unit("", 1.0, 1.0, "number", 0)

_UNITS: dict[str, tuple[str, float, str]] = {word: (word, 1.0, "number") for word in _DATA["counters"]["words"].split()}
for _kind, _of_kind in _DATA["unit"].items():
    for _name, _words in _of_kind.items():
        _UNITS.update({_word: (_name, float(_factor), _kind) for _word, _factor in _words.items()})
_SCALES: dict[str, float] = _DATA["scale"]
_LONGEST = max(map(len, _UNITS))
_PER = re.compile(rf"(?:/|每|[·.])\(?({_DATA['counters']['per']})\)?")
NAMED = frozenset(_DATA["counters"]["named"])


def prefix(text: str, start: int = 0) -> tuple[tuple[str, float, str], int] | None:
    """Return the longest unit word that ``text`` holds at ``start``, and its length."""
    for size in range(min(_LONGEST, len(text) - start), 0, -1):
        found = _UNITS.get(text[start : start + size])
        if found:
            return found, size
    return None


@lru_cache(maxsize=16_384)
def read_unit(text: str) -> Unit:
    """Read a scale, a unit and what it is per, at the start of a normalised text; ``NONE`` where there is nothing."""
    found, position, scale = prefix(text), 0, 1.0
    scaled = _scale(text)
    if scaled and (found is None or scaled[1] >= found[1]):
        scale, position = scaled
        found = prefix(text, position)
    if found is None:
        return Unit("", scale, 1.0, "number", position) if position else NONE
    (name, factor, kind), size = found
    return _rate(text, Unit(name, scale, factor, kind, position + size))


def _scale(text: str) -> tuple[float, int] | None:
    for size in (2, 1):
        if len(text) >= size and text[:size] in _SCALES:
            return _SCALES[text[:size]], size
    return None


def _rate(text: str, base: Unit) -> Unit:
    """Add what the unit is per (元/亩, 次/人/年); the words of a rate keep their own factor."""
    name, position = base.name, base.size
    while position < len(text) and (name != base.name or text[position] in "/每"):
        match = _PER.match(text, position)
        per = match and per_word(match[1])
        if not match or not per:
            break
        name += f"/{per[0]}"
        closing = match.group().endswith(")") and per[1] == len(match[1])
        position = match.start(1) + per[1] + int(closing)
    if name == base.name:
        return base
    return base._replace(name=name, kind="rate", size=position)


def per_word(text: str) -> tuple[str, int] | None:
    """Return the unit word a rate is per and how much of ``text`` it takes; an unknown noun counts whole."""
    found = prefix(text)
    if found is None:
        return (text, len(text)) if len(text) <= 4 and not text.isascii() else None
    (name, factor, _), size = found
    return (name if factor == 1 else text[:size]), size


@lru_cache(maxsize=4096)
def column_unit(text: str) -> Unit:
    """Read a unit column's cell, or what a name holds in brackets: a known unit, or any short word as one."""
    if known(text):
        return read_unit(text)
    word = text.strip("()[]:")
    if known(word):
        return read_unit(word)
    return Unit(word, 1.0, 1.0, "number", len(word)) if word.isalpha() and len(word) <= 6 else NONE


def known(text: str) -> bool:
    """Whether the whole text is a unit of the data file, with or without a scale (万元, 元/亩)."""
    unit = read_unit(text)
    return unit.size == len(text) > 0
