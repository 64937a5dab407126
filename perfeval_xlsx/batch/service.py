"""What runs in a worker process from its first line on; ``batch/nursery.py`` starts it.

A worker is asked through one pipe and answers through another; no other worker has an end of either.
"""

from __future__ import annotations

import gc
import logging
import os
import pickle
import signal
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from importlib import import_module
from queue import SimpleQueue
from threading import Thread
from typing import IO, NoReturn

_LENGTH = 8
"""Bytes before a message that say how long it is."""
_MODULES = (
    "perfeval_xlsx.batch.chunk", "perfeval_xlsx.output.brief", "perfeval_xlsx.output.problem_store",
    "perfeval_xlsx.output.summary",
)  # fmt: skip
"""What a chunk needs, the last ones for its records."""
_OVER = b""
"""Message after which there is none."""

Pipes = tuple[int, int]
"""Two ends of pipes: one to read from, one to write to."""


def channel_of(pipes: Pipes) -> Channel:
    """The channel through two ends."""
    return Channel(open(pipes[0], "rb"), open(pipes[1], "wb"))  # noqa: PTH123


class Channel:
    """What two processes say to each other.

    Args:
        reads: The end of a pipe that this process has.
        writes: That of the other one.
    """

    def __init__(self, reads: IO[bytes], writes: IO[bytes]) -> None:
        self._reads, self._writes = reads, writes

    def send(self, message: bytes) -> None:
        """Send a message; it waits until the other side has taken nearly all of it.

        Raises:
            OSError: The other side is gone.
        """
        self._writes.write(len(message).to_bytes(_LENGTH, "big") + message)
        self._writes.flush()

    def receive(self) -> bytes:
        """Wait for a message.

        Raises:
            EOFError: The other side is gone, maybe in the middle of it.
        """
        return self._read(int.from_bytes(self._read(_LENGTH), "big"))

    def _read(self, size: int) -> bytes:
        content = self._reads.read(size)
        if len(content) < size:
            raise EOFError
        return content

    def leave(self) -> None:
        """Say that no message will follow, and close the pipes."""
        with suppress(OSError):
            self.send(_OVER)
        for pipe in (self._reads, self._writes):
            with suppress(OSError):
                pipe.close()


def main(pipes: Sequence[Pipes]) -> NoReturn:
    """Be a worker for each pair of pipes.

    What takes long to import is imported before there is more than one of them; the others are split off (``fork``,
    where the system has it and nothing that was imported forbids it), which takes a hundredth of the time.

    Args:
        pipes: Tasks come through the first of each pair, answers go through the second; without any, they are where
            standard input and output were.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the master's business
    if hasattr(signal, "SIGTTOU"):
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)  # a line to the terminal must not stop a group in the background
    pipes = pipes or [_standard()]
    gc.disable()
    for module in _MODULES:
        import_module(module)
    gc.freeze()  # nearly all that a chunk makes goes by reference counts; to scan it would cost a fifth of the time
    _serve(channel_of(_split(pipes) if len(pipes) > 1 else pipes[0]))


def _standard() -> Pipes:
    """The pipes that are standard input and output: what is printed by mistake must not get among the answers."""
    pipes = os.dup(0), os.dup(1)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    return pipes


def _split(pipes: Sequence[Pipes]) -> Pipes:
    """Split a process off for each pair and return its pair there; here wait for all of them, and end all with one."""
    children: set[int] = set()

    def end(*_: object) -> NoReturn:
        for child in children:
            with suppress(ProcessLookupError):  # waited for, and about to be taken out of the set
                os.kill(child, signal.SIGKILL)
        os._exit(1)

    signal.signal(signal.SIGTERM, end)
    for own in pipes:
        try:
            child = os.fork()
        except OSError:  # too many processes
            end()
        if not child:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            _close(pair for pair in pipes if pair is not own)
            return own
        children.add(child)
    _close(pipes)
    while children:
        child, status = os.wait()
        children.discard(child)
        if status:
            end()
    os._exit(0)


def _close(pipes: Iterable[Pipes]) -> None:
    for pair in pipes:
        for each in pair:
            os.close(each)


def _serve(channel: Channel) -> NoReturn:
    """Do what is asked, one task after the other, until there are no more."""
    tasks: SimpleQueue[bytes] = SimpleQueue()
    Thread(target=_take, args=(channel, tasks), daemon=True).start()
    while task := tasks.get():
        try:
            channel.send(_answer(task))
        except OSError:  # the master is gone, and nobody is left to be told
            os._exit(1)
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):
            stream.flush()
    os._exit(0)  # to take pandas apart module by module would take a tenth of a second


def _take(channel: Channel, tasks: SimpleQueue[bytes]) -> None:
    """Take tasks as they come; when the master is gone, the process ends, whatever it is doing."""
    try:
        while task := channel.receive():
            tasks.put(task)
    except (EOFError, OSError):
        os._exit(1)
    tasks.put(_OVER)


def _answer(task: bytes) -> bytes:
    """What comes of a task: True and a value, or False and an exception."""
    try:
        call, args, kwargs = pickle.loads(task)
        return pickle.dumps((True, call(*args, **kwargs)), pickle.HIGHEST_PROTOCOL)
    except BaseException as error:  # it is the master's
        logging.getLogger("perfeval_xlsx").exception("a task")
        try:
            return pickle.dumps((False, error if isinstance(error, Exception) else RuntimeError(repr(error))))
        except Exception:
            return pickle.dumps((False, RuntimeError(repr(error))))
