"""What every check looks at: the chunk's frames as arrays, the rulebooks' parameters, and how a hit is noted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from perfeval_xlsx.data import load
from perfeval_xlsx.form.frames import Tables
from perfeval_xlsx.scoring.audit.part import Part
from perfeval_xlsx.scoring.audit.words import dimension_of, gives_reason, level2_dimension, notes_give_reason
from perfeval_xlsx.scoring.columns import Coded, one_of
from perfeval_xlsx.scoring.footnote import Footnote, read_footnote
from perfeval_xlsx.scoring.measure import Bools, Floats, Measured, Objects, measure, numbers
from perfeval_xlsx.scoring.rulebook import Rulebook
from perfeval_xlsx.scoring.score import ScoredTables

NEAR = 0.005
"""Half of the last place of a score."""


Told = Callable[[int], str | None] | str | None
"""What should be written: for all rows, or by row."""

_WRITTEN = {"score": "self_score", "rate": "self_rate"}
"""Columns of the frames that hold what is written, where the field's own name is taken by the rules' figure."""


class Hit(NamedTuple):
    """One place a check points at.

    Attributes:
        form: Position of the form in the chunk.
        cell: A1 address, None where the whole form is meant.
        field: Field of the frames, or None.
        found: What is written there; ``expected`` what it should be.
        args: Values for the message.
        variant: Which of the check's messages, "" for the main one.
    """

    form: int
    cell: str | None
    field: str | None = None
    found: str | None = None
    expected: str | None = None
    args: Mapping[str, str] = {}
    variant: str = ""


class Context:
    """The frames of one chunk, ready for the checks.

    Attributes:
        tables: The frames as read; ``forms`` the scored forms, ``rows`` the scored indicators, ``funds`` all fund rows,
            ``total`` the scored total rows, ``left_out`` and ``formulas`` as read.
        books: The rulebooks in use; ``code`` by form, the position of its rulebook.
    """

    def __init__(self, tables: Tables, scored: ScoredTables, rulebooks: Mapping[str, Rulebook]) -> None:
        self.tables = tables
        self._measured = scored.measured
        ids = scored.forms["form_id"].tolist()
        self.size = len(ids)
        self.position = {form_id: i for i, form_id in enumerate(ids)}
        self.forms = Part(Coded(scored.forms), np.arange(self.size))
        self.rows = self._part(scored.rows())
        self.funds = self._part(Coded(tables.funds))
        self.total = self._part(Coded(scored.funds))
        self.left_out = self._part(Coded(tables.left_out))
        self.formulas = self._part(Coded(tables.formulas))
        self.by_form = [rulebooks[form_id] for form_id in ids]
        self.books = list({id(book): book for book in self.by_form}.values())
        places = {id(book): i for i, book in enumerate(self.books)}
        self.code = np.array([places[id(book)] for book in self.by_form], dtype=int)

    def _part(self, columns: Coded) -> Part:
        ids, codes = columns.codes("form_id")
        return Part(columns, np.array([self.position[form_id] for form_id in ids], dtype=int)[codes])

    def book(self, of: Callable[[Rulebook], float], form: np.ndarray) -> Floats:
        """A figure of the rulebooks, spread over rows by their form."""
        figures = np.array([of(book) for book in self.books], dtype=np.float64)
        return np.asarray(figures[self.code[form]], dtype=np.float64)

    def param(self, code: str, name: str, form: int) -> Any:
        """A check's parameter for one form: its rulebook's, else the default."""
        default = load("checks.toml")["check"][code]["param"][name]["default"]
        return self.by_form[form].checks.get(code, {}).get(name, default)

    def params(self, code: str, name: str) -> Floats:
        """A numeric parameter of every form."""
        values = [self.param(code, name, int(np.flatnonzero(self.code == i)[0])) for i in range(len(self.books))]
        return np.asarray(np.array(values, dtype=np.float64)[self.code], dtype=np.float64)

    def flags(self, code: str, name: str) -> Bools:
        """A yes-or-no parameter of every form."""
        return np.asarray(self.params(code, name) > 0, dtype=np.bool_)

    def enabled(self, code: str) -> Bools:
        """Forms whose rulebook does not switch the check off."""
        on = [bool(book.checks.get(code, {}).get("enabled", True)) for book in self.books]
        return np.asarray(np.array(on, dtype=np.bool_)[self.code], dtype=np.bool_)

    def without_result(self) -> set[tuple[int, str]]:
        """Form and cell of every formula whose result is neither saved nor computed: such a cell is not blank."""
        frame = self.formulas.frame
        unknown = (frame["formula"].notna() & frame["value"].isna() & frame["recomputed"].isna()).to_numpy()
        cells = self.formulas.list("cell")
        return {(int(self.formulas.form[row]), cells[row]) for row in np.flatnonzero(unknown).tolist()}

    @cached_property
    def _told(self) -> tuple[list[str | None], ...]:
        """What a message says of an indicator row, as lists over all rows."""
        return tuple(self.rows.list(name) for name in ("level3", "level2", "target", "actual"))

    def facts(self, row: int) -> dict[str, str]:
        """Name, target and actual of an indicator row, for its message."""
        level3, level2, target, actual = self._told
        name = str(level3[row] or level2[row] or "")[:40]
        return {"name": name, "target": str(target[row] or ""), "actual": str(actual[row] or "")}

    def hits(
        self,
        rows: Bools,
        name: str,
        *,
        part: Part | None = None,
        instead: tuple[str, ...] = (),
        expected: Told = None,
        variant: str = "",
        args: Callable[[int], Mapping[str, str]] | None = None,
    ) -> Iterator[Hit]:
        """One hit a row of a mask, at its cell ``name``; found is what is written there.

        Args:
            rows: The mask, over the indicator rows or the rows of ``part``.
            name: The field.
            part: The frame, the indicator rows by default.
            instead: Fields whose cells are taken where the form has no cell for ``name``.
            expected: What should stand there, for all rows or by row.
            variant: Which of the check's messages.
            args: Further values for the message, by row.
        """
        where = self.rows if part is None else part
        texts, names = where.list(_WRITTEN.get(name, name)), (name, *instead)
        for row in np.flatnonzero(rows).tolist():
            facts = self.facts(row) if where is self.rows else {}
            if args:
                facts |= args(row)
            wanted = expected(row) if callable(expected) else expected
            found = None if texts[row] is None else str(texts[row])
            yield Hit(where.forms[row], where.cell(row, *names), name, found, wanted, facts, variant)

    def missing_cell(self, names: Sequence[str]) -> Bools:
        """Forms that lack one of the columns or cells ``names`` (``indicators.score``, ``total.grade`` …)."""
        missing = np.zeros(self.size, dtype=np.bool_)
        for name in names:
            if name in self._owned:
                missing |= ~self._owned[name]
        return missing

    @cached_property
    def _owned(self) -> dict[str, Bools]:
        """By column, the forms that have it."""
        owned = {name: np.zeros(self.size, dtype=np.bool_) for name in _COLUMNS}
        for prefix, part in (("indicators.", self.rows), ("funds.", self.total)):
            kinds: dict[tuple[str, ...], list[int]] = {}
            for form, rows in part.groups(np.ones(len(part), dtype=np.bool_)):
                kinds.setdefault(tuple(part.list("cells")[rows[0]]), []).append(form)
            for names, forms in kinds.items():
                for name in names:
                    if prefix + name in owned:
                        owned[prefix + name][forms] = True
        for own, name in _OF_FORM.items():
            owned[name] = self.forms.has(own)
        return owned

    @cached_property
    def measured(self) -> Measured:
        """Target and actual of every indicator row as quantities."""
        if self._measured is not None:
            return self._measured
        return measure(self.rows.frame, self.forms.floats("year")[self.rows.form])

    @cached_property
    def points(self) -> Floats:
        """Points of every indicator row, NaN where it has none."""
        return self.rows.floats("points")

    @cached_property
    def typed(self) -> Floats:
        """The typed score of every indicator row."""
        return self.rows.floats("typed")

    @cached_property
    def full(self) -> Bools:
        """Rows whose typed score reaches their points."""
        return (self.points > 0) & (self.typed >= self.points - NEAR)

    @cached_property
    def counted(self) -> Bools:
        """Rows with a score and points of their own: not set aside as not applicable, no points shared with others."""
        return ~one_of(self.rows.texts("method"), ("excluded", "shared", "shared_split"))

    @cached_property
    def scored(self) -> Bools:
        """Rows whose typed score enters the total, those that share their points among them."""
        return np.asarray((self.rows.texts("method") != "excluded") & ~np.isnan(self.typed), dtype=np.bool_)

    @cached_property
    def reasoned(self) -> Bools:
        """Rows whose deviation column holds a reason."""
        return self.rows.where("deviation", gives_reason)

    @cached_property
    def dimension(self) -> Objects:
        """Level-1 dimension of every row as rulebooks name them (产出, 效益, 满意度, 成本), "" where it is unknown."""
        first = self.rows.map("level1", dimension_of, dimension_of(""))
        return np.where(first == "", self.rows.map("level2", level2_dimension, level2_dimension("")), first)

    @cached_property
    def noted(self) -> Bools:
        """Forms whose rows below the grid hold a reason."""
        notes = (self.tables.notes.get(form_id, ()) for form_id in self.forms.list("form_id"))
        return np.array([notes_give_reason(tuple(texts)) for texts in notes], dtype=np.bool_)

    @cached_property
    def footnotes(self) -> list[Footnote]:
        """What every form's own notes lay down."""
        return [read_footnote(self.tables.notes.get(form_id, ())) for form_id in self.forms.list("form_id")]

    @cached_property
    def unit_scale(self) -> Floats:
        """By form, how many 元 one unit of its fund table is; 1 where it states none."""
        scales = load("audit_words.toml")["unit"]
        return np.array([scales.get(unit or "", 1.0) for unit in self.forms.list("unit")], dtype=np.float64)

    @cached_property
    def tolerance(self) -> Floats:
        """By form, how far a typed score may be from the rule's: as many places as the form itself prints."""
        steps = [dict(book.tolerances) for book in self.by_form]
        return np.array(
            [step.get(min(place, max(step)), NEAR) for step, place in zip(steps, self.places.tolist(), strict=True)],
            dtype=np.float64,
        )

    @cached_property
    def printed(self) -> np.ndarray:
        """By indicator row, the places its typed score is printed with."""
        return self.rows.map("self_score", decimals, 0, int)

    @cached_property
    def places(self) -> np.ndarray:
        """By form, the most places any typed score is printed with."""
        places = np.zeros(self.size, dtype=int)
        np.maximum.at(places, self.rows.form, self.printed)
        np.maximum.at(places, self.total.form, np.array(list(map(decimals, self.total.list("self_score"))), dtype=int))
        return places

    @cached_property
    def typed_total(self) -> Floats:
        """The typed total of every form."""
        return numbers(self.forms.list("self_total"))

    def by_form_sum(self, values: Floats, rows: Bools, part: Part | None = None) -> Floats:
        """Sum a column over the rows of a mask, form by form."""
        form = (self.rows if part is None else part).form
        return np.bincount(form[rows], np.nan_to_num(values)[rows], self.size).astype(np.float64)

    def by_form_count(self, rows: Bools, part: Part | None = None) -> np.ndarray:
        """Count the rows of a mask, form by form."""
        return np.bincount((self.rows if part is None else part).form[rows], minlength=self.size)


def decimals(text: str | None) -> int:
    """Places a figure is printed with: ``8.62`` has 2, ``10.0`` 1."""
    if not text or "." not in text:
        return 0
    tail = text.strip().rpartition(".")[2]
    return len(tail) - len(tail.lstrip("0123456789"))


_OF_FORM = {
    "goal_expected": "goals.expected", "goal_actual": "goals.actual", "self_total": "total.score",
    "self_grade": "total.grade", "total_weight": "total.weight",
}  # fmt: skip
_COLUMNS = (
    *(f"funds.{name}" for name in ("initial_budget", "annual_budget", "executed", "weight", "rate", "score", "reason")),
    *(
        f"indicators.{name}"
        for name in (
            "level1", "level2", "level3", "target", "actual", "sign", "unit", "weight", "score", "deviation",
        )
    ),
)  # fmt: skip
