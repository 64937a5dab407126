"""A watched inbox, with real files that are copied slowly, renamed, moved over, replaced and taken out."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import DEVNULL, Popen

import openpyxl
import pytest
from forms import NO_FORM, PROJECT, SAMPLES, SEED, content, folder_of, members, perfeval, put, start

from perfeval_xlsx.batch.lock import locked

SUMMARY, PROBLEMS = "汇总.xlsx", "问题清单.xlsx"
INTERVAL = 0.3


class Watched:
    """A watch under way: its inbox, its output folder, and what it says."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.inbox, self.out, self.log = folder / "收件", folder / "结果", folder / "log.txt"
        self.inbox.mkdir(exist_ok=True)
        self.arguments = ["watch", self.inbox, "-o", self.out, "--interval", str(INTERVAL), *arguments]
        self.process: Popen[bytes]

    def begin(self) -> None:
        with self.log.open("ab") as log:
            self.process = start(*self.arguments, stdout=DEVNULL, stderr=log)

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(timeout=30)

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def run(self) -> dict[str, object]:
        """``run.json``; empty while it is not there."""
        try:
            return json.loads((self.out / "run.json").read_text(encoding="utf-8"))  # type: ignore[no-any-return]
        except FileNotFoundError:
            return {}

    def statuses(self) -> dict[str, str]:
        forms: list[dict[str, str]] = self.run().get("forms", [])  # type: ignore[assignment]
        return {Path(form["path"]).relative_to(self.inbox).as_posix(): form["status"] for form in forms}

    def until(self, condition: Callable[[], object], what: str = "") -> None:
        deadline = time.monotonic() + 90
        while not condition():
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < deadline, f"{what}\n{self.statuses()}\n{self.said()}"
            time.sleep(0.05)

    def until_statuses(self, **expected: str) -> None:
        wanted = {f"{name}.xlsx": status for name, status in expected.items()}
        self.until(lambda: self.statuses() == wanted, f"waiting for {wanted}")


@contextmanager
def watching(folder: Path, *arguments: str) -> Iterator[Watched]:
    watched = Watched(folder, *arguments)
    watched.begin()
    try:
        yield watched
    finally:
        watched.process.kill()
        watched.process.wait()
    assert "Traceback" not in watched.said()


pytestmark = pytest.mark.slow
posix = pytest.mark.skipif(os.name == "nt", reason="signals")


@posix
def test_a_day_at_the_inbox(tmp_path: Path) -> None:
    with watching(tmp_path) as watched:
        inbox, out = watched.inbox, watched.out
        put(SEED, inbox / "教育局.xlsx")
        watched.until_statuses(教育局="scored")
        assert (out / "scored" / "教育局.xlsx").exists()
        assert openpyxl.load_workbook(out / SUMMARY).sheetnames
        # Replaced: a file of another department is moved over it.
        put(PROJECT, tmp_path / "新.xlsx", "new")
        (tmp_path / "新.xlsx").replace(inbox / "教育局.xlsx")
        before = members(out / "scored" / "教育局.xlsx")
        watched.until(lambda: members(out / "scored" / "教育局.xlsx") != before, "the replaced file")
        # Renamed: the copy goes along, nothing is marked.
        (inbox / "教育局.xlsx").rename(inbox / "水利局.xlsx")
        watched.until_statuses(水利局="scored")
        assert [path.name for path in (out / "scored").iterdir()] == ["水利局.xlsx"]
        # A file that cannot be read comes back with a reason, and goes when it is put right.
        (inbox / "坏.xlsx").write_bytes(b"%PDF-1.7 " + bytes(99))
        watched.until_statuses(水利局="scored", 坏="failed")
        slip = out / "退回" / "坏.xlsx.txt"
        watched.until(slip.exists, "the slip")
        assert "PDF" in slip.read_text(encoding="utf-8-sig")
        listed = [cell.value for sheet in openpyxl.load_workbook(out / PROBLEMS) for row in sheet for cell in row]
        assert "坏.xlsx" in listed
        put(SEED, inbox / "坏.xlsx", "now")
        watched.until_statuses(水利局="scored", 坏="scored")
        watched.until(lambda: not slip.exists(), "the slip")
        # Taken out: the row is marked, the copy stays, it counts no more.
        (inbox / "水利局.xlsx").unlink()
        watched.until_statuses(水利局="deleted", 坏="scored")
        assert (out / "scored" / "水利局.xlsx").exists()
        ranking = openpyxl.load_workbook(out / SUMMARY).worksheets[0]
        assert "原件已取走" in {cell.value for row in ranking.iter_rows() for cell in row}
        assert watched.run()["grades"] == {"优": 1}
        # Back again.
        put(PROJECT, inbox / "水利局.xlsx", "new")
        watched.until_statuses(水利局="scored", 坏="scored")
        assert watched.end() == 0
        assert "已停止" in watched.said()


