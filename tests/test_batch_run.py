"""Runs over folders: what is done again and what is not, duplicates, dead workers, interruptions."""

from __future__ import annotations

import errno
import json
import os
import sys
import time
from dataclasses import replace
from itertools import chain
from pathlib import Path
from threading import Event

import openpyxl
import pytest
from forms import NO_FORM, PROJECT, SAMPLES, SEED, content, folder_of, put, tree

import perfeval_xlsx as pe
from perfeval_xlsx.batch import chunk, worker
from perfeval_xlsx.batch import run as runs
from perfeval_xlsx.batch.discover import discover
from perfeval_xlsx.batch.executors import Pool
from perfeval_xlsx.batch.flush import can_flush, flush
from perfeval_xlsx.batch.lock import locked
from perfeval_xlsx.batch.options import Options
from perfeval_xlsx.batch.record import FileRecord, unpack
from perfeval_xlsx.batch.run import Outcome, open_run
from perfeval_xlsx.batch.workers import WorkerPool
from perfeval_xlsx.data import load
from perfeval_xlsx.findings import PerfevalError

FAST = Options(durable=False, jobs=2)
SUMMARY = load("run.toml")["outputs"]["summary"]


def run(source: Path, out: Path, options: Options = FAST) -> Outcome:
    with open_run([source], out, options) as opened:
        return opened.execute()


def statuses(source: Path, out: Path) -> dict[str, str]:
    with open_run([source], out, FAST) as opened:
        return {Path(result["path"]).name: result["status"] for result in opened.manifest.results()}


