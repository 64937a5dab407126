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
from forms import ROOT, SAMPLES, SEED, content, folder_of, perfeval, put

from perfeval_xlsx.batch import chunk
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
