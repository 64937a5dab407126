"""Who does the work: worker processes, or this one; a worker that dies or stands still costs one file at most."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Any

from perfeval_xlsx.batch.discover import Source
from perfeval_xlsx.batch.options import Options
from perfeval_xlsx.batch.record import FileRecord, file_record
from perfeval_xlsx.batch.worker import logged_to, start, work, work_watched
from perfeval_xlsx.batch.workers import WorkerPool
from perfeval_xlsx.data import load
from perfeval_xlsx.findings import Finding, PerfevalError
from perfeval_xlsx.output.outcome import file_result

Chunk = Sequence[Source]
Outcomes = Generator[list[tuple[Chunk, list[FileRecord]]], None, None]
"""Chunks with their records, those together that were done at the same time; none at a tick without any."""
Running = dict[Future[list[FileRecord]], Chunk]
_TICK = 0.25
"""Seconds after which a wait looks whether it should stop."""
_STOOD = 2.0
"""Seconds between two looks after which this process itself cannot have been running (Ctrl-Z, a suspended machine)."""


def sizes(pending: int, jobs: int) -> Callable[[int], int]:
    """Most files of a chunk by how many were cut before it.

    Few enough that every worker gets several, and fewer towards the end, so that none waits for another's last chunk:
    two thirds of a worker's share of what is left, since a small chunk costs more a form than a large one.
    """
    bounds = load("run.toml")["chunk"]
    least = min(bounds["last"], max(1, -(-pending // (4 * jobs))))
    return lambda cut: int(min(bounds["files"], max(least, -(-2 * (pending - cut) // (3 * jobs)))))


def here(chunks: Iterable[Chunk], options: Options, out: Path | None, log: Path | None, stop: Event) -> Outcomes:
    """Work through the chunks in this process until ``stop`` is set; tracebacks go to ``log``."""
    for chunk in chunks:
        if stop.is_set():
            return
        with logged_to(log):
            records = work(chunk, options, out)
        yield [(chunk, records)]


def process_pool(jobs: int, options: Options, log: Path | None) -> WorkerPool:
    """Worker processes."""
    return WorkerPool(jobs, start, (options.memory, log))


class Pool:
    """Works through chunks on an executor and outlives its workers.

    When a worker dies, or takes longer than a file may although it should have ended itself, the executor is given up;
    the files that were under way go one by one through a fresh one with a single worker, where the file at fault is
    named and left out. So it is with a chunk that comes to an error. No file is tried more often than that. Where not
    even that worker starts, no file is at fault, and the run ends (``B47``).

    Args:
        make: Starts an executor with so many workers (``process_pool``; a cluster's client, which minds its workers).
        jobs: How many workers.
        options: How files are scored.
        out: Output folder, None for none.
        stop: Set by the master to end early: what is under way is finished, nothing new begun.
    """

    def __init__(
        self, make: Callable[[int], Executor], jobs: int, options: Options, out: Path | None, stop: Event
    ) -> None:
        self._make, self._jobs, self._options, self._out, self._stop = make, jobs, options, out, stop

    def outcomes(self, chunks: Iterable[Chunk]) -> Outcomes:
        """Yield the chunks with their records, as they are done; workers are ended at once where this is closed early.

        Raises:
            PerfevalError: Workers cannot be started (``B47``).
        """
        waiting = iter(chunks)
        while True:
            suspects: list[Chunk] = []
            yield from self._until_broken(waiting, suspects)
            if not suspects:
                return
            yield from self._one_by_one([source for chunk in suspects for source in chunk])

    def _until_broken(self, chunks: Iterator[Chunk], suspects: list[Chunk]) -> Outcomes:
        """Yield outcomes until the chunks are used up or a worker fails; then ``suspects`` gets what was under way."""
        executor, clock, well = self._make(self._jobs), _Clock(self._options.seconds), False
        running: Running = {}
        try:
            self._submit(executor, chunks, running, suspects)
            while running:
                done = self._collected(running, suspects)
                if clock.overdue(executor, running):
                    suspects.extend(running.values())
                    running.clear()
                if not suspects:  # workers go on while the master stores what is done
                    self._submit(executor, chunks, running, suspects)
                yield done
            well = True
        finally:
            _end(executor, well=well and not suspects)

    def _submit(self, executor: Executor, chunks: Iterator[Chunk], running: Running, suspects: list[Chunk]) -> None:
        """Keep two chunks a worker under way: one in hand, one at hand."""
        while len(running) < 2 * self._jobs and not self._stop.is_set():
            chunk = next(chunks, None)
            if chunk is None:
                return
            try:
                running[executor.submit(work_watched, chunk, self._options, self._out)] = chunk
            except BrokenExecutor:
                suspects.append(chunk)
                return

    def _collected(self, running: Running, suspects: list[Chunk]) -> list[tuple[Chunk, list[FileRecord]]]:
        """Wait for some chunks and take them out; those that failed are suspects."""
        done: list[tuple[Chunk, list[FileRecord]]] = []
        for future in self._done(running):
            chunk = running.pop(future)
            try:
                done.append((chunk, future.result()))
            except PerfevalError:  # of a cluster: no file's fault
                raise
            except Exception:  # a dead worker; an error that none of the files was found to be the cause of
                suspects.append(chunk)
        return done

    def _done(self, running: Running) -> set[Future[list[FileRecord]]]:
        """Wait for some futures; once told to stop, drop those that have not begun."""
        done, _ = wait(running, timeout=_TICK, return_when=FIRST_COMPLETED)
        if self._stop.is_set():
            for future in [future for future in running if future.cancel()]:
                del running[future]
                done.discard(future)
        return done

    def _one_by_one(self, sources: Chunk) -> Outcomes:
        executor, well = None, False
        try:
            for source in sources:
                record = None
                while record is None:
                    if self._stop.is_set():
                        well = True
                        return
                    if executor is None:
                        executor = yield from self._fresh()
                    record, lost = yield from self._alone(executor, source)
                    if lost:
                        _end(executor, well=False)
                        executor = None
                yield [([source], [record])]
            well = True
        finally:
            if executor is not None:
                _end(executor, well=well)

    def _alone(self, executor: Executor, source: Source) -> Generator[Any, None, tuple[FileRecord | None, bool]]:
        """Have one file done; yields at every tick.

        Returns:
            Its record, None where it must be tried again since this process stood still meanwhile, and whether the
            executor is lost.
        """
        clock = _Clock(self._options.seconds)
        try:
            future = executor.submit(work_watched, [source], self._options, self._out)
            yield from _ticks(executor, future, clock)
            return future.result()[0], False
        except PerfevalError:
            raise
        except Exception as error:
            return None if clock.stood else self._at_fault(source, error, clock.seconds), True

    def _fresh(self) -> Generator[Any, None, Executor]:
        """A worker of its own that is seen to start, before a file is blamed for its end; yields at every tick.

        Raises:
            PerfevalError: It does not start (``B47``).
        """
        executor = self._make(1)
        try:
            future = executor.submit(os.getpid)
            yield from _ticks(executor, future, _Clock(self._options.seconds))
            future.result()
        except BaseException as error:
            _end(executor, well=False)
            if isinstance(error, BrokenExecutor):
                raise PerfevalError(Finding("B47")) from error
            raise
        return executor

    def _at_fault(self, source: Source, error: Exception, seconds: float) -> FileRecord:
        """The record of a file that ended its worker, by taking too long or otherwise, or came to an error there."""
        bound = self._options.seconds
        code = "B38" if bound and seconds >= bound else "B37"
        if not isinstance(error, BrokenExecutor | MemoryError):
            code = "B30"
        args = {"detail": type(error).__name__}
        finding = Finding(code, found=source.shown, expected=f"{bound:g}", args=args)
        result = file_result(source.shown, "failed", [finding], self._options.lang)
        return file_record(source.relative, result, lang=self._options.lang)


class _Clock:
    """Tells when tasks take longer than a worker would let them; time in which this process stood still is left out.

    Args:
        seconds: How long a task may take, 0 for no bound.
    """

    def __init__(self, seconds: float) -> None:
        bounds = load("run.toml")["worker"]
        self._start, self._bound = float(bounds["start"]), seconds + bounds["grace"] if seconds else float("inf")
        self._begun = self._looked = monotonic()
        self._since: dict[Future[Any] | None, float] = {}
        self._stood = False

    @property
    def stood(self) -> bool:
        """Whether this process itself stood still between two looks, or since the last one."""
        return self._stood or monotonic() - self._looked > _STOOD

    @property
    def seconds(self) -> float:
        """Seconds since the clock was made."""
        return monotonic() - self._begun

    def overdue(self, executor: Executor, futures: Iterable[Future[Any]]) -> bool:
        """Whether some task, or the start of the workers, takes too long; a cluster minds its workers itself."""
        now = monotonic()
        if now - self._looked > _STOOD:
            self._stood = True
            self._since.clear()
        self._looked = now
        begun: list[Future[Any] | None] = [future for future in futures if future.running()]
        self._since = {future: self._since.get(future, now) for future in begun or [None]}
        bound = self._bound if begun else self._start
        return isinstance(executor, WorkerPool) and now - min(self._since.values()) > bound


def _ticks(executor: Executor, future: Future[Any], clock: _Clock) -> Outcomes:
    """Wait for a future; yields at every tick.

    Raises:
        BrokenExecutor: It takes too long.
    """
    while not wait([future], timeout=_TICK).done:
        if clock.overdue(executor, [future]):
            raise BrokenExecutor("a worker process stands still")
        yield []


def _end(executor: Executor, *, well: bool) -> None:
    """Let the workers end; at once, whatever they do, unless all went well."""
    if not well and isinstance(executor, WorkerPool):
        executor.kill()
    executor.shutdown(wait=well, cancel_futures=True)
