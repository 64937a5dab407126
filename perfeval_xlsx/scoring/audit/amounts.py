"""Amounts and rates of the fund table as figures."""

from __future__ import annotations

import re
from functools import lru_cache

import numpy as np

from perfeval_xlsx.form.model import AMOUNT_FIELDS
from perfeval_xlsx.scoring.audit.context import Context, decimals
from perfeval_xlsx.scoring.audit.part import Part
from perfeval_xlsx.scoring.audit.words import pattern, plain
from perfeval_xlsx.scoring.execution import AMOUNTS, read_amounts
from perfeval_xlsx.scoring.figures import show
from perfeval_xlsx.scoring.measure import Floats

_COARSEST = 0.01
"""A rate printed in steps coarser than one percentage point says too little."""
_PLAIN = re.compile(r"^-?\d+(?:\.\d+)?$")


def amounts(context: Context, part: Part, name: str) -> Floats:
    """A column of amounts in 元 (in the figures as written where the form states no unit), NaN where there is none."""
    if name not in part.amounts:
        units = [context.forms.list("unit")[form] for form in part.forms]
        texts = [text for column in AMOUNT_FIELDS for text in part.list(column)]
        read = read_amounts(texts, units * len(AMOUNT_FIELDS))
        known = np.array([quantity.kind in AMOUNTS for quantity in read.distinct], dtype=np.bool_)
        values = np.where(known[read.codes], read.values, np.nan).reshape(len(AMOUNT_FIELDS), -1)
        part.amounts.update(zip(AMOUNT_FIELDS, values, strict=True))
    return part.amounts[name]


@lru_cache(maxsize=8192)
def printed_rate(text: str | None) -> float:
    """Return the rate a cell shows, 1 = 100 %: ``86.18%``, a fraction up to 1.5, a bare percentage above; else NaN."""
    folded = plain(text) if text else ""
    percent = pattern("rate_cell", "percent").match(folded)
    if percent:
        return float(percent[1]) / 100
    if not _PLAIN.match(folded):
        return float("nan")
    value = float(folded)
    return value if value <= 1.5 else value / 100


@lru_cache(maxsize=8192)
def rate_step(text: str | None) -> float:
    """Return one step of the last place a rate is printed with, 1 = 100 %, at most one percentage point."""
    folded = plain(text) if text else ""
    percent = pattern("rate_cell", "percent").match(folded)
    if percent:
        return min(0.01 * 10.0 ** -decimals(percent[1]), _COARSEST)
    if not _PLAIN.match(folded):
        return _COARSEST
    step = 10.0 ** -decimals(folded)
    return min(step if float(folded) <= 1.5 else 0.01 * step, _COARSEST)


def total_rates(context: Context) -> Floats:
    """The rate of every total row: computed; as printed only where the form has no amounts at all."""
    total = context.total
    printed = np.array([printed_rate(text) for text in total.list("self_rate")], dtype=np.float64)
    amounts_there = total.has("executed") | total.has("annual_budget") | total.has("initial_budget")
    return np.where(amounts_there, total.floats("rate"), printed)


def show_amount(value: float) -> str:
    """Print an amount in the form's unit, up to six places, without useless zeros."""
    return show(float(value), 6)
