"""A real scheduler and real workers: what they give, and what becomes of a run when they die."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from forms import NO_FORM, PROJECT, ROOT, SEED, Done, content, folder_of, perfeval, put, start

from perfeval_xlsx.batch import cluster
from perfeval_xlsx.batch.cluster import Place, remote, unfit
from perfeval_xlsx.batch.options import Options, program
from perfeval_xlsx.batch.run import open_run
from perfeval_xlsx.findings import PerfevalError

KILLER = """
import os
from perfeval_xlsx.batch import chunk

chunk.real = getattr(chunk, "real", chunk.open_file)  # a preload runs twice

def open_file(source, options):
    if "杀手" in source.relative:
        os._exit(9)
    return chunk.real(source, options)

chunk.open_file = open_file
"""


@contextmanager
def processes(
    folder: Path, workers: Sequence[Sequence[str]], deaths: int = 3
) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """A scheduler, and workers of which so many may die over one task; yields the address and the workers."""
    env = {**os.environ, "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": str(deaths), "PYTHONPATH": str(ROOT)}
    where = folder / "scheduler.json"
    started: list[subprocess.Popen[bytes]] = []

    def begin(*command: str) -> subprocess.Popen[bytes]:
        command = (sys.executable, "-m", "distributed.cli." + command[0], "--scheduler-file", str(where), *command[1:])
        silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        started.append(subprocess.Popen(command, env=env, cwd=folder, **silent))  # type: ignore[call-overload]
        return started[-1]

    try:
        begin("dask_scheduler", "--port", "0", "--host", "127.0.0.1", "--no-dashboard")
        begun = [begin("dask_worker", "--nthreads", "1", "--no-dashboard", *options) for options in workers]
        deadline = time.monotonic() + 30
        while not where.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        address = json.loads(where.read_text(encoding="utf-8"))["address"]
        yield address.replace("tcp://", "dask://"), begun
    finally:
        for process in reversed(started):  # a worker whose scheduler has gone waits for it
            process.terminate()
            try:
                process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def record(out: Path) -> dict[str, list[tuple[object, ...]]]:
    """What the manifest knows, but for the time of writing."""
    with closing(sqlite3.connect(out / ".perfeval.sqlite")) as db:
        db.execute("UPDATE files SET copy_mtime = copy_mtime IS NOT NULL")
        return {table: sorted(db.execute(f"SELECT * FROM {table}"), key=repr) for table in ("files", "forms")}


def failures(out: Path) -> dict[str, list[str]]:
    findings = json.loads((out / "run.json").read_text(encoding="utf-8"))["findings"]
    return {Path(item["path"]).name: [item["code"]] for item in findings if item["severity"] == "error"}


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="SIGKILL")
def test_a_cluster_gives_what_one_machine_gives_though_a_worker_is_lost(tmp_path: Path) -> None:
    source = folder_of(tmp_path / "in", 90)
    put(NO_FORM, source / "清单.xlsx")
    put(SEED, source / "教育局.xlsx")
    put(PROJECT, source / "重复.xlsx", "7")
    (source / "坏.xlsx").write_bytes(b"PK\3\4")
    with processes(tmp_path, [["--no-nanny"], ["--no-nanny"]]) as (address, workers):
        run = start("score", "in", "-o", "众", "--executor", address, "-q", "-j", "2", cwd=tmp_path)
        deadline = time.monotonic() + 60
        while not list((tmp_path / "众").rglob("*.xlsx")) and time.monotonic() < deadline:
            time.sleep(0.01)
        workers[0].kill()
        err = run.communicate(timeout=60)[1].decode("utf-8", "replace")
    assert run.returncode == 1, err
    assert failures(tmp_path / "众") == {"坏.xlsx": ["B16"]}, err
    assert perfeval("score", "in", "-o", "独", "-q", "-j", "2", cwd=tmp_path).code == 1
    assert record(tmp_path / "众") == record(tmp_path / "独")
    assert content(tmp_path / "众") == content(tmp_path / "独")
    copies = {path.relative_to(tmp_path / "独") for path in (tmp_path / "独" / "scored").rglob("*.xlsx")}
    assert len(copies) == 91
    assert all((tmp_path / "众" / copy).read_bytes() == (tmp_path / "独" / copy).read_bytes() for copy in copies)


@pytest.mark.slow
def test_a_file_that_kills_workers_is_named_and_the_others_are_done(tmp_path: Path) -> None:
    source, preload = folder_of(tmp_path / "in", 7), tmp_path / "killer.py"
    put(PROJECT, source / "0组" / "杀手.xlsx", "杀手")
    preload.write_text(KILLER, encoding="utf-8")
    with processes(tmp_path, [["--no-nanny", "--preload", str(preload)]] * 3, deaths=0) as (address, _):
        done = perfeval("score", "in", "-o", "out", "--executor", address, cwd=tmp_path)
    assert done.code == 1, done.err
    assert "杀手.xlsx" in done.err
    assert failures(tmp_path / "out") == {"杀手.xlsx": ["B37"]}
    assert len(list((tmp_path / "out" / "scored").rglob("*.xlsx"))) == 7


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="SIGKILL")
def test_a_run_whose_last_worker_is_gone_ends_and_keeps_what_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, out = folder_of(tmp_path / "in", 60), tmp_path / "out"
    quick = {**cluster.load("run.toml"), "cluster": {"connect": 20, "workers": 1}}
    monkeypatch.setattr(cluster, "load", lambda _: quick)
    with processes(tmp_path, [["--no-nanny"]]) as (address, (worker,)):
        options = Options(executor=address, durable=False)
        with open_run([source], out, options) as run, pytest.raises(PerfevalError) as caught:
            run.execute(lambda progress: worker.kill() if progress.done else None)
    assert caught.value.finding.code == "B73"
    with open_run([source], out, Options(durable=False)) as run:
        done = len(list(run.manifest.results()))
        assert 0 < done < 60
        assert run.execute().done == 60 - done
    assert len(list((out / "scored").rglob("*.xlsx"))) == 60


# What is said where there is no cluster.


def refused(tmp_path: Path, executor: str) -> tuple[Done, str]:
    done = perfeval("score", PROJECT, "-o", tmp_path / "out", "--executor", executor)
    return done, done.err


def test_an_address_of_nothing(tmp_path: Path) -> None:
    done, err = refused(tmp_path, "spark://somewhere")
    assert (done.code, "dask://" in err) == (2, True)


def test_a_scheduler_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bounds = cluster.load("run.toml")
    quick = {**bounds, "cluster": {"connect": 0.3, "workers": 1}}
    monkeypatch.setattr(cluster, "load", lambda _: quick)
    options = Options(executor="dask://127.0.0.1:9")
    with open_run([PROJECT], tmp_path / "out", options) as run, pytest.raises(PerfevalError) as caught:
        run.execute()
    assert caught.value.finding.code == "B71"


def test_without_the_extra_it_says_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    options = Options(executor="dask://127.0.0.1:8786")
    with open_run([PROJECT], tmp_path / "out", options) as run, pytest.raises(PerfevalError) as caught:
        run.execute()
    assert "[cluster]" in caught.value.finding.text("suggestion")


def test_nothing_of_dask_is_loaded_without_it() -> None:
    script = "import sys, perfeval_xlsx.batch.run, perfeval_xlsx.batch.cluster; print('distributed' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", script]).strip() == b"False"


def test_a_worker_that_does_not_see_the_folder_or_is_of_another_version_does_nothing(tmp_path: Path) -> None:
    away, old = Place(str(tmp_path), str(tmp_path / "away"), program()), Place(str(tmp_path), None, "0.0.1+old")
    assert unfit(Place(str(tmp_path), None, program())) == ""
    for place, lack in ((away, "away"), (old, program())):
        assert lack in unfit(place)
        with pytest.raises(PerfevalError) as caught:
            remote(place, print, "never")
        assert (caught.value.finding.code, lack in caught.value.finding.text()) == ("B72", True)


def test_an_error_travels_between_processes_with_its_finding() -> None:
    import pickle

    error = PerfevalError(cluster.Finding("B72", found="甲"))
    again = pickle.loads(pickle.dumps(error))
    assert (again.finding, str(again)) == (error.finding, str(error))


@pytest.mark.slow
def test_workers_are_checked_before_anything_is_done_however_many_are_asked_for(tmp_path: Path) -> None:
    folder_of(tmp_path / "in", 5)
    with processes(tmp_path, [["--no-nanny", "--nthreads", "2"]]) as (address, _):
        done = perfeval("score", "in", "-o", "out", "--executor", address, "-j", "3", cwd=tmp_path)
    assert (done.code, "--nthreads 2" in done.err) == (1, True), done.err
    assert not (tmp_path / "out" / "scored").exists()


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="SIGKILL")
def test_a_lost_scheduler_is_named_and_nothing_else_is_said(tmp_path: Path) -> None:
    from distributed import Client

    folder_of(tmp_path / "in", 300)
    with processes(tmp_path, [["--no-nanny"]]) as (address, _):
        with Client(address.replace("dask://", "tcp://"), set_as_default=False) as client:
            scheduler = client.run_on_scheduler(os.getpid)
        run = start("score", "in", "-o", "out", "--executor", address, "-q", cwd=tmp_path)
        deadline = time.monotonic() + 60
        while not list((tmp_path / "out").rglob("*.xlsx")) and time.monotonic() < deadline:
            time.sleep(0.01)
        os.kill(scheduler, signal.SIGKILL)
        err = run.communicate(timeout=60)[1].decode("utf-8", "replace")
    assert run.returncode == 1, err
    assert len(err.splitlines()) == 1, err
    assert "与调度器" in err
