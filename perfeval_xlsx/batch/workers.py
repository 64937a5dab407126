"""A pool of worker processes that comes to an end whenever one of them does.

No two workers share a lock or a pipe (``batch/service.py``): where one dies, in the middle of an answer or before it
was asked, its pipes say so to whoever talks to it, and nobody else waits for what it held.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Any, ParamSpec, TypeVar

from perfeval_xlsx.batch.nursery import Nursery
from perfeval_xlsx.batch.service import Channel

P = ParamSpec("P")
T = TypeVar("T")
_Task = tuple[Future[Any], bytes]


class WorkerPool(Executor):
    """Workers for some tasks at a time; the first that dies ends the others, and what was under way fails.

    Args:
        jobs: How many workers.
        initializer: Called in each worker first; where it fails, the pool is broken.
        initargs: Its arguments.
    """

    def __init__(self, jobs: int, initializer: Callable[..., object] = bool, initargs: tuple[Any, ...] = ()) -> None:
        self._jobs, self._initial = jobs, _packed(initializer, *initargs)
        self._nursery: Nursery | None = None
        self._waiting: SimpleQueue[_Task | None] = SimpleQueue()
        self._lock = Lock()
        self._broken = self._closed = self._asked = False
        self._threads: list[Thread] = []

    def begin(self) -> None:
        """Start all workers."""
        if self._nursery is not None:
            return
        self._nursery = Nursery(self._jobs)
        self._threads = [
            Thread(target=self._attend, args=(Channel(*each),), daemon=True) for each in self._nursery.pipes
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Ask the next worker that has nothing to do.

        Raises:
            BrokenExecutor: A worker has died.
            RuntimeError: The pool was shut down.
        """
        future: Future[T] = Future()
        task = _packed(fn, *args, **kwargs)
        with self._lock:
            if self._broken:
                raise BrokenExecutor("a worker process has died")
            if self._closed:
                raise RuntimeError("shut down")
            self.begin()
            self._asked = True
            self._waiting.put((future, task))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Let the workers end; those that were never asked, and still import what they need, are ended."""
        with self._lock:
            self._closed = True
            if cancel_futures:
                self._drop(lambda future: future.cancel())
            for _ in self._threads:
                self._waiting.put(None)
        if self._nursery is None:
            return
        if not self._asked:
            self._nursery.kill()
        if wait:
            for thread in self._threads:
                thread.join()
        Thread(target=self._nursery.wait, daemon=True).start()  # nothing depends on when they are gone

    def _attend(self, channel: Channel) -> None:
        """Give one worker its tasks, and what comes of them to whom it concerns."""
        try:
            begun: Future[object] = Future()
            _ask(channel, begun, self._initial)
            _tell(begun, _answer(channel, begun))
            begun.result()
            self._keep_busy(channel)
        except Exception:  # the worker is gone, or could not begin
            self.kill()
        channel.leave()

    def _keep_busy(self, channel: Channel) -> None:
        """Ask until there are no more tasks; the worker has the next one before this answer is looked at."""
        asked = self._ask_next(channel)
        while asked is not None:
            answer = _answer(channel, asked)
            following = None
            try:
                following = self._ask_next(channel, wait=False)
            finally:
                _tell(asked, answer)
            asked = following or self._ask_next(channel)

    def _ask_next(self, channel: Channel, *, wait: bool = True) -> Future[Any] | None:
        """Ask for the next task that waits; None where none does, or if one is waited for and there will be none."""
        while True:
            try:
                task = self._waiting.get(wait)
            except Empty:
                return None
            if task is None:
                if not wait:
                    self._waiting.put(None)  # for when it is waited for
                return None
            future, packed = task
            if future.set_running_or_notify_cancel():
                _ask(channel, future, packed)
                return future

    def kill(self) -> None:
        """End the pool at once: workers, whatever they do, and tasks that none of them has begun."""
        with self._lock:
            self._broken = True
            self._drop(lambda future: future.set_running_or_notify_cancel() and _broken(future))
            for _ in self._threads:
                self._waiting.put(None)
        if self._nursery is not None:
            self._nursery.kill()

    def _drop(self, end: Callable[[Future[Any]], object]) -> None:
        """Take the tasks that wait, and end each in its way."""
        while True:
            try:
                task = self._waiting.get_nowait()
            except Empty:
                return
            if task is not None:
                end(task[0])


def _packed(fn: Callable[..., object], /, *args: object, **kwargs: object) -> bytes:
    return pickle.dumps((fn, args, kwargs), pickle.HIGHEST_PROTOCOL)


def _ask(channel: Channel, future: Future[Any], task: bytes) -> None:
    """Have a task done.

    Raises:
        BrokenExecutor: The worker is gone; the future says so as well.
    """
    try:
        channel.send(task)
    except OSError as error:
        raise _broken(future) from error


def _answer(channel: Channel, future: Future[Any]) -> bytes:
    """Wait for what came of a task.

    Raises:
        BrokenExecutor: As ``_ask``.
    """
    try:
        return channel.receive()
    except (EOFError, OSError) as error:
        raise _broken(future) from error


def _broken(future: Future[Any]) -> BrokenExecutor:
    """What a task that was under way comes to when its worker dies."""
    error = BrokenExecutor("a worker process has died")
    future.set_exception(error)
    return error


def _tell(future: Future[Any], answer: bytes) -> None:
    """Give on what came of a task."""
    try:
        well, value = pickle.loads(answer)
    except Exception as error:  # an answer that cannot be read is what came of it
        well, value = False, error
    if well:
        future.set_result(value)
    else:
        future.set_exception(value)


class EarlyPool:
    """Makes pools, the first of which may be begun before it is asked for; to be closed.

    Args:
        make: Makes a pool of so many workers.
        jobs: How many workers the first one has at most.
    """

    def __init__(self, make: Callable[[int], WorkerPool], jobs: int) -> None:
        self._make, self._jobs = make, jobs
        self._begun: WorkerPool | None = None

    def begin(self, jobs: int) -> None:
        """Start the first pool's workers: they take longer to import what they need than the master to list files."""
        self._begun = self._make(jobs)
        self._begun.begin()

    def begun_by(self, files: Iterable[T]) -> Iterator[T]:
        """The files; workers begin as soon as there is one for each of them, fewer where the files are fewer."""
        number = 0
        for number, file in enumerate(files, 1):
            if number == self._jobs:
                self.begin(number)
            yield file
        if 0 < number < self._jobs:
            self.begin(number)

    def __call__(self, jobs: int) -> WorkerPool:
        """A pool of so many workers."""
        begun, self._begun = self._begun, None
        return self._make(jobs) if begun is None else begun

    def close(self) -> None:
        """End workers that were not asked for."""
        if self._begun is not None:
            self._begun.shutdown()
