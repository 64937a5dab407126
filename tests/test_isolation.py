"""Faults in real worker processes: one that dies, runs out of memory or hangs costs its file and nothing else."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from forms import PROJECT, folder_of, put, start

from perfeval_xlsx import commands
from perfeval_xlsx.batch import chunk, executors, worker
from perfeval_xlsx.batch import run as runs
from perfeval_xlsx.batch.discover import discover
from perfeval_xlsx.batch.executors import Pool, _Clock
from perfeval_xlsx.batch.options import Options
from perfeval_xlsx.batch.record import FileRecord
from perfeval_xlsx.batch.watching.clerk import Post
from perfeval_xlsx.batch.watching.watch import Watch
from perfeval_xlsx.batch.workers import WorkerPool
from perfeval_xlsx.cli import app
from perfeval_xlsx.data import load
from perfeval_xlsx.findings import PerfevalError

FAST = Options(durable=False, jobs=2, seconds=3, isolated=True)
GIB = 1 << 30

pytestmark = pytest.mark.slow
posix = pytest.mark.skipif(os.name == "nt", reason="signals and limits")


def note(source: chunk.Source) -> None:
    """Leave a mark for every attempt at a file, beside the inputs."""
    path = Path(source.path)
    marks = next(parent for parent in path.parents if parent.name == "in").with_name("marks")
    marks.mkdir(exist_ok=True)
    (marks / f"{path.stem}-{time.monotonic_ns()}").touch()


def sabotaged(memory: int) -> None:
    """Start a worker in which the names of some files are deadly."""
    worker.start(memory, None)
    real = chunk.open_file

    def open_file(source: chunk.Source, options: Options) -> chunk.Opened:
        name = source.relative
        if any(word in name for word in ("退出", "杀死", "卡住", "吃光", "停住")):
            note(source)
        if "停住" in name:
            (Path(source.path).parents[2] / "marks" / f"pid-{os.getpid()}").touch()
            os.kill(os.getpid(), signal.SIGSTOP)
        if "退出" in name:
            os._exit(9)
        if "杀死" in name:
            os.kill(os.getpid(), signal.SIGKILL)
        while "卡住" in name:
            sum(range(10**6))
        if "吃光" in name:
            hoard = [bytearray(GIB // 16) for _ in range(64)]
            assert hoard
        return real(source, options)

    def score_files(sources: Sequence[chunk.Source], *rest: Any) -> list[FileRecord]:
        if any("没有内存" in source.relative for source in sources):
            raise MemoryError
        if any("出错" in source.relative for source in sources):
            raise LookupError("?")
        return score(sources, *rest)

    score = chunk.score_files
    chunk.open_file, chunk.score_files = open_file, score_files


def pool(jobs: int, memory: int = 0, **_: object) -> WorkerPool:
    return WorkerPool(jobs, sabotaged, (memory,))


def inputs(tmp_path: Path, *deadly: str) -> Path:
    source = folder_of(tmp_path / "in", 5)
    for name in deadly:
        put(PROJECT, source / "0组" / f"{name}.xlsx", name)
    return source


def ended(pid: int) -> bool:
    """Whether a process ends soon; one that nobody has asked about yet counts."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            if Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0] == "Z":
                return True
            os.kill(pid, 0)
        except OSError:
            return True
        time.sleep(0.05)
    return False


def attempts(tmp_path: Path, name: str) -> int:
    return len(list((tmp_path / "marks").glob(f"{name}-*")))


def failures(out: Path) -> dict[str, str]:
    findings = json.loads((out / "run.json").read_text(encoding="utf-8"))["findings"]
    return {Path(item["path"]).stem: item["code"] for item in findings if item["severity"] == "error"}


