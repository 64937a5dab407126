"""Workers killed where the library's own pool would wait for ever."""

from __future__ import annotations

import inspect
import multiprocessing
import os
import time
from collections.abc import Iterator
from concurrent.futures.process import BrokenProcessPool
from typing import Any

import pytest

from perfeval_xlsx.batch.workers import EarlyPool, WorkerPool

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")
SOON = 20


def queues() -> tuple[Any, Any]:
    """The queues of tasks and results of the worker this runs in."""
    frame = inspect.currentframe()
    while frame is not None and "result_queue" not in frame.f_locals:
        frame = frame.f_back
    assert frame is not None
    return frame.f_locals["call_queue"], frame.f_locals["result_queue"]


def die_while_sending() -> None:
    """Send the beginning of a result, then die."""
    _, results = queues()
    os.write(results._writer.fileno(), (1_000_000).to_bytes(4, "big") + b"a part of it")
    os._exit(9)


def die_with_the_lock() -> None:
    """Take the lock that tasks are taken under, then die."""
    tasks, _ = queues()
    tasks._rlock.acquire()
    os._exit(9)


def die_with_the_lock_as(process: int) -> None:
    """Die with the lock in one of the workers; keep the others busy for a moment."""
    if os.getpid() == process:
        die_with_the_lock()
    time.sleep(0.2)


def made(jobs: int) -> WorkerPool:
    return WorkerPool(jobs, mp_context=multiprocessing.get_context("spawn"))


@pytest.fixture
def pool() -> Iterator[WorkerPool]:
    with made(2) as begun:
        assert begun.submit(abs, -1).result(SOON) == 1
        yield begun


@pytest.mark.skipif(os.name == "nt", reason="pipes are written to otherwise")
def test_a_worker_that_dies_while_it_sends_breaks_the_pool(pool: WorkerPool) -> None:
    with pytest.raises(BrokenProcessPool):
        pool.submit(die_while_sending).result(SOON)


def test_a_worker_that_dies_with_a_lock_breaks_the_pool(pool: WorkerPool) -> None:
    futures = [pool.submit(die_with_the_lock), *(pool.submit(time.sleep, 0.1) for _ in range(4))]
    with pytest.raises(BrokenProcessPool):
        [future.result(SOON) for future in futures]


@pytest.mark.parametrize("which", [0, 1])
def test_whichever_worker_it_is(pool: WorkerPool, which: int) -> None:
    process = list(pool._processes)[which]
    futures = [pool.submit(die_with_the_lock_as, process) for _ in range(20)]
    with pytest.raises(BrokenProcessPool):
        [future.result(SOON) for future in futures]


def test_workers_begun_early_are_those_that_work() -> None:
    early = EarlyPool(made, 2)
    early.begin()
    with early(2) as pool:
        begun = set(pool._processes)
        assert {pool.submit(os.getpid).result(SOON) for _ in range(8)} <= begun
        assert len(begun) == len(pool._processes) == 2
    early.close()
    with early(1) as pool:
        assert pool.submit(os.getpid).result(SOON) not in begun


def test_workers_begun_early_and_not_asked_for_are_ended() -> None:
    early = EarlyPool(made, 2)
    early.begin()
    assert early._begun is not None
    workers = list(early._begun._processes.values())
    early.close()
    for worker in workers:
        worker.join(SOON)
        assert worker.exitcode is not None


def test_a_pool_that_ends_well_ends_at_once(pool: WorkerPool) -> None:
    assert list(pool.map(abs, range(-5, 0))) == [5, 4, 3, 2, 1]
    begun = time.monotonic()
    pool.shutdown(wait=True)
    assert time.monotonic() - begun < SOON
    assert pool._watcher is not None
    pool._watcher.join(SOON)
    assert not pool._watcher.is_alive()