@posix
def test_a_file_counts_when_it_was_the_same_twice(tmp_path: Path) -> None:
    with watching(tmp_path) as watched:
        inbox = watched.inbox
        whole = put(SEED, tmp_path / "整.xlsx").read_bytes()
        (inbox / "~$慢.xlsx").write_bytes(b"lock")
        (inbox / "下载.xlsx.crdownload").write_bytes(whole)
        (inbox / "占位.xlsx").touch()
        (inbox / "占位.xlsx.part").write_bytes(whole[:100])
        step = len(whole) // 12
        with (inbox / "慢.xlsx").open("wb") as file:
            for start_at in range(0, len(whole), step):
                file.write(whole[start_at : start_at + step])
                file.flush()
                os.utime(inbox / "慢.xlsx", ns=(10**18, 10**18))  # some tools set the time before the content
                time.sleep(INTERVAL / 2)
                assert watched.statuses() == {}
        watched.until_statuses(慢="scored")
        watched.until(lambda: "占位.xlsx" in watched.said(), "a word about the download")
        (inbox / "占位.xlsx.part").replace(inbox / "占位.xlsx")
        (inbox / "占位.xlsx").write_bytes(put(PROJECT, tmp_path / "别.xlsx").read_bytes())
        watched.until_statuses(慢="scored", 占位="scored")
        assert not (watched.out / "退回").exists() or not list((watched.out / "退回").iterdir())


@posix
def test_a_lost_share_is_no_deletion(tmp_path: Path) -> None:
    with watching(tmp_path) as watched:
        inbox = watched.inbox
        put(SEED, inbox / "甲.xlsx")
        put(PROJECT, inbox / "乙.xlsx")
        watched.until_statuses(甲="scored", 乙="scored")
        before = content(watched.out)
        inbox.rename(tmp_path / "away")
        watched.until(lambda: "不存在或不能打开" in watched.said(), "the lost inbox")
        inbox.mkdir()  # what is left of a share that is not mounted
        watched.until(lambda: "一个工作簿也没有了" in watched.said(), "the empty inbox")
        time.sleep(4 * INTERVAL)
        assert content(watched.out) == before
        inbox.rmdir()
        (tmp_path / "away").rename(inbox)
        watched.until(lambda: "已恢复" in watched.said(), "the inbox is back")
        put(NO_FORM, inbox / "丙.xlsx")
        watched.until_statuses(甲="scored", 乙="scored", 丙="skipped")


