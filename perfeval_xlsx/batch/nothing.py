"""What there is to say where there is nothing to read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from perfeval_xlsx.batch.discover import Source
from perfeval_xlsx.data import load
from perfeval_xlsx.findings import Finding, PerfevalError


def missing_paths(sources: Iterable[Source]) -> list[str] | None:
    """The paths that do not exist, where there are no others; None as soon as there is anything to read."""
    missing = []
    for source in sources:
        if source.problem is None or source.problem.code != "B01":
            return None
        missing.append(source.shown)
    return missing


def not_there(paths: Sequence[str]) -> PerfevalError:
    """The error for paths none of which exists."""
    return PerfevalError(Finding("B46", found="、".join(paths)))


def nothing_to_read(paths: Sequence[str | Path]) -> PerfevalError:
    """The error for paths that hold no workbook."""
    extensions = " ".join(load("run.toml")["extensions"])
    return PerfevalError(Finding("B40", found="、".join(str(path) for path in paths), expected=extensions))
