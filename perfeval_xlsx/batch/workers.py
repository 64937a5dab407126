"""A pool of worker processes that comes to an end whenever one of them is killed."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from threading import Thread
from time import monotonic
from typing import Any, ParamSpec, TypeVar

_GRACE = 1.0
"""Seconds that the library's pool has to notice a death by itself."""

P = ParamSpec("P")
T = TypeVar("T")


class WorkerPool(ProcessPoolExecutor):
    """A ``ProcessPoolExecutor`` that does not wait for what a killed worker has begun.

    The library's pool waits for ever where a worker dies while it sends a result, since the rest of the message never
    comes, or while it holds the lock under which the others take their tasks. Here all workers are ended then, and
    what they had under way fails with ``BrokenProcessPool``, as after any other death.
    """

    _watcher: Thread | None = None

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """As the library does, with all workers started."""
        self.begin()
        return super().submit(fn, *args, **kwargs)

    def begin(self) -> None:
        """Start all workers at once, and the watch over them; the library would start one with each task."""
        if self._watcher is not None:
            return
        inner: Any = self
        while len(inner._processes) < inner._max_workers:
            inner._spawn_process()
        workers, results = tuple(inner._processes.values()), inner._result_queue._writer
        self._watcher = Thread(target=_watch, args=(workers, results), daemon=True)
        self._watcher.start()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """As the library does; workers that were never given a task, and are told nothing by it, are ended."""
        inner: Any = self
        if inner._executor_manager_thread is None:
            for worker in (inner._processes or {}).values():
                worker.kill()
        super().shutdown(wait, cancel_futures=cancel_futures)


class EarlyPool:
    """Makes pools, the first of which may be begun before it is asked for; to be closed.

    Args:
        make: Makes a pool of so many workers.
        jobs: How many workers the first one has.
    """

    def __init__(self, make: Callable[[int], WorkerPool], jobs: int) -> None:
        self._make, self._jobs = make, jobs
        self._begun: WorkerPool | None = None

    def begin(self) -> None:
        """Start the first pool's workers: they take longer to import what they need than the master to list files."""
        self._begun = self._make(self._jobs)
        self._begun.begin()

    def __call__(self, jobs: int) -> WorkerPool:
        """A pool of so many workers."""
        begun, self._begun = self._begun, None
        return self._make(jobs) if begun is None else begun

    def close(self) -> None:
        """End workers that were not asked for."""
        if self._begun is not None:
            self._begun.shutdown()


def _watch(workers: Sequence[BaseProcess], results: Connection) -> None:
    """Wait until all workers have ended well, or one has not: then end the others.

    Args:
        workers: The pool's processes.
        results: The end of the pipe for results that this process holds open itself.
    """
    alive: dict[Any, BaseProcess] = {worker.sentinel: worker for worker in workers}
    while alive:
        ended = [alive.pop(sentinel) for sentinel in wait(list(alive))]
        if any(worker.exitcode != 0 for worker in ended):
            _end(alive, results)
            return


def _end(alive: dict[Any, BaseProcess], results: Connection) -> None:
    end = monotonic() + _GRACE
    while alive and (left := end - monotonic()) > 0:
        for sentinel in wait(list(alive), left):
            del alive[sentinel]
    for worker in alive.values():
        worker.kill()
    with suppress(OSError):
        _let_go(results)  # nobody can write any more, so that who still reads is told


def _let_go(results: Connection) -> None:
    """Close a pipe's end; its number stays taken, since the library closes it, too, and may do so at the same time."""
    if os.name == "nt":
        results.close()
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, results.fileno(), inheritable=False)
    finally:
        os.close(nowhere)
