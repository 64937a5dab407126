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
from forms import PROJECT, content, folder_of, perfeval, put

from perfeval_xlsx.batch import chunk
from perfeval_xlsx.batch import run as runs
from perfeval_xlsx.batch.chunk import stopped_record
from perfeval_xlsx.batch.discover import Source, discover
from perfeval_xlsx.batch.manifest import Manifest
from perfeval_xlsx.batch.options import Options
from perfeval_xlsx.batch.record import FileRecord
from perfeval_xlsx.batch.register import Register
from perfeval_xlsx.batch.run import open_run
from perfeval_xlsx.batch.trials import Trials
from perfeval_xlsx.batch.watching.clerk import Post
from perfeval_xlsx.batch.watching.inbox import Inbox, InboxError
from perfeval_xlsx.batch.watching.present import Present
from perfeval_xlsx.batch.watching.watch import Watch
from perfeval_xlsx.batch.workers import WorkerPool
from perfeval_xlsx.data import load
from perfeval_xlsx.findings import Finding
from perfeval_xlsx.output.outcome import file_result

HERE = Options(durable=False, jobs=2)
SUMMARY = load("run.toml")["outputs"]["summary"]
MOST = load("run.toml")["again"]["attempts"]

posix = pytest.mark.skipif(os.name == "nt", reason="an open folder cannot be renamed there")


