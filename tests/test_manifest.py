"""The record of an output folder: what is up to date, and in which order results come back."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from perfeval_xlsx.batch.copies import Copy, facts_of
from perfeval_xlsx.batch.discover import Source
from perfeval_xlsx.batch.manifest import Manifest
from perfeval_xlsx.batch.record import FileRecord, file_record, form_record, pack, unpack
from perfeval_xlsx.batch.register import Register
from perfeval_xlsx.batch.watching.gone import settle_gone
from perfeval_xlsx.findings import Finding, PerfevalError
from perfeval_xlsx.output.brief import briefs_of
from perfeval_xlsx.output.outcome import file_result
from perfeval_xlsx.scoring.result import FormResult, RowResult


def row(number: int, status: str = "ruled") -> RowResult:
    return {
        "row": number, "level1": "产出指标", "level2": None, "level3": f"指标{number}", "target": "≥1", "actual": "1",
        "weight": "10", "self_score": "10", "score": "9", "low": "9", "high": "9", "status": status, "method": "met",
        "basis": "达到目标", "cell": f"H{number}", "deviation": None,
    }  # type: ignore[typeddict-item]  # fmt: skip


def form(path: str, number: int = 1, total: str | None = "90", status: str = "scored") -> FormResult:
    result = file_result(path, "scored", [Finding("S08", "H12")])
    result.update(sheet="表", form=number, total=total, grade="优" if total else None, rulebook="own")
    result["status"] = status  # type: ignore[typeddict-item]
    result["indicators"] = [row(12), row(13, "judged")]
    return result


def source(name: str, size: int = 10, mtime: int = 1) -> Source:
    return Source(f"in/{name}", name, size, mtime)


def record(name: str, *forms: FormResult, digest: str = "d", copy: str | None = None) -> FileRecord:
    return form_record(name, forms or (form(f"in/{name}"),), digest + name, {"own": "1"}, copy)


@contextmanager
def opened(tmp_path: Path, *sources: Source) -> Iterator[Manifest]:
    with Manifest(tmp_path / "m.sqlite") as manifest:
        manifest.list_sources(sources)
        yield manifest


def names(manifest: Manifest, stamp: str = "s") -> list[str]:
    found = [pending.source.relative for pending in manifest.pending(stamp)]
    assert manifest.pending_count(stamp) == len(found)
    return found


def test_a_packed_result_comes_back_whole() -> None:
    result = form("in/表.xlsx")
    packed = pack(result)
    assert unpack(packed.head, packed.rows) == result
    assert (packed.status, packed.total, packed.grade, packed.judged, packed.standing) == ("scored", 90.0, "优", 1, 0)
    assert pack({**result, "indicators": [row(12), row(13, "judged"), row(14, "unscorable")]}).judged == 2
    head = unpack(packed.head)
    assert (head["indicators"], head["person_rows"]) == ([], 1)
    assert head["findings"][0]["indicator"] == "指标12"  # type: ignore[typeddict-item]


@pytest.mark.parametrize(
    "change",
    [{"size": 11}, {"mtime": 2}, {"path": "elsewhere/b.xlsx"}, None],
    ids=["size", "time", "path", "nothing"],
)
def test_only_a_changed_file_is_pending(tmp_path: Path, change: dict[str, object] | None) -> None:
    first, second = source("a.xlsx"), source("b.xlsx")
    with opened(tmp_path, first, second) as manifest:
        assert names(manifest) == ["a.xlsx", "b.xlsx"]
        manifest.store([(first, record("a.xlsx")), (second, record("b.xlsx"))], "s")
    changed = second._replace(**(change or {}))  # type: ignore[arg-type]
    with opened(tmp_path, first, changed) as manifest:
        assert names(manifest) == (["b.xlsx"] if change else [])
        assert names(manifest, "another") == ["a.xlsx", "b.xlsx"], "another rulebook, option or version"
        pending = [item.digest for item in manifest.pending("s")]
        assert pending == (["db.xlsx"] if change == {"mtime": 2} else [None] if change else [])
        if change == {"mtime": 2}:
            manifest.touch(changed)
            assert names(manifest) == []


def test_a_copy_that_is_gone_or_was_changed_is_made_again(tmp_path: Path) -> None:
    file, name = source("a.xlsx"), "scored/a.xlsx"
    (tmp_path / "scored").mkdir()
    (tmp_path / name).write_bytes(b"copy")
    with opened(tmp_path, file) as manifest:
        manifest.store([(file, record("a.xlsx", copy=name))], "s")
    size, mtime = manifest_facts = facts_of(tmp_path / name) or (0, 0)
    for facts, expected, changed in (
        (manifest_facts, [], None), (None, ["a.xlsx"], None),
        ((size + 1, mtime), ["a.xlsx"], name), ((size, mtime + 1), ["a.xlsx"], name),
    ):  # fmt: skip
        with opened(tmp_path, file) as manifest:
            manifest.list_copies([] if facts is None else [Copy(name, *facts)])
            assert names(manifest) == expected
            assert [pending.changed for pending in manifest.pending("s")] == [changed] * len(expected)


def test_what_may_go_better_is_tried_again_by_the_next_run_only(tmp_path: Path) -> None:
    file = source("a.xlsx")
    locked = file_record("a.xlsx", file_result("in/a.xlsx", "failed", [Finding("B04", found="a.xlsx")]))
    broken = file_record("a.xlsx", file_result("in/a.xlsx", "failed", [Finding("B16")]))
    for outcome, expected in ((locked, ["a.xlsx"]), (broken, [])):
        with opened(tmp_path, file) as manifest:
            manifest.store([(file, outcome)], "s")
            assert names(manifest) == []
            assert manifest.unfinished() == len(expected)
        with opened(tmp_path, file) as manifest:
            assert names(manifest) == expected


def test_a_moved_file_s_copy_that_cannot_be_removed_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "scored" / "a.xlsx"
    copy.parent.mkdir()
    copy.write_bytes(b"copy")

    def held(*_: object, **__: object) -> None:
        raise PermissionError(13, "open elsewhere")

    with Register(tmp_path / "m.sqlite") as manifest:
        manifest.store([(source("a.xlsx"), record("a.xlsx", copy="scored/a.xlsx"))], "s")
        with monkeypatch.context() as locked:
            locked.setattr(Path, "unlink", held)
            gone = list(settle_gone(manifest, {source("a.xlsx").key}, {"da.xlsx"}, tmp_path, "zh"))
        assert [file.event for file in gone] == ["moved"]
        assert (copy.exists(), list(manifest.known())) == (True, [])
        assert list(settle_gone(manifest, set(), set(), tmp_path, "zh")) == []
        assert not copy.exists()


def test_results_come_in_the_order_of_files_and_heads_in_the_order_of_totals(tmp_path: Path) -> None:
    files = [source("10.xlsx"), source("2.xlsx"), source("1.xlsx")]
    forms = {
        "10.xlsx": [form("in/10.xlsx", 1, "80")],
        "2.xlsx": [form("in/2.xlsx", 1, None, "pending"), form("in/2.xlsx", 2, "99.5")],
        "1.xlsx": [form("in/1.xlsx", 1, "80")],
    }
    with opened(tmp_path, *files) as manifest:
        manifest.store([(file, record(file.relative, *forms[file.relative])) for file in files], "s")
        found = [(result["path"], result["form"]) for result in manifest.results()]
        assert found == [("in/1.xlsx", 1), ("in/2.xlsx", 1), ("in/2.xlsx", 2), ("in/10.xlsx", 1)]
        assert [head["total"] for head in manifest.heads()] == ["99.5", "80", "80", None]
        assert [head["path"] for head in manifest.heads()][1:3] == ["in/1.xlsx", "in/10.xlsx"]
        assert manifest.counts()["scored"].forms == 3
        assert manifest.counts()["pending"].judged == 1
        assert manifest.grades() == {"优": 3}
        assert (manifest.rulebooks(), manifest.forms_by("own")) == ({"own": "1"}, 4)


def test_a_file_that_is_listed_no_more_counts_no_more(tmp_path: Path) -> None:
    files = [source("a.xlsx"), source("b.xlsx")]
    with opened(tmp_path, *files) as manifest:
        manifest.store([(file, record(file.relative)) for file in files], "s")
    with opened(tmp_path, files[1]) as manifest:
        assert [result["path"] for result in manifest.results()] == ["in/b.xlsx"]
        assert manifest.counts()["scored"].forms == 1
    with opened(tmp_path, *files) as manifest:
        assert names(manifest) == [], "and is not read again when it is back"


def test_the_first_of_equal_files_counts_and_the_others_wait_on_it(tmp_path: Path) -> None:
    first, second = source("a.xlsx"), source("b.xlsx")
    with opened(tmp_path, first, second) as manifest:
        manifest.store([(first, record("a.xlsx", digest="x")), (second, record("b.xlsx", digest="x"))], "s")
        assert manifest.twins() == [], "digests differ"
        same = form_record("b.xlsx", [form("in/b.xlsx")], "xa.xlsx", {}, "scored/b.xlsx")
        manifest.store([(second, same)], "s")
        (twin,) = manifest.twins()
        assert (twin.source, twin.original, twin.copy) == (second, "in/a.xlsx", "scored/b.xlsx")
        duplicate = file_record("b.xlsx", file_result("in/b.xlsx", "duplicate", []), twin.digest, twin.first)
        manifest.store([(second, duplicate)], "s")
        assert manifest.twins() == []
    with opened(tmp_path, first, second) as manifest:
        assert names(manifest) == []
    with opened(tmp_path, second) as manifest:
        assert names(manifest) == ["b.xlsx"], "the other one is gone"


def test_reports_stand_until_a_record_a_file_or_a_fact_changes(tmp_path: Path) -> None:
    files = [source("a.xlsx"), source("b.xlsx")]
    with opened(tmp_path, *files) as manifest:
        manifest.store([(file, record(file.relative)) for file in files], "s")
        assert not manifest.reports_are("facts")
        manifest.reports_written("facts")
        assert manifest.reports_are("facts")
        assert not manifest.reports_are("others")
    with opened(tmp_path, files[0]) as manifest:
        assert not manifest.reports_are("facts")
    with opened(tmp_path, *files) as manifest:
        assert manifest.reports_are("facts")
        manifest.store([(files[0], record("a.xlsx"))], "s")
        assert not manifest.reports_are("facts")


def test_a_chunk_is_stored_whole_or_not_at_all(tmp_path: Path) -> None:
    files = [source("a.xlsx"), source("b.xlsx")]
    twice = record("b.xlsx", form("in/b.xlsx"), form("in/b.xlsx"))
    with opened(tmp_path, *files) as manifest:
        with pytest.raises(sqlite3.IntegrityError):
            manifest.store([(files[0], record("a.xlsx")), (files[1], twice)], "s")
        assert names(manifest) == ["a.xlsx", "b.xlsx"]


def test_a_record_that_cannot_be_written_is_a_message(tmp_path: Path) -> None:
    (tmp_path / "m.sqlite").mkdir()
    with pytest.raises(PerfevalError, match="无法写入"), opened(tmp_path):
        pass
    with pytest.raises(PerfevalError, match="disk is full"), Manifest(tmp_path / "n.sqlite"):
        raise sqlite3.OperationalError("database or disk is full")


def test_a_full_disk_is_called_that_whatever_the_transaction_comes_to(tmp_path: Path) -> None:
    with pytest.raises(PerfevalError, match="磁盘空间已满") as refused, opened(tmp_path, source("a.xlsx")) as manifest:  # noqa: PT012
        manifest._db.execute(f"PRAGMA max_page_count = {manifest._db.execute('PRAGMA page_count').fetchone()[0]}")
        manifest.store([(source("a.xlsx"), record("a.xlsx", *(form("a.xlsx", n) for n in range(1, 40))))], "s")
    assert "no space left" in refused.value.finding.text("message", "en")


@pytest.mark.parametrize("content", [b"no database at all" * 100, b"SQLite format 3\0" + bytes(2000)])
def test_a_damaged_record_is_begun_anew(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "m.sqlite").write_bytes(content)
    with opened(tmp_path, source("a.xlsx")) as manifest:
        assert names(manifest) == ["a.xlsx"]


def test_a_record_of_another_format_is_begun_anew(tmp_path: Path) -> None:
    with opened(tmp_path, source("a.xlsx")) as manifest:
        manifest.store([(source("a.xlsx"), record("a.xlsx"))], "s")
    base = sqlite3.connect(tmp_path / "m.sqlite")
    base.execute("PRAGMA user_version = 999")
    base.commit()
    base.close()
    with opened(tmp_path, source("a.xlsx")) as manifest:
        assert names(manifest) == ["a.xlsx"]


def test_what_the_reports_say_follows_a_comparison(tmp_path: Path) -> None:
    names = ("1.xlsx", "2.xlsx", "10.xlsx")
    with opened(tmp_path, *map(source, names)) as manifest:
        sound = form("in/2.xlsx")
        sound["findings"] = []
        manifest.store([(source("1.xlsx"), record("1.xlsx")), (source("2.xlsx"), record("2.xlsx", sound))], "s")
        first, second = manifest.told()
        assert first.head is not None
        assert first.lines.findings.count(b'"code"') == 1
        assert (second.head, second.lines.findings) == (None, b"")
        assert second.department[-1] is True
        kept = list(manifest.ranked())
        manifest.compare({("in/2.xlsx", 1): first.head["findings"]}, [])
        found = [told.head["findings"] for told in manifest.told() if told.head is not None]
        assert [len(findings) for findings in found] == [1, 1]
        assert [briefs_of([each])[0] if isinstance(each, dict) else each for each in manifest.ranked()] != kept
        manifest.compare({}, [])
        assert list(manifest.ranked()) == kept
