"""What one look at an inbox after another makes of it, by a clock of our own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perfeval_xlsx.batch.discover import sort_key
from perfeval_xlsx.batch.watching import inbox as room
from perfeval_xlsx.batch.watching.inbox import Facts, Inbox, InboxError, Seen
from perfeval_xlsx.batch.watching.slips import slip_text, write_slips
from perfeval_xlsx.findings import Finding
from perfeval_xlsx.output.outcome import file_result

APART = 5.0


class Eye:
    """An inbox and its clock; ``known`` is what the record holds."""

    def __init__(self, folder: Path) -> None:
        self.now = 0.0
        self.folder = folder / "in"
        self.folder.mkdir()
        self.known: dict[str, Facts] = {}
        self.inbox = Inbox(self.folder, folder / "out", APART, lambda: self.now)

    def look(self, after: float = APART) -> Seen:
        self.now += after
        return self.inbox.look(self.known)

    def put(self, name: str, content: bytes = b"PK", mtime: int = 10**18) -> Path:
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        os.utime(path, ns=(mtime, mtime))
        return path

    def record(self, seen: Seen) -> None:
        self.known |= {source.key: (source.size, source.mtime) for source in seen.ready}


@pytest.fixture
def eye(tmp_path: Path) -> Eye:
    return Eye(tmp_path)


def names(sources: list[room.Source]) -> list[str]:
    return sorted(source.relative for source in sources)


def test_it_counts_at_the_second_look_that_agrees(eye: Eye) -> None:
    eye.put("表.xlsx")
    assert names(eye.look().busy) == ["表.xlsx"]
    assert names(eye.look(after=1).busy) == ["表.xlsx"], "two looks too close together are one"
    seen = eye.look(after=4)
    assert (names(seen.ready), seen.busy, seen.open) == (["表.xlsx"], [], False)
    eye.record(seen)
    seen = eye.look()
    assert (names(seen.ready), seen.fresh, len(seen.steady)) == (["表.xlsx"], {}, 1)


@pytest.mark.parametrize("change", ["content", "size", "time"])
def test_any_change_begins_anew(eye: Eye, change: str) -> None:
    eye.put("表.xlsx")
    eye.look()
    changed = {"content": (b"KP", 10**18), "size": (b"PKP", 10**18), "time": (b"PK", 10**18 + 1)}
    eye.put("表.xlsx", *changed[change])
    assert names(eye.look().busy) == ["表.xlsx"]
    assert names(eye.look().ready) == ["表.xlsx"]


def test_a_download_beside_it_holds_it_back(eye: Eye) -> None:
    eye.put("表.xlsx", b"")
    part = eye.put("表.xlsx.part")
    for _ in range(4):
        assert names(eye.look().busy) == ["表.xlsx"]
    part.unlink()
    assert names(eye.look().ready) == ["表.xlsx"]


def test_a_file_nobody_may_read_is_reported_in_the_end(eye: Eye, monkeypatch: pytest.MonkeyPatch) -> None:
    eye.put("表.xlsx")
    monkeypatch.setattr(Inbox, "_digest", staticmethod(lambda _source: None))
    looks = [bool(eye.look(after=10).ready) for _ in range(8)]
    assert looks == [False] * 6 + [True] * 2


def test_it_left_when_it_was_missing_twice(eye: Eye) -> None:
    for name in ("甲.xlsx", "乙.xlsx"):
        eye.put(name)
    eye.look()
    eye.record(eye.look())
    (eye.folder / "甲.xlsx").unlink()
    seen = eye.look()
    assert (seen.missing, seen.absent, seen.open) == ({sort_key("甲.xlsx")}, set(), True)
    eye.put("甲.xlsx")
    assert eye.look().missing == set()
    (eye.folder / "甲.xlsx").unlink()
    eye.look()
    assert eye.look().absent == {sort_key("甲.xlsx")}


def test_an_inbox_that_is_away_or_empty_is_lost(eye: Eye) -> None:
    assert eye.look().ready == [], "an inbox that was always empty is just empty"
    eye.put("甲.xlsx")
    eye.look()
    eye.record(eye.look())
    (eye.folder / "甲.xlsx").unlink()
    with pytest.raises(InboxError, match="empty"):
        eye.look()
    eye.folder.rmdir()
    with pytest.raises(InboxError, match="away"):
        eye.look()


def test_what_lies_in_a_folder_that_cannot_be_listed_is_not_missing(eye: Eye, monkeypatch: pytest.MonkeyPatch) -> None:
    eye.put("乡镇/甲.xlsx")
    eye.put("乙.xlsx")
    eye.look()
    eye.record(eye.look())
    real = os.scandir

    def scandir(folder: str | Path) -> object:
        if Path(folder).name == "乡镇":
            raise PermissionError(13, "Permission denied")
        return real(folder)

    monkeypatch.setattr(os, "scandir", scandir)
    eye.look()
    seen = eye.look()
    assert (seen.missing, names(seen.ready)) == (set(), ["乙.xlsx", "乡镇"])
    eye.record(seen)
    assert eye.look().fresh == {}, "a closed folder is reported once"


@settings(deadline=None, max_examples=40)
@given(st.lists(st.sampled_from(["put", "change", "remove", "wait"]), max_size=12))
def test_nothing_counts_before_it_was_the_same_twice(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str]
) -> None:
    eye = Eye(tmp_path_factory.mktemp("eye"))
    eye.put("别.xlsx")
    history: list[bytes | None] = []
    content: bytes | None = None
    for number, step in enumerate(steps):
        if step in ("put", "change"):
            content = f"PK{number}".encode()
            eye.put("表.xlsx", content)
        elif step == "remove":
            content = None
            (eye.folder / "表.xlsx").unlink(missing_ok=True)
        history.append(content)
        seen = eye.look()
        settled = content is not None and history[-2:] == [content, content]
        assert ("表.xlsx" in names(seen.ready), "表.xlsx" in names(seen.busy)) == (
            settled,
            bool(content) and not settled,
        )


# Slips.


def failed(name: str, code: str) -> tuple[str, object]:
    return name, file_result(f"in/{name}", "failed", [Finding(code)])


def test_slips_come_and_go_and_other_texts_stay(tmp_path: Path) -> None:
    folder = tmp_path / "退回"
    files = [failed("甲.xlsx", "B11"), failed("乡镇/乙.xls", "B03")]
    write_slips(tmp_path, files, "zh")  # type: ignore[arg-type]
    (folder / "便条.txt").write_text("找老王", encoding="utf-8")
    slip = folder / "乡镇" / "乙.xls.txt"
    before = slip.stat().st_mtime_ns
    write_slips(tmp_path, files[1:], "zh")  # type: ignore[arg-type]
    assert sorted(path.name for path in folder.rglob("*.txt")) == ["乙.xls.txt", "便条.txt"]
    assert slip.stat().st_mtime_ns == before, "what says the same is not written again"
    assert slip.read_bytes().startswith(b"\xef\xbb\xbf"), "Notepad reads it right"
    write_slips(tmp_path, [], "en")
    assert [path.name for path in folder.rglob("*.txt")] == ["便条.txt"]


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_slip_says_why_and_what_to_do(lang: str) -> None:
    text = slip_text("甲.xlsx", file_result("in/甲.xlsx", "failed", [Finding("B11")], lang), lang)  # type: ignore[arg-type]
    finding = Finding("B11")
    for part in ("甲.xlsx", finding.text("message", lang), finding.text("suggestion", lang)):  # type: ignore[arg-type]
        assert part in text
