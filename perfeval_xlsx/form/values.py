"""One cell's text as a quantity: ``≥16万人`` → at least 160,000 人.

``parse_value`` is pure, cached and never raises. All words are in ``data/values.toml``; a text that holds a word or a
form not found there is never taken for a figure: it comes back as text, or as unreadable where it looks like a figure.
"""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache
from math import prod

from perfeval_xlsx.data import load
from perfeval_xlsx.form import dates, value_units
from perfeval_xlsx.form.numerals import arabic
from perfeval_xlsx.form.value_quantity import Quantity
from perfeval_xlsx.form.value_text import change_of, has_negative, lower_is_better, normalise, words_pattern
from perfeval_xlsx.form.value_units import NONE, Unit, read_unit
from perfeval_xlsx.form.value_words import (
    NOTHING,
    Around,
    counted_noun,
    join,
    rate_unit,
    read_head,
    read_tail,
    unknown_counter,
)

__all__ = ["Quantity", "change_of", "has_negative", "lower_is_better", "normalise", "parse_value", "sign_comparator"]

_DATA = load("values.toml")
_PLACEHOLDERS = frozenset(normalise(word) for word in _DATA["placeholder"]["words"])
_ELSEWHERE = frozenset(normalise(word) for word in _DATA["unreadable"]["words"])
_UNFILLED = re.compile(_DATA["placeholder"]["pattern"])
_VERDICTS = {word: tier for tier in ("met", "partial", "unmet") for word in _DATA["verdict"][tier]}
_OFF = _DATA["verdict"]["off"]
_LEADING = re.compile(f"({words_pattern([word for word in _VERDICTS if len(word) > 4])})[,。;:(]")
_WORDS: dict[str, tuple[str, float, str]] = {word: tuple(facts) for word, facts in _DATA["words"].items()}
_SIGNS: dict[str, str] = _DATA["sign"]["words"]
_INNER = tuple(_DATA["tail"]["inner"])
_TIME = re.compile(_DATA["name"]["time"])
_BRACKET = re.compile(_DATA["name"]["bracket"])

_FIGURE = r"(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]+)?"
_NUMBER = re.compile(rf"(?P<head>[^0-9+-]*)(?P<figure>[+-]?{_FIGURE})(?P<rest>.*)")
_TO = r"[-—~至到]{1,2}"
_RANGE = re.compile(rf"(?P<head>[^0-9]*)(?P<low>{_FIGURE})(?P<unit>[^0-9]*?){_TO}(?P<high>{_FIGURE})(?P<rest>.*)")
_RATIO = re.compile(rf"(?P<head>[^0-9]*)(?P<a>{_FIGURE}):(?P<b>{_FIGURE})(?P<rest>[^0-9]*)")
_FIGURES, _DIGIT, _HAN = re.compile(_FIGURE), re.compile(r"[0-9]"), re.compile("[\u4e00-\u9fff]")
_PASSED = re.compile(f"(?P<inclusive>{_DATA['tail']['inclusive']})|{_DATA['head']['base_year']}")
_BASE = _DATA["head"]["base"][0]
_POINT = re.compile(r"\.[0-9]+%?")
_YEARS = re.compile("(?:19|20)[0-9]{2}年")
_SEPARATOR = re.compile(r"[,;、。]+|(?<=[^0-9])(?:和|及|且|并)(?=[^0-9]*[0-9])")
_SYMBOLS = re.compile("[≥≤><=±%‰]")
_SHAPE = re.compile(
    r"(?P<head>[^0-9.,()+\-—~:至到月季年]{0,6})(?P<figure>(?:[1-9][0-9]{0,8}|0)(?P<places>\.[0-9]{1,6})?)"
    r"(?P<rest>[^0-9.,()+\-—~:至到月季年]{0,6})"
)
"""One figure with few words around it: what the words say does not depend on the figure."""
_MONTH = re.compile(r"20[0-9]{2}\.")
_SHORT, _DIGITS = 10, 18
_LONG = 200
"""Longer texts are prose: no figure is written in that many characters, and no pattern need look for one."""

_EXPONENTS: dict[float, int] = {float(f"1e{exponent}"): exponent for exponent in range(-6, 16)}
"""Powers of ten: what a figure is multiplied with is mostly one, and is then written behind it."""
_FAR = 16

_COUNTED = frozenset({"number", "percent", "money", "rate", "range", "ratio", "duration"})


