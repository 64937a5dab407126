"""What a run says while it goes on: a bar, plain lines, or events for a machine."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from forms import PROJECT, SEED, folder_of, perfeval, put, start

from perfeval_xlsx import console
from perfeval_xlsx.batch import executors
from perfeval_xlsx.batch.options import Options
from perfeval_xlsx.batch.run import Progress, open_run


def events(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def spoken(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[[], str]:
    """Let five seconds pass with every glance at the clock; return what came on stderr."""
    clock = iter(range(0, 10_000, 5))
    monkeypatch.setattr(console, "monotonic", lambda: float(next(clock)))
    return lambda: capsys.readouterr().err


def test_plain_lines_tell_rate_time_left_and_failures(spoken: Callable[[], str]) -> None:
    with console.watching("en", quiet=False) as watch:
        for done in (0, 50, 100):
            watch(Progress(done, 100, 3, 0))
        watch(Progress(100, 100, 3, 0, writing=True))
    assert spoken().splitlines() == [
        "0 of 100 files", "50 of 100 files, 3 failed, 5 a second, about 10 s left", "writing the summary …"
    ]  # fmt: skip


def test_lines_come_though_nothing_is_done_and_none_after_the_reports_are_begun(spoken: Callable[[], str]) -> None:
    with console.watching("zh", quiet=False) as watch:
        watch(Progress(0, 100, 0, 0))
        watch(Progress(0, 100, 0, 0))
        watch(Progress(20, 100, 0, 0, writing=True))
    assert spoken().splitlines() == ["已处理 0/100 个文件", "已处理 0/100 个文件", "正在写汇总表……"]


@pytest.mark.slow
def test_the_watcher_is_told_while_workers_are_at_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executors, "_TICK", 0.01)
    put(PROJECT, tmp_path / "in" / "甲.xlsx")
    told: list[Progress] = []
    with open_run([tmp_path / "in"], None, Options(jobs=1, isolated=True)) as run:
        run.execute(told.append)
    assert [progress.done for progress in told[-2:]] == [1, 1]
    assert sum(not progress.done for progress in told) > 1, "workers alone take longer than a tick to begin"


def test_quiet_says_nothing(spoken: Callable[[], str]) -> None:
    with console.watching("zh", quiet=True) as watch:
        watch(Progress(50, 100, 3, 0))
    assert spoken() == ""


def test_events_tell_the_same(spoken: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "_as_events", True)
    with console.watching("zh", quiet=False) as watch:
        watch(Progress(50, 100, 3, 0))
    (event,) = events(spoken())
    assert event.pop("time")
    assert event == {"event": "progress", "done": 50, "total": 100, "failed": 3, "rate": 10.0, "left": 5.0}


def test_a_bar_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(stream, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("TERM", "xterm")
    with console.watching("zh", quiet=False) as watch:
        watch(Progress(50, 100, 3, 0))
        time.sleep(0.2)
    for part in ("评分", "50/100", "个/秒", "失败 3"):
        assert part in stream.getvalue()


def test_a_run_as_events(tmp_path: Path) -> None:
    put(SEED, tmp_path / "in" / "甲.xlsx")
    (tmp_path / "in" / "坏.xlsx").write_bytes(b"x")
    done = perfeval("score", tmp_path / "in", "-o", tmp_path / "out", "--json", "--json-log")
    problem, finished = events(done.err)
    assert (done.code, len(done.out.splitlines())) == (1, 2)
    assert (problem["event"], problem["code"], Path(str(problem["path"])).name) == ("problem", "B13", "坏.xlsx")
    assert (finished["event"], finished["files"], finished["done"], finished["left"]) == ("finished", 2, 2, 0)
    assert (finished["grades"], finished["exit_code"], finished["interrupted"]) == ({"优": 1}, 1, False)
    quiet = perfeval("score", tmp_path / "in", "-o", tmp_path / "out", "--json-log", "--quiet")
    assert [event["event"] for event in events(quiet.err)] == ["problem"]


def test_errors_are_events_too(tmp_path: Path) -> None:
    done = perfeval("score", tmp_path, "-o", tmp_path / "out", "--json-log", "--lang", "en")
    (error,) = events(done.err)
    assert (done.code, error["event"], error["code"]) == (3, "error", "B40")
    assert "no workbook" in str(error["message"])


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["score", SEED], "U07"),
        (["audit", SEED, "--csv", "--json"], "U08"),
        (["score", SEED, "--nonsense"], "U03"),
        (["score", "--jobs", "many", SEED], "U05"),
    ],
)
def test_what_is_mistyped_is_an_event(arguments: list[object], code: str) -> None:
    done = perfeval(*arguments, "--json-log", "--lang", "en")
    (error,) = events(done.err)
    assert (done.code, error["event"], error["code"]) == (2, "error", code)


def test_what_would_be_done_is_counted_in_an_event(tmp_path: Path) -> None:
    done = perfeval("score", SEED, "-o", tmp_path / "out", "--dry-run", "--json-log")
    (event,) = events(done.err)
    assert event.pop("time")
    assert (done.code, event) == (0, {"event": "dry_run", "files": 1, "pending": 1})


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals")
@pytest.mark.parametrize("times", [1, 2], ids=["once", "handed on as well"])
def test_ctrl_c_is_an_event_and_the_rest_is_counted(tmp_path: Path, times: int) -> None:
    source, out = folder_of(tmp_path / "in", 200, PROJECT), tmp_path / "out"
    process = start("score", source, "-o", out, "-j", "2", "--json-log")
    deadline = time.monotonic() + 60
    while not list(out.rglob("*.xlsx")) and time.monotonic() < deadline:
        time.sleep(0.02)
    for _ in range(times):
        process.send_signal(signal.SIGINT)
        time.sleep(0.03)
    told = events(process.communicate(timeout=60)[1].decode("utf-8"))
    assert process.returncode == 130
    assert (out / "汇总.xlsx").is_file()
    stopping, finished = (next(event for event in told if event["event"] == name) for name in ("stopping", "finished"))
    assert told.index(stopping) < told.index(finished)
    assert finished["interrupted"]
    assert finished["left"] == 200 - int(str(finished["done"])) > 0


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="terminals")
def test_a_run_whose_terminal_is_closed_writes_its_reports(tmp_path: Path) -> None:
    import pty

    source, out = folder_of(tmp_path / "in", 200, PROJECT), tmp_path / "out"
    master, slave = pty.openpty()
    # The child makes the terminal its own: its end is then told to it.
    code = (
        "import fcntl, termios; fcntl.ioctl(2, termios.TIOCSCTTY, 0); from perfeval_xlsx.__main__ import main; main()"
    )
    command = [sys.executable, "-c", code, "score", str(source), "-o", str(out), "-j", "2"]
    streams = {"stdin": slave, "stdout": slave, "stderr": slave}
    process = subprocess.Popen(command, start_new_session=True, env={**os.environ, "TERM": "xterm"}, **streams)  # type: ignore[call-overload]
    os.close(slave)
    deadline = time.monotonic() + 60
    while not list(out.rglob("*.xlsx")) and time.monotonic() < deadline:
        time.sleep(0.02)
    os.close(master)
    process.send_signal(signal.SIGHUP)  # what a shell does, too
    assert process.wait(60) == 130
    record = json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert not record["complete"]
    assert (out / "汇总.xlsx").exists()


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_under_nohup_it_goes_on(tmp_path: Path) -> None:
    source, out = folder_of(tmp_path / "in", 60, PROJECT), tmp_path / "out"
    code = (
        "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN); from perfeval_xlsx.__main__ import main; main()"
    )
    command = [sys.executable, "-c", code, "score", str(source), "-o", str(out), "-q"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        deadline = time.monotonic() + 60
        while not list(out.rglob("*.xlsx")) and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGHUP)
        assert process.wait(60) == 0
    assert json.loads((out / "run.json").read_text(encoding="utf-8"))["complete"]
