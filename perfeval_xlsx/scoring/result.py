"""What a run knows about one form or one file: plain dictionaries, ready for JSON, a worker's way home, the summary.

Every figure is a string as it is to be shown (``"98.62"``, ``"99"``, ``"86.18%"``) or None where the rules abstain.
``docs/interface.md`` documents the same keys; ``tests/test_interface.py`` pins them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NotRequired, TypedDict

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


class RowResults(list[RowResult]):
    """The rows of a form, with the same by column where it is known: a stage that goes by column takes no row apart.

    Attributes:
        columns: The rows' values by key, in the order of ``ROW_KEYS``; None where the rows were made otherwise.
        typed: The typed scores as displayed, None where there is none.
    """

    __slots__ = ("columns", "typed")

    def __init__(
        self,
        rows: Iterable[RowResult],
        columns: Mapping[str, Sequence[Any]] | None = None,
        typed: Sequence[str | None] = (),
    ) -> None:
        super().__init__(rows)
        self.columns, self.typed = columns, typed


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
    indicators: list[RowResult]
    person_rows: NotRequired[int]
    replaced: list[Replaced]
    findings: list[FindingResult]
    fixed: NotRequired[list[FindingResult]]