@lru_cache(maxsize=16_384)
def parse_value(
    text: str | None, sign: str | None = None, unit: str | None = None, name: str | None = None
) -> Quantity:
    """Read a target or an actual.

    Args:
        text: The cell as displayed.
        sign: The row's sign column (指标性质), if any; a comparator in the cell comes first.
        unit: The row's unit column, if any; a unit in the cell comes first.
        name: The indicator's name, whose brackets may hold comparator and unit; a name of time makes 2023.12 a date,
            any other name leaves such a figure unreadable.
    """
    if text is None:
        return Quantity("blank")
    quantity = _read(normalise(text))
    return quantity if sign is unit is name is None else _in_context(quantity, sign or "", unit or "", name)


@lru_cache(maxsize=4096)
def sign_comparator(sign: str) -> str:
    """Return the comparator a sign column's cell stands for, "" for 定性, 定量 and any other word."""
    return _SIGNS.get(normalise(sign), "")


def _read(text: str) -> Quantity:
    match = _SHAPE.fullmatch(text)
    if match is not None and not _MONTH.match(match["figure"]):
        shape = _shape(match["head"], match["places"] is not None, match["rest"])
        if shape is not None:
            value = _scaled(match["figure"], shape.scale, shape.factor)
            return Quantity._make((*shape[:2], value, *shape[3:8], text, *shape[9:]))
    return _read_words(text)


@lru_cache(maxsize=4096)
def _shape(head: str, places: bool, rest: str) -> Quantity | None:
    """What words around a figure say, read once with one figure for all; None where they make no figure of it."""
    figure = "7.5" if places else "7"
    found = _read_words(f"{head}{figure}{rest}")
    plain = found.kind in _COUNTED and found.high is None and found.first is None and not found.parts
    return found if plain and found.value == _scaled(figure, found.scale, found.factor) else None


@lru_cache(maxsize=4096)
def pattern_of(
    head: str, places: bool, rest: str, sign: str | None, unit: str | None, name: str | None
) -> tuple[Quantity, int] | None:
    """What ``parse_value`` says of every figure between the words ``head`` and ``rest``, save its value and its text.

    The words are written as ``normalise`` writes them; ``places``: the figure has decimal places; the rest is as for
    ``parse_value``.

    Returns:
        The quantity of a figure, and the power of ten (4 for 万, -16 to 16) that makes the figure the value; None where
        the words make no figure of it, or where more depends on the figure.
    """
    if not _SHAPE.fullmatch(f"{head}7{rest}"):
        return None
    found = _shape(head, places, rest)
    if found is None or (found.kind == "number" and not found.unit and _TIME.search(f"{name or ''} {unit or ''}")):
        return None
    if not sign is unit is name is None:
        found = _in_context(found, sign or "", unit or "", name)
    scale, factor = _EXPONENTS.get(found.scale), _EXPONENTS.get(found.factor)
    if scale is None or factor is None or abs(scale + factor) > _FAR:
        return None
    return found, scale + factor


@lru_cache(maxsize=16_384)
def _read_words(text: str) -> Quantity:
    if not text:
        return Quantity("blank")
    if text in _PLACEHOLDERS or _UNFILLED.fullmatch(text) or value_units.known(text):
        return Quantity("placeholder", text=text)
    if text in _ELSEWHERE:
        return Quantity("unreadable", text=text)
    word = text.strip(_OFF)
    if word in _VERDICTS:
        return Quantity("verdict", text=text, verdict=_VERDICTS[word])
    if word in _WORDS:
        kind, value, unit = _WORDS[word]
        return Quantity(kind, value=float(value), unit=unit, text=text)
    if len(text) > _LONG:
        return Quantity("text", text=text)
    return _figures(text) or _spelled(text) or _several(text) or _prose(text)


def _figures(text: str) -> Quantity | None:
    """A text that is one deadline, number, range or ratio and nothing else."""
    day = dates.read_day(text)
    if day:
        return _deadline(day, text)
    if not _DIGIT.search(text):
        return None
    return _number(text) or _range(text) or _ratio(text)


def _deadline(day: dates.Day, text: str) -> Quantity:
    first = None if day.first == day.last else day.first
    return Quantity("deadline", value=day.last, first=first, unit=day.unit, text=text)