@posix
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_faults_cost_their_files_each_tried_twice_at_most(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, out = inputs(tmp_path, "退出", "杀死", "卡住"), tmp_path / "out"
    monkeypatch.setattr(runs, "process_pool", pool)
    with runs.open_run([source], out, FAST) as run:
        outcome = run.execute()
    assert (outcome.exit_code, outcome.files, outcome.left) == (1, 8, 0)
    assert failures(out) == {"退出": "B37", "杀死": "B37", "卡住": "B38"}
    assert len(list((out / "scored").rglob("*.xlsx"))) == 5
    for name in failures(out):
        assert 1 <= attempts(tmp_path, name) <= 2, "once with others, once alone"


@posix
def test_memory_is_bounded_and_running_out_of_it_costs_one_file(tmp_path: Path) -> None:
    import resource

    assert Options().memory == load("run.toml")["worker"]["memory"] == 4 * GIB
    source = inputs(tmp_path, "吃光")
    sources = sorted(discover([source]), key=lambda item: item.key)
    make = partial(pool, memory=2 * GIB)
    outcomes = Pool(make, 1, FAST, None, Event()).outcomes([sources])
    done = dict(zip(*next(filter(None, outcomes))[0], strict=True))
    codes = {item.relative: record.forms[0].status for item, record in done.items()}
    assert {Path(name).stem for name, status in codes.items() if status == "failed"} == {"吃光"}
    assert resource.getrlimit(resource.RLIMIT_AS)[0] == resource.RLIM_INFINITY, "the master itself is not bounded"
    with runs.process_pool(1, Options(memory=3 * GIB), None) as executor:
        assert executor.submit(resource.getrlimit, resource.RLIMIT_AS).result()[0] == 3 * GIB


@posix
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_watched_inbox_gives_a_deadly_file_up_until_it_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, out, stop = inputs(tmp_path, "退出"), tmp_path / "out", Event()
    monkeypatch.setattr(runs, "process_pool", pool)
    quick = {**load("watch.toml"), "retry": {**load("watch.toml")["retry"], "first": 0.1, "most": 0.2}}
    monkeypatch.setattr(
        "perfeval_xlsx.batch.watching.clerk.load", lambda name: quick if name == "watch.toml" else load(name)
    )
    said: list[str] = []

    def log(event: str, **facts: object) -> None:
        said.append(event)
        if event == "given_up":
            said.append(str(facts["path"]))
            put(PROJECT, source / "乙.xlsx", "later")
        if event == "done" and "given_up" in said and (out / "scored" / "乙.xlsx").exists():
            stop.set()

    Watch(Post(source, out, 0.2), FAST, stop, log).run()
    assert (said.count("given_up"), said[said.index("given_up") + 1]) == (1, "0组/退出.xlsx")
    assert said.count("retry") == load("run.toml")["again"]["attempts"] - 1
    assert attempts(tmp_path, "退出") == 2 * load("run.toml")["again"]["attempts"], "no more when the next file came"
    assert failures(out) == {"退出": "B37"}
    assert len(list((out / "scored").rglob("*.xlsx"))) == 6


def test_a_worker_ends_with_its_master(tmp_path: Path) -> None:
    if not hasattr(os, "kill") or not Path("/proc").is_dir():
        pytest.skip("needs /proc")
    import subprocess
    import sys

    script = (
        "import sys, time\nfrom perfeval_xlsx.batch.executors import process_pool\n"
        "from perfeval_xlsx.batch.options import Options\nimport os\n"
        "if __name__ == '__main__':\n"
        "    pool = process_pool(1, Options(), None)\n"
        "    print(pool.submit(os.getpid).result(), flush=True)\n    time.sleep(60)\n"
    )
    path = tmp_path / "master.py"
    path.write_text(script, encoding="utf-8")
    with subprocess.Popen([sys.executable, str(path)], stdout=subprocess.PIPE) as master:
        assert master.stdout is not None
        child = int(master.stdout.readline())
        assert Path(f"/proc/{child}").exists()
        master.kill()
    deadline = time.monotonic() + 10
    while Path(f"/proc/{child}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(f"/proc/{child}").exists()


def unable() -> None:
    """Start a worker that ends before its first task."""
    os._exit(1)


def test_no_file_is_blamed_where_workers_do_not_start(tmp_path: Path) -> None:
    sources = sorted(discover([inputs(tmp_path)]), key=lambda item: item.key)
    with pytest.raises(PerfevalError) as refused:
        list(Pool(lambda jobs: WorkerPool(jobs, unable), 2, FAST, None, Event()).outcomes([sources]))
    assert refused.value.finding.code == "B47"


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_script_of_two_lines_scores_many_files(tmp_path: Path, jobs: int) -> None:
    source = folder_of(tmp_path / "in", 49)
    program = tmp_path / "script.py"
    program.write_text(
        f"import perfeval_xlsx as pe\nprint(len(pe.score({str(source)!r}, jobs={jobs})))\n", encoding="utf-8"
    )
    done = subprocess.run([sys.executable, str(program)], capture_output=True, encoding="utf-8", check=False)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "49", "")


@posix
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_worker_that_is_stopped_is_given_up_and_only_the_file_that_does_it_is_blamed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No watchdog inside a stopped process can end it."""
    source, out = inputs(tmp_path, "停住"), tmp_path / "out"
    quick = {**load("run.toml"), "worker": {**load("run.toml")["worker"], "grace": 0.5}}
    monkeypatch.setattr(executors, "load", lambda name: quick if name == "run.toml" else load(name))
    monkeypatch.setattr(runs, "process_pool", pool)
    with runs.open_run([source], out, replace(FAST, seconds=1)) as run:
        outcome = run.execute()
    assert (outcome.exit_code, outcome.files, outcome.left) == (1, 6, 0)
    assert failures(out) == {"停住": "B38"}
    assert len(list((out / "scored").rglob("*.xlsx"))) == 5
    stopped = [int(path.stem.rpartition("-")[2]) for path in (tmp_path / "marks").glob("pid-*")]
    assert len(stopped) == 2
    assert all(map(ended, stopped))


def test_time_in_which_the_master_stood_still_is_not_the_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(executors, "monotonic", lambda: now)
    clock, future, workers = _Clock(100), Future[int](), WorkerPool(1)
    future.set_running_or_notify_cancel()

    def look(at: float) -> bool:
        nonlocal now
        now = at
        return clock.overdue(workers, [future])

    assert not any(look(at) for at in range(109))
    assert not clock.stood
    assert not look(500), "this process did not run itself"
    assert clock.stood
    assert not any(look(at) for at in range(501, 610))
    assert look(611)
    assert not clock.overdue(ThreadPoolExecutor(), [future]), "nothing that could be ended"


@pytest.mark.parametrize("command", ["score", "audit", "watch"])
def test_the_command_line_always_works_in_worker_processes(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Options] = []
    monkeypatch.setattr(commands, command, lambda _inbox, _out, options, **_: asked.append(options))
    assert not app([command, "甲.xlsx", "-o", "out"], standalone_mode=False)
    assert asked[0].isolated


@posix
@pytest.mark.parametrize(("files", "jobs"), [(1, 1), (5, 4)])
def test_a_single_file_is_bounded_and_no_more_workers_start_than_there_are_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: int, jobs: int
) -> None:
    begun: list[int] = []

    def counted(jobs: int, **_: object) -> WorkerPool:
        begun.append(jobs)
        return pool(jobs)

    monkeypatch.setattr(runs, "process_pool", counted)
    source, out = folder_of(tmp_path / "in", files - 1), tmp_path / "out"
    put(PROJECT, source / "0组" / "卡住.xlsx")
    with runs.open_run([source], out, replace(FAST, jobs=4, seconds=1)) as run:
        outcome = run.execute()
    assert (outcome.exit_code, outcome.files, failures(out)) == (1, files, {"卡住": "B38"})
    assert begun[0] == jobs


@posix
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_an_error_that_a_worker_did_not_foresee_costs_the_file_that_comes_to_it_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, out = inputs(tmp_path, "没有内存", "出错"), tmp_path / "out"
    monkeypatch.setattr(runs, "process_pool", pool)
    with runs.open_run([source], out, FAST) as run:
        outcome = run.execute()
    assert (outcome.exit_code, outcome.files, outcome.left) == (1, 7, 0)
    assert failures(out) == {"没有内存": "B37", "出错": "B30"}
    assert len(list((out / "scored").rglob("*.xlsx"))) == 5


@posix
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs /proc")
def test_a_second_ctrl_c_ends_workers_at_once_stopped_ones_too_and_says_how_to_go_on(tmp_path: Path) -> None:
    process = start("score", folder_of(tmp_path / "in", 200), "-o", tmp_path / "out", "-j", "2")
    deadline = time.monotonic() + 60
    while not list((tmp_path / "out").rglob("*.xlsx")) and time.monotonic() < deadline:
        time.sleep(0.02)
    workers = below(process.pid)
    assert workers
    os.kill(workers[-1], signal.SIGSTOP)
    process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    begun = time.monotonic()
    process.send_signal(signal.SIGINT)
    err = process.communicate(timeout=60)[1].decode("utf-8")
    assert (process.returncode, "Traceback" in err) == (130, False), err
    assert time.monotonic() - begun < 10
    assert "再运行一次同样的命令" in err
    assert all(map(ended, workers))


def below(pid: int) -> list[int]:
    """The processes that a process began, and those that they did."""
    children = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text("utf-8").split()]
    return [*children, *(other for child in children for other in below(child))]


@posix
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_run_closed_while_files_go_one_by_one_ends_its_worker_at_once(tmp_path: Path) -> None:
    sources = sorted(discover([inputs(tmp_path, "停住")]), key=lambda item: item.key)
    stop = Event()
    outcomes = Pool(pool, 1, replace(FAST, seconds=600), None, stop)._one_by_one(sources)
    while not list((tmp_path / "marks").glob("pid-*")):
        next(outcomes)
    stop.set()
    begun = time.monotonic()
    outcomes.close()
    assert time.monotonic() - begun < 5
    (stopped,) = (int(path.stem.rpartition("-")[2]) for path in (tmp_path / "marks").glob("pid-*"))
    assert ended(stopped)
