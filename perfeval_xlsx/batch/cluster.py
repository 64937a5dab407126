"""Many machines: the same chunks through a dask scheduler, its workers and this process on one shared folder."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from pathlib import Path
from threading import Event, Thread
from time import monotonic
from typing import Any, NamedTuple

from perfeval_xlsx.batch.options import Options, program
from perfeval_xlsx.batch.worker import log_to
from perfeval_xlsx.data import load
from perfeval_xlsx.findings import Finding, PerfevalError

SCHEME = "dask://"
_LOGGERS = ("distributed", "distributed.client", "tornado.application", "asyncio")
"""Those to which dask and what it stands on say what goes wrong, each with a level of its own."""


class Place(NamedTuple):
    """What a worker must share with its master.

    Attributes:
        folder: The master's working folder, that relative paths start from.
        record: A file of the output folder that a worker must see, None without one.
        program: Version and digest of the program.
    """

    folder: str
    record: str | None
    program: str


@contextmanager
def cluster(options: Options, out: Path | None) -> Iterator[tuple[Callable[[int], Executor], int]]:
    """Connect to a scheduler.

    Args:
        options: ``executor`` is the scheduler's address, ``jobs`` how many workers to keep busy.
        out: The output folder, in which the run's record lies already.

    Yields:
        What makes an executor for ``Pool``, and the number of workers.

    Raises:
        PerfevalError: The extra is not installed (``B70``), there is no scheduler (``B71``), or a worker does not see
            the shared folder, runs another version or has several threads (``B72``).
    """
    with _connected(options.executor or "") as client:
        place = _place(out)
        connected = _check_workers(client, place)
        jobs = options.jobs or connected
        guard = _Guard(client)
        try:
            yield (lambda _jobs: _ClusterExecutor(client, place, guard)), jobs
        finally:
            guard.end()


def remote(place: Place, work: Callable[..., Any], *args: Any) -> Any:
    """Do some work on a worker, from the master's folder.

    Raises:
        PerfevalError: The worker does not see what it must (``B72``).
    """
    lack = unfit(place)
    if lack:
        raise PerfevalError(_unfit({_worker_name(): lack}))
    if Path(place.folder).is_dir():
        os.chdir(place.folder)
    if place.record is not None:
        _log_once(Path(place.record).with_name(load("run.toml")["outputs"]["log"]))
    return work(*args)


def unfit(place: Place) -> str:
    """Why this process is no worker for a master: a path it does not see, a version; "" where it is one."""
    if place.program != program():
        return program()
    if place.record is not None and not Path(place.record).exists():
        return place.record
    return ""


def _worker_name() -> str:
    """The worker this is, as the check at the start would name it: its machine, and its address in the cluster."""
    try:
        return f"{socket.gethostname()} {import_module('distributed').get_worker().address}"
    except (ImportError, ValueError):  # none that dask knows of
        return socket.gethostname()


_log_once = cache(log_to)


def _place(out: Path | None) -> Place:
    record = None if out is None else str((out / load("run.toml")["outputs"]["manifest"]).absolute())
    return Place(str(Path.cwd()), record, program())


@contextmanager
def _connected(executor: str) -> Iterator[Any]:
    address = executor.removeprefix(SCHEME)
    if address == executor or not address:
        raise PerfevalError(Finding("B74", found=executor))
    try:
        client_type: Any = import_module("distributed").Client
    except ImportError as error:
        raise PerfevalError(Finding("B70")) from error
    seconds = load("run.toml")["cluster"]["connect"]
    try:
        client = client_type(f"tcp://{address}", timeout=seconds, set_as_default=False)
    except (OSError, ValueError) as error:
        raise PerfevalError(Finding("B71", found=executor, args={"detail": str(error)})) from error
    with _silent(), client:
        yield client


@contextmanager
def _silent() -> Iterator[None]:
    """Keep what dask's threads say of lost connections off the terminal: findings say what it comes to."""
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)


def _check_workers(client: Any, place: Place) -> int:
    """How many workers there are, each fit for the work.

    Raises:
        PerfevalError: None came in time, or one of them is not fit.
    """
    seconds = load("run.toml")["cluster"]["connect"]
    try:
        client.wait_for_workers(1, timeout=seconds)
    except TimeoutError as error:
        raise PerfevalError(Finding("B73", found=client.scheduler.address, expected=f"{seconds:g}")) from error
    lacks = client.run(unfit, place, on_error="return")
    wrong = {name: str(lack) for name, lack in lacks.items() if lack}
    threads = client.nthreads()
    wrong |= {name: f"--nthreads {count}" for name, count in threads.items() if count != 1}
    if wrong:
        raise PerfevalError(_unfit(wrong))
    return len(threads)


def _unfit(lacks: dict[str, str]) -> Finding:
    return Finding("B72", found="; ".join(f"{name} ({lack})" for name, lack in sorted(lacks.items())))


class _Guard:
    """Ends the waiting where no worker is left for long: tasks would wait for one for ever."""

    def __init__(self, client: Any) -> None:
        self._client, self._ended = client, Event()
        self.waiting: set[Future[Any]] = set()
        self._thread = Thread(target=self._look, daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Look no more."""
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        patience, seen = float(load("run.toml")["cluster"]["workers"]), monotonic()
        while not self._ended.wait(1.0):
            if self._alive():
                seen = monotonic()
            elif monotonic() - seen > patience:
                for future in list(self.waiting):
                    _fail(future, PerfevalError(Finding("B73", found="", expected=f"{patience:g}")))

    def _alive(self) -> bool:
        try:
            return bool(self._client.nthreads())
        except Exception:  # whatever a client says that has lost its scheduler
            return False


class _ClusterExecutor(Executor):
    """``Client.get_executor()`` with the faults of workers told as ``Pool`` knows them."""

    def __init__(self, client: Any, place: Place, guard: _Guard) -> None:
        self._inner, self._place, self._guard = client.get_executor(pure=False), place, guard
        self._address = str(client.scheduler.address)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        inner = self._inner.submit(remote, self._place, fn, *args, **kwargs)
        outer: Future[Any] = Future()
        self._guard.waiting.add(outer)

        def close(future: Future[Any]) -> None:
            self._guard.waiting.discard(future)
            if future.cancelled():
                inner.cancel()

        outer.add_done_callback(close)
        inner.add_done_callback(lambda future: _pass_on(future, outer, self._address))
        return outer

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        if wait and not cancel_futures:
            self._inner.shutdown(wait=True)
            return
        for future in list(self._guard.waiting):
            future.cancel()
        self._inner.shutdown(wait=False)  # to wait for tasks that no worker will take would be for ever


def _pass_on(inner: Future[Any], outer: Future[Any], scheduler: str) -> None:
    """Give what came of a task on; workers that died over it, time and again, break the executor as Pool sees it."""
    if outer.done():
        return
    if inner.cancelled():  # not by us: a client does so when it has lost its scheduler
        _fail(outer, PerfevalError(Finding("B75", found=scheduler)))
        return
    error = inner.exception()
    if error is None:
        outer.set_result(inner.result())
    elif isinstance(error, import_module("distributed").KilledWorker):
        _fail(outer, BrokenExecutor(str(error)))
    else:
        _fail(outer, error)


def _fail(future: Future[Any], error: BaseException) -> None:
    if not future.done():
        future.set_exception(error)