def test_a_second_run_does_nothing(tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run(SAMPLES, out).done == 12
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*") if path.is_file()}
    again = run(SAMPLES, out)
    assert (again.done, again.files, again.left) == (0, 12, 0)
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*") if path.is_file()} == before


def test_just_what_changed_is_done_again(tmp_path: Path) -> None:
    source, out = folder_of(tmp_path / "in", 4), tmp_path / "out"
    assert run(source, out).done == 4
    put(SEED, source / "0组" / "表2.xlsx", "other")
    assert run(source, out).done == 1
    put(PROJECT, source / "0组" / "表9.xlsx", "new")
    assert run(source, out).done == 1
    os.utime(source / "0组" / "表0.xlsx", ns=(1, 1))
    assert run(source, out).done == 1, "the time alone is looked at once"
    assert run(source, out).done == 0
    (out / "scored" / "0组" / "表1.xlsx").unlink()
    assert run(source, out).done == 1
    assert run(source, out, replace(FAST, keep=True)).done == 5


def test_the_results_of_a_changed_folder_are_those_of_a_first_run(tmp_path: Path) -> None:
    source, out = folder_of(tmp_path / "in", 5), tmp_path / "out"
    run(source, out)
    put(SEED, source / "0组" / "表2.xlsx", "other")
    (source / "0组" / "表4.xlsx").unlink()
    (out / "scored" / "0组" / "表4.xlsx").unlink()
    (out / SUMMARY).unlink()
    run(source, out)
    run(source, tmp_path / "fresh")
    assert content(out) == content(tmp_path / "fresh")


def test_a_changed_rulebook_changes_every_form_it_rules(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    facts = 'document = "本局文件"\nsource = "本局"\nsupport = "filed"\n'
    book = f'[rulebook]\nid = "own"\nextends = "national-2020"\ntitle = "本局办法"\n{facts}'
    own.write_text(book, encoding="utf-8")
    source, out = folder_of(tmp_path / "in", 2), tmp_path / "out"
    options = replace(FAST, rules=(str(own),))
    assert [run(source, out, options).done for _ in range(2)] == [2, 0]
    own.write_text(book.replace("本局办法", "本局新办法"), encoding="utf-8")
    assert run(source, out, options).done == 2
    assert json.loads((out / "run.json").read_text(encoding="utf-8"))["rulebooks"][0]["title"] == "本局新办法"


def test_a_changed_program_takes_nothing_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, out = folder_of(tmp_path / "in", 1), tmp_path / "out"
    run(source, out)
    monkeypatch.setattr("perfeval_xlsx.batch.options.program", lambda: "another")
    assert run(source, out).done == 1


def test_equal_files_count_once_and_the_first_counts(tmp_path: Path) -> None:
    source, out = tmp_path / "in", tmp_path / "out"
    put(PROJECT, source / "乙.xlsx")
    put(PROJECT, source / "甲.xlsx")
    put(SEED, source / "丙.xlsx")
    run(source, out)
    assert statuses(source, out) == {"丙.xlsx": "scored", "乙.xlsx": "scored", "甲.xlsx": "duplicate"}
    assert {path.name for path in (out / "scored").iterdir()} == {"丙.xlsx", "乙.xlsx"}
    assert run(source, out).done == 0
    (source / "乙.xlsx").unlink()
    run(source, out)
    assert statuses(source, out) == {"丙.xlsx": "scored", "甲.xlsx": "scored"}
    assert (out / "scored" / "甲.xlsx").exists()


def test_a_copy_does_not_outlive_a_form_that_broke(tmp_path: Path) -> None:
    source, out = folder_of(tmp_path / "in", 1), tmp_path / "out"
    run(source, out)
    (source / "0组" / "表0.xlsx").write_bytes(b"PK\3\4 broken")
    assert run(source, out).exit_code == 1
    assert list((out / "scored").rglob("*.xlsx")) == []


def test_the_inputs_stay_as_they_are(tmp_path: Path) -> None:
    source = folder_of(tmp_path / "in", 2)
    for path in source.rglob("*.xlsx"):
        path.chmod(0o444)
    before = tree(source)
    run(source, tmp_path / "out")
    assert tree(source) == before
    copies = list((tmp_path / "out" / "scored").rglob("*.xlsx"))
    assert len(copies) == 2


def test_a_file_that_was_never_ours_is_replaced_by_the_copy_only(tmp_path: Path) -> None:
    source, out = folder_of(tmp_path / "in", 1), tmp_path / "out"
    (out / "scored").mkdir(parents=True)
    (out / "scored" / "笔记.txt").write_text("别动", encoding="utf-8")
    (out / SUMMARY).write_bytes(b"an older summary")
    run(source, out)
    assert (out / "scored" / "笔记.txt").read_text(encoding="utf-8") == "别动"
    assert openpyxl.load_workbook(out / SUMMARY).sheetnames


def test_leftovers_of_a_killed_run_are_removed(tmp_path: Path) -> None:
    source, out = folder_of(tmp_path / "in", 1), tmp_path / "out"
    left = [out / ".0123456789ab.tmp", out / "scored" / "0组" / ".ba9876543210.tmp", out / "退回" / ".00123456789a.tmp"]
    for path in left:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"half")
    run(source, out)
    assert not any(path.exists() for path in left)


def test_a_target_that_cannot_be_written_is_a_finding_and_is_tried_again(tmp_path: Path) -> None:
    source, out = folder_of(tmp_path / "in", 2), tmp_path / "out"
    (out / "scored" / "0组" / "表0.xlsx").mkdir(parents=True)
    outcome = run(source, out)
    assert (outcome.exit_code, outcome.unfinished, outcome.counts["scored"].forms) == (1, 1, 2)
    (out / "scored" / "0组" / "表0.xlsx").rmdir()
    outcome = run(source, out)
    assert (outcome.exit_code, outcome.done) == (0, 1)


@pytest.mark.parametrize("how", ["broken", "twin", "replaced"])
def test_an_old_copy_that_cannot_be_removed_costs_one_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    source, out = folder_of(tmp_path / "in", 3), tmp_path / "out"
    run(source, out)
    form, copy = source / "0组" / "表1.xlsx", out / "scored" / "0组" / "表1.xlsx"
    if how == "twin":
        form.write_bytes((source / "0组" / "表0.xlsx").read_bytes())
    elif how == "broken":
        form.write_bytes(b"PK\3\4 broken")
    unlink = Path.unlink

    def locked_unlink(path: Path, missing_ok: bool = False) -> None:
        if path == copy:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        unlink(path, missing_ok)

    options = replace(FAST, copies=how != "replaced")
    with monkeypatch.context() as held:
        held.setattr(Path, "unlink", locked_unlink)
        for _ in range(2):
            outcome = run(source, out, options)
            assert (outcome.exit_code, outcome.unfinished, copy.exists()) == (1, 1, True)
            assert (out / SUMMARY).exists()
        with open_run([source], out, options) as opened:
            codes = {finding["code"] for head in opened.manifest.troubled() for finding in head["findings"]}
        assert "B49" in codes
    outcome = run(source, out, options)
    assert (outcome.done, outcome.unfinished, copy.exists()) == (1, 0, False)
    fresh = run(source, tmp_path / "fresh", options)
    assert (outcome.counts, content(out)) == (fresh.counts, content(tmp_path / "fresh"))


def test_two_runs_cannot_share_an_output_folder(tmp_path: Path) -> None:
    with locked(tmp_path / "out"), pytest.raises(PerfevalError, match="另一个任务"):
        run(SAMPLES, tmp_path / "out")
    assert run(SAMPLES, tmp_path / "out").exit_code == 0


def test_an_unforeseen_error_costs_one_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    source = folder_of(tmp_path / "in", 3)
    real = chunk.find_forms

    def failing(book: object, path: str) -> object:
        if path.endswith("表1.xlsx"):
            raise ZeroDivisionError("secret")
        return real(book, path)  # type: ignore[arg-type]

    monkeypatch.setattr(chunk, "find_forms", failing)
    with open_run([source], tmp_path / "out", FAST) as opened:
        opened.execute()
        results = {Path(result["path"]).name: result for result in opened.manifest.results()}
    assert [result["status"] for result in results.values()] == ["scored", "failed", "scored"]
    (finding,) = results["表1.xlsx"]["findings"]
    assert (finding["code"], "表1.xlsx" in finding["message"]) == ("B30", True)
    assert "secret" not in finding["message"]
    assert "ZeroDivisionError: secret" in caplog.text, "the traceback goes to the log"
    log = tmp_path / "out" / "perfeval.log"
    assert "ZeroDivisionError: secret" in log.read_text(encoding="utf-8"), "which the message tells to send"


@pytest.mark.parametrize(("files", "flushes"), [(3, False), (6, can_flush())])
def test_copies_are_on_the_disk_before_they_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: int, flushes: bool
) -> None:
    source, out = folder_of(tmp_path / "in", files), tmp_path / "out"
    seen: list[tuple[int, int]] = []
    with open_run([source], out, Options()) as opened:

        def noted(folder: Path) -> None:
            seen.append((len(list(folder.glob("scored/**/*.xlsx"))), len(list(opened.manifest.results()))))
            flush(folder)

        monkeypatch.setattr(runs, "flush", noted)
        opened.execute()
    assert bool(seen) == flushes
    assert all(copies > stored for copies, stored in seen), "flushed when written, stored when flushed"
    assert len(list(out.glob("scored/**/*.xlsx"))) == files


