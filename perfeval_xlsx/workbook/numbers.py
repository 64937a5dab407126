"""Numbers as Excel shows them: General, and the placeholders of a format's section."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

from perfeval_xlsx.workbook.formats import Section, Token

_EXACT = Context(prec=700, rounding=ROUND_HALF_UP)
_FIFTEEN = Context(prec=15, rounding=ROUND_HALF_UP)
_SIX = Context(prec=6, rounding=ROUND_HALF_UP)
_WIDTH = 11
_SMALL = 1e-3
"""From here on a number of few digits shows all of them."""
_NEAR, _SURE = 1e-6, 1e8
"""How far from a tie, and how small, a scaled float rounds like the decimal it stands for."""


def decimal(value: float) -> Decimal:
    """Return the decimal a person sees: the shortest that reads back, at most 15 significant digits as in Excel."""
    return _FIFTEEN.create_decimal(repr(value))


class Fixed(NamedTuple):
    """A format of fixed places: ``0.00``, ``0.00%``, ``#,##0``.

    Attributes:
        factor: What a number is multiplied by before it is shown: 100 for per cent.
        unit: How many of the last place make one.
        pattern: Shows the product.
    """

    factor: int
    unit: int
    pattern: str

    @classmethod
    def of(cls, places: int, percent: bool, grouped: bool) -> Fixed:
        """Return the format with so many places."""
        pattern = f"{{:{',' if grouped else ''}.{places}f}}{'%' if percent else ''}"
        return cls(100 if percent else 1, 10**places, pattern)

    def show(self, value: float) -> str | None:
        """Return a number as it is shown; None where only decimals can tell."""
        shown = value * self.factor
        scaled = shown * self.unit
        if not 0 <= scaled < _SURE or abs(scaled % 1 - 0.5) < _NEAR:
            return None
        return self.pattern.format(shown + 0.0)  # never -0


def rounded(number: Decimal, places: int) -> Decimal:
    """Round half up to ``places`` decimals."""
    return number.quantize(Decimal(1).scaleb(-places), context=_EXACT)


def general(value: float) -> str:
    """Return a number under General: at most 11 characters, else scientific with six significant digits."""
    if value.is_integer() and abs(value) < 1e11:
        return str(int(value))
    written = repr(value)
    if len(written) <= _WIDTH and _SMALL <= abs(value) < 1e11:
        return written
    number = abs(decimal(value))
    sign = "-" if value < 0 else ""
    return sign + _general(number)


def _general(number: Decimal) -> str:
    order = number.adjusted()
    if -5 < order < _WIDTH:
        shown = _stripped(rounded(number, 9 if order < 0 else max(0, 9 - order)))
        if len(shown.partition(".")[0]) <= _WIDTH:
            return shown
    shown = _stripped(number)
    if len(shown) <= _WIDTH and order < _WIDTH:
        return shown
    mantissa = _SIX.plus(number)
    order = mantissa.adjusted()
    return f"{_stripped(mantissa.scaleb(-order))}E{'-' if order < 0 else '+'}{abs(order):02d}"


def _stripped(number: Decimal) -> str:
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


@dataclass(slots=True)
class Plan:
    """Which token of a section shows which digit.

    Attributes:
        whole: Indexes of the integer placeholders.
        decimals: Indexes of the decimal placeholders.
        exponent: Indexes of the exponent's placeholders.
        grouped: Whether thousands are separated.
        scale: Power of ten the value is shifted by (percent signs up, trailing commas down).
        silent: Indexes of tokens that show nothing (commas).
        slash: Index of the fraction bar, or -1.
    """

    whole: list[int] = field(default_factory=list)
    decimals: list[int] = field(default_factory=list)
    exponent: list[int] = field(default_factory=list)
    grouped: bool = False
    scale: int = 0
    silent: set[int] = field(default_factory=set)
    slash: int = -1


def plan(section: Section) -> Plan:
    """Work out a number section's plan once."""
    made, tokens = Plan(), section.tokens
    target, commas = made.whole, 0
    last = max((i for i, token in enumerate(tokens) if token.kind == "digit" or token.text.isdigit()), default=-1)
    for index, (kind, _) in enumerate(tokens):
        if kind == "digit":
            made.grouped = made.grouped or (commas > 0 and target is made.whole and bool(made.whole))
            target.append(index)
            commas = 0
        elif kind == "point" and target is made.whole:
            made.scale, commas, target = made.scale - 3 * commas, 0, made.decimals
        elif kind == "exponent":
            made.scale, commas, target = made.scale - 3 * commas, 0, made.exponent
        elif kind == "comma":
            commas += bool(made.whole or made.decimals)
            made.silent.add(index)
        elif kind == "percent":
            made.scale += 2
        elif kind == "slash" and index < last and made.whole and made.slash < 0:
            made.slash = index
    made.scale -= 3 * commas
    return made


