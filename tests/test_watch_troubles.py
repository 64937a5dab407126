"""What lies around a watched inbox fails: a share, the output folder, worker processes. No form is blamed for it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from threading import Event
from time import monotonic

import pytest
from forms import PROJECT, folder_of, perfeval, put

from perfeval_xlsx.batch import run as runs
from perfeval_xlsx.batch.clerk import Post
from perfeval_xlsx.batch.options import Options
from perfeval_xlsx.batch.watch import Watch
from perfeval_xlsx.batch.workers import WorkerPool
from perfeval_xlsx.data import load
from perfeval_xlsx.findings import Finding

HERE = Options(durable=False, jobs=2, alone=True)
SUMMARY = load("run.toml")["outputs"]["summary"]

posix = pytest.mark.skipif(os.name == "nt", reason="an open folder cannot be renamed there")


class Desk:
    """An inbox, an output folder, and a watch in this process that tells ``act`` every event."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, first: float = 0.5) -> None:
        self.inbox, self.out, self.away = folder / "in", folder / "out", folder / "away"
        self.stop = Event()
        self.said: list[tuple[str, float, dict[str, object]]] = []
        quick = {**load("watch.toml"), "retry": {**load("watch.toml")["retry"], "first": first}}
        monkeypatch.setattr(
            "perfeval_xlsx.batch.clerk.load", lambda name: quick if name == "watch.toml" else load(name)
        )

    def watch(self, act: Callable[[str], object], *, once: bool = False, options: Options = HERE) -> bool:
        begun = monotonic()

        def log(event: str, **facts: object) -> None:
            self.said.append((event, monotonic(), facts))
            act(event)
            assert monotonic() - begun < 60, self.events()

        return Watch(Post(self.inbox, self.out, 0.2, once), options, self.stop, log).run()

    def events(self) -> list[str]:
        return [event for event, _, _ in self.said]

    def statuses(self) -> dict[str, str]:
        forms = json.loads((self.out / "run.json").read_text(encoding="utf-8"))["forms"]
        return {Path(form["path"]).name: form["status"] for form in forms}


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(tmp_path, monkeypatch)


# Waits that are announced.


@posix
def test_announced_waits_are_kept_while_the_output_folder_is_away(desk: Desk) -> None:
    folder_of(desk.inbox, 1)

    def act(event: str) -> None:
        if event == "done" and not desk.away.exists() and "retry" not in desk.events():
            desk.out.rename(desk.away)
            put(PROJECT, desk.inbox / "新.xlsx", "another")
        if desk.events().count("retry") == 2 and event == "retry":
            desk.away.rename(desk.out)
        if event == "done" and "retry" in desk.events():
            desk.stop.set()

    desk.watch(act)
    waits = [(at, float(str(facts["seconds"]))) for event, at, facts in desk.said if event == "retry"]
    assert [seconds for _, seconds in waits] == [0.5, 1.0]
    assert waits[1][0] - waits[0][0] >= waits[0][1]
    assert desk.statuses() == {"表0.xlsx": "scored", "新.xlsx": "scored"}
    assert desk.said[-2][1] - waits[1][0] < waits[1][1] + 10, "no longer than announced, and the time it takes"


@pytest.mark.parametrize("heals", [False, True])
def test_once_ends_well_only_where_its_last_look_wrote_everything(desk: Desk, heals: bool) -> None:
    folder_of(desk.inbox, 1)
    assert desk.watch(lambda _: None, once=True)
    (desk.out / SUMMARY).unlink()
    (desk.out / SUMMARY / "x").mkdir(parents=True)
    desk.said.clear()

    def act(event: str) -> None:
        if event == "retry" and heals:
            (desk.out / SUMMARY / "x").rmdir()
            (desk.out / SUMMARY).rmdir()

    # In another language all is done anew, at the first look: the second comes long before the next try.
    assert desk.watch(act, once=True, options=replace(HERE, lang="en")) == heals
    assert [event for event in desk.events() if event in ("retry", "ended")] == ["retry"] + ["ended"] * (not heals)
    assert (desk.out / SUMMARY).is_file() == heals
    at = {event: at for event, at, _ in desk.said}
    assert max(at.values()) - at["retry"] >= 0.5, "nor does it try before the time it said"


def unable() -> None:
    """Start a worker that ends before its first task."""
    os._exit(1)


@pytest.mark.slow
@posix
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_workers_that_do_not_start_are_waited_for(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    folder_of(desk.inbox, 2)
    real = runs.process_pool

    def pool(jobs: int, **options: object) -> WorkerPool:
        return real(jobs, **options) if "retry" in desk.events() else WorkerPool(jobs, unable)  # type: ignore[arg-type]

    monkeypatch.setattr(runs, "process_pool", pool)
    isolated = replace(HERE, alone=False, isolated=True)
    desk.watch(lambda event: event == "done" and desk.stop.set(), options=isolated)
    (retry,) = [facts for event, _, facts in desk.said if event == "retry"]
    assert retry["message"] == Finding("B47").text("message", "zh")
    assert set(desk.statuses().values()) == {"scored"}


# Files that are not tried for ever.


# What is no inbox.


def test_a_file_is_no_inbox(tmp_path: Path) -> None:
    (tmp_path / "设置.toml").write_text("", encoding="utf-8")
    done = perfeval("watch", "设置.toml", "-o", "out", "--once", cwd=tmp_path)
    assert (done.code, "“设置.toml”是文件，不是收件夹" in done.err) == (2, True)
    assert not (tmp_path / "out").exists()
