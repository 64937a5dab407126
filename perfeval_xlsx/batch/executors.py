"""Who does the work: this process for a few files, worker processes for many; a dead worker costs one file."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from pathlib import Path
from threading import Event
from time import monotonic

from perfeval_xlsx.batch.discover import Source
from perfeval_xlsx.batch.options import Options
from perfeval_xlsx.batch.record import FileRecord, file_record
from perfeval_xlsx.batch.worker import logged_to, start, work, work_watched
from perfeval_xlsx.batch.workers import WorkerPool
from perfeval_xlsx.data import load
from perfeval_xlsx.findings import Finding, PerfevalError
from perfeval_xlsx.output.outcome import file_result

Chunk = Sequence[Source]
Outcomes = Iterator[list[tuple[Chunk, list[FileRecord]]]]
"""Chunks with their records, those together that were done at the same time."""
_TICK = 0.25
"""Seconds after which a wait looks whether it should stop."""


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

    When a worker dies, the executor is given up; the files that were under way go one by one through a fresh one with
    a single worker, where the file that kills it is named and left out. No file is tried more often than that. Where
    not even that worker starts, no file is at fault, and the run ends (``B47``).

    Args:
        make: Starts an executor with so many workers (``process_pool``; a cluster's client).
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
        """Yield the chunks with their records, as they are done.

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
        """Yield outcomes until the chunks are used up or a worker dies; then ``suspects`` gets what was under way."""
        executor = self._make(self._jobs)
        running: dict[Future[list[FileRecord]], Chunk] = {}
        try:
            self._submit(executor, chunks, running, suspects)
            while running:
                done: list[tuple[Chunk, list[FileRecord]]] = []
                for future in self._done(running):
                    chunk = running.pop(future)
                    try:
                        done.append((chunk, future.result()))
                    except BrokenExecutor:
                        suspects.append(chunk)
                if not suspects:  # workers go on while the master stores what is done
                    self._submit(executor, chunks, running, suspects)
                if done:
                    yield done
        finally:
            executor.shutdown(wait=not suspects, cancel_futures=True)

    def _submit(
        self,
        executor: Executor,
        chunks: Iterator[Chunk],
        running: dict[Future[list[FileRecord]], Chunk],
        suspects: list[Chunk],
    ) -> None:
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

    def _done(self, running: dict[Future[list[FileRecord]], Chunk]) -> set[Future[list[FileRecord]]]:
        """Wait for some futures; once told to stop, drop those that have not begun."""
        done, _ = wait(running, timeout=_TICK, return_when=FIRST_COMPLETED)
        if self._stop.is_set():
            for future in [future for future in running if future.cancel()]:
                del running[future]
                done.discard(future)
        return done

    def _one_by_one(self, sources: Chunk) -> Outcomes:
        executor = self._fresh()
        try:
            for source in sources:
                if self._stop.is_set():
                    return
                begun = monotonic()
                try:
                    yield [([source], executor.submit(work_watched, [source], self._options, self._out).result())]
                except BrokenExecutor:
                    yield [([source], [self._killer(source, monotonic() - begun)])]
                    executor.shutdown(wait=False, cancel_futures=True)
                    executor = self._fresh()
        finally:
            executor.shutdown(wait=True, cancel_futures=True)

    def _fresh(self) -> Executor:
        """A worker of its own that is seen to start, before a file is blamed for its end.

        Raises:
            PerfevalError: It does not start (``B47``).
        """
        executor = self._make(1)
        try:
            executor.submit(os.getpid).result()
        except BrokenExecutor as error:
            executor.shutdown(wait=False, cancel_futures=True)
            raise PerfevalError(Finding("B47")) from error
        return executor

    def _killer(self, source: Source, seconds: float) -> FileRecord:
        """The record of a file that ended its worker, by taking too long or otherwise."""
        bound = self._options.seconds
        slow = bound and seconds >= bound
        finding = Finding("B38" if slow else "B37", found=source.shown, expected=f"{bound:g}")
        result = file_result(source.shown, "failed", [finding], self._options.lang)
        return file_record(source.relative, result, lang=self._options.lang)
