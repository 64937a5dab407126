"""What a second run does again, what two runs at once do to each other, and what is left after kills."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from random import Random

import openpyxl
import pytest
from forms import ROOT, SAMPLES, SEED, content, folder_of, perfeval, put, tree

from perfeval_xlsx.batch import chunk
from perfeval_xlsx.batch.leftovers import Leftovers
from perfeval_xlsx.batch.lock import locked
from perfeval_xlsx.batch.options import Options
from perfeval_xlsx.batch.run import Outcome, open_run
from perfeval_xlsx.data import load
from perfeval_xlsx.findings import Finding, PerfevalError

ROADS = SAMPLES / "市交通运输局_农村公路养护项目支出绩效自评表.xlsx"
AUDIT = Options(durable=False, audit=True, copies=False)


def run(source: Path, out: Path, options: Options) -> Outcome:
    with open_run([source], out, options) as opened:
        return opened.execute()


def returned(out: Path) -> set[str]:
    """Every text of the departments' lists."""
    lists = (out / load("run.toml")["outputs"]["returned"]).glob("*.xlsx")
    cells = (cell.value for path in lists for row in openpyxl.load_workbook(path).active for cell in row)
    return {str(value) for value in cells if value is not None}


def test_what_only_the_lists_depend_on_reads_no_form_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, out = folder_of(tmp_path / "in", 3, ROADS), tmp_path / "out"
    assert run(source, out, replace(AUDIT, due="2024年5月31日")).done == 3
    monkeypatch.delattr(chunk, "open_file")
    assert run(source, out, replace(AUDIT, due="2024年6月30日")).done == 0
    assert [any(day in text for text in returned(out)) for day in ("5月31日", "6月30日")] == [False, True]
    roster = tmp_path / "名单.csv"
    roster.write_text("单位\n市没有报的局\n", encoding="utf-8")
    assert run(source, out, replace(AUDIT, roster=str(roster))).done == 0
    units = json.loads((out / "run.json").read_text(encoding="utf-8"))["units"]
    assert "市没有报的局" in {unit["org"] for unit in units}


def test_a_changed_option_or_form_comes_to_what_a_first_run_comes_to(tmp_path: Path) -> None:
    source, out = folder_of(tmp_path / "in", 4), tmp_path / "out"
    run(source, out, Options(durable=False))
    put(SEED, source / "0组" / "表1.xlsx", "other")
    run(source, out, Options(durable=False, keep=True, lang="en"))
    run(source, tmp_path / "fresh", Options(durable=False, keep=True, lang="en"))
    assert content(out) == content(tmp_path / "fresh")


def test_a_second_run_at_once_says_so_and_touches_nothing(tmp_path: Path) -> None:
    source, out = folder_of(tmp_path / "in", 1), tmp_path / "out"
    assert perfeval("score", source, "-o", out).code == 0
    put(SEED, source / "新.xlsx")
    before = content(out)
    with locked(out):
        done = perfeval("score", source, "-o", out)
    assert done.code == 1
    assert Finding("B39", found=str(out)).text("message", "zh") in done.err
    assert content(out) == before
    assert perfeval("score", source, "-o", out).code == 0
    assert content(out) != before


@pytest.mark.parametrize("how", [b"garbage" * 99, b""], ids=["garbage", "emptied"])
@pytest.mark.parametrize("name", ["scored/0组/表1.xlsx", "汇总.xlsx", "问题清单.xlsx", "复核表.xlsx", "run.json"])
def test_an_output_that_was_changed_is_written_again_and_kept(tmp_path: Path, name: str, how: bytes) -> None:
    source, out = folder_of(tmp_path / "in", 3), tmp_path / "out"
    options = Options(durable=False)
    run(source, out, options)
    before = content(out)
    (out / name).write_bytes(how)
    outcome = run(source, out, options)
    assert outcome.done == int(name.startswith("scored"))
    kept = {out / path: data for path, data in tree(out).items() if path not in before}
    assert [*kept.values()] == [how] * bool(how or name == "复核表.xlsx")
    assert name == "复核表.xlsx" or (*kept,) == outcome.changed
    for path in kept:
        path.unlink()
    assert content(out) == before
    again = run(source, out, options)
    assert (again.done, again.changed) == (0, ())