class Desk:
    """An inbox, an output folder, and a watch in this process that tells ``act`` every event."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, first: float = 0.5) -> None:
        self.inbox, self.out, self.away = folder / "in", folder / "out", folder / "away"
        self.stop = Event()
        self.said: list[tuple[str, float, dict[str, object]]] = []
        quick = {**load("watch.toml"), "retry": {**load("watch.toml")["retry"], "first": first}}
        monkeypatch.setattr(
            "perfeval_xlsx.batch.watching.clerk.load", lambda name: quick if name == "watch.toml" else load(name)
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


@posix
def test_an_inbox_lost_during_a_batch_changes_nothing(desk: Desk) -> None:
    folder_of(desk.inbox, 3)
    assert desk.watch(lambda _: None, once=True)
    before = content(desk.out)
    for number in range(3):  # all are replaced, and another comes
        put(PROJECT, desk.inbox / "0组" / f"表{number}.xlsx", f"new {number}")
    put(PROJECT, desk.inbox / "新.xlsx", "another")

    def act(event: str) -> None:
        if event == "batch" and "lost" not in desk.events():
            desk.inbox.rename(desk.away)
        if event == "lost":
            assert content(desk.out) == before
            desk.away.rename(desk.inbox)
        if event == "done" and "back" in desk.events():
            desk.stop.set()

    desk.watch(act)
    assert "problem" not in desk.events()
    assert not (desk.out / "退回").exists()
    assert desk.statuses() == dict.fromkeys(["表0.xlsx", "表1.xlsx", "表2.xlsx", "新.xlsx"], "scored")
    assert content(desk.out)["scored/0组/表0.xlsx"] == before["scored/0组/表0.xlsx"], "the same form"


@posix
def test_an_empty_mount_point_is_a_lost_inbox_in_the_first_batch_too(desk: Desk) -> None:
    folder_of(desk.inbox, 2)

    def act(event: str) -> None:
        if event == "batch" and not desk.away.exists() and "lost" not in desk.events():
            desk.inbox.rename(desk.away)
            desk.inbox.mkdir()
        if event == "lost":
            assert not (desk.out / "run.json").exists()
            desk.inbox.rmdir()
            desk.away.rename(desk.inbox)
        if event == "done":
            desk.stop.set()

    desk.watch(act)
    assert set(desk.statuses().values()) == {"scored"}
    assert "problem" not in desk.events()


def test_a_file_gone_before_it_was_read_is_gone(desk: Desk) -> None:
    folder_of(desk.inbox, 2)

    def act(event: str) -> None:
        if event == "batch":
            (desk.inbox / "0组" / "表1.xlsx").unlink()

    assert desk.watch(act, once=True)
    assert (desk.statuses(), "problem" in desk.events()) == ({"表0.xlsx": "scored"}, False)
    assert not (desk.out / "退回").exists()
    done = next(facts for event, _, facts in desk.said if event == "done")
    assert (done["files"], done["done"], done["failed"]) == (1, 1, 0)
    assert desk.watch(lambda _: None, once=True), "it is not waited for"


def records(sources: list[Source], *codes: str) -> list[FileRecord]:
    return [stopped_record(source, Finding(code), HERE) for source, code in zip(sources, codes, strict=True)]


def test_a_share_away_for_a_moment_is_doubted_once(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "in", 2)
    inbox, sources = Inbox(folder, tmp_path / "out", 1.0), sorted(discover([folder]), key=lambda source: source.key)
    keys = {source.key for source in sources}
    with Register(tmp_path / "record") as register:
        register.list_sources(sources)
        present = Present(inbox, register, keys, ())
        present.begin(register, "")
        chunk_, kept = present.taken(sources, records(sources, "B01", "B11"))
        assert ([item.key for item in chunk_], len(kept)) == ([sources[1].key], 1)
        assert (present.dropped, register.listed()) == (1, 1)
        again = Present(inbox, register, keys, present.doubted)
        again.begin(register, "")
        assert again.taken(sources, records(sources, "B01", "B04"))[0] == sources, "the second time it is said"
        Path(sources[0].path).unlink()
        assert again.taken(sources, records(sources, "B04", "B04"))[0] == sources[1:]
        folder.rename(tmp_path / "away")
        with pytest.raises(InboxError, match="away"):
            again.taken(sources, records(sources, "B38", "B11"))
        assert again.taken(sources, records(sources, "B11", "B11"))[0] == sources, "what was read was read"


def test_a_file_missing_for_a_moment_is_read_by_the_next_run(tmp_path: Path) -> None:
    source, out = folder_of(tmp_path / "in", 2), tmp_path / "out"
    path = source / "0组" / "表1.xlsx"
    with open_run([source], out, HERE) as run:
        path.rename(tmp_path / "away.xlsx")
        outcome = run.execute()
        (failed,) = [result for result in run.results() if result["status"] == "failed"]
        assert (failed["findings"][0]["code"], outcome.unfinished) == ("B01", 1)
    (tmp_path / "away.xlsx").rename(path)
    with open_run([source], out, HERE) as run:
        outcome = run.execute()
        assert (outcome.done, outcome.exit_code, set(outcome.counts)) == (1, 0, {"scored"})


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
    isolated = replace(HERE, isolated=True)
    desk.watch(lambda event: event == "done" and desk.stop.set(), options=isolated)
    (retry,) = [facts for event, _, facts in desk.said if event == "retry"]
    assert retry["message"] == Finding("B47").text("message", "zh")
    assert set(desk.statuses().values()) == {"scored"}


# Files that are not tried for ever.


@pytest.mark.parametrize("code", ["B30", "B37", "B38"])
def test_a_file_is_given_up_after_some_trials_whoever_begins_anew(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    put(PROJECT, desk.inbox / "凶.xlsx")
    put(PROJECT, desk.inbox / "好.xlsx", "sound")
    real, tried = chunk.open_file, []

    def open_file(source: Source, options: Options) -> chunk.Opened:
        if source.relative != "凶.xlsx":
            return real(source, options)
        tried.append(monotonic())
        return chunk.Opened(source, stopped=file_result(source.shown, "failed", [Finding(code, found=source.shown)]))

    monkeypatch.setattr(chunk, "open_file", open_file)
    wells = [desk.watch(lambda _: None, once=True) for _ in range(MOST + 1)]
    assert (wells[0], wells[-1], desk.events().count("given_up")) == (False, True, 1)
    assert len(tried) == MOST
    assert desk.statuses() == {"凶.xlsx": "failed", "好.xlsx": "scored"}
    assert (desk.out / "退回" / "凶.xlsx.txt").exists()
    (desk.inbox / "凶.xlsx").rename(desk.inbox.parent / "凶.xlsx")
    desk.watch(lambda _: None, once=True)
    (desk.inbox.parent / "凶.xlsx").rename(desk.inbox / "凶.xlsx")
    desk.watch(lambda _: None, once=True)
    assert len(tried) == MOST + 1, "put in anew it is another"


def test_what_is_said_of_a_wait_is_of_a_file_that_is_waited_for(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    codes = {"凶.xlsx": "B38"}
    real = chunk.open_file

    def open_file(source: Source, options: Options) -> chunk.Opened:
        if source.relative not in codes:
            return real(source, options)
        finding = Finding(codes[source.relative], found=source.relative, expected="", args={"detail": ""})
        return chunk.Opened(source, stopped=file_result(source.shown, "failed", [finding]))

    monkeypatch.setattr(chunk, "open_file", open_file)
    put(PROJECT, desk.inbox / "凶.xlsx")
    while "given_up" not in desk.events():
        desk.watch(lambda _: None, once=True)
    desk.said.clear()
    codes["锁.xlsx"] = "B04"
    put(PROJECT, desk.inbox / "锁.xlsx", "another")
    assert not desk.watch(lambda _: None, once=True)
    ((_, _, facts),) = [said for said in desk.said if said[0] == "ended"]
    assert "锁.xlsx" in str(facts["message"])


def test_what_costs_a_run_much_is_left_after_some_runs(tmp_path: Path) -> None:
    slow, deadly = Source("in/慢.xlsx", "慢.xlsx", 9, 1), Source("in/凶.xlsx", "凶.xlsx", 9, 1)

    def pending(*sources: Source, stamp: str = "now") -> list[str]:
        """What a run reads, which comes to nothing."""
        with Manifest(tmp_path / "record") as manifest:
            manifest.list_sources(sources)
            trials = Trials()
            trials.begin(manifest, stamp)
            chunk_ = [item.source for item in manifest.pending(stamp)]
            found = records(chunk_, *["B38" if source.relative == "慢.xlsx" else "B37" for source in chunk_])
            manifest.store(list(zip(*trials.taken(chunk_, found), strict=True)), stamp)
            return [source.relative for source in chunk_]

    for _ in range(MOST):
        assert pending(deadly, slow) == ["凶.xlsx", "慢.xlsx"]
    assert pending(deadly, slow) == ["凶.xlsx"], "what ends soon is tried by every run"
    changed = slow._replace(mtime=2)
    assert pending(changed) == ["慢.xlsx"]
    assert pending(changed, stamp="another program") == ["慢.xlsx"]
    assert pending(changed, stamp="another program") == ["慢.xlsx"], "counted anew"


# What is no inbox.


def test_a_file_is_no_inbox(tmp_path: Path) -> None:
    (tmp_path / "设置.toml").write_text("", encoding="utf-8")
    done = perfeval("watch", "设置.toml", "-o", "out", "--once", cwd=tmp_path)
    assert (done.code, "“设置.toml”是文件，不是收件夹" in done.err) == (2, True)
    assert not (tmp_path / "out").exists()
