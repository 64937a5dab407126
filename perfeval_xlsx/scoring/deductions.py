"""Points taken off in a column of the form's own (扣减分数), where the rulebook knows such a column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from perfeval_xlsx.data import load
from perfeval_xlsx.form.values import normalise, parse_value
from perfeval_xlsx.scoring.columns import Codes, Floats, by_book, each
from perfeval_xlsx.scoring.measure import number
from perfeval_xlsx.scoring.rulebook import Rulebook


def deductions(rows: pd.DataFrame, books: Sequence[Rulebook], code: Codes) -> Floats:
    """Points taken off by row: 0 where nothing is, NaN where the cell cannot be read as points.

    Args:
        rows: The indicators frame; ``extra`` holds the columns beyond ours by their label.
        books: The rulebooks in use.
        code: By row, the position of its rulebook.
    """
    points = np.zeros(len(rows))
    ruled = by_book(books, code, lambda book: float(book.quantitative.deduction_column)) > 0
    if ruled.any():
        texts = [_text(extra) for extra in rows["extra"].to_numpy()[ruled]]
        points[ruled] = each(np.array(texts, dtype=object), _points, np.float64)
    return points


def _text(extra: Mapping[str, str | None]) -> str | None:
    labels = load("rulebook_words.toml")["deduction"]["labels"]
    return next((text for label, text in extra.items() if any(word in normalise(label) for word in labels)), None)


def _points(text: object) -> float:
    if not isinstance(text, str) or parse_value(text).kind in {"blank", "placeholder"}:
        return 0.0
    points = number(text)
    return points if points >= 0 else float("nan")