def test_what_cannot_be_flushed_is_told(tmp_path: Path) -> None:
    if can_flush():
        flush(tmp_path)
        if sys.platform == "linux":
            with pytest.raises(PerfevalError) as caught:
                flush(tmp_path / "gone")
            assert caught.value.finding.code == "B26"


def test_a_run_that_is_told_to_stop_keeps_what_is_done(tmp_path: Path) -> None:
    source, out, stop = folder_of(tmp_path / "in", 20), tmp_path / "out", Event()
    with open_run([source], out, FAST, stop) as opened:
        outcome = opened.execute(lambda progress: stop.set() if progress.done else None)
    assert (outcome.exit_code, outcome.done, outcome.left) == (130, 16, 4)
    record = json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert (record["complete"], record["left"], len(record["forms"])) == (False, 4, 16)
    left = load("outputs.toml")["words"]["left"]["zh"].format(files=4)
    for name in ("summary", "findings"):
        book = openpyxl.load_workbook(out / load("run.toml")["outputs"][name])
        assert left in book.worksheets[0]["A1"].value
        assert left in book.worksheets[1]["A1"].value
    statistics = openpyxl.load_workbook(out / SUMMARY)[load("outputs.toml")["statistics"]["name"]["zh"]]
    assert ("尚未处理", 4) in {(row[0].value, row[1].value) for row in statistics.iter_rows()}
    assert run(source, out).done == 4
    run(source, tmp_path / "fresh")
    assert content(out) == content(tmp_path / "fresh")


