"""Many cells as quantities at once: figures read by their digits, the words around them once for each wording.

All texts lie end to end as an array of UTF-16 units. A run of digits written as one 7 turns a text into its shape
(``≥16万人`` → ``≥7万人``), and texts of one shape differ in their figure only. Whatever is not one short figure with
short words around it is read by itself.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from itertools import count
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from perfeval_xlsx.form.value_quantity import Quantity
from perfeval_xlsx.form.values import parse_value, pattern_of

Bools = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Context = tuple[str | None, str | None, str | None]
"""The arguments of ``parse_value`` beside the text: sign, unit, name."""

_SHAPE = re.compile(r"([≥≤><=±]?[\u4e00-\u9fa5]{0,5})7(\.7)?([%‰/\u4e00-\u9fa5]{0,6})")
"""One figure with words that ``normalise`` leaves as they are."""
_WHOLE, _PLACES = 9, 6
"""The most digits before and behind the point: together a whole number that a float holds exactly."""
_POWERS = np.array([float(f"1e{power}") for power in range(23)])
"""Those that a float holds exactly: one multiplication or division then gives the float nearest to the figure."""
_BREAK, _ZERO, _TWO = map(ord, "\n02")


class Quantities(NamedTuple):
    """Some cells, read.

    Attributes:
        distinct: The quantities that differ in more than figure and text.
        codes: By cell, the position in ``distinct``.
        values: By cell, the figure in base units (``Quantity.value``), NaN without one.
        texts: By cell, its text, normalised.
    """

    distinct: list[Quantity]
    codes: Codes
    values: Floats
    texts: list[str]


class _Runs(NamedTuple):
    """Runs of digits: where they begin, how many digits they have, the number they make; by text, the first one."""

    starts: Codes
    lengths: Codes
    numbers: Floats
    firsts: Codes


class CellTexts:
    """The texts of some cells; ``read`` them in their contexts."""

    def __init__(self, texts: Sequence[str | None]) -> None:
        written = list(filter(None, texts))
        self._texts = written if len(written) == len(texts) else [text or "" for text in texts]
        lines = "\n".join(self._texts)
        if lines.count("\n") >= len(texts):
            lines = "\n".join([text.replace("\n", "\r") for text in self._texts])
        self._marks = np.frombuffer(f"{lines}\n".encode("utf-16-le", "surrogatepass"), "<u2")
        self._ends = np.flatnonzero(self._marks == _BREAK)
        self._begins = np.concatenate(([0], self._ends[:-1] + 1))
        self._digit = self._marks - _ZERO < 10  # unsigned: what comes before 0 wraps round

    def perhaps_months(self) -> Bools:
        """Cells that a name may turn into a month: 2023.12."""
        found: Bools = (self._marks[self._begins] == _TWO) & (self._ends - self._begins > 1)
        rows = np.flatnonzero(found)
        found[rows] = [text[1] == "0" and "." in text for text in map(self._texts.__getitem__, rows.tolist())]
        return found[: len(self._texts)]

    def read(self, contexts: Sequence[Context], of: Codes) -> Quantities:
        """Read every cell as ``parse_value`` does.

        Args:
            contexts: The contexts that occur.
            of: By cell, the position of its own.
        """
        size = len(self._texts)
        read = Quantities([], np.full(size, -1), np.full(size, np.nan), self._texts.copy())
        if size:
            self._read_usual(read, contexts, of)
        rest = np.flatnonzero(read.codes < 0)
        if len(rest):
            _read_each(read, rest, contexts, of)
        return read

    def _read_usual(self, read: Quantities, contexts: Sequence[Context], of: Codes) -> None:
        """Read the cells that show one figure, the words around it once for each shape and context."""
        shapes, shape_of = self._shapes()
        matches = [_SHAPE.fullmatch(shape) for shape in shapes]
        runs = self._runs()
        pointed = np.array([bool(match and match[2]) for match in matches])[shape_of]
        rows = self._usual(np.array([match is not None for match in matches])[shape_of], pointed, runs)
        kinds, distinct = pd.factorize(shape_of[rows] * len(contexts) + of[rows])
        codes, exponents = np.full(len(distinct), -1), np.zeros(len(distinct), dtype=np.int64)
        for place, kind in enumerate(distinct.tolist()):
            shape, context = divmod(kind, len(contexts))
            head, places, rest = matches[shape].groups()  # type: ignore[union-attr]
            found = pattern_of(head, places is not None, rest, *contexts[context])
            if found is not None:
                codes[place], exponents[place] = len(read.distinct), found[1]
                read.distinct.append(found[0])
        read.codes[rows] = codes[kinds]
        read.values[rows] = _figures(runs, runs.firsts[rows], pointed[rows], exponents[kinds])

    def _shapes(self) -> tuple[list[str], Codes]:
        """The distinct shapes, and by cell the position of its own."""
        digit = self._digit
        kept = ~digit
        kept[0] = True
        kept[1:] |= ~digit[:-1]
        shown = np.where(digit, np.uint16(ord("7")), self._marks)[kept].astype("<u2", copy=False)
        lines = shown.tobytes().decode("utf-16-le", "surrogatepass").split("\n")
        known: defaultdict[str, int] = defaultdict(count().__next__)
        codes = np.fromiter(map(known.__getitem__, lines[:-1]), np.int64, len(self._texts))
        return list(known), codes

    def _runs(self) -> _Runs:
        edges = np.flatnonzero(np.diff(self._digit, prepend=False))  # the last mark is a break
        starts, ends = edges[::2], edges[1::2]
        digits = np.flatnonzero(self._digit)
        run = np.repeat(np.arange(len(starts)), ends - starts)
        powers = _POWERS[np.minimum(ends[run] - 1 - digits, len(_POWERS) - 1)]
        numbers: Floats = np.bincount(run, (self._marks[digits] - _ZERO) * powers, len(starts)).astype(np.float64)
        return _Runs(starts, ends - starts, numbers, np.searchsorted(starts, self._begins))

    def _usual(self, shaped: Bools, pointed: Bools, runs: _Runs) -> Codes:
        """Positions of the cells whose figure is neither too long, nor begins with 0, nor may be a month."""
        rows = np.flatnonzero(shaped)
        run, point = runs.firsts[rows], pointed[rows]
        start, length = runs.starts[run], runs.lengths[run]
        first, second = self._marks[start], self._marks[start + 1]
        fits = (length <= _WHOLE) & ((first != _ZERO) | (length == 1))
        fits &= ~point | (runs.lengths[run + point] <= _PLACES)
        fits &= ~point | (first != _TWO) | (second != _ZERO)
        usual: Codes = rows[fits]
        return usual


def _figures(runs: _Runs, run: Codes, pointed: Bools, exponents: Codes) -> Floats:
    """The figures that begin with the run, times their power of ten: the same floats that ``float`` reads."""
    places = np.where(pointed, runs.lengths[run + pointed], 0)
    digits = runs.numbers[run] * _POWERS[places] + np.where(pointed, runs.numbers[run + pointed], 0.0)
    power = exponents - places
    figures: Floats = np.where(power < 0, digits / _POWERS[np.abs(power)], digits * _POWERS[np.abs(power)])
    return figures


def _read_each(read: Quantities, rows: Codes, contexts: Sequence[Context], of: Codes) -> None:
    """Read the cells of ``rows`` by themselves, equal ones once."""
    keys = list(zip(map(read.texts.__getitem__, rows.tolist()), of[rows].tolist(), strict=True))
    known = dict.fromkeys(keys, 0)
    values = []
    for place, (text, context) in enumerate(known, len(read.distinct)):
        known[text, context] = place
        read.distinct.append(parse_value(text, *contexts[context]))
        values.append(read.distinct[-1].value)
    read.codes[rows] = list(map(known.__getitem__, keys))
    places = read.codes[rows] - (len(read.distinct) - len(values))
    read.values[rows] = np.array(values, dtype=np.float64)[places]
    for row, code in zip(rows.tolist(), read.codes[rows].tolist(), strict=True):
        read.texts[row] = read.distinct[code].text
