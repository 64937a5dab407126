"""Where worker processes come from, which may be before it is known what they are to do."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from typing import IO, Any

_SPLITS = sys.platform == "linux"
"""Whether a process may be split: macOS has libraries that do not survive it, Windows has no way to."""
ALONE = "OPENBLAS_NUM_THREADS", "1"
"""No threads for a linear algebra that is not used: idle ones cost a process 0.1 s of CPU."""
_GROUP: dict[str, Any] = {"process_group": 0} if os.name == "posix" else {}
"""A process that is split has to be ended with all that were split off it, stopped ones too: a group of its own."""
_WIDE = 1 << 20
_SERVICE = "perfeval_xlsx.batch.service"


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
        command = [sys.executable, *flags, "-c", code]
        process = subprocess.Popen(command, env=dict([ALONE]) | os.environ, **_GROUP, **how)
        self._processes.append(process)
        return process

    def kill(self) -> None:
        """End all workers at once, whatever they do and though they were stopped."""
        for process in self._processes:
            if not _GROUP:
                process.terminate()
            elif process.returncode is None:  # once it was waited for, its number may be somebody else's
                with suppress(ProcessLookupError, PermissionError):  # what macOS says of a group that has ended
                    os.killpg(process.pid, signal.SIGKILL)

    def wait(self) -> None:
        """Wait until all have ended."""
        for process in self._processes:
            process.wait()


def _widen(pipe: int) -> None:
    """Let a pipe take a chunk's records at once, so that whoever sends them need not wait for the reader."""
    import fcntl

    with suppress(OSError, AttributeError):  # as wide as the system made it will do
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _WIDE)
