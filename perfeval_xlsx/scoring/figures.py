"""Single figures: rounded half up, and printed the way forms do. No numpy: a run's driver needs them as well."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from functools import lru_cache

NEAR = 1e-6
"""A float this close to a tie is looked at exactly."""
SURE = 1e8
"""Below it a product's error is far smaller than ``NEAR``."""
_NOISE = 9


def nearest(exact: Fraction) -> float:
    """Return the whole number nearest to ``exact``, half up."""
    return float((2 * exact + 1) // 2)


def fraction_of(value: float) -> Fraction:
    """Return a figure as it is written."""
    return Fraction(repr(float(value)))


def round_half_up(value: float, power: int = 1) -> float:
    """Return ``value × power`` rounded half up; a float within 1e-9 of a tie is one (2.675 → 2.68)."""
    return nearest(fraction_of(round(value, _NOISE)) * power)


def _half_up_text(value: Decimal, decimals: int) -> Decimal:
    return value.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)


@lru_cache(maxsize=8_192)
def show(value: float, decimals: int = 2) -> str:
    """Print a figure without useless zeros: 2, not 2.00; 98.62; ``-0`` is 0."""
    written = repr(float(value))
    digits = written.partition(".")[2]
    if len(digits) <= decimals and digits.isdigit():
        text = written.removesuffix(".0")
        return "0" if text == "-0" else text
    text = f"{_half_up_text(Decimal(written), decimals):f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


@lru_cache(maxsize=8_192)
def show_percent(ratio: float, decimals: int = 2) -> str:
    """Print a ratio as a percentage with fixed places: 0.861830 → ``86.18%``."""
    scaled = ratio * 100 * 10**decimals
    if decimals and 0 <= scaled < SURE and abs(scaled % 1 - 0.5) > NEAR:
        whole, part = divmod(int(scaled + 0.5), 10**decimals)
        return f"{whole}.{part:0{decimals}d}%"
    return f"{_half_up_text(Decimal(repr(float(ratio))) * 100, decimals):f}%"