def test_what_somebody_typed_into_outputs_is_kept_when_forms_change(tmp_path: Path) -> None:
    source, out = folder_of(tmp_path / "in", 2), tmp_path / "out"
    run(source, out, Options(durable=False))
    outputs = load("run.toml")["outputs"]
    for name in ("scored/0组/表0.xlsx", outputs["summary"]):
        book = openpyxl.load_workbook(out / name)
        book.worksheets[0]["A1"] = "领导已阅"
        book.save(out / name)
    put(SEED, source / "0组" / "表0.xlsx", "other")
    outcome = run(source, out, Options(durable=False))
    assert len(outcome.changed) == 2
    for path in outcome.changed:
        assert path.is_relative_to(out / outputs["aside"])
        assert openpyxl.load_workbook(path).worksheets[0]["A1"].value == "领导已阅"
    for folder in ("scored/0组/表0.xlsx", outputs["summary"]):
        assert openpyxl.load_workbook(out / folder).worksheets[0]["A1"].value != "领导已阅"
    done = perfeval("score", source, "-o", tmp_path / "out")
    assert outputs["aside"] not in done.err


def test_an_output_folder_that_was_copied_is_made_again_without_a_word(tmp_path: Path) -> None:
    source, out = folder_of(tmp_path / "in", 3), tmp_path / "out"
    run(source, out, Options(durable=False))
    before = content(out)
    for path in out.rglob("*.*"):
        os.utime(path, ns=(0, 10**18))
    outcome = run(source, out, Options(durable=False))
    assert (outcome.done, outcome.changed, content(out)) == (3, (), before)
    assert run(source, out, Options(durable=False)).done == 0


def test_decisions_that_are_being_typed_stay_where_they_are(tmp_path: Path) -> None:
    source, out = folder_of(tmp_path / "in", 2), tmp_path / "out"
    run(source, out, AUDIT)
    table = out / load("run.toml")["outputs"]["reviews"]
    book = openpyxl.load_workbook(table)
    book.worksheets[0]["A1"] = "正在填"
    book.save(table)
    typed = table.read_bytes()
    outcome = run(source, out, AUDIT)
    assert (outcome.changed, table.read_bytes()) == ((), typed)


def test_renamed_and_removed_forms_leave_the_outputs_of_a_first_run(tmp_path: Path) -> None:
    source, out, options = folder_of(tmp_path / "in", 5), tmp_path / "out", Options(durable=False)
    run(source, out, options)
    own = out / "scored" / "笔记.txt"
    own.write_text("别动", encoding="utf-8")
    group = source / "0组"
    (group / "表0.xlsx").rename(group / "改名.xlsx")
    copy = (out / "scored" / "0组" / "表1.xlsx").read_bytes()
    (group / "表1.xlsx").unlink()
    outcome = run(source, out, options)
    (kept,) = outcome.leftovers.moved
    assert (outcome.leftovers.removed, outcome.leftovers.others, outcome.exit_code) == (1, 1, 0)
    assert kept.read_bytes() == copy
    assert own.read_text(encoding="utf-8") == "别动"
    own.unlink()
    kept.unlink()
    run(source, tmp_path / "fresh", options)
    assert content(out) == content(tmp_path / "fresh")
    again = run(source, out, options)
    assert (again.done, again.leftovers) == (0, Leftovers())


def test_a_part_of_the_forms_read_alone_removes_no_copy(tmp_path: Path) -> None:
    source, out, options = folder_of(tmp_path / "in", 4), tmp_path / "out", Options(durable=False)
    run(source, out, options)
    other = folder_of(tmp_path / "other", 1)
    (other / "0组").rename(other / "别处")
    outcome = run(other, out, options)
    assert outcome.leftovers == Leftovers(others=4)
    assert len(list((out / "scored").rglob("*.xlsx"))) == 5
    assert run(source, out, options).done == 0


