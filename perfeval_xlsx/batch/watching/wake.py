"""A wake-up between two looks at an inbox, where the extra ``watch`` is installed: never the truth, only sooner."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from threading import Event, Thread


class Bell:
    """Rings when the system says that something changed below a folder; silent where it cannot.

    Args:
        folder: The inbox; it may be missing, and go away.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._rung, self._end = Event(), Event()
        self._thread: Thread | None = None
        try:
            self._watch = import_module("watchfiles").watch
        except ImportError:
            self._watch = None

    def __enter__(self) -> Bell:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self._end.set()
        if self._thread is not None:
            self._thread.join()

    def rung(self) -> bool:
        """Whether it has rung since it was last asked."""
        if self._watch is not None and (self._thread is None or not self._thread.is_alive()):
            self._thread = Thread(target=self._listen, daemon=True)
            self._thread.start()
        rung = self._rung.is_set()
        self._rung.clear()
        return rung

    def _listen(self) -> None:
        if not self._folder.is_dir():
            return
        try:
            for _ in self._watch(self._folder, stop_event=self._end, raise_interrupt=False):
                self._rung.set()
        except (OSError, RuntimeError):  # the folder went away, or the system has no watches left: polling goes on
            self._end.wait(1)
