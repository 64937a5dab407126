"""Workers killed at moments where a pool with locks would wait for ever, and what becomes of those not needed."""

from __future__ import annotations

import inspect
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor
from itertools import chain
from pathlib import Path
from threading import Lock

import pytest

from perfeval_xlsx.batch import nursery
from perfeval_xlsx.batch.nursery import Nursery
from perfeval_xlsx.batch.workers import EarlyPool, WorkerPool

SOON = 20
posix = pytest.mark.skipif(os.name == "nt", reason="signals")
linux = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")


def die_while_sending() -> None:
    """Send the beginning of an answer, then die."""
    frame = inspect.currentframe()
    while frame is not None and "channel" not in frame.f_locals:
        frame = frame.f_back
    assert frame is not None
    os.write(frame.f_locals["channel"]._writes.fileno(), (1_000_000).to_bytes(8, "big") + b"a part of it")
    os._exit(9)


def die_as(process: int) -> None:
    """Die in one of the workers; keep the others busy for a moment."""
    if os.getpid() == process:
        os._exit(9)
    time.sleep(0.2)


def cannot_be_sent() -> Callable[[], None]:
    return lambda: None


def fail() -> None:
    raise KeyError("x")


def never_begins() -> None:
    raise OSError("no")


def limit() -> str:
    return os.environ["OPENBLAS_NUM_THREADS"]


def modules() -> set[str]:
    return {"pandas", "numpy", "multiprocessing", "__main__"} & sys.modules.keys()


def shout() -> int:
    print("not an answer", flush=True)
    return len(sys.stdin.read())


@pytest.fixture(params=[True, False], ids=["split", "each by itself"])
def splits(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Both ways in which workers come about, where the system has both."""
    if request.param and not hasattr(os, "fork"):
        pytest.skip("no fork")
    monkeypatch.setattr(nursery, "_SPLITS", request.param)
    return bool(request.param)


@pytest.fixture
def pool(splits: bool) -> Iterator[WorkerPool]:
    with WorkerPool(2) as begun:
        assert begun.submit(abs, -1).result(SOON) == 1
        yield begun


def pids(pool: WorkerPool) -> set[int]:
    """The processes of a pool's workers, by asking until all have answered."""
    found: set[int] = set()
    end = time.monotonic() + SOON
    while len(found) < 2 and time.monotonic() < end:
        found.update(future.result(SOON) for future in [pool.submit(busy) for _ in range(4)])
    return found


def busy() -> int:
    time.sleep(0.05)
    return os.getpid()


def ended(pid: int) -> bool:
    """Whether a process has ended, waiting for it a little; one that nobody has asked about yet counts."""
    end = time.monotonic() + SOON
    while time.monotonic() < end:
        try:
            state = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.01)
    return False


def test_a_worker_that_dies_while_it_sends_breaks_the_pool(pool: WorkerPool) -> None:
    with pytest.raises(BrokenExecutor):
        pool.submit(die_while_sending).result(SOON)
    with pytest.raises(BrokenExecutor):
        pool.submit(abs, -1)


def test_a_worker_that_dies_breaks_the_pool_for_those_that_wait(pool: WorkerPool) -> None:
    futures = [pool.submit(os._exit, 0), *(pool.submit(time.sleep, 0.1) for _ in range(40))]
    failed = [isinstance(future.exception(SOON), BrokenExecutor) for future in futures]
    assert failed[0]
    assert failed[-1]


@pytest.mark.parametrize("which", [0, 1])
def test_whichever_worker_it_is(pool: WorkerPool, which: int) -> None:
    process = sorted(pids(pool))[which]
    futures = [pool.submit(die_as, process) for _ in range(20)]
    with pytest.raises(BrokenExecutor):
        [future.result(SOON) for future in futures]


@linux
@posix
@pytest.mark.parametrize("deed", [signal.SIGKILL, signal.SIGTERM])
def test_when_one_is_killed_at_work_the_others_end_as_well(pool: WorkerPool, deed: signal.Signals) -> None:
    one, other = pids(pool)
    waiting = [pool.submit(time.sleep, 600) for _ in range(3)]
    os.kill(one, deed)
    assert all(isinstance(future.exception(SOON), BrokenExecutor) for future in waiting)
    assert ended(one)
    assert ended(other)


def test_an_answer_that_cannot_be_sent_or_an_error_fails_its_task_alone(pool: WorkerPool) -> None:
    with pytest.raises((AttributeError, pickle.PicklingError), match="lambda"):
        pool.submit(cannot_be_sent).result(SOON)
    with pytest.raises(KeyError):
        pool.submit(fail).result(SOON)
    with pytest.raises((TypeError, pickle.PicklingError)):
        pool.submit(bool, Lock())
    assert pool.submit(abs, -2).result(SOON) == 2


