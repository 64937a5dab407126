"""How time and memory grow: more forms, more indicators a form, one process and two.

    python benchmarks/growth.py --forms 1000 10000 --rows 20 200 2000 --jobs 1 2

Prints one JSON object a measurement: a whole first run, a second one with nothing new, and one that writes just the
reports anew. Peaks are those of the system (``VmHWM``), so they are there on Linux only.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from compare import RunError, perfeval
from generate import generate

ROWS = 60
"""Indicators a form where their number is not what grows."""
CELLS = 60_000
"""Indicators of all forms together where the number a form is what grows."""
REPORTS = {"summary_mib": "汇总.xlsx", "problems_mib": "问题清单.xlsx", "review_mib": "复核表.xlsx"}
REPORTS |= {"run_mib": "run.json", "manifest_mib": ".perfeval.sqlite"}


class Peaks:
    """Follows a process and its children while they run, and keeps the peak memory of each."""

    def __init__(self, pid: int) -> None:
        self._pid, self._seen, self._end = pid, dict[int, int](), threading.Event()
        self._thread = threading.Thread(target=self._follow)
        self._thread.start()

    def _follow(self) -> None:
        while not self._end.wait(0.1):
            for pid in (self._pid, *children(self._pid)):
                self._seen[pid] = max(self._seen.get(pid, 0), peak(pid))

    def end(self) -> tuple[float | None, float | None]:
        """MiB of the process itself and of the largest of its children, None where there was none."""
        self._end.set()
        self._thread.join()
        own = self._seen.pop(self._pid, 0)
        return own / 1024 or None, max(self._seen.values(), default=0) / 1024 or None


def children(pid: int) -> list[int]:
    """Processes that a process started, and those that they started, where the system lists them."""
    try:
        own = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()]
    except OSError:
        return []
    return [each for child in own for each in (child, *children(child))]


def peak(pid: int) -> int:
    """Peak resident KiB of a process, 0 where it is not known."""
    try:
        status = Path(f"/proc/{pid}/status").read_text("utf-8")
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")), 0)


def cpu() -> float | None:
    """CPU seconds of all processes that were started and have ended, where the system tells."""
    if sys.platform == "win32":
        return None
    import resource

    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


class Run(NamedTuple):
    """One run: seconds, CPU seconds, peak MiB of the driver and of the largest worker."""

    seconds: float
    cpu: float | None
    driver: float | None
    worker: float | None


def run(source: Path, out: Path, jobs: int) -> Run:
    """Run once.

    Raises:
        RunError: It failed.
    """
    begun, before = time.perf_counter(), cpu()
    with tempfile.TemporaryFile("w+", encoding="utf-8") as errors:
        process = subprocess.Popen(perfeval(source, out, jobs), stdout=subprocess.DEVNULL, stderr=errors)
        peaks = Peaks(process.pid)
        code = process.wait()
        seconds = time.perf_counter() - begun
        driver, workers = peaks.end()
        if code:
            errors.seek(0)
            raise RunError(f"exit code {code}\n{errors.read()[-2000:]}")
    after = cpu()
    return Run(seconds, None if after is None or before is None else after - before, driver, workers)


def measure(folder: Path, forms: int, rows: int, jobs: int) -> dict[str, Any]:
    """One measurement over generated forms."""
    source, out = folder / f"{forms}x{rows}", folder / f"out-{jobs}-{forms}x{rows}"
    if not source.exists():
        generate(source, forms, rows)
    shutil.rmtree(out, ignore_errors=True)  # there only where it was kept: deleting slows down what is made next
    if hasattr(os, "sync"):
        os.sync()
    first = run(source, out, jobs)
    again = run(source, out, jobs)
    (out / REPORTS["summary_mib"]).unlink()
    reports = run(source, out, jobs)
    written = {name: out / file for name, file in REPORTS.items() if (out / file).exists()}
    facts = {
        "seconds": first.seconds, "cpu_ms_per_form": None if first.cpu is None else 1000 * first.cpu / forms,
        "ms_per_form": 1000 * first.seconds / forms, "driver_mib": first.driver, "worker_mib": first.worker,
        "again_seconds": again.seconds, "again_cpu": again.cpu, "again_mib": again.driver,
        "reports_seconds": reports.seconds, "reports_cpu": reports.cpu, "reports_mib": reports.driver,
    }  # fmt: skip
    rounded = {name: None if value is None else round(value, 2) for name, value in facts.items()}
    sizes = {name: round(path.stat().st_size / 2**20, 2) for name, path in written.items()}
    return {"forms": forms, "rows": rows, "jobs": jobs, **rounded, **sizes}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure as the command line says; return the exit code."""
    parser = argparse.ArgumentParser(description="Measure how time and memory grow.")
    parser.add_argument("--forms", type=int, nargs="*", default=[1_000, 10_000], help=f"forms of {ROWS} rows")
    parser.add_argument("--rows", type=int, nargs="*", default=[20, 200, 2_000], help="indicators a form")
    parser.add_argument("--jobs", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--keep", type=Path, help="folder for forms and outputs, kept for the next time")
    options = parser.parse_args(arguments)
    sizes = [(forms, ROWS) for forms in options.forms] + [(max(10, CELLS // rows), rows) for rows in options.rows]
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.keep or Path(scratch)
        for jobs in options.jobs:
            for forms, rows in sizes:
                try:
                    print(json.dumps(measure(folder, forms, rows, jobs)), flush=True)
                except RunError as error:
                    print(error, file=sys.stderr)
                    return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
