"""Columns rounded half up, exact where it matters."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from perfeval_xlsx.scoring.figures import NEAR, SURE, fraction_of, nearest, round_half_up, show, show_percent

Floats = npt.NDArray[np.float64]
Objects = npt.NDArray[np.object_]
Places = int | npt.NDArray[np.int64]
"""Decimals of all rows, or by row."""

_MOST, _ODD = 10_000, 10_001
_SHOWN = np.full(_ODD + 1, None, dtype=object)
"""Texts of 0 to 100 in hundredths, which points and scores mostly are; made when first met. The last one is none."""
_MADE = np.zeros(_ODD + 1, dtype=np.bool_)
_MADE[_ODD] = True


def half_up(values: Floats, decimals: Places = 2) -> Floats:
    """Round half up to ``decimals`` places; a float within 1e-9 of a tie is one (2.675 → 2.68). NaN stays NaN."""
    power = 10.0 ** np.broadcast_to(decimals, values.shape)
    scaled = values * power
    rounded = np.floor(scaled + 0.5)
    near = np.abs(scaled - np.floor(scaled) - 0.5) < NEAR
    for i in np.flatnonzero(near):
        rounded[i] = round_half_up(float(values[i]), int(power[i]))
    return np.asarray(rounded / power, dtype=np.float64)


def product_half_up(weight: Floats, top: Floats, bottom: Floats, decimals: Places = 2) -> Floats:
    """Return ``weight × top / bottom`` rounded half up, equal to exact decimal arithmetic on the figures as written.

    float64 decides wherever it is far from a tie; the few rows within 1e-6 of one are computed as fractions.
    """
    power = 10.0 ** np.broadcast_to(decimals, weight.shape)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        scaled = weight * top / bottom * power
        rounded = np.floor(scaled + 0.5)
        near = np.abs(scaled - np.floor(scaled) - 0.5) < NEAR
    for i in np.flatnonzero(near):
        rounded[i] = nearest(fraction_of(weight[i]) * fraction_of(top[i]) / fraction_of(bottom[i]) * int(power[i]))
    return np.asarray(rounded / power, dtype=np.float64)


def show_percents(ratios: Floats) -> list[str | None]:
    """``show_percent`` of many ratios at once, None for NaN."""
    with np.errstate(invalid="ignore", over="ignore"):
        scaled = ratios * 100 * 100
        sure = (scaled >= 0) & (scaled < SURE) & (np.abs(scaled % 1 - 0.5) > NEAR)
    whole, part = np.divmod(np.where(sure, scaled + 0.5, 0).astype(np.int64), 100)
    texts: list[str | None] = list(map("%d.%02d%%".__mod__, zip(whole.tolist(), part.tolist(), strict=True)))
    for place in np.flatnonzero(~sure).tolist():
        ratio = float(ratios[place])
        texts[place] = None if ratio != ratio else show_percent(ratio)
    return texts


def show_figures(figures: Floats) -> Objects:
    """``show`` of many figures at once, None for NaN; points and scores are looked up."""
    with np.errstate(invalid="ignore", over="ignore"):
        hundredths = np.rint(figures * 100)
        usual = (hundredths / 100 == figures) & (hundredths >= 0) & (hundredths <= _MOST)
    places = np.where(usual, hundredths, _ODD).astype(np.int64)
    made = _MADE[places]
    if not made.all():
        for place in set(places[~made].tolist()):
            _SHOWN[place], _MADE[place] = show(place / 100), True
    texts: Objects = _SHOWN[places]
    if not usual.all():
        odd = ~usual & (figures == figures)
        texts[odd] = [show(figure) for figure in figures[odd].tolist()]
    return texts