@pytest.mark.parametrize("done", [0, 16])
def test_an_interrupted_run_reports_nothing_of_other_options(tmp_path: Path, done: int) -> None:
    source, out = folder_of(tmp_path / "in", 20), tmp_path / "out"
    run(source, out)
    stop = Event()
    english = replace(FAST, lang="en")
    with open_run([source], out, english, stop) as opened:
        outcome = opened.execute(lambda progress: stop.set() if progress.done >= done else None)
        assert len(list(opened.manifest.results())) == done
    assert (outcome.files, outcome.done, outcome.left) == (20, done, 20 - done)
    assert sum(count.forms for count in outcome.counts.values()) == done
    record = json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert (record["options"]["lang"], sum(record["counts"].values()), record["left"]) == ("en", done, 20 - done)
    assert run(source, out, english).done == 20 - done
    run(source, tmp_path / "fresh", english)
    assert content(out) == content(tmp_path / "fresh")


def test_nothing_is_written_without_an_output_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert len(pe.score(PROJECT)) == 1
    assert list(tmp_path.iterdir()) == []


def test_the_library_gives_lists_and_frames() -> None:
    forms = pe.read(SEED, PROJECT)
    assert sorted(form.path for form in forms) == sorted(map(str, (SEED, PROJECT)))
    assert len(forms.frames().forms) == 2
    results = pe.score(SEED, NO_FORM)
    assert {result["status"] for result in results} == {"scored", "skipped"}
    frames = results.frames()
    assert len(frames["indicators"]) == 44
    assert set(frames["forms"]["total"].dropna()) == {"99"}
    audited = pe.audit(SEED)
    assert (audited[0]["total"], audited[0]["copy"]) == ("99", None)


def test_reading_says_which_file_and_why() -> None:
    with pytest.raises(PerfevalError, match=r"没有\.xlsx"):
        pe.read("没有.xlsx")
    with pytest.raises(PerfevalError, match="没有可读取的工作簿"):
        pe.read(SAMPLES.parent / "docs")


# Worker processes.


def sabotaged(memory: int) -> None:
    """Start a worker in which some names are deadly."""
    worker.start(memory, None)
    real = chunk.open_file

    def open_file(source: chunk.Source, options: Options) -> chunk.Opened:
        if "杀手" in source.relative:
            os._exit(9)
        while "卡住" in source.relative:
            time.sleep(0.1)
        if "吃光" in source.relative:
            bytearray(1 << 40)
        return real(source, options)

    chunk.open_file = open_file


def make(jobs: int) -> WorkerPool:
    return WorkerPool(jobs, sabotaged, (0,))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_worker_that_dies_or_hangs_costs_one_file(tmp_path: Path) -> None:
    source = folder_of(tmp_path / "in", 10)
    for name in ("杀手", "卡住", "吃光"):
        put(PROJECT, source / "0组" / f"{name}.xlsx", name)
    options = replace(FAST, seconds=3)
    sources = sorted(discover([source]), key=lambda item: item.key)
    chunks = [sources[start : start + 4] for start in range(0, len(sources), 4)]
    records: dict[str, FileRecord] = {}
    pool = Pool(make, 2, options, tmp_path / "out", Event())
    for done, found in chain.from_iterable(pool.outcomes(chunks)):
        for item, record in zip(done, found, strict=True):
            assert item.relative not in records, "every file once"
            records[item.relative] = record
    assert len(records) == 13
    failed = {name: unpack(record.forms[0].head) for name, record in records.items() if not record.copy}
    codes = {Path(name).stem: head["findings"][0]["code"] for name, head in failed.items()}
    assert codes == {"杀手": "B37", "卡住": "B38", "吃光": "B30"}


