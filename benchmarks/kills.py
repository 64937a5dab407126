"""Kill runs at random moments and see that nothing half written stays and nothing is lost.

    python benchmarks/kills.py --kills 100 --forms 200 --rows 20 --jobs 2

Runs are killed (SIGKILL) while they start, score and write reports: the driver alone, a worker alone, or the whole
process group. After a few kills a run goes to its end; its outputs must be those of a run that was never broken, and
one more run must find nothing to do. Prints one JSON object; the exit code is 1 where anything is not as it should be.
Linux only, since it looks for the workers below ``/proc``.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from compare import RunError
from generate import generate
from growth import children

COMMANDS = {"score": (), "audit": ("--annotate",)}
STAGES = ("start", "scoring", "reports")
VICTIMS = ("driver", "worker", "group")
SERIES = 5
"""Most kills before a run goes to its end."""
PATIENCE = 120.0
"""Seconds after which a run, or an orphan, hangs."""
OURS = (".perfeval.sqlite", ".perfeval.lock", "perfeval.log")


@dataclass
class Whole:
    """An unbroken run: its outputs, seconds until its first copy and from its last copy to its end."""

    outputs: dict[str, dict[str, bytes]]
    first: float
    reports: float


@dataclass
class Tally:
    """What happened: kills by victim and stage, runs that had ended before, whole runs compared, what was wrong."""

    kills: Counter[str] = field(default_factory=Counter)
    missed: int = 0
    compared: int = 0
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)


def started(command: str, source: Path, out: Path, jobs: int) -> subprocess.Popen[bytes]:
    """Start a run in a process group of its own."""
    line = [sys.executable, "-m", "perfeval_xlsx", command, str(source), "-o", str(out), "--jobs", str(jobs), "--quiet"]
    line += COMMANDS[command]
    nowhere = subprocess.DEVNULL
    return subprocess.Popen(line, stdout=nowhere, stderr=nowhere, stdin=nowhere, start_new_session=True)


def finished(command: str, source: Path, out: Path, jobs: int) -> int:
    """Run to the end; return the exit code."""
    return started(command, source, out, jobs).wait(PATIENCE)


def copies(out: Path) -> int:
    """How many copies there are."""
    count = 0
    for folder in ("scored", "批注"):
        with suppress(FileNotFoundError):
            count += sum(entry.name.endswith(".xlsx") for entry in os.scandir(out / folder))
    return count


def content(out: Path) -> dict[str, dict[str, bytes]]:
    """Every output by name: a workbook's members, any other file's bytes.

    Raises:
        zipfile.BadZipFile: A workbook is not whole.
        ValueError: So is ``run.json``.
    """
    found = {}
    for path in sorted(out.rglob("*")):
        if path.is_file() and path.name not in OURS:
            found[path.relative_to(out).as_posix()] = whole_file(path)
    return found


def whole_file(path: Path) -> dict[str, bytes]:
    """A file's members (zipfile holds each to its CRC), or its bytes."""
    if path.suffix == ".xlsx":
        with zipfile.ZipFile(path) as package:
            return {name: package.read(name) for name in package.namelist()}
    data = path.read_bytes()
    if path.suffix == ".json":
        json.loads(data)
    return {"": data}


def unbroken(command: str, source: Path, out: Path, jobs: int, forms: int) -> Whole:
    """Run without a kill.

    Raises:
        RunError: It failed.
    """
    begun = time.perf_counter()
    process = started(command, source, out, jobs)
    first = last = None
    while process.poll() is None:
        count = copies(out) if last is None else forms
        now = time.perf_counter() - begun
        first = now if first is None and count else first
        last = now if last is None and count == forms else last
        time.sleep(0.02)
    end = time.perf_counter() - begun
    if process.returncode not in (0, 1):
        raise RunError(f"{command}: exit code {process.returncode}")
    return Whole(content(out), first or end / 3, end - (last or end / 3))


