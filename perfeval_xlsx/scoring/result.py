"""What a run knows about one form or one file: plain dictionaries, ready for JSON, a worker's way home, the summary.

Every figure is a string as it is to be shown (``"98.62"``, ``"99"``, ``"86.18%"``) or None where the rules abstain.
``docs/interface.md`` documents the same keys; ``tests/test_interface.py`` pins them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NotRequired, TypedDict, overload

SCHEMA = 1

FormStatus = Literal["scored", "pending", "reported", "skipped", "failed", "duplicate", "deleted", "unit"]
"""scored: total and grade stand (bounds tell what a reviewer could change) · pending: some row has no score or the
points are not 100, so no grade · reported: the form has no weights or no scores, read only · skipped: no form in the
file · failed: the file cannot be read · duplicate: same content as a file before · deleted: taken out of the inbox, its
copy is kept · unit: no form, but a whole unit, or the review table; ``path`` is its name."""

RowStatus = Literal["ruled", "judged", "unscorable", "unweighted", "reviewed"]
"""unweighted: the row carries no points of its own (component rows, forms without weights) · reviewed: a person decided
(low = high = score)."""


class FindingResult(TypedDict):
    """A finding with its texts in the run's language."""

    code: str
    severity: str
    cell: str | None
    field: str | None
    found: str | None
    expected: str | None
    message: str
    basis: str
    suggestion: str


class RowResult(TypedDict):
    """One indicator row; ``sheet`` only where it stands on another sheet than the form begins on."""

    row: int
    level1: str | None
    level2: str | None
    level3: str | None
    target: str | None
    actual: str | None
    weight: str | None
    self_score: str | None
    score: str | None
    low: str | None
    high: str | None
    status: RowStatus
    method: str
    basis: str
    cell: str | None
    deviation: str | None
    sheet: NotRequired[str]


ROW_KEYS = tuple(RowResult.__annotations__)[:-1]
"""Keys that every row has: all but the sheet."""


class RowResults(Sequence[RowResult]):
    """The rows of a form by column: a stage that goes by column has them at once, rows are made when one is asked for.

    Attributes:
        columns: The rows' values by key, in the order of ``ROW_KEYS``.
        typed: The typed scores as displayed, None where there is none.
    """

    __slots__ = ("_rows", "columns", "typed")

    def __init__(self, columns: Mapping[str, Sequence[Any]], typed: Sequence[str | None]) -> None:
        self.columns, self.typed = columns, typed
        self._rows: list[RowResult] | None = None

    def __len__(self) -> int:
        return len(self.columns["row"])

    @overload
    def __getitem__(self, place: int) -> RowResult: ...
    @overload
    def __getitem__(self, place: slice) -> list[RowResult]: ...
    def __getitem__(self, place: int | slice) -> RowResult | list[RowResult]:
        return self.rows()[place]

    def __iter__(self) -> Iterator[RowResult]:
        return iter(self.rows())

    def __eq__(self, other: object) -> bool:
        return self.rows() == list(other) if isinstance(other, Sequence) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def rows(self) -> list[RowResult]:
        """The rows, made once: whoever changes one changes it for all."""
        if self._rows is None:
            self._rows = rows_of(self.columns)
        return self._rows


def rows_of(columns: Mapping[str, Sequence[Any]]) -> list[RowResult]:
    """One result a row, from the values by key in the order of ``ROW_KEYS``."""
    return [
        {
            "row": row, "level1": l1, "level2": l2, "level3": l3, "target": target, "actual": actual, "weight": weight,
            "self_score": self_score, "score": score, "low": low, "high": high, "status": state, "method": how,
            "basis": basis, "cell": cell, "deviation": deviation,
        }
        for row, l1, l2, l3, target, actual, weight, self_score, score, low, high, state, how, basis, cell, deviation
        in zip(*columns.values(), strict=True)
    ]  # fmt: skip


class ExecutionResult(TypedDict):
    """Budget execution of the form's total fund row."""

    budget: str | None
    executed: str | None
    rate: str | None
    weight: str | None
    score: str | None
    low: str | None
    high: str | None
    self_rate: str | None
    self_score: str | None
    status: RowStatus
    method: str
    basis: str
    cell: str | None


class LevelResult(TypedDict):
    """Points of one level-1 dimension."""

    name: str
    weight: str
    self_score: str | None
    score: str | None


class Replaced(TypedDict):
    """A typed value the copy shows differently."""

    cell: str
    field: str
    old: str
    new: str


class FormResult(TypedDict):
    """One form, or one file without a form (then only path, status, sheet=None and findings say something)."""

    schema: int
    path: str
    sheet: str | None
    form: int | None
    status: FormStatus
    copy: str | None
    kind: str | None
    title: str | None
    org: str | None
    year: int | None
    rulebook: str | None
    support: str | None
    total: str | None
    grade: str | None
    grade_final: bool
    low: str | None
    high: str | None
    low_grade: str | None
    high_grade: str | None
    self_total: str | None
    self_grade: str | None
    execution: ExecutionResult | None
    levels: list[LevelResult]
    indicators: Sequence[RowResult]
    person_rows: NotRequired[int]
    replaced: list[Replaced]
    findings: list[FindingResult]
    fixed: NotRequired[list[FindingResult]]