def show_number(section: Section, made: Plan, value: float) -> str:
    """Return the magnitude of ``value`` under a number section; the sign is the caller's."""
    number = _EXACT.scaleb(abs(decimal(value)), made.scale)
    if made.slash >= 0:
        return _fraction(section.tokens, made, number)
    shown: dict[int, str] = {}
    if made.exponent:
        number = _exponent(section.tokens, made, number, shown)
    text = format(rounded(number, len(made.decimals)), "f")
    whole, _, decimals = text.partition(".")
    _fill_whole(section.tokens, made, whole.lstrip("0"), shown)
    if not made.whole and made.decimals:
        shown[made.decimals[0] - 1] = whole.lstrip("0") + "."
    _fill_decimals(section.tokens, made, decimals, shown)
    return _joined(section.tokens, made, shown)


def _joined(tokens: tuple[Token, ...], made: Plan, shown: dict[int, str]) -> str:
    return "".join(
        shown.get(index, token.text) for index, token in enumerate(tokens) if index in shown or index not in made.silent
    )


def _blank(placeholder: str) -> str:
    return {"0": "0", "?": " "}.get(placeholder, "")


def _fill_whole(tokens: tuple[Token, ...], made: Plan, digits: str, shown: dict[int, str]) -> None:
    """Give integer placeholders their digits from the right; the first takes all that is left."""
    slots = made.whole
    for place, index in enumerate(reversed(slots)):
        leftmost = place == len(slots) - 1
        if place >= len(digits):
            text = _blank(tokens[index].text)
        elif leftmost:
            text = digits[: len(digits) - place]
        else:
            text = digits[-1 - place]
        shown[index] = _grouped(text, place) if made.grouped else text


def _grouped(text: str, place: int) -> str:
    """Put a comma behind each digit whose place (0 for units) is a multiple of three."""
    if not text.strip():
        return text
    count = len(text) + place - 1
    return "".join(d + ("," if (count - i) % 3 == 0 and count - i > 0 else "") for i, d in enumerate(text))


def _fill_decimals(tokens: tuple[Token, ...], made: Plan, decimals: str, shown: dict[int, str]) -> None:
    kept = len(decimals.rstrip("0"))
    for place, index in enumerate(made.decimals):
        shown[index] = decimals[place] if place < kept else _blank(tokens[index].text)


def _exponent(tokens: tuple[Token, ...], made: Plan, number: Decimal, shown: dict[int, str]) -> Decimal:
    """Fill the exponent's placeholders and return the mantissa."""
    step = max(1, len(made.whole))
    order = 0
    if number:
        order = number.adjusted() // step * step
        if rounded(number.scaleb(-order), len(made.decimals)) >= Decimal(10) ** step:
            order += step
    sign = next(i for i, token in enumerate(tokens) if token.kind == "exponent")
    minus = "-" if order < 0 else ("+" if tokens[sign].text.endswith("+") else "")
    shown[sign] = "E" + minus
    if made.exponent:
        shown[made.exponent[0]] = f"{abs(order):0{len(made.exponent)}d}"
        shown.update(dict.fromkeys(made.exponent[1:], ""))
    return number.scaleb(-order)


def _fraction(tokens: tuple[Token, ...], made: Plan, number: Decimal) -> str:
    """Show ``# ?/?``, ``# ??/??``, ``?/8``: the nearest fraction the denominator's places can hold."""
    before = [i for i in made.whole if i < made.slash]
    after = [i for i in made.whole if i > made.slash]
    digits = "".join(token.text for token in tokens[made.slash + 1 :] if token.text.isdigit())
    fixed = int(digits) if digits.strip("0") else 0
    split = _numerator_start(before)
    exact = Fraction(number)
    whole = int(exact) if split else 0
    rest = exact - whole
    if fixed:
        top, bottom = int(rest * fixed + Fraction(1, 2)), fixed
    else:
        top, bottom = _convergent(rest, 10 ** max(1, len(after)) - 1)
    if split and top == bottom:
        whole, top = whole + 1, 0
    shown = f"{top}/{bottom}"
    if not split:
        return shown
    kept = whole or tokens[before[0]].text == "0"
    return (f"{whole} {shown}" if kept else shown) if top else str(whole)


def _convergent(exact: Fraction, largest: int) -> tuple[int, int]:
    """Return the last convergent of the continued fraction whose denominator fits: as Excel, not the nearest."""
    top, bottom, last_top, last_bottom = 1, 0, 0, 1
    while True:
        whole = exact.numerator // exact.denominator
        top, last_top = whole * top + last_top, top
        bottom, last_bottom = whole * bottom + last_bottom, bottom
        if bottom > largest:
            return last_top, last_bottom
        exact -= whole
        if not exact:
            return top, bottom
        exact = 1 / exact


def _numerator_start(slots: list[int]) -> bool:
    """Whether a gap (a literal blank) parts integer placeholders from the numerator's."""
    return any(b - a > 1 for a, b in pairwise(slots))
