"""One run at a time in an output folder: a lock the operating system drops when the process dies, however it dies."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from perfeval_xlsx.data import load
from perfeval_xlsx.findings import Finding, PerfevalError, cause_of


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lock of an output folder, which is made if need be.

    Raises:
        PerfevalError: Another run holds it (``B39``), or the folder cannot be written (``B26``).
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # The file stays behind: to delete it would let two runs hold locks on two files of one name.
        file = (folder / load("run.toml")["outputs"]["lock"]).open("a+b")
    except OSError as error:
        raise PerfevalError(Finding("B26", found=str(folder), args={"detail": cause_of(error)})) from error
    with file:
        if not _take(file):
            raise PerfevalError(Finding("B39", found=str(folder)))
        yield


def _take(file: IO[bytes]) -> bool:
    """Lock a file without waiting; whether it was free."""
    try:
        if os.name == "nt":
            import msvcrt

            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        else:
            import fcntl

            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