class Series:
    """Kills of one command into one output folder, then a run to the end."""

    def __init__(self, command: str, source: Path, out: Path, jobs: int, whole: Whole, chance: random.Random) -> None:
        self._command, self._source, self._out, self._jobs = command, source, out, jobs
        self._whole, self._chance = whole, chance
        self._forms = sum(1 for _ in source.iterdir())
        self._seen: dict[Path, tuple[int, int]] = {}

    def run(self, kills: int, tally: Tally) -> None:
        """Kill so many times, or until a run has come to its end all the same; then compare."""
        for victim in self._chance.choices(VICTIMS, k=kills):
            all_read = copies(self._out) == self._forms
            stage = "reports" if all_read else self._chance.choice(STAGES[:2] if victim == "worker" else STAGES)
            victim = "driver" if all_read else victim
            missed = tally.missed
            wrong = self._kill(stage, victim, tally)
            tally.wrong += [f"{self._command}, {victim} killed at {stage}: {what}" for what in wrong]
            if victim == "worker" or tally.missed > missed:
                break
        code = finished(self._command, self._source, self._out, self._jobs)
        tally.wrong += [f"{self._command}, at the end: {what}" for what in self._compared(code)]
        tally.compared += 1

    def _kill(self, stage: str, victim: str, tally: Tally) -> list[str]:
        """Kill one run; return what is wrong with what it left."""
        process = started(self._command, self._source, self._out, self._jobs)
        while victim == "worker" and process.poll() is None and not workers_of(process):
            time.sleep(0.01)
        self._wait_for(stage, process)
        workers = workers_of(process)
        if process.poll() is not None or (victim == "worker" and not workers):
            tally.missed += 1
        else:
            tally.kills[f"{victim}, {stage}"] += 1
        wrong = []
        if victim == "worker":
            kill(self._chance.choice(workers) if workers else 0)
            if process.wait(PATIENCE) not in (0, 1):
                wrong.append(f"exit code {process.returncode}")
        else:
            kill(process.pid, group=victim == "group")
            process.wait()
            if victim == "driver" and self._chance.random() < 0.5:  # else the next run begins at once
                wrong += orphans(workers)
        return wrong + self._half_written()

    def _wait_for(self, stage: str, process: subprocess.Popen[bytes]) -> None:
        """Wait until a random moment of a stage, or the run's end."""
        present = copies(self._out)
        goals = {"start": 0, "scoring": self._chance.randint(min(present + 1, self._forms), self._forms)}
        while process.poll() is None and copies(self._out) < goals.get(stage, self._forms):
            time.sleep(0.005)
        longest = {"start": self._whole.first, "scoring": 0.02}.get(stage, self._whole.reports)
        if present == self._forms:  # nothing to read: no workers are started
            longest += self._whole.first / 3
        end = time.perf_counter() + self._chance.uniform(0, longest)
        while process.poll() is None and time.perf_counter() < end:
            time.sleep(0.002)

    def _half_written(self) -> list[str]:
        """Files under their own names that are not whole; only what has changed is read."""
        wrong = []
        for path in self._out.rglob("*"):
            if path.suffix not in {".xlsx", ".json"}:
                continue
            try:
                status = path.stat()
                facts = status.st_size, status.st_mtime_ns
                if self._seen.get(path) != facts:
                    whole_file(path)
                    self._seen[path] = facts
            except FileNotFoundError:  # an orphan still at work has replaced it
                continue
            except (zipfile.BadZipFile, ValueError, EOFError) as error:
                wrong.append(f"{path.name} is not whole ({error})")
        return wrong

    def _compared(self, code: int) -> list[str]:
        """What differs from the unbroken run, and whether one more run does anything."""
        wrong = [] if code in (0, 1) else [f"exit code {code}"]
        found, expected = content(self._out), self._whole.outputs
        wrong += [f"{name} is missing" for name in expected.keys() - found.keys()]
        wrong += [f"{name} should not be there" for name in found.keys() - expected.keys()]
        for name in expected.keys() & found.keys():
            wrong += differing(name, expected[name], found[name])
        before = times(self._out)
        finished(self._command, self._source, self._out, self._jobs)
        wrong += ["a further run wrote files again"] if times(self._out) != before else []
        return wrong


def differing(name: str, expected: dict[str, bytes], found: dict[str, bytes]) -> list[str]:
    """The members of a file that are not as expected."""
    names = expected.keys() | found.keys()
    return [f"{name} {member} differs" for member in sorted(names) if expected.get(member) != found.get(member)]


def times(out: Path) -> dict[Path, int]:
    """When each output was written."""
    return {path: path.stat().st_mtime_ns for path in out.rglob("*") if path.is_file() and path.name not in OURS}


def workers_of(process: subprocess.Popen[bytes]) -> list[int]:
    """The workers of a run."""
    return [pid for pid in children(process.pid) if is_worker(pid)]


def is_worker(pid: int) -> bool:
    """Whether a process works through chunks."""
    try:
        return b"batch.service" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def kill(pid: int, *, group: bool = False) -> None:
    """Kill a process, or its group, unless it has ended."""
    with suppress(ProcessLookupError):
        if pid:
            (os.killpg if group else os.kill)(pid, signal.SIGKILL)


def orphans(pids: Sequence[int]) -> list[str]:
    """Workers that outlive their driver."""
    end = time.perf_counter() + 10
    while (left := [pid for pid in pids if is_worker(pid)]) and time.perf_counter() < end:
        time.sleep(0.01)
    return [f"{len(left)} workers go on without their driver"] if left else []


def measure(folder: Path, *, kills: int, forms: int, rows: int, jobs: int, seed: int) -> Tally:
    """Kill so many times in all."""
    source, tally, chance = folder / "in", Tally(), random.Random(seed)
    generate(source, forms, rows)
    whole = {command: unbroken(command, source, folder / f"whole {command}", jobs, forms) for command in COMMANDS}
    begun, number = time.perf_counter(), 0
    while tally.kills.total() < kills and tally.missed <= kills:
        command, out = [*COMMANDS][number % len(COMMANDS)], folder / "out"
        shutil.rmtree(out, ignore_errors=True)
        most = min(SERIES, kills - tally.kills.total())
        Series(command, source, out, jobs, whole[command], chance).run(chance.randint(1, most), tally)
        number += 1
    tally.seconds = time.perf_counter() - begun
    return tally


def main(arguments: Sequence[str] | None = None) -> int:
    """Kill as the command line says; return the exit code."""
    parser = argparse.ArgumentParser(description="Kill runs at random and compare what comes of them.")
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--forms", type=int, default=200)
    parser.add_argument("--rows", type=int, default=20)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        try:
            tally = measure(Path(folder), **vars(options))
        except RunError as error:
            print(error, file=sys.stderr)
            return 1
    facts: dict[str, object] = {"kills": tally.kills.total(), "missed": tally.missed, "compared": tally.compared}
    facts |= {"by": dict(sorted(tally.kills.items())), "seconds": round(tally.seconds, 1), "wrong": tally.wrong}
    print(json.dumps(facts, ensure_ascii=False))
    return 1 if tally.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
