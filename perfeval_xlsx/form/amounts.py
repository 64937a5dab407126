"""Cells that hold points, amounts of money or shares, and nothing else."""

from __future__ import annotations

import re
from functools import lru_cache

from perfeval_xlsx.form.labels import plain_row

POINTS = re.compile(r"\d{1,3}(?:\.\d+)?分?")
FIGURE = re.compile(r"-?[\d,]*\d(?:\.\d+)?(?:%|分|万|[百千万亿]*元)?")
"""An amount, a share or points: whatever a column of a fund table may hold."""
_AMOUNT = re.compile(r"(-?[\d,]*\d(?:\.\d+)?)(?:%|万|[百千万亿]*元)?")


@lru_cache(maxsize=4096)
def is_amount(text: str) -> bool:
    """Whether a text is an amount or a share and nothing else (``120万元``, ``90%``)."""
    return _AMOUNT.fullmatch(plain_row(text)) is not None


def amount_in(text: str) -> float | None:
    """The figure of an amount or a share as it is written, None where a text is neither."""
    match = _AMOUNT.fullmatch(plain_row(text))
    return float(match[1].replace(",", "")) if match else None
