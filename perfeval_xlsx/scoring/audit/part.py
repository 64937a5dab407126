"""One frame of a chunk, as a check looks at it: columns as lists, masks and figures, each made once."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from perfeval_xlsx.scoring.columns import Coded
from perfeval_xlsx.scoring.measure import Bools, Floats, Objects


class Part:
    """One frame of the chunk, column by column, and by its rows the position of their form.

    Attributes:
        frame: The frame; ``form`` the positions.
        amounts: Columns of amounts in 元, kept here by ``audit/amounts.py``.
    """

    def __init__(self, columns: Coded, form: np.ndarray) -> None:
        self.frame, self.form = columns.frame, form
        self._columns = columns
        self.amounts: dict[str, Floats] = {}
        self._lists: dict[str, list[Any]] = {}
        self._floats: dict[str, Floats] = {}
        self._owned: dict[str, Bools] = {}
        self._coded: dict[str, tuple[np.ndarray, Sequence[str]]] = {}

    def __len__(self) -> int:
        return len(self.form)

    @cached_property
    def forms(self) -> list[int]:
        """By row, the position of its form."""
        positions: list[int] = self.form.tolist()
        return positions

    def list(self, column: str) -> list[Any]:
        """A column as a list of Python objects, None where nothing is written."""
        found = self._lists.get(column)
        if found is None:
            found = self._lists[column] = self._columns.cells if column == "cells" else self._columns.texts(column)
        return found

    def floats(self, column: str) -> Floats:
        """A column of figures, not to be changed."""
        if column not in self._floats:
            self._floats[column] = self.frame[column].to_numpy(dtype=np.float64)
        return self._floats[column]

    def texts(self, column: str) -> Objects:
        """A column of texts, None where blank."""
        return self._columns.column(column)

    def cell(self, row: int, *names: str) -> str | None:
        """The A1 address of the first of ``names`` the row has."""
        cells = self._columns.cells[row]
        for name in names:
            if name in cells:
                return cells[name]
        return None

    def has(self, name: str) -> Bools:
        """Rows of forms that have the column ``name``."""
        if name not in self._owned:
            self._owned[name] = self._columns.has(name)
        return self._owned[name]

    def own_cell(self, name: str) -> Bools:
        """Rows whose cell ``name`` is not the one of the row above: no merged cell speaks for both."""
        cells = np.fromiter(self._columns.addresses(name), dtype=object, count=len(self))
        own = np.ones(len(self), dtype=np.bool_)
        own[1:] = (cells[1:] != cells[:-1]) | (self.form[1:] != self.form[:-1])
        return own

    def codes(self, column: str) -> tuple[np.ndarray, Sequence[str]]:
        """A column as positions in the list of its distinct texts, -1 where nothing is written."""
        if column not in self._coded:
            distinct, codes = self._columns.codes(column)
            if None in distinct:
                written = np.array([text is not None for text in distinct], dtype=np.bool_)
                codes = np.where(written, np.cumsum(written) - 1, -1)[codes]
            self._coded[column] = codes, [str(text) for text in distinct if text is not None]
        return self._coded[column]

    def where(self, column: str, test: Callable[[str], object], among: Bools | None = None) -> Bools:
        """Rows whose text passes ``test``; blank ones do not. ``test`` is asked once for every distinct text.

        Args:
            column: The column.
            test: What is asked of a text.
            among: Rows that matter; of others it is not asked, and they do not pass.
        """
        if among is None:
            return np.asarray(self.map(column, lambda text: bool(test(text)), False, np.bool_))
        rows, texts = np.flatnonzero(among), self.list(column)
        asked = [texts[row] for row in rows.tolist()]
        passed = {text: text is not None and bool(test(str(text))) for text in dict.fromkeys(asked)}
        found = np.zeros(len(self), dtype=np.bool_)
        found[rows] = [passed[text] for text in asked]
        return found

    def map(self, column: str, function: Callable[[str], Any], blank: Any, dtype: type = object) -> np.ndarray:
        """``function`` of every text, asked once for every distinct one; ``blank`` where nothing is written."""
        codes, texts = self.codes(column)
        values: np.ndarray = np.empty(len(texts) + 1, dtype=dtype)
        values[:] = [*map(function, texts), blank]
        return np.asarray(values[codes])

    def holding(self, column: str, characters: str) -> Bools:
        """Rows that may hold one of some characters, all or none of them: they are sought in all texts at once."""
        texts = self._coded[column][1] if column in self._coded else filter(None, dict.fromkeys(self.list(column)))
        whole = unicodedata.normalize("NFKC", "\n".join(texts))
        return np.full(len(self), any(character in whole for character in characters), dtype=np.bool_)

    def blank(self, column: str) -> Bools:
        """Rows where nothing is written."""
        return np.asarray(self.map(column, lambda text: not text.strip(), True, np.bool_))

    def groups(self, rows: Bools) -> Iterator[tuple[int, np.ndarray]]:
        """The rows of a mask, form by form."""
        places = np.flatnonzero(rows)
        forms = self.form[places]
        bounds = [0, *(np.flatnonzero(forms[1:] != forms[:-1]) + 1).tolist(), len(places)] if len(places) else []
        for first, last in pairwise(bounds):
            yield int(forms[first]), places[first:last]