@posix
def test_a_restart_goes_on_and_knows_what_left_meanwhile(tmp_path: Path) -> None:
    watched = Watched(tmp_path, "--lang", "en")
    folder_of(watched.inbox, 3)
    watched.begin()
    watched.until(lambda: set(watched.statuses().values()) == {"scored"} and len(watched.statuses()) == 3)
    watched.process.kill()
    watched.process.wait()
    (watched.inbox / "0组" / "表1.xlsx").unlink()
    put(SEED, watched.inbox / "0组" / "表2.xlsx", "other")
    watched.begin()
    expected = {"0组/表0.xlsx": "scored", "0组/表1.xlsx": "deleted", "0组/表2.xlsx": "scored"}
    watched.until(lambda: watched.statuses() == expected)
    watched.until(lambda: "1 processed now" in watched.said(), "just the changed one is done again")
    assert watched.end(signal.SIGINT) == 130


@pytest.mark.skipif(sys.platform != "linux", reason="limits of another process")
def test_a_full_disk_loses_nothing(tmp_path: Path) -> None:
    import resource

    with watching(tmp_path) as watched:
        put(SEED, watched.inbox / "甲.xlsx")
        watched.until_statuses(甲="scored")
        before = (watched.out / SUMMARY).read_bytes()
        _, hard = resource.prlimit(watched.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(watched.process.pid, resource.RLIMIT_FSIZE, (2048, hard))
        put(PROJECT, watched.inbox / "乙.xlsx")
        watched.until(lambda: "秒后再试" in watched.said(), "the full disk")
        assert (watched.out / SUMMARY).read_bytes() == before
        assert watched.statuses() == {"甲.xlsx": "scored"}
        resource.prlimit(watched.process.pid, resource.RLIMIT_FSIZE, (hard, hard))
        watched.until_statuses(甲="scored", 乙="scored")
        assert not list(watched.out.rglob("*.tmp"))


# Once, for schedulers.


def test_once_does_what_score_does(tmp_path: Path) -> None:
    inbox = tmp_path / "收件"
    shutil.copytree(SAMPLES, inbox)
    once = ["watch", "收件", "-o", "甲", "--once", "--interval", "0.2"]
    done = perfeval(*once, cwd=tmp_path)
    assert (done.code, done.out) == (0, "")
    assert "2023年度项目库清单.xlsx" in done.err
    assert perfeval("score", "收件", "-o", "乙", "-q", cwd=tmp_path).code == 0
    slips = {name: data for name, data in content(tmp_path / "甲").items() if name.startswith("退回/")}
    assert list(slips) == ["退回/2023年度项目库清单.xlsx.txt"]
    assert content(tmp_path / "甲") == content(tmp_path / "乙") | slips
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "甲").rglob("*.*")}
    assert perfeval(*once, "-q", cwd=tmp_path).err == ""
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "甲").rglob("*.*")} == before


def test_once_says_what_it_could_not_do(tmp_path: Path) -> None:
    done = perfeval("watch", tmp_path / "没有", "-o", tmp_path / "out", "--once", "--interval", "0.2")
    assert (done.code, "没有" in done.err) == (1, True)
    put(SEED, tmp_path / "in" / "表.xlsx")
    arguments = ["watch", tmp_path / "in", "-o", tmp_path / "out", "--once", "--interval", "0.2"]
    with locked(tmp_path / "out"):
        done = perfeval(*arguments)
    assert (done.code, "另一个任务" in done.err) == (1, True)
    done = perfeval(*arguments, "--rules", "没有这套规则")
    assert (done.code, "没有这套规则" in done.err) == (2, True)


def test_the_log_as_events(tmp_path: Path) -> None:
    put(SEED, tmp_path / "in" / "表.xlsx")
    (tmp_path / "in" / "坏.xlsx").write_bytes(b"x")
    done = perfeval("watch", tmp_path / "in", "-o", tmp_path / "out", "--once", "--interval", "0.2", "--json-log")
    events = [event for line in done.err.splitlines() if (event := json.loads(line))["event"] != "progress"]
    assert [event["event"] for event in events] == ["started", "batch", "problem", "done"]
    assert all(event["time"] and event["text"] for event in events)
    assert (events[-1]["done"], events[-1]["failed"], events[-2]["path"]) == (2, 1, "坏.xlsx")