def test_what_a_task_prints_is_no_answer(pool: WorkerPool) -> None:
    assert pool.submit(shout).result(SOON) == 0
    assert pool.submit(abs, -2).result(SOON) == 2


def test_a_worker_that_cannot_begin_breaks_the_pool(splits: bool) -> None:
    with WorkerPool(2, never_begins) as pool:
        future = pool.submit(abs, -1)
        assert isinstance(future.exception(SOON), BrokenExecutor)


def test_workers_have_what_they_need_before_they_are_asked(pool: WorkerPool) -> None:
    assert pool.submit(modules).result(SOON) == {"pandas", "numpy", "__main__"}
    assert pool.submit(limit).result(SOON) == os.environ.get("OPENBLAS_NUM_THREADS", "1")


def test_tasks_that_wait_can_be_cancelled(pool: WorkerPool) -> None:
    assert len(pids(pool)) == 2
    begun = [pool.submit(time.sleep, 0.2) for _ in range(2)]
    waiting = [pool.submit(time.sleep, 600) for _ in range(3)]
    time.sleep(0.05)
    pool.shutdown(wait=True, cancel_futures=True)
    assert all(future.done() and future.exception() is None for future in begun)
    assert all(future.cancelled() for future in waiting)
    with pytest.raises(RuntimeError):
        pool.submit(abs, -1)


def test_workers_begun_early_are_those_that_work(splits: bool) -> None:
    early = EarlyPool(WorkerPool, 2)
    early.begin(2)
    assert early._begun is not None
    nursery = early._begun._nursery
    with early(2) as pool:
        begun = pids(pool)
        assert len(begun) == 2
        assert pool._nursery is nursery
    early.close()
    with early(1) as pool:
        assert pool.submit(os.getpid).result(SOON) not in begun


def test_workers_begun_early_and_not_asked_for_are_ended(splits: bool) -> None:
    early = EarlyPool(WorkerPool, 2)
    early.begin(2)
    assert early._begun is not None
    assert early._begun._nursery is not None
    processes = early._begun._nursery._processes
    begun = time.monotonic()
    early.close()
    for process in processes:
        assert process.wait(SOON) != 0
    assert time.monotonic() - begun < SOON


@linux
def test_a_pool_that_ends_well_ends_at_once(pool: WorkerPool) -> None:
    workers = pids(pool)
    assert list(pool.map(abs, range(-5, 0))) == [5, 4, 3, 2, 1]
    begun = time.monotonic()
    pool.shutdown(wait=True)
    assert time.monotonic() - begun < SOON
    assert pool._nursery is not None
    assert [process.wait(SOON) for process in pool._nursery._processes] == [0] * len(pool._nursery._processes)
    assert all(map(ended, workers))


def test_a_nursery_nobody_wants_is_ended(splits: bool) -> None:
    nursery = Nursery(2)
    nursery.kill()
    nursery.wait()
    for pipe in chain.from_iterable(nursery.pipes):
        pipe.close()
    assert all(process.returncode for process in nursery._processes)


def test_workers_of_a_pool_that_never_had_a_task_are_ended(splits: bool) -> None:
    pool = WorkerPool(2)
    pool.begin()
    nursery = pool._nursery
    assert nursery is not None
    pool.shutdown()
    nursery.wait()
    assert all(process.returncode for process in nursery._processes)


@linux
@posix
def test_workers_end_with_their_master_whatever_they_do(tmp_path: Path) -> None:
    script = (
        "import sys, time\nfrom perfeval_xlsx.batch.workers import WorkerPool\nimport os\n"
        "pool = WorkerPool(2)\n"
        "print(pool.submit(os.getpid).result(), flush=True)\n"
        "pool.submit(time.sleep, 600)\npool.submit(time.sleep, 600)\ntime.sleep(600)\n"
    )  # without a guard: a worker does not run its master's script
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as master:
        assert master.stdout is not None
        child = int(master.stdout.readline())
        master.kill()
    assert ended(child)


@posix
def test_a_worker_whose_master_is_gone_when_it_answers_says_nothing() -> None:
    command = [sys.executable, "-c", "from perfeval_xlsx.batch.service import main; main([])"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, **pipes) as process:  # type: ignore[call-overload]
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        task = pickle.dumps((abs, (-1,), {}))
        process.stdin.write(len(task).to_bytes(8, "big") + task)
        process.stdin.flush()
        assert process.wait(SOON) == 1
        assert process.stderr.read() == b""


def test_what_ends_a_program_ends_no_master(pool: WorkerPool) -> None:
    with pytest.raises(RuntimeError, match="SystemExit"):
        pool.submit(sys.exit, 3).result(SOON)
