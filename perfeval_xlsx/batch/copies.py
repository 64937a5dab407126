"""The files of an output folder: found, removed once they no longer hold, or set aside where somebody changed them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from filecmp import cmp
from pathlib import Path
from typing import NamedTuple

from perfeval_xlsx.batch.discover import printable
from perfeval_xlsx.data import load
from perfeval_xlsx.findings import Finding, cause_of

_TEMPORARY = re.compile(r"\.[0-9a-f]{12}\.tmp")


class Copy(NamedTuple):
    """One copy that is there: its path below the output folder, its size in bytes, its time in nanoseconds."""

    name: str
    size: int
    mtime: int


def facts_of(path: str | Path) -> tuple[int, int] | None:
    """Size and time of a file, None where there is none."""
    try:
        status = os.stat(path)  # noqa: PTH116
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns


class Aside:
    """The folder that outputs go to which are not as they were written: what somebody typed there is not lost.

    Args:
        out: The output folder.

    Attributes:
        taken: Where each output went, by its path below the output folder.
    """

    def __init__(self, out: Path) -> None:
        self._out, self._folder = out, out / load("run.toml")["outputs"]["aside"]
        self.taken: dict[str, Path] = {}

    def take(self, name: str) -> bool:
        """Move one output away, unless it is empty or cannot be moved (open elsewhere); return whether it was."""
        path, kept = self._out / name, self._folder / name
        number = 1
        while kept.exists():
            number += 1
            kept = (self._folder / name).with_stem(f"{path.stem} ({number})")
        try:
            if not path.is_file() or not path.stat().st_size:
                return False
            kept.parent.mkdir(parents=True, exist_ok=True)
            path.rename(kept)
        except OSError:
            return False
        self.taken[name] = kept
        return True

    def settle(self, names: Iterable[str | None]) -> None:
        """Drop what was moved away and was written anew with the same bytes: only its time was another."""
        for name in [name for name in names if name in self.taken] if self.taken else ():
            kept = self.taken[str(name)]
            with suppress(OSError):
                if cmp(kept, self._out / str(name), shallow=False):
                    kept.unlink()
                    del self.taken[str(name)]
                    for folder in list(kept.parents)[: len(kept.relative_to(self._out).parts) - 1]:
                        folder.rmdir()  # as far as it is empty


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


def tidied(out: Path) -> Iterator[Copy]:
    """The copies below the output folder; what a killed run left half written is removed on the way."""
    names = load("run.toml")["outputs"]
    with os.scandir(out) as entries:
        for entry in entries:
            if _TEMPORARY.fullmatch(entry.name):
                removed(out, entry.name)
    for copies in (names["copies"], names["annotated"]):
        yield from _below(out, copies)
    for _ in _below(out, names["returned"]):
        pass  # lists are no copies, but are left half written as well


def _below(out: Path, folder: str) -> Iterator[Copy]:
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
                with suppress(OSError):  # gone since the folder was listed
                    status = entry.stat()
                    yield Copy(printable(name), status.st_size, status.st_mtime_ns)
