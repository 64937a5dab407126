"""What a worker process does, and the bounds it lives in; ``batch/nursery.py`` has it from its first line on."""

from __future__ import annotations

import faulthandler
import gc
import itertools
import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from perfeval_xlsx.batch.discover import Source
from perfeval_xlsx.batch.options import Options
from perfeval_xlsx.batch.record import FileRecord

_COLLECT_EVERY = 16
"""Chunks between two collections: what a chunk makes holds no cycles, what fails or is of an old format may."""

_chunks = itertools.count(1)


def start(memory: int, log: Path | None) -> None:
    """Set a worker process up before its first task: its memory is bounded.

    Args:
        memory: Bytes of address space, 0 for no bound; ignored where the system cannot limit it.
        log: File for tracebacks, made when there is one.
    """
    logging.raiseExceptions = False  # a log that cannot be written is no business of the terminal's
    log_to(log)
    _limit_memory(memory)


def work(sources: Sequence[Source], options: Options, out: Path | None) -> list[FileRecord]:
    """Score some files in this process; a worker, which looks for no cycles otherwise, does so every few chunks."""
    from perfeval_xlsx.batch.chunk import score_files

    records = score_files(sources, options, out)
    if not gc.isenabled() and next(_chunks) % _COLLECT_EVERY == 0:
        gc.collect()
    return records


def work_watched(sources: Sequence[Source], options: Options, out: Path | None) -> list[FileRecord]:
    """``work``; the process ends itself if that takes longer than a file may."""
    with _watched(options.seconds):
        return work(sources, options, out)


def log_to(log: Path | None) -> None:
    """Send the package's log to a file that is made with its first line; without one it is dropped."""
    logger = logging.getLogger("perfeval_xlsx")
    logger.handlers, logger.propagate = [logging.NullHandler() if log is None else _handler(log)], False


@contextmanager
def logged_to(log: Path | None) -> Iterator[None]:
    """Send the package's log to a file too while this lasts, in a process that is not only ours."""
    if log is None:
        yield
        return
    logger, handler = logging.getLogger("perfeval_xlsx"), _handler(log)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        handler.close()


def _handler(log: Path) -> logging.Handler:
    handler = logging.FileHandler(log, encoding="utf-8", delay=True)
    handler.setFormatter(logging.Formatter("%(asctime)s %(process)d %(levelname)s %(message)s"))
    return handler


@contextmanager
def _watched(seconds: float) -> Iterator[None]:
    """End the process after some time: neither native code nor an endless loop can be stopped from within."""
    if not seconds:
        yield
        return
    with open(os.devnull, "w", encoding="utf-8") as nowhere:  # noqa: PTH123
        faulthandler.dump_traceback_later(seconds, exit=True, file=nowhere)
        try:
            yield
        finally:
            faulthandler.cancel_dump_traceback_later()


def _limit_memory(memory: int) -> None:
    try:
        import resource
    except ImportError:
        return
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    if memory and (hard == resource.RLIM_INFINITY or memory <= hard):
        resource.setrlimit(resource.RLIMIT_AS, (memory, hard))
