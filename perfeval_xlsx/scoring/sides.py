"""The target and the actual column as quantities: arrays over all rows of a chunk, equal cells read once."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from operator import attrgetter
from typing import Any

import numpy as np
import numpy.typing as npt

from perfeval_xlsx.data import load
from perfeval_xlsx.form.value_columns import CellTexts, Context, Quantities
from perfeval_xlsx.form.values import Quantity, parse_value
from perfeval_xlsx.scoring.columns import Bools, Coded, Codes, Floats, Objects, alike

_HINTS = tuple(load("measure.toml")["name_hints"])
_SHARED: dict[str, type] = {
    "kind": object, "high": np.float64, "unit": object, "scale": np.float64, "factor": np.float64,
    "comparator": object, "approximate": np.bool_, "verdict": object, "change": object, "first": np.float64,
    "borrowed": np.bool_,
}  # fmt: skip
"""What quantities have in common that differ in figure and text only."""
_shared = attrgetter(*_SHARED)
CHANGES = ("", "up", "down")


@dataclass
class Side:
    """The quantities of one column, as arrays (object arrays of str, float64 with NaN, bool).

    Beside ``value`` the other attributes of ``Quantity`` but ``parts``; each is laid out when it is first asked for.
    """

    value: Floats
    _texts: Sequence[str]
    _distinct: Sequence[Quantity]
    _arrays: Mapping[str, npt.NDArray[Any]]
    _codes: Codes
    _kinds: dict[Collection[str], Bools] = field(default_factory=dict, init=False)

    def __getattr__(self, name: str) -> npt.NDArray[Any]:
        if name not in _SHARED:
            raise AttributeError(name)
        spread = self._arrays[name][self._codes]
        setattr(self, name, spread)
        return spread

    @cached_property
    def text(self) -> Objects:
        """The cells' texts, normalised."""
        return np.fromiter(self._texts, dtype=object, count=len(self._texts))

    def is_(self, kinds: frozenset[str] | str) -> Bools:
        """Rows whose kind is (one of) ``kinds``; not to be changed, the same array is given out again."""
        known = self._kinds.get(kinds)
        if known is None:
            wanted = {kinds} if isinstance(kinds, str) else kinds
            known = self._kinds[kinds] = self._where([quantity.kind in wanted for quantity in self._distinct])
            known.flags.writeable = False
        return known

    def equals(self, name: str, word: str) -> Bools:
        """Rows of which an attribute is ``word``: it is compared once for every distinct quantity."""
        known = self._kinds.get((name, word))
        if known is None:
            known = self._kinds[name, word] = np.asarray(self._arrays[name] == word, dtype=np.bool_)[self._codes]
            known.flags.writeable = False
        return known

    def compares(self, comparators: Collection[str]) -> Bools:
        """Rows whose comparator is one of ``comparators``."""
        return self._where([quantity.comparator in comparators for quantity in self._distinct])

    def changes(self) -> Codes:
        """By row, the position of its change in ``CHANGES``."""
        return np.array([CHANGES.index(quantity.change) for quantity in self._distinct], dtype=np.int64)[self._codes]

    def _where(self, holds: list[bool]) -> Bools:
        return np.array(holds, dtype=np.bool_)[self._codes]


@dataclass(slots=True)
class _Cells:
    """A column on its way: quantities that differ, by row the position of its own, its figure and its text."""

    distinct: list[Quantity]
    codes: Codes
    values: Floats
    texts: list[str]

    def take(self, row: int, quantity: Quantity) -> None:
        """Put another quantity in the place of a row's."""
        self.codes[row] = len(self.distinct)
        self.distinct.append(quantity)
        self.values[row] = np.nan if quantity.value is None else quantity.value
        self.texts[row] = quantity.text

    def parts(self) -> Bools:
        """Rows of several quantities."""
        return np.array([bool(quantity.parts) for quantity in self.distinct], dtype=np.bool_)[self.codes]

    def side(self) -> Side:
        """Turn everything into arrays."""
        columns = zip(*map(_shared, self.distinct), strict=True) if self.distinct else [()] * len(_SHARED)
        arrays: dict[str, npt.NDArray[Any]] = {
            name: np.array(values, dtype=dtype) for (name, dtype), values in zip(_SHARED.items(), columns, strict=True)
        }
        return Side(self.values, self.texts, self.distinct, arrays, self.codes)


def sides(rows: Coded) -> tuple[Side, Side]:
    """Read targets and actuals of an indicators frame.

    An actual of several quantities counts as the one of them that answers its target, where only one can.
    """
    target, actual = _read(rows, "target", "sign"), _read(rows, "actual", None)
    for row in np.flatnonzero(actual.parts() & ~target.parts()).tolist():
        actual.take(row, _answer(target.distinct[target.codes[row]], actual.distinct[actual.codes[row]]))
    return target.side(), actual.side()


def _read(rows: Coded, field: str, sign: str | None) -> _Cells:
    """Read a column in its context; the one without a column of signs is the actuals'."""
    cells = CellTexts(rows.texts(field))
    nothing = [None], np.zeros(len(rows), dtype=np.int64)
    signs = rows.codes(sign) if sign else nothing
    columns = [signs, rows.codes("unit"), _names(rows, cells)]
    first, codes = alike([codes for _, codes in columns])
    contexts = list(zip(*([values[code] for code in codes[first].tolist()] for values, codes in columns), strict=True))
    read = cells.read(contexts, codes)
    if sign is None:
        _without_names(read, rows.texts(field), contexts, codes)
    return _Cells(read.distinct, read.codes, read.values, read.texts)


def _names(rows: Coded, cells: CellTexts) -> tuple[list[str | None], Codes]:
    """By row, the name where it can matter, so that rows whose names do not are read alike."""
    names, codes = rows.codes("level3")
    hints = [None, *(name for name in names if name is not None and _hinted(name))]
    known = {name: place for place, name in enumerate(hints)}
    codes, months = np.array([known.get(name, 0) for name in names], dtype=np.int64)[codes], cells.perhaps_months()
    if not months.any():
        return hints, codes
    return [*hints, *(name or "" for name in names)], np.where(months, rows.codes("level3")[1] + len(hints), codes)


@lru_cache(maxsize=16_384)
def _hinted(name: str) -> bool:
    return any(hint in name for hint in _HINTS)


def _without_names(read: Quantities, texts: Sequence[str | None], contexts: Sequence[Context], of: Codes) -> None:
    """An actual has no comparator but its own: the one in the name's brackets is the target's."""
    named = np.array([bool(name) for _, _, name in contexts], dtype=np.bool_)[of]
    compared = np.array([bool(quantity.comparator) for quantity in read.distinct], dtype=np.bool_)
    rows = np.flatnonzero(named & compared[read.codes]) if named.any() else ()
    known: dict[tuple[int, str], int] = {}
    for row in map(int, rows):
        kind = int(read.codes[row]), parse_value(texts[row]).comparator
        if kind not in known:
            known[kind] = len(read.distinct)
            read.distinct.append(read.distinct[kind[0]]._replace(comparator=kind[1]))
        read.codes[row] = known[kind]


def _answer(target: Quantity, actual: Quantity) -> Quantity:
    fits = [p for p in actual.parts if p.kind == target.kind and (p.unit == target.unit or p.kind == "deadline")]
    return fits[0] if len(fits) == 1 else actual
