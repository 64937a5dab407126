"""Rounding half up, exact where it matters, and printing figures the way forms do."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from functools import lru_cache

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Places = int | npt.NDArray[np.int64]
"""Decimals of all rows, or by row."""

_NEAR = 1e-6
_NOISE = 9
_SURE = 1e8
"""Below it a product's error is far smaller than ``_NEAR``."""


def half_up(values: Floats, decimals: Places = 2) -> Floats:
    """Round half up to ``decimals`` places; a float within 1e-9 of a tie is one (2.675 → 2.68). NaN stays NaN."""
    power = 10.0 ** np.broadcast_to(decimals, values.shape)
    scaled = values * power
    rounded = np.floor(scaled + 0.5)
    near = np.abs(scaled - np.floor(scaled) - 0.5) < _NEAR
    for i in np.flatnonzero(near):
        rounded[i] = _rounded(_fraction(round(float(values[i]), _NOISE)) * int(power[i]))
    return np.asarray(rounded / power, dtype=np.float64)


def product_half_up(weight: Floats, top: Floats, bottom: Floats, decimals: Places = 2) -> Floats:
    """Return ``weight × top / bottom`` rounded half up, equal to exact decimal arithmetic on the figures as written.

    float64 decides wherever it is far from a tie; the few rows within 1e-6 of one are computed as fractions.
    """
    power = 10.0 ** np.broadcast_to(decimals, weight.shape)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        scaled = weight * top / bottom * power
        rounded = np.floor(scaled + 0.5)
        near = np.abs(scaled - np.floor(scaled) - 0.5) < _NEAR
    for i in np.flatnonzero(near):
        rounded[i] = _rounded(_fraction(weight[i]) * _fraction(top[i]) / _fraction(bottom[i]) * int(power[i]))
    return np.asarray(rounded / power, dtype=np.float64)


def _rounded(exact: Fraction) -> float:
    """The whole number nearest to ``exact``, half up."""
    return float((2 * exact + 1) // 2)


def _fraction(value: float) -> Fraction:
    return Fraction(repr(float(value)))


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
    if decimals and 0 <= scaled < _SURE and abs(scaled % 1 - 0.5) > _NEAR:
        whole, part = divmod(int(scaled + 0.5), 10**decimals)
        return f"{whole}.{part:0{decimals}d}%"
    return f"{_half_up_text(Decimal(repr(float(ratio))) * 100, decimals):f}%"


def show_percents(ratios: Floats) -> list[str | None]:
    """``show_percent`` of many ratios at once, None for NaN."""
    with np.errstate(invalid="ignore", over="ignore"):
        scaled = ratios * 100 * 100
        sure = (scaled >= 0) & (scaled < _SURE) & (np.abs(scaled % 1 - 0.5) > _NEAR)
    whole, part = np.divmod(np.where(sure, scaled + 0.5, 0).astype(np.int64), 100)
    texts: list[str | None] = list(map("%d.%02d%%".__mod__, zip(whole.tolist(), part.tolist(), strict=True)))
    for place in np.flatnonzero(~sure).tolist():
        ratio = float(ratios[place])
        texts[place] = None if ratio != ratio else show_percent(ratio)
    return texts
