"""Whole columns at a time: a function once per distinct value, a rulebook's parameter by row, texts from a template."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import lru_cache
from itertools import count, repeat
from string import Formatter
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from perfeval_xlsx.scoring.rulebook import Rulebook

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Objects = npt.NDArray[np.object_]
Codes = npt.NDArray[np.int64]
_FEW = 4
_PROBE = 128
"""So many rows tell whether equal values follow each other."""
Column = Callable[[Codes | slice], list[str]]
"""A column of text: what it says in the rows asked for."""


def each(values: Any, function: Callable[[Any], object], dtype: type = object) -> npt.NDArray[Any]:
    """Apply ``function`` to every value of a column, calling it once per distinct one; None and NaN count as values."""
    array = np.asarray(values)
    if array.dtype == np.float64:
        codes, figures = pd.factorize(array, use_na_sentinel=False)
        distinct = figures.tolist()
    else:
        distinct, codes = told_apart(np.asarray(values, dtype=object))
    results: npt.NDArray[Any] = np.empty(len(distinct), dtype=dtype)
    results[:] = [function(value) for value in distinct]
    return results[codes]


class Coded:
    """A frame's columns of texts as positions in the list of what differs in them, each made once.

    Attributes:
        frame: The frame.
    """

    def __init__(self, frame: pd.DataFrame, columns: Mapping[str, Objects] | None = None) -> None:
        """Look at a frame; ``columns``: those of it that are known."""
        self.frame = frame
        self._columns: dict[str, Objects] = dict(columns or {})
        self._codes: dict[str, tuple[list[Any], Codes]] = {}
        self._texts: dict[str, list[str | None]] = {}
        self._cells: list[dict[str, str]] | None = None
        self._addresses: dict[str, list[str | None]] = {}

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def cells(self) -> list[dict[str, str]]:
        """By row, its addresses by field."""
        if self._cells is None:
            self._cells = self.column("cells").tolist()
        return self._cells

    def within(self, frame: pd.DataFrame) -> Coded:
        """The same columns in a frame that has further ones, without any of them being looked at again."""
        wider = Coded(frame, self._columns)
        wider._codes, wider._texts = self._codes.copy(), self._texts.copy()
        wider._cells, wider._addresses = self._cells, self._addresses.copy()
        return wider

    def has(self, field: str) -> Bools:
        """Rows whose form has a column for ``field``."""
        found = np.fromiter(self.addresses(field), dtype=object, count=len(self)) != None  # noqa: E711 by element
        return np.asarray(found, dtype=np.bool_)

    def addresses(self, field: str) -> list[str | None]:
        """By row, the address of its cell for ``field``, None where its form has no column for it."""
        if field not in self._addresses:
            self._addresses[field] = list(map(dict.get, self.cells, repeat(field)))
        return self._addresses[field]

    def column(self, name: str) -> Objects:
        """A column as it is."""
        if name not in self._columns:
            self._columns[name] = self.frame[name].to_numpy(dtype=object)
        return self._columns[name]

    def texts(self, column: str) -> list[str | None]:
        """What is written in a column, None where nothing is."""
        if column not in self._texts:
            self._texts[column] = texts_of(self.column(column))
        return self._texts[column]

    def codes(self, column: str) -> tuple[list[Any], Codes]:
        """The distinct values of a column, None where nothing is written, and by row the position of its own."""
        if column not in self._codes:
            distinct, codes = _stretches_apart(self.column(column))
            self._codes[column] = [None if value != value else value for value in distinct], codes
        return self._codes[column]

    def each(self, column: str, function: Callable[[Any], object], dtype: type = object) -> npt.NDArray[Any]:
        """Apply ``function`` to every value of a column, calling it once per distinct one."""
        distinct, codes = self.codes(column)
        results: npt.NDArray[Any] = np.empty(len(distinct), dtype=dtype)
        results[:] = list(map(function, distinct))
        return results[codes]

    def contains(self, column: str, words: Sequence[str]) -> Bools:
        """Rows whose text holds one of ``words``."""
        return self.each(column, lambda text: text is not None and any(word in text for word in words), np.bool_)


def _stretches_apart(values: Objects) -> tuple[list[Any], Codes]:
    """What ``told_apart`` says; where equal values follow each other, only the first of them is looked at."""
    probe = values[:_PROBE]
    if not len(values) or np.count_nonzero(probe[1:] != probe[:-1]) * 4 > len(probe):
        return told_apart(values)
    starts = np.concatenate(([0], np.flatnonzero(values[1:] != values[:-1]) + 1))
    distinct, codes = told_apart(values[starts])
    return distinct, np.repeat(codes, np.diff(starts, append=len(values)))


def told_apart(values: Objects) -> tuple[list[Any], Codes]:
    """The distinct values, and by row the position of its own; ``factorize`` would first write all texts as UTF-8."""
    known: defaultdict[Any, int] = defaultdict(count().__next__)
    codes = np.fromiter(map(known.__getitem__, values.tolist()), np.int64, len(values))
    distinct = list(known)
    if any(value != value for value in distinct):  # a NaN equals no other
        codes, found = pd.factorize(values, use_na_sentinel=False)
        distinct = found.tolist()
    return distinct, codes


def texts_of(column: Objects) -> list[str | None]:
    """A column of texts, None where there is none."""
    texts: list[str | None] = column.tolist()
    return [None if text != text else text for text in texts] if (column != column).any() else texts


def alike(columns: Sequence[Codes]) -> tuple[Codes, Codes]:
    """Rows that agree in all columns: the first row of each kind, and by row the position of its kind."""
    joined = columns[0]
    for codes in columns[1:]:
        most = int(codes.max(initial=0))
        if most:
            joined = joined * (most + 1) + codes
    if len(joined) and not joined.any():
        return np.zeros(1, dtype=np.int64), joined
    kinds, distinct = pd.factorize(joined)
    first = np.empty(len(distinct), dtype=np.int64)
    first[kinds[::-1]] = np.arange(len(kinds) - 1, -1, -1)
    return first, kinds


def positions(forms: pd.DataFrame, rows: Coded) -> Codes:
    """By row of a frame, the position of its form."""
    place = {form_id: position for position, form_id in enumerate(forms["form_id"].tolist())}
    ids, codes = rows.codes("form_id")
    return np.array([place[form_id] for form_id in ids], dtype=np.int64)[codes]


def one_of(values: Objects, wanted: Collection[str]) -> Bools:
    """Rows whose word is one of ``wanted``."""
    if len(wanted) <= _FEW:
        return np.array(np.logical_or.reduce([values == word for word in wanted]), dtype=np.bool_)
    return np.fromiter(map(frozenset(wanted).__contains__, values), np.bool_, len(values))


def with_columns(
    frame: pd.DataFrame, figures: Mapping[str, npt.NDArray[Any]], words: Mapping[str, Any]
) -> pd.DataFrame:
    """A frame with further columns, or others in their place, all added at once: by ``assign`` each costs 0.04 ms.

    Args:
        frame: The frame.
        figures: Columns of figures.
        words: Columns of texts and other objects; they stay objects, None stays None.
    """
    known = [name for name in (*figures, *words) if name in frame]
    kept = frame.drop(columns=known) if known else frame
    if len({values.dtype for values in figures.values()}) > 1:
        added = pd.DataFrame(dict(figures), index=frame.index, copy=False)
    else:
        added = _block(frame.index, figures, np.float64)
    return pd.concat([kept, added, _block(frame.index, words, object)], axis=1)


def _block(index: pd.Index[Any], columns: Mapping[str, Any], dtype: type) -> pd.DataFrame:
    """A frame of columns of one type, laid end to end: one by one they take three times as long."""
    block: npt.NDArray[Any] = np.empty((len(columns), len(index)), dtype=dtype)
    for place, values in enumerate(columns.values()):
        block[place] = values
    return pd.DataFrame(block.T, index=index, columns=_names(*columns), dtype=dtype, copy=False)


@lru_cache(maxsize=64)
def _names(*columns: str) -> pd.Index[str]:
    """An index takes longer to make than the frame."""
    return pd.Index(columns, dtype=object)


def by_book(books: Sequence[Rulebook], code: Codes, parameter: Callable[[Rulebook], float]) -> Floats:
    """Spread a rulebook's parameter over the rows that use it; ``code`` is by row the position of its rulebook."""
    return np.array([parameter(book) for book in books], dtype=np.float64)[code]


def places(books: Sequence[Rulebook], code: Codes) -> Codes:
    """By row, the decimals its rulebook rounds to."""
    return np.array([book.decimals for book in books], dtype=np.int64)[code]


def fill(template: str, columns: Mapping[str, Column], rows: Codes) -> Objects:
    """Fill a ``str.format`` template for ``rows``; its fields name columns, which are asked only for these rows."""
    texts = np.full(len(rows), "", dtype=object)
    for literal, field, _, _ in Formatter().parse(template):
        texts = texts + literal
        if field:
            texts = texts + np.array(columns[field](rows), dtype=object)
    return texts