def test_what_a_watch_kept_of_forms_taken_out_stays(tmp_path: Path) -> None:
    inbox, out = folder_of(tmp_path / "in", 3), tmp_path / "out"
    assert perfeval("watch", inbox, "-o", out, "--once", "--interval", "0.3").code == 0
    (inbox / "0组" / "表1.xlsx").unlink()
    assert perfeval("watch", inbox, "-o", out, "--once", "--interval", "0.3").code == 0
    outcome = run(inbox, out, Options())
    assert outcome.leftovers == Leftovers(others=1)
    assert (out / "scored" / "0组" / "表1.xlsx").exists()


def test_lists_of_an_audit_go_with_a_later_score_those_typed_into_are_kept(tmp_path: Path) -> None:
    source, out = folder_of(tmp_path / "in", 3, ROADS), tmp_path / "out"
    run(source, out, replace(AUDIT, due="2024年5月31日"))
    folder = out / load("run.toml")["outputs"]["returned"]
    lists = sorted(folder.glob("*.xlsx"))
    assert lists
    slip = folder / "别人的.txt"
    slip.write_text("别动", encoding="utf-8")
    lists[0].write_bytes(lists[0].read_bytes() + b"typed")
    outcome = run(source, out, Options(durable=False))
    assert (list(folder.glob("*")), outcome.leftovers.removed) == ([slip], len(lists) - 1)
    assert [path.name for path in outcome.leftovers.moved] == [lists[0].name]


@pytest.mark.parametrize("part", [1, 5, 8])
@pytest.mark.parametrize("options", [Options(durable=False), AUDIT], ids=["score", "audit"])
def test_a_record_damaged_anywhere_is_set_aside_and_begun_anew(tmp_path: Path, part: int, options: Options) -> None:
    source, out = folder_of(tmp_path / "in", 12), tmp_path / "out"
    run(source, out, options)
    record = out / load("run.toml")["outputs"]["manifest"]
    sound = record.read_bytes()
    start, noise = len(sound) * part // 10, Random(part).randbytes(len(sound) // 8)
    damaged = (sound[:start] + noise + sound[start + len(noise) :])[: len(sound)]
    record.write_bytes(damaged)
    (source / "0组" / "表0.xlsx").unlink()
    put(SEED, source / "新.xlsx")
    try:
        outcome = run(source, out, options)
    except PerfevalError as error:  # found when results were read that no report holds
        if error.finding.code != "B50":
            raise
        outcome = run(source, out, options)
    assert len(list(out.glob(".perfeval.sqlite.damaged-?"))) == 1
    fresh = run(source, tmp_path / "fresh", options)
    assert (outcome.counts, outcome.grades) == (fresh.counts, fresh.grades)
    assert run(source, out, options).done == 0


def test_a_damaged_record_is_told(tmp_path: Path) -> None:
    source, out = folder_of(tmp_path / "in", 2), tmp_path / "out"
    record = out / load("run.toml")["outputs"]["manifest"]
    assert perfeval("score", source, "-o", out).code == 0
    record.write_bytes(record.read_bytes()[:4096] + os.urandom(1 << 16))
    done = perfeval("score", source, "-o", out)
    assert done.code == 0
    kept = record.with_name(record.name + ".damaged-1")
    assert kept.exists()
    assert load("console.toml")["closing"]["damaged"]["zh"].format(path=kept) in done.err
    assert ".damaged" not in perfeval("score", source, "-o", out).err


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks for the workers below /proc")
def test_killed_runs_come_to_what_an_unbroken_one_comes_to() -> None:
    command = [sys.executable, ROOT / "benchmarks" / "kills.py", "--kills", "5", "--forms", "60", "--rows", "10"]
    done = subprocess.run(command, capture_output=True, timeout=280, check=False, env={**os.environ, "PYTHONUTF8": "1"})
    told = json.loads(done.stdout)
    assert (told["wrong"], done.returncode) == ([], 0), done.stderr.decode("utf-8", "replace")
    assert told["kills"] == 5
