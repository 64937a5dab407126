"""Many copies made durable at once: the file system they lie on is flushed, instead of each file by itself."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

from perfeval_xlsx.findings import Finding, PerfevalError, cause_of


def can_flush() -> bool:
    """Whether this system flushes at once what many files hold (Windows does not)."""
    return hasattr(os, "sync")


def flush(folder: Path) -> None:
    """Flush the file system that ``folder`` lies on; what was written there before will outlive a power failure.

    Raises:
        PerfevalError: The disk is full or broken (``B26``).
    """
    one = _one_system()
    if one is None:
        os.sync()
        return
    try:
        handle = os.open(folder, os.O_RDONLY)
        try:
            one(handle)
        finally:
            os.close(handle)
    except OSError as error:
        raise PerfevalError(Finding("B26", found=str(folder), args={"detail": cause_of(error)})) from error


@cache
def _one_system() -> Callable[[int], None] | None:
    """The system's call that flushes one file system; without it every disk is, those of others with it."""
    if sys.platform != "linux":
        return None
    import ctypes

    call = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
    if call is None:
        return None

    def one(handle: int) -> None:
        if call(handle):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))

    return one
