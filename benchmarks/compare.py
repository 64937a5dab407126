"""Compare ``perfeval score`` with a script of openpyxl and pandas, in turn, on the same forms and the same machine.

    python benchmarks/compare.py --forms 500 --rows 60 --jobs 1 2

Prints one JSON object: for each number of processes both sides' seconds, CPU and peak memory, and the ratio of their
best times. Machines differ, so only the ratio means anything elsewhere. Whole processes are measured, start-up and all
outputs included.
"""

from __future__ import annotations

import argparse
import compileall
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from generate import generate

import perfeval_xlsx

HERE = Path(__file__).parent
FEW = 20
"""Forms of the small run that start-up is told from."""


@dataclass(frozen=True)
class Measured:
    """One run: seconds, CPU seconds of the process and all it started (None on Windows), peak MiB of the largest."""

    seconds: float
    cpu: float | None
    peak: float | None


class RunError(Exception):
    """A side did not do its work."""


def perfeval(source: Path, out: Path, jobs: int) -> list[str]:
    """Return the command of our side."""
    return [sys.executable, "-m", "perfeval_xlsx", "score", str(source), "-o", str(out), "--jobs", str(jobs), "--quiet"]


def script(path: Path, source: Path, out: Path, jobs: int) -> list[str]:
    """Return the command of the other side."""
    return [sys.executable, str(path), str(source), str(out), str(jobs)]


def run(command: Sequence[str], out: Path, forms: int) -> Measured:
    """Run one side into a folder of its own.

    What was written before is on the disk by then, and nothing is deleted between runs: Linux, for one, passes over
    files deleted in the last minute one by one when it makes new ones.

    Raises:
        RunError: It failed, or wrote fewer copies than there are forms.
    """
    if hasattr(os, "sync"):
        os.sync()
    with tempfile.TemporaryFile("w+", encoding="utf-8") as errors:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors, stdin=subprocess.DEVNULL)
        cpu, peak = _wait(process)
        seconds = time.perf_counter() - start
        errors.seek(0)
        written = sum(1 for path in out.rglob("*.xlsx") if path.name.startswith("单位"))
        if process.returncode or written < forms:
            said = errors.read()[-2000:]
            raise RunError(f"exit code {process.returncode}, {written} of {forms} copies: {command}\n{said}")
    return Measured(seconds, cpu, peak)


def _wait(process: subprocess.Popen[bytes]) -> tuple[float | None, float | None]:
    """Wait; return CPU seconds and peak MiB where the system tells them for one child and its children."""
    if sys.platform == "win32":
        process.wait()
        return None, None
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    unit = 1024 * 1024 if sys.platform == "darwin" else 1024
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / unit


def report(runs: Sequence[Measured], forms: int) -> dict[str, Any]:
    """Return the figures of one side's runs; the best time counts, disturbances only make it longer."""
    best = min(runs, key=lambda measured: measured.seconds)
    return {
        "seconds": [round(measured.seconds, 3) for measured in runs],
        "forms_per_second": round(forms / best.seconds, 1),
        "cpu_ms_per_form": None if best.cpu is None else round(1000 * best.cpu / forms, 3),
        "peak_mib": None if best.peak is None else round(best.peak, 1),
    }


def compare(folder: Path, options: argparse.Namespace, jobs: int) -> dict[str, Any]:
    """Run both sides in turn on ``jobs`` processes."""
    source = folder / "forms"
    ours, theirs = [], []
    for turn in range(options.repeat):
        out = folder / f"{jobs}-{turn}"
        theirs.append(run(script(options.baseline, source, out / "theirs", jobs), out / "theirs", options.forms))
        ours.append(run(perfeval(source, out / "ours", jobs), out / "ours", options.forms))
    few = run(perfeval(folder / "few", folder / f"{jobs}-few", jobs), folder / f"{jobs}-few", FEW)
    best = min(ours, key=lambda measured: measured.seconds)
    steady = None
    if best.cpu is not None and few.cpu is not None and options.forms > FEW:
        steady = round(1000 * (best.cpu - few.cpu) / (options.forms - FEW), 3)
    return {
        "jobs": jobs,
        "perfeval": {**report(ours, options.forms), "cpu_ms_per_form_steady": steady},
        "baseline": report(theirs, options.forms),
        "ratio": round(min(m.seconds for m in theirs) / best.seconds, 1),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare as the command line says; print JSON; return the exit code."""
    parser = argparse.ArgumentParser(description="Compare perfeval score with openpyxl and pandas.")
    parser.add_argument("--forms", type=int, default=500)
    parser.add_argument("--rows", type=int, default=60, help="indicators a form, at least 10")
    parser.add_argument("--jobs", type=int, nargs="+", default=[1], help="numbers of processes, for both sides")
    parser.add_argument("--repeat", type=int, default=1, help="runs of each side, in turn")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--baseline", type=Path, default=HERE / "baseline.py", help="script taking IN OUT [JOBS]")
    options = parser.parse_args(arguments)
    compileall.compile_dir(Path(perfeval_xlsx.__file__).parent, quiet=2)  # as pip does on installing
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        generate(folder / "forms", options.forms, options.rows, options.seed)
        generate(folder / "few", FEW, options.rows, options.seed)
        try:
            results = [compare(folder, options, jobs) for jobs in options.jobs]
        except RunError as error:
            print(error, file=sys.stderr)
            return 1
    machine = {"python": platform.python_version(), "cpus": os.cpu_count(), "baseline": options.baseline.name}
    print(json.dumps({"forms": options.forms, "rows": options.rows, **machine, "runs": results}, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
