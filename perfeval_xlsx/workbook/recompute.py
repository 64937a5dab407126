"""What a simple formula gives on the values its sheet shows: sums, quotients, rounding, IF. Anything else: None.

It answers whether a saved result is stale, or a saved 0 one at all, and never fills a cell (``formulas.py`` does, with
an engine). No other sheet, no text result; a formula that is not understood in full is not computed at all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import lru_cache
from itertools import pairwise
from math import isclose, isfinite, prod
from operator import eq, ge, gt, le, lt, ne

from perfeval_xlsx.workbook.cells import Cell, row_column

Cells = Mapping[tuple[int, int], Cell]

_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+)"
    r"|(?P<range>\$?[A-Z]{1,3}\$?\d{1,7}(?::\$?[A-Z]{1,3}\$?\d{1,7})?)(?![\w(!.])"
    r"|(?P<name>[A-Z]{2,9})(?=\()"
    r"|(?P<sign><=|>=|<>|[<>=])"
    r"|(?P<mark>[-+*/(),%]))"
)
_SIGNS: dict[str, Callable[[float, float], bool]] = {"<=": le, ">=": ge, "<>": ne, "<": lt, ">": gt, "=": eq}
_ALIKE = 1e-12
"""Figures this close, in proportion, but not the same: a spreadsheet may take them for equal."""
_LONGEST, _DEEPEST, _AREA = 1000, 32, 10_000
"""Characters of a formula, depth of its brackets, cells of a range: beyond these it is left alone."""


class _NotUnderstoodError(Exception):
    """The formula holds something this module does not compute."""


def recompute(cells: Cells, formula: str) -> float | None:
    """Return what a formula gives, None where it cannot be told.

    Args:
        cells: The sheet's cells, with their saved values.
        formula: The formula without ``=``.
    """
    if not formula or len(formula) > _LONGEST:
        return None
    try:
        value = _Parser(cells, _tokens(formula)).run()
    except (_NotUnderstoodError, ArithmeticError, ValueError):
        return None
    return value if isfinite(value) else None


def recompute_after(cells: Cells, changed: Cells, formula: str, *, typed: bool) -> float | None:
    """Return what a formula gives once some cells hold something else, None where it cannot be told.

    Args:
        cells: The sheet's cells, with their saved values.
        changed: The cells that hold something else, as they will be.
        formula: The formula without ``=``.
        typed: Whether any of them held no formula: then the saved result of another formula may no longer be its own.
    """
    return recompute(_After(cells, changed, typed), formula)


class _After(Mapping[tuple[int, int], Cell]):
    """Cells of which some are changed, and with them what the others' formulas give."""

    def __init__(self, cells: Cells, changed: Cells, typed: bool) -> None:
        self.cells, self.typed, self.depth = cells, typed, 0
        self.known = dict(changed)

    def __getitem__(self, place: tuple[int, int]) -> Cell:
        if place not in self.known:
            cell = self.cells[place]
            self.known[place] = cell if cell.formula is None else self._followed(place, cell)
        return self.known[place]

    def _followed(self, place: tuple[int, int], cell: Cell) -> Cell:
        """What a formula shows: what it gives, else its result as far as that stands; none while it is computed."""
        self.known[place] = lost = cell._replace(text="", value=None, type="s", cached=False)
        self.depth += 1
        value = recompute(self, cell.formula or "") if self.depth < _DEEPEST else None
        self.depth -= 1
        if value is not None:
            return cell._replace(text=f"{value:.10g}", value=value, type="n", cached=True)
        return lost if self.typed or not cell.text else cell._replace(cached=True)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return iter(self.cells.keys() | self.known.keys())

    def __len__(self) -> int:
        return len(self.cells.keys() | self.known.keys())


@lru_cache(maxsize=1024)
def _tokens(formula: str) -> tuple[tuple[str, str], ...]:
    tokens, at, text = [], 0, formula.strip().upper()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise _NotUnderstoodError
        tokens.append((match.lastgroup, match[match.lastgroup].replace("$", "")))
        at = match.end()
    return tuple(tokens)


