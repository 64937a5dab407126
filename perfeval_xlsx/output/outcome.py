"""Findings with their words, and the result of a file that has no form to score; needs no frames."""

from __future__ import annotations

from collections.abc import Iterable

from perfeval_xlsx.findings import Finding, Lang, PerfevalError
from perfeval_xlsx.scoring.result import SCHEMA, FindingResult, FormResult, FormStatus


def file_result(path: str, status: FormStatus, findings: Iterable[Finding], lang: Lang = "zh") -> FormResult:
    """The result of a file without a form (``skipped``), a second one (``duplicate``), one unreadable (``failed``)."""
    return {
        "schema": SCHEMA, "path": path, "sheet": None, "form": None, "status": status, "copy": None, "kind": None,
        "title": None, "org": None, "year": None, "rulebook": None, "support": None, "total": None, "grade": None,
        "grade_final": False, "low": None, "high": None, "low_grade": None, "high_grade": None, "self_total": None,
        "self_grade": None, "execution": None, "levels": [], "indicators": [], "replaced": [],
        "findings": [finding_result(finding, lang) for finding in findings],
    }  # fmt: skip


def unit_result(org: str, path: str | None = None) -> FormResult:
    """The result about a whole unit, or about a table that belongs to no form, still without findings.

    Args:
        org: Its name.
        path: What identifies it within the run; its name where no file is meant.
    """
    result = file_result(path or org, "unit", ())
    result["org"] = org
    return result


def failed_result(path: str, error: PerfevalError, lang: Lang = "zh") -> FormResult:
    """The result of a file that cannot be read; one that is no matter for reading (a lock file) is skipped."""
    return file_result(path, "skipped" if error.finding.severity == "hint" else "failed", [error.finding], lang)


def finding_result(finding: Finding, lang: Lang = "zh") -> FindingResult:
    """A finding with its texts in ``lang``."""
    return {
        "code": finding.code,
        "severity": finding.severity,
        "cell": finding.cell,
        "field": finding.field,
        "found": finding.found,
        "expected": finding.expected,
        "message": finding.text("message", lang),
        "basis": finding.text("basis", lang),
        "suggestion": finding.text("suggestion", lang),
    }