@pytest.mark.slow
def test_workers_give_what_one_process_gives(tmp_path: Path) -> None:
    source = folder_of(tmp_path / "in", 12)
    put(NO_FORM, source / "清单.xlsx")
    put(PROJECT, source / "重复.xlsx", "3")
    (source / "坏.xlsx").write_bytes(b"PK\3\4")
    assert run(source, tmp_path / "here").exit_code == 1
    assert run(source, tmp_path / "workers", replace(FAST, isolated=True)).exit_code == 1
    assert content(tmp_path / "here") == content(tmp_path / "workers")


# Audits


def test_an_audit_compares_the_forms_of_the_whole_run(tmp_path: Path) -> None:
    source, out = tmp_path / "in", tmp_path / "out"
    put(SAMPLES / "市交通运输局_农村公路养护项目支出绩效自评表.xlsx", source / "甲.xlsx")
    put(SAMPLES / "市交通运输局_农村公路养护项目支出绩效自评表.xlsx", source / "乙.xlsx", "filed twice")
    options = replace(FAST, audit=True, copies=False)
    assert run(source, out, options).exit_code == 1
    record = json.loads((out / "run.json").read_text(encoding="utf-8"))
    of_units = [finding for unit in record["units"] for finding in unit["findings"]]
    found = {finding["code"] for finding in record["findings"] + of_units}
    assert any(code.startswith("X") for code in found)
    before = content(out)
    assert run(source, out, options).done == 0
    put(PROJECT, source / "丙.xlsx")
    run(source, out, options)
    (source / "丙.xlsx").unlink()
    run(source, out, options)
    assert content(out) == before, "what is found does not pile up"


def test_a_reviewer_s_decision_takes_the_place_of_an_open_score(tmp_path: Path) -> None:
    source, out = put(SEED, tmp_path / "表.xlsx"), tmp_path / "out"
    run(source, out, replace(FAST, audit=True, copies=False))
    table = out / load("run.toml")["outputs"]["reviews"]
    book = openpyxl.load_workbook(table)
    sheet = book.worksheets[0]
    columns = {column["zh"]: column["key"] for column in load("desk.toml")["review"]["column"]}
    heading = next(row for row in sheet.iter_rows() if any(cell.value == "复核得分" for cell in row))
    places = {columns[str(cell.value)]: cell.column for cell in heading if cell.value in columns}
    for row in range(heading[0].row + 1, sheet.max_row + 1):
        if sheet.cell(row, places["cell"]).value == "H39":
            sheet.cell(row, places["decision"]).value = 0.5
    book.save(tmp_path / "复核.xlsx")
    scored = replace(FAST, reviews=str(tmp_path / "复核.xlsx"))
    with open_run([source], tmp_path / "scored", scored) as opened:
        opened.execute()
        (result,) = opened.manifest.results()
    (row,) = (row for row in result["indicators"] if row["cell"] == "H39")
    assert (row["status"], row["score"], result["total"]) == ("reviewed", "0.5", "98.5")
    copy = openpyxl.load_workbook(tmp_path / "scored" / str(result["copy"]))["部门整体自评表"]
    assert copy["H39"].value == 0.5


# Formats


def test_an_encrypted_form_waits_for_its_password(tmp_path: Path) -> None:
    ooxml = pytest.importorskip("msoffcrypto.format.ooxml")
    source, out = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    with PROJECT.open("rb") as plain, (source / "密.xlsx").open("wb") as locked:
        ooxml.OOXMLFile(plain).encrypt("密码1", locked)
    assert [run(source, out).done for _ in range(2)] == [1, 0]
    assert list(statuses(source, out).values()) == ["failed"]
    for passwords in (("错的",), ("错的", "密码1")):
        assert run(source, out, replace(FAST, passwords=passwords)).done == 1
    assert list(statuses(source, out).values()) == ["scored"]
    assert run(source, out).done == 0
    assert "密码1" not in repr(replace(FAST, passwords=("密码1",)))
    assert not any("密码1".encode() in data for data in tree(out).values())
    assert (out / "scored" / "密.xlsx").exists()