class _Parser:
    """A recursive descent over the tokens, evaluating as it goes."""

    def __init__(self, cells: Cells, tokens: tuple[tuple[str, str], ...]) -> None:
        self.cells, self.tokens, self.at, self.depth = cells, tokens, 0, 0

    def run(self) -> float:
        value = self.sum()
        if self.at != len(self.tokens):
            raise _NotUnderstoodError
        return value

    def peek(self) -> str:
        return self.tokens[self.at][1] if self.at < len(self.tokens) else ""

    def take(self) -> tuple[str, str]:
        if self.at >= len(self.tokens):
            raise _NotUnderstoodError
        self.at += 1
        return self.tokens[self.at - 1]

    def sum(self) -> float:
        value = self.product()
        while self.peek() in {"+", "-"}:
            sign = 1.0 if self.take()[1] == "+" else -1.0
            value += sign * self.product()
        return value

    def product(self) -> float:
        value = self.signed()
        while self.peek() in {"*", "/"}:
            value = value * self.signed() if self.take()[1] == "*" else value / self.signed()
        return value

    def signed(self) -> float:
        if self.peek() in {"+", "-"}:
            return self.signed() if self.take()[1] == "+" else -self.signed()
        value = self.primary()
        while self.peek() == "%":
            self.take()
            value /= 100
        return value

    def primary(self) -> float:
        kind, text = self.take()
        if kind == "number":
            return float(text)
        if kind == "range" and ":" not in text:
            return self.cell(text)
        if kind == "name":
            return self.function(text)
        if text != "(":
            raise _NotUnderstoodError
        return self.nested(self.sum)

    def nested(self, inner: Callable[[], float]) -> float:
        """What stands in brackets, the closing one taken."""
        self.depth += 1
        if self.depth > _DEEPEST:
            raise _NotUnderstoodError
        value = inner()
        self.depth -= 1
        if self.take()[1] != ")":
            raise _NotUnderstoodError
        return value

    def choice(self) -> float:
        """The value of an IF; as in a spreadsheet, the branch that is not taken may be one that has no value."""
        condition, then, otherwise = self.branches()
        left, sign, right = condition.sum(), condition.take()[1], condition.sum()
        compare = _SIGNS.get(sign)
        if compare is None or condition.peek() or (left != right and isclose(left, right, rel_tol=_ALIKE)):
            raise _NotUnderstoodError
        return (then if compare(left, right) else otherwise).run()

    def branches(self) -> list[_Parser]:
        """What stands between the commas of a function's brackets, the closing one taken."""
        starts, depth = [self.at], 1
        while depth:
            kind, text = self.take()
            depth += (text == "(") - (text == ")") if kind == "mark" else 0
            if depth == 1 and text == ",":
                starts.append(self.at)
        if len(starts) != 3 or self.depth >= _DEEPEST:
            raise _NotUnderstoodError
        made = [_Parser(self.cells, self.tokens[a : b - 1]) for a, b in pairwise([*starts, self.at])]
        for each in made:
            each.depth = self.depth + 1
        return made

    def function(self, name: str) -> float:
        if self.take()[1] != "(":
            raise _NotUnderstoodError
        if name == "IF":
            return self.choice()
        compute = _FUNCTIONS.get(name)
        if compute is None:
            raise _NotUnderstoodError
        return self.nested(lambda: compute([list(argument) for argument in self.arguments()]))

    def arguments(self) -> Iterator[list[float]]:
        """The arguments of a function: a range gives its figures, anything else one."""
        while True:
            kind, text = self.tokens[self.at] if self.at < len(self.tokens) else ("", "")
            if kind == "range" and ":" in text:
                self.take()
                yield list(self.figures(text))
            else:
                yield [self.sum()]
            if self.peek() != ",":
                return
            self.take()

    def cell(self, address: str) -> float:
        """A single cell: its figure, 0 where blank; text and missing results cannot be computed with."""
        found = self.cells.get(row_column(address))
        if found is None:
            return 0.0
        if found.value is None or not found.cached:
            raise _NotUnderstoodError
        return found.value

    def figures(self, text: str) -> Iterator[float]:
        """The figures of a range; texts are passed over, as the functions do."""
        (top, left), (bottom, right) = (row_column(corner) for corner in text.split(":"))
        if (bottom - top + 1) * (right - left + 1) > _AREA or bottom < top or right < left:
            raise _NotUnderstoodError
        for row in range(top, bottom + 1):
            for column in range(left, right + 1):
                found = self.cells.get((row, column))
                if found is not None and (found.type == "e" or not found.cached):
                    raise _NotUnderstoodError
                if found is not None and found.value is not None:
                    yield found.value


def _flat(arguments: list[list[float]]) -> list[float]:
    return [figure for argument in arguments for figure in argument]


def _average(arguments: list[list[float]]) -> float:
    figures = _flat(arguments)
    return sum(figures) / len(figures)


def _round(arguments: list[list[float]]) -> float:
    """Half away from zero, as the spreadsheet does."""
    (value,), places = arguments[0], int(arguments[1][0]) if len(arguments) > 1 else 0
    try:
        return float(Decimal(repr(value)).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP))
    except InvalidOperation as error:
        raise _NotUnderstoodError from error


_FUNCTIONS: dict[str, Callable[[list[list[float]]], float]] = {
    "SUM": lambda arguments: sum(_flat(arguments)),
    "PRODUCT": lambda arguments: prod(_flat(arguments)),
    "AVERAGE": _average,
    "MIN": lambda arguments: min(_flat(arguments)),
    "MAX": lambda arguments: max(_flat(arguments)),
    "ABS": lambda arguments: abs(_flat(arguments)[0]),
    "ROUND": _round,
}
