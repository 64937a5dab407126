"""The files of an output folder that are ours: found, removed once they no longer hold; what is not ours stays."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from perfeval_xlsx.batch.discover import printable
from perfeval_xlsx.data import load
from perfeval_xlsx.findings import Finding, cause_of

_TEMPORARY = re.compile(r"\.[0-9a-f]{12}\.tmp")


def removed(out: Path, name: str) -> Finding | None:
    """Remove one of our files; one that is not there, or in whose place a folder is, is removed already.

    Args:
        out: The output folder.
        name: Path of the file below it.

    Returns:
        Why it is still there (``B49``), None where it is not.
    """
    path = out / name
    try:
        if path.is_file():
            path.unlink(missing_ok=True)
    except OSError as error:
        return Finding("B49", found=name, args={"detail": cause_of(error)})
    return None


def tidied(out: Path) -> Iterator[str]:
    """Paths of the copies below the output folder; what a killed run left half written is removed on the way."""
    names = load("run.toml")["outputs"]
    with os.scandir(out) as entries:
        for entry in entries:
            if _TEMPORARY.fullmatch(entry.name):
                removed(out, entry.name)
    for copies in (names["copies"], names["annotated"]):
        yield from _below(out, copies)
    for _ in _below(out, names["returned"]):
        pass  # lists are no copies, but are left half written as well


def _below(out: Path, folder: str) -> Iterator[str]:
    try:
        entries = os.scandir(out / folder)
    except OSError:
        return
    with entries:
        for entry in entries:
            name = f"{folder}/{entry.name}"
            if _TEMPORARY.fullmatch(entry.name):
                removed(out, name)
            elif entry.is_dir(follow_symlinks=False):
                yield from _below(out, name)
            else:
                yield printable(name)
