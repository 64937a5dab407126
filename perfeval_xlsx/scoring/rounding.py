"""Rounding half up, exact where it matters, and printing figures the way forms do."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from functools import lru_cache

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_NEAR = 1e-6


def half_up(values: Floats, decimals: int = 2) -> Floats:
    """Round half up to ``decimals`` places; a float that prints as a tie counts as one (2.675 → 2.68). NaN stays NaN."""
    scaled = values * 10.0**decimals
    rounded = np.floor(scaled + 0.5)
    near = np.abs(scaled - np.floor(scaled) - 0.5) < _NEAR
    for i in np.flatnonzero(near):
        rounded[i] = float(_half_up_text(Decimal(repr(float(values[i]))), decimals).scaleb(decimals))
    return np.asarray(rounded / 10.0**decimals, dtype=np.float64)


def product_half_up(weight: Floats, top: Floats, bottom: Floats, decimals: int = 2) -> Floats:
    """Return ``weight × top / bottom`` rounded half up, equal to exact decimal arithmetic on the figures as written.

    float64 decides wherever it is far from a tie; the few rows within 1e-6 of one are computed as fractions.
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        scaled = weight * top / bottom * 10.0**decimals
        rounded = np.floor(scaled + 0.5)
        near = np.abs(scaled - np.floor(scaled) - 0.5) < _NEAR
    for i in np.flatnonzero(near):
        exact = _fraction(weight[i]) * _fraction(top[i]) / _fraction(bottom[i]) * 10**decimals
        rounded[i] = float((2 * exact + 1) // 2)
    return np.asarray(rounded / 10.0**decimals, dtype=np.float64)


def _fraction(value: float) -> Fraction:
    return Fraction(repr(float(value)))


def _half_up_text(value: Decimal, decimals: int) -> Decimal:
    return value.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)


@lru_cache(maxsize=65_536)
def show(value: float, decimals: int = 2) -> str:
    """Print a figure without useless zeros: 2, not 2.00; 98.62; ``-0`` is 0."""
    text = f"{_half_up_text(Decimal(repr(value)), decimals):f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


@lru_cache(maxsize=65_536)
def show_percent(ratio: float, decimals: int = 2) -> str:
    """Print a ratio as a percentage with fixed places: 0.861830 → ``86.18%``."""
    return f"{_half_up_text(Decimal(repr(ratio)) * 100, decimals):f}%"
