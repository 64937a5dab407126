"""Where worker processes come from, which may be before it is known what they are to do.

They take longer to import what they need than the master to find out what there is, so that a command which plainly is
about many files starts them before it imports anything itself: nothing is imported here that would take long.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import IO, Any

from perfeval_xlsx.data import load

_SPLITS = sys.platform == "linux"
"""Whether a process may be split: macOS has libraries that do not survive it, Windows has no way to."""
ALONE = "OPENBLAS_NUM_THREADS", "1"
"""No threads for a linear algebra that is not used: idle ones cost a process 0.1 s of CPU."""
_WIDE = 1 << 20
_SERVICE = "perfeval_xlsx.batch.service"
_COMMANDS = frozenset({"score", "audit"})
_OTHERWISE = frozenset({"-h", "--help", "--dry-run", "--executor"})
"""Options with which a command needs no workers, or none of this machine's."""


def processors() -> int:
    """Processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Nursery:
    """The processes of some workers, which import what they need before it is known what they are to do.

    Attributes:
        pipes: To each worker: what it says is read from the first, what it is told is written to the second.
    """

    def __init__(self, jobs: int) -> None:
        self.pipes: list[tuple[IO[bytes], IO[bytes]]] = []
        self._processes: list[subprocess.Popen[bytes]] = []
        for together in [jobs] if _SPLITS else [1] * jobs:
            self._begin(together)

    def _begin(self, jobs: int) -> None:
        """Start a process that is so many workers."""
        if not _SPLITS:
            process = self._started([], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            assert process.stdout is not None
            assert process.stdin is not None
            self.pipes.append((process.stdout, process.stdin))
            return
        theirs: list[tuple[int, int]] = []
        for _ in range(jobs):
            (their_tasks, tasks), (results, their_results) = os.pipe(), os.pipe()
            _widen(their_results)
            theirs.append((their_tasks, their_results))
            self.pipes.append((open(results, "rb"), open(tasks, "wb")))  # noqa: PTH123, SIM115
        ends = [end for pair in theirs for end in pair]
        self._started(theirs, stdin=subprocess.DEVNULL, pass_fds=ends)
        for end in ends:
            os.close(end)

    def _started(self, pipes: list[tuple[int, int]], **how: Any) -> subprocess.Popen[bytes]:
        """Start a process with what this one goes by: where modules are found, and the interpreter's flags."""
        flags = subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined]  # as multiprocessing does
        code = f"import sys; sys.path[:] = {sys.path!a}; from {_SERVICE} import main; main({pipes})"
        process = subprocess.Popen([sys.executable, *flags, "-c", code], env=dict([ALONE]) | os.environ, **how)
        self._processes.append(process)
        return process

    def kill(self) -> None:
        """End all workers at once, whatever they do."""
        for process in self._processes:
            process.terminate()

    def close(self) -> None:
        """End workers that nobody talks to."""
        self.kill()
        for pair in self.pipes:
            for pipe in pair:
                pipe.close()

    def wait(self) -> None:
        """Wait until all have ended."""
        for process in self._processes:
            process.wait()


def _widen(pipe: int) -> None:
    """Let a pipe take a chunk's records at once, so that whoever sends them need not wait for the reader."""
    import fcntl

    with suppress(OSError, AttributeError):  # as wide as the system made it will do
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _WIDE)


_early: list[Nursery] = []


def begin_early(arguments: Sequence[str]) -> None:
    """Start workers if a command line asks for many files that were not read before; to be wrong costs little.

    Args:
        arguments: What follows the program's name.
    """
    asked = _asked(arguments)
    if asked is None:
        return
    paths, out, jobs = asked
    run = load("run.toml")
    if out is not None and os.path.exists(os.path.join(out, run["outputs"]["manifest"])):  # noqa: PTH110, PTH118
        return
    enough = run["chunk"]["in_process"]
    if any(number == enough for number, _ in enumerate(_files(paths, tuple(run["extensions"])))):
        with suppress(OSError):  # too many processes: whoever needs them will say so
            _early.append(Nursery(jobs))


def taken(jobs: int) -> Nursery | None:
    """The workers that were started early, for whoever asks first; None if there are none, or not so many."""
    return _early.pop() if _early and len(_early[0].pipes) == jobs else None


def end_early() -> None:
    """End workers that nobody has asked for."""
    while _early:
        _early.pop().close()


def _asked(arguments: Sequence[str]) -> tuple[list[str], str | None, int] | None:
    """Paths, output folder and number of workers of a command; None for one that needs no workers."""
    paths, found = [], {"-o": "", "-j": ""}
    given = iter(arguments[1:])
    for argument in given:
        name, _, value = argument.partition("=") if argument[:2] == "--" else (argument[:2], "", argument[2:])
        name = {"--out": "-o", "--jobs": "-j"}.get(name, name)
        if name in _OTHERWISE:
            return None
        if name in found:
            found[name] = value or next(given, "")
        elif argument[:1] != "-":
            paths.append(argument)
    if arguments[:1] and arguments[0] in _COMMANDS and (found["-j"] or "0").isdecimal():
        return paths, found["-o"] or None, int(found["-j"] or 0) or processors()
    return None


def _files(paths: Iterable[str], extensions: tuple[str, ...]) -> Iterator[str]:
    """Workbooks in files and folders, as a quick look shows them."""
    for path in paths:
        try:
            entries = os.scandir(path)
        except OSError:
            yield path
            continue
        with entries:
            for entry in entries:
                if entry.name.lower().endswith(extensions):
                    yield entry.path
                elif entry.is_dir(follow_symlinks=False) and entry.name[:1] != ".":
                    yield from _files([entry.path], extensions)
