"""How long the lists of a province take, and whether each of their sheets keeps to Excel's limit of rows.

    python benchmarks/lists.py --forms 100000 --rows 50 --findings 10

A few generated forms are scored and audited; their results then stand for any number of forms, so that only the
writing of ``汇总.xlsx`` and ``问题清单.xlsx`` is measured. Prints one JSON object a workbook; every row of every
sheet is counted again in the file. Peaks are those of the system (``VmHWM``), so they are there on Linux only.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator, Sequence
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from generate import generate
from growth import peak

import perfeval_xlsx as pe
from perfeval_xlsx.output.brief import briefs_of
from perfeval_xlsx.output.problem_store import ProblemStore
from perfeval_xlsx.output.problems import write_problems
from perfeval_xlsx.output.sheets import ROW_LIMIT
from perfeval_xlsx.output.summary import detail_fragment, write_summary
from perfeval_xlsx.scoring.result import FormResult

BASE = 64
"""Forms that the others repeat."""
DEPARTMENT = 20
"""Forms a department hands in."""
BLOCK = 1 << 20


class LimitError(Exception):
    """A workbook has a sheet of too many rows, or not the rows it should have."""


def results(rows: int, findings: int) -> list[FormResult]:
    """Results of a few forms, each with so many findings."""
    with tempfile.TemporaryDirectory() as folder:
        generate(Path(folder), BASE, rows)
        audited = list(pe.audit(folder))
    found = cycle([finding for result in audited for finding in result["findings"]])
    return [{**result, "findings": list(islice(found, findings))} for result in audited]


def many(base: Sequence[FormResult], forms: int) -> Iterator[FormResult]:
    """As many results as there are to be, each of a file of its own."""
    for number, result in enumerate(islice(cycle(base), forms)):
        org = f"单位{number // DEPARTMENT:05}"
        yield {**result, "org": org, "path": f"{org}/{number:06}.xlsx", "indicators": []}


def write_both(folder: Path, base: Sequence[FormResult], forms: int) -> Iterator[dict[str, Any]]:
    """Write both lists; yield what each took."""
    briefs = briefs_of(base)
    details = [detail_fragment(result) for result in base]
    indicators = sum(len(result["indicators"]) for result in islice(cycle(base), forms))
    summary = folder / "汇总.xlsx"
    begun = time.perf_counter()
    write_summary(summary, islice(cycle(briefs), forms), islice(cycle(details), forms))
    yield measured(summary, begun, forms + indicators)
    problems = folder / "问题清单.xlsx"
    begun = time.perf_counter()
    with ProblemStore() as store:
        for result in many(base, forms):
            store.add(result)
        write_problems(problems, store)
    yield measured(problems, begun, 2 * sum(len(result["findings"]) for result in islice(cycle(base), forms)))


def measured(path: Path, begun: float, least: int) -> dict[str, Any]:
    """What a workbook took, and its sheets' rows.

    Raises:
        LimitError: A sheet is over the limit, or there are fewer rows than ``least``.
    """
    seconds = time.perf_counter() - begun
    sheets = rows_of(path)
    if max(sheets.values()) > ROW_LIMIT or sum(sheets.values()) < least:
        raise LimitError(f"{path.name}: {sheets}, {least} rows wanted")
    return {
        "workbook": path.name, "seconds": round(seconds, 2), "peak_mib": round(peak(os.getpid()) / 1024, 1),
        "file_mib": round(path.stat().st_size / 2**20, 1), "rows": sheets,
    }  # fmt: skip


def rows_of(path: Path) -> dict[str, int]:
    """Rows of every sheet of a workbook, counted in its parts."""
    with zipfile.ZipFile(path) as archive:
        names = re.findall(r'<sheet name="([^"]*)"', archive.read("xl/workbook.xml").decode())
        return {name: _rows(archive, f"xl/worksheets/sheet{at}.xml") for at, name in enumerate(names, 1)}


def _rows(archive: zipfile.ZipFile, member: str) -> int:
    count, rest = 0, b""
    with archive.open(member) as part:
        while block := part.read(BLOCK):
            block = rest + block
            count += block.count(b"</row>") + block.count(b"<row/>")
            rest = block[-len(b"</row>") + 1 :]
    return count


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure as the command line says; return the exit code."""
    parser = argparse.ArgumentParser(description="Measure how the lists of many forms are written.")
    parser.add_argument("--forms", type=int, default=10_000)
    parser.add_argument("--rows", type=int, default=50, help="indicators a form")
    parser.add_argument("--findings", type=int, default=10, help="findings a form")
    options = parser.parse_args(arguments)
    base = results(options.rows, options.findings)
    with tempfile.TemporaryDirectory() as folder:
        try:
            for one in write_both(Path(folder), base, options.forms):
                print(json.dumps({"forms": options.forms, **one}, ensure_ascii=False), flush=True)
        except LimitError as error:
            print(error, file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