def _spelled(text: str) -> Quantity | None:
    """A quantity in Chinese numerals: only with a counter that makes no name of them (三次, not 三级)."""
    plain = arabic(text)
    found = _figures(plain) if plain != text else None
    if found is None or (found.kind == "number" and (found.unit in value_units.NAMED or not _strict(plain))):
        return None
    return found._replace(text=text)


def _strict(text: str) -> bool:
    """Whether a number is followed by nothing but a known unit and passing words."""
    match = _NUMBER.fullmatch(text)
    return match is None or read_tail(match["rest"][read_unit(match["rest"]).size :]) is not None


def _number(text: str) -> Quantity | None:
    plain = f"0{text}" if _POINT.fullmatch(text) else _PASSED.sub(_pass_over, text)
    match = _NUMBER.fullmatch(plain)
    head = match and read_head(match["head"])
    if not match or not head:
        return None
    found = _after(match["rest"])
    if found is None:
        return None
    unit, tail, rounded = found
    comparator = join(head.comparator, head.weak, tail.comparator)
    if comparator is None or len(match["figure"]) > _DIGITS:
        return None
    approximate = head.rounded or tail.rounded or rounded
    unit = rate_unit(unit, head.per)
    return Quantity(
        unit.kind,
        comparator="" if head.weak and approximate else comparator,
        value=_scaled(match["figure"], unit.scale, unit.factor),
        unit=unit.name,
        scale=unit.scale,
        factor=unit.factor,
        approximate=approximate,
        text=text,
        change=head.change,
    )


def _pass_over(found: re.Match[str]) -> str:
    """Nothing for (含90%); 较2020年 like 较上年."""
    return "" if found["inclusive"] else str(_BASE)


def _scaled(figure: str, *factors: float) -> float:
    """The figure times the factors, in decimals: 1.2万 is 12000, not 11999.999."""
    plain = figure.replace(",", "")
    if factors.count(1) == len(factors):
        return float(plain)
    exponents = [_EXPONENTS.get(factor) for factor in factors]
    if None not in exponents and "e" not in plain:
        return float(f"{plain}e{sum(filter(None, exponents))}")
    return float(prod((Decimal(repr(factor)) for factor in factors), start=Decimal(plain)))


def _after(rest: str) -> tuple[Unit, Around, bool] | None:
    """Read what follows a figure: rounding, unit, words; None where something is not understood."""
    rounded = rest.startswith(_INNER)
    if rounded:
        rest = rest[1:]
    if rest.startswith("(") and rest.endswith(")"):
        inner = read_unit(rest[1:-1])
        if inner.size == len(rest) - 2:
            return inner, NOTHING, rounded
    unit = read_unit(rest)
    left = rest[unit.size :]
    tail = read_tail(left)
    if tail is None and unit.kind == "number" and unit.name:
        tail = counted_noun(left)
    elif tail is None and not unit.name:
        counter = unknown_counter(left)
        if counter:
            unit, tail = unit._replace(name=counter[0]), counter[1]
    return None if tail is None else (unit, tail, rounded)


def _range(text: str) -> Quantity | None:
    match = None if _YEARS.search(text) else _RANGE.fullmatch(text)
    head = match and read_head(match["head"])
    if not match or not head or (head.comparator and not head.weak):
        return None
    found, first = _after(match["rest"]), read_unit(match["unit"])
    if found is None or first.size != len(match["unit"]):
        return None
    unit, tail, rounded = found
    written = first if first.size else unit
    low = _scaled(match["low"], written.scale, written.factor)
    high = _scaled(match["high"], unit.scale, unit.factor)
    if low >= high or (first.size and first.name not in {"", unit.name}) or tail.comparator:
        return None
    return Quantity(
        "range",
        value=low,
        high=high,
        unit=unit.name + head.per,
        scale=unit.scale,
        factor=unit.factor,
        approximate=rounded or head.rounded or tail.rounded,
        text=text,
        change=head.change,
    )


def _ratio(text: str) -> Quantity | None:
    match = _RATIO.fullmatch(text)
    head, tail = (match and read_head(match["head"])), (match and read_tail(match["rest"]))
    if not match or not head or not tail:
        return None
    comparator, below = join(head.comparator, head.weak, tail.comparator), _scaled(match["b"], 1)
    if comparator is None or not below:
        return None
    return Quantity("ratio", comparator=comparator, value=_scaled(match["a"], 1) / below, unit=":", text=text)


