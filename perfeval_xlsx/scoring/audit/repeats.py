"""What the scoring said already and a check says better."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from perfeval_xlsx.data import load
from perfeval_xlsx.scoring.audit.report import position
from perfeval_xlsx.scoring.result import FindingResult


def without_repeats(scoring: Iterable[FindingResult], audit: Iterable[FindingResult]) -> list[FindingResult]:
    """Return one form's findings of the scoring without those a check of the audit says better.

    Args:
        scoring: Findings of reading and scoring.
        audit: Findings of the audit of the same form.

    A finding goes where a check that stands for its code (``instead_of`` in ``data/checks.toml``) hit the same row, or
    anywhere in the form where the finding is about the form as a whole.
    """
    better = {(code, place) for finding in audit for code in _stands_for(finding["code"]) for place in _places(finding)}
    return [finding for finding in scoring if (finding["code"], _row(finding)) not in better]


@cache
def _stands_for(code: str) -> tuple[str, ...]:
    """Codes of the scoring that a check says better; none for codes that are no check."""
    return tuple(load("checks.toml")["check"].get(code, {}).get("instead_of", ()))


def _row(finding: FindingResult) -> tuple[str, int] | None:
    return None if finding["cell"] is None else position(finding["cell"])[:2]


def _places(finding: FindingResult) -> tuple[tuple[str, int] | None, ...]:
    return (_row(finding), None)