def _several(text: str) -> Quantity | None:
    """A text of several quantities, with its parts where each can be read."""
    if "各" in text and len(text) <= _SHORT:
        return Quantity("multiple", text=text)
    if len(_FIGURES.findall(text)) < 2 or has_negative(text) or dates.written(text):
        return None
    parts = _dated(text) or _listed(text)
    return Quantity("multiple", text=text, parts=parts) if parts or _HAN.search(text) else None


def _dated(text: str) -> tuple[Quantity, ...]:
    """A deadline and what was done by then: 11月底完成100%."""
    for match in _FIGURES.finditer(text):
        for start in (match.start(), match.start() - 1):
            day = dates.read_day(text[:start]) if start > 1 else None
            amount = _number(text[start:]) if day else None
            if day and amount and amount.kind != "duration":
                return _deadline(day, text[:start]), amount
    return ()


def _listed(text: str) -> tuple[Quantity, ...]:
    parts = [_figures(piece) for piece in _SEPARATOR.split(text) if piece]
    return tuple(part for part in parts if part) if len(parts) > 1 and all(parts) else ()


def _prose(text: str) -> Quantity:
    """A text: a verdict with an explanation, words, or something like a figure that is not understood."""
    leading = _LEADING.match(text)
    if leading:
        tier = _VERDICTS[leading[1]]
        if tier != "met" or not has_negative(text[leading.end() :]):
            return Quantity("verdict", text=text, verdict=tier)
    figure = _DIGIT.search(text)
    if figure and (figure.start() == 0 or len(text) <= _SHORT or _SYMBOLS.search(text)):
        return Quantity("unreadable", text=text)
    return Quantity("text", text=text)


def _in_context(quantity: Quantity, sign: str, unit: str, name: str | None) -> Quantity:
    """Add what the sign column, the unit column and the name say to a figure that does not say it itself."""
    if quantity.kind not in _COUNTED:
        return quantity
    named_sign, named_unit = _from_name(name) if name else ("", NONE)
    column = value_units.column_unit(normalise(unit)) if unit and normalise(unit) not in _PLACEHOLDERS else NONE
    if quantity.kind == "number" and not quantity.unit and dates.dotted(quantity.text):
        dated = _perhaps_date(quantity, column if column.name else named_unit, unit, name)
        if dated:
            return dated
    comparator = quantity.comparator or sign_comparator(sign) or named_sign
    if comparator != quantity.comparator:
        quantity = quantity._replace(comparator=comparator)
    return _with_unit(quantity, column if column.name else named_unit)


def _perhaps_date(quantity: Quantity, column: Unit, unit: str, name: str | None) -> Quantity | None:
    """2023.12: a month where the name speaks of time, unreadable under any other name without a unit."""
    if _TIME.search(name or "") or _TIME.search(unit):
        day = dates.dotted_day(quantity.text)
        if day:
            return _deadline(day, quantity.text)
        return Quantity("unreadable", text=quantity.text) if not column.name else None
    month = name is not None and not column.name and "." in quantity.text and dates.dotted_day(quantity.text)
    return Quantity("unreadable", text=quantity.text) if month else None


def _with_unit(quantity: Quantity, unit: Unit) -> Quantity:
    if not unit.name or quantity.kind not in {"number", "range"} or quantity.unit:
        return quantity
    scale = unit.scale if quantity.scale == 1 else 1.0
    return quantity._replace(
        kind="range" if quantity.kind == "range" else unit.kind,
        value=_times(quantity.value, scale, unit.factor),
        high=_times(quantity.high, scale, unit.factor),
        unit=unit.name,
        scale=quantity.scale * scale,
        factor=unit.factor,
        borrowed=True,
    )


def _times(value: float | None, scale: float, factor: float) -> float | None:
    return None if value is None else _scaled(repr(value), scale, factor)


@lru_cache(maxsize=4096)
def _from_name(name: str) -> tuple[str, Unit]:
    """Comparator and unit in a name's brackets: 公猪舍(≥**平方米), 满意度(%)."""
    for inside in _BRACKET.findall(normalise(name)):
        comparator = next((sign for word, sign in _DATA["comparator"]["before"].items() if inside.startswith(word)), "")
        word = re.sub(r"^[^\u4e00-\u9fff%‰a-zA-Z]+", "", inside) if comparator else inside
        if value_units.known(word):
            return comparator, read_unit(word)
        if comparator and _DIGIT.search(inside):
            return comparator, NONE
    return "", NONE
