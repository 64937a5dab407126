"""The output folder of a watched inbox: held, kept in step with what was seen, tried again where that failed."""

from __future__ import annotations

import os
import sqlite3
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Any, Protocol

from perfeval_xlsx.batch.copies import tidied
from perfeval_xlsx.batch.lock import locked
from perfeval_xlsx.batch.options import Options
from perfeval_xlsx.batch.register import Register
from perfeval_xlsx.batch.run import Outcome, Progress, Run, Watcher
from perfeval_xlsx.batch.trials import forget
from perfeval_xlsx.batch.watching.gone import is_gone, settle_gone
from perfeval_xlsx.batch.watching.inbox import Facts, Inbox, Seen
from perfeval_xlsx.batch.watching.present import Present
from perfeval_xlsx.batch.watching.slips import write_slips
from perfeval_xlsx.data import load
from perfeval_xlsx.findings import Finding, PerfevalError, cause_of


class Log(Protocol):
    """Takes events by name (``[log]`` of ``data/watch.toml``) with their facts."""

    def __call__(self, event: str, **facts: object) -> None:
        """Take one event."""


@dataclass(frozen=True, slots=True)
class Post:
    """Where a watch stands.

    Attributes:
        inbox: The folder that is watched.
        out: The output folder.
        interval: Seconds between two looks.
        once: Look twice, process what has settled, and end.
    """

    inbox: Path
    out: Path
    interval: float
    once: bool = False

    @property
    def apart(self) -> float:
        """Seconds between the two looks that must agree."""
        return min(self.interval, float(load("watch.toml")["apart"]))


class Clerk:
    """Keeps the output folder of a watch; a context manager that holds it.

    Args:
        post: Where the watch stands.
        inbox: The inbox of it.
        options: How files are scored.
        stop: Set from outside to end.
        log: Told what happens.

    Attributes:
        unfinished: Files that are to be tried again.
        blocked_till: By ``time.monotonic``; before that nothing is to be tried: something outside the files failed.
        last: Whether what fails now will not be tried again.
    """

    def __init__(self, post: Post, inbox: Inbox, options: Options, stop: Event, log: Log) -> None:
        self._post, self._inbox, self._options, self._stop, self._log = post, inbox, options, stop, log
        self._path = post.out / load("run.toml")["outputs"]["manifest"]
        self._lock = ExitStack()
        self._held = self._begun = False
        self._known: dict[str, Facts] | None = None
        self._current = False
        self._again_at = self.blocked_till = 0.0
        self._delay = 0.0
        self._doubted: set[str] = set()
        self.unfinished = 0
        self.last = False

    def __enter__(self) -> Clerk:
        try:
            self._hold()
        except PerfevalError as error:
            if error.finding.code == "B39":
                raise
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self._lock.close()

    def _hold(self) -> None:
        """Take the output folder.

        Raises:
            PerfevalError: It is in use, cannot be written, or has vanished since it was last written to.
        """
        if self._begun and not self._path.exists():
            self._release()
            detail = load("watch.toml")["word"]["no_out"][self._options.lang]
            raise PerfevalError(Finding("B26", found=str(self._post.out), args={"detail": detail}))
        if not self._held:
            self._lock.enter_context(locked(self._post.out))
            self._held = True

    def _release(self) -> None:
        self._lock.close()
        self._held = False

    def known(self) -> dict[str, Facts]:
        """Size and time by key of the inbox's files on record.

        Raises:
            PerfevalError: The record cannot be read.
        """
        if self._known is None:
            self._hold()
            with Register(self._path) as manifest:
                if manifest.damaged is not None:
                    self._log("damaged", path=manifest.damaged)
                self._known = self._recorded(manifest)
        return self._known

    def _recorded(self, manifest: Register) -> dict[str, Facts]:
        """The facts of the files on record, those of other folders and those taken out aside."""
        inside = os.path.join(os.path.abspath(self._post.inbox), "")  # noqa: PTH100, PTH118
        return {
            file.key: (file.size, file.mtime)
            for file in manifest.known()
            if not is_gone(file) and os.path.abspath(file.path).startswith(inside)  # noqa: PTH100
        }

    def process(self, seen: Seen) -> None:
        """Bring the outputs up to what was seen, unless they are, or it is too early to try again.

        Raises:
            PerfevalError: An output cannot be written.
            InboxError: The inbox was lost meanwhile; what was read before stays on record, no output tells of the rest.
        """
        if seen.busy and not seen.ready and not self.known():
            return  # nothing on record yet, and what there is will settle in a moment
        again = self.unfinished and monotonic() >= self._again_at
        if not (seen.fresh or seen.absent or again or not self._current):
            return
        known, self._known, self._current = self.known(), None, False
        self._hold()
        with Register(self._path) as manifest:
            changed = self._list(manifest, known, seen)
            present = Present(self._inbox, manifest, {source.key for source in seen.ready}, self._doubted)
            outcome = self._run(manifest, present, changed, seen)
            self._settle(manifest, outcome, present)
            self._known = self._recorded(manifest)
        self._begun, self._doubted = True, present.doubted
        self._current = not (outcome.interrupted or present.dropped)

    def _list(self, manifest: Register, known: dict[str, Facts], seen: Seen) -> int:
        """List what is to be read and what stands as it is on record; return how many files left the inbox."""
        manifest.list_sources(seen.ready)
        ready = seen.steady | seen.fresh.keys()
        present = set(seen.fresh.values())
        for file in list(manifest.known()):
            if file.key in seen.steady:
                present.add(file.digest)
            if file.key in known and file.key not in ready | seen.absent:
                manifest.hold(file)
        forget(manifest, seen.absent)
        changed = 0
        for gone in settle_gone(manifest, seen.absent, present - {""}, self._post.out, self._options.lang):
            self._log(gone.event, path=gone.relative)
            changed += 1
        return changed

    def _run(self, manifest: Register, present: Present, changed: int, seen: Seen) -> Outcome:
        """Run over what is listed; write the slips and the log."""
        begun = monotonic()
        manifest.list_copies(tidied(self._post.out))
        run = Run(manifest, self._post.out, self._options, self._stop, manifest.listed(), trials=present)
        pending = sum(1 for _ in run.pending())
        if pending:
            self._log("batch", files=pending)
        outcome = run.execute(self._reporter())
        for path in outcome.changed:
            self._log("changed", path=path)
        bad = [(file.source.relative, file.key in seen.fresh, result) for file, result in manifest.that_are(_bad())]
        write_slips(self._post.out, ((relative, result) for relative, _, result in bad), self._options.lang)
        failed = [(relative, result) for relative, fresh, result in bad if fresh]
        for relative, result in failed:
            for finding in result["findings"]:
                self._log("problem", path=relative, **_words(finding))
        if pending or changed or not self._begun:
            seconds = monotonic() - begun
            self._log("done", files=manifest.listed(), done=outcome.done, failed=len(failed), seconds=seconds)
        return outcome

    def _reporter(self) -> Watcher:
        """Logs a line about a long batch every few seconds."""
        last = monotonic()

        def report(progress: Progress) -> None:
            nonlocal last
            if monotonic() - last >= load("watch.toml")["report"]:
                last = monotonic()
                self._log("progress", done=progress.done, total=progress.total, failed=progress.failed)

        return report

    def _settle(self, manifest: Register, outcome: Outcome, present: Present) -> None:
        """Note what is to be tried again, and when."""
        for source in present.ended:
            self._log("given_up", path=source.relative)
        self.unfinished = outcome.unfinished - len(present.left)
        if not self.unfinished:
            self._delay = 0.0
            return
        codes = load("run.toml")["again"]["codes"]
        waiting = (finding for head in manifest.waiting(present.left) for finding in head["findings"])
        first = next(finding for finding in waiting if finding["code"] in codes)
        self._again_at = monotonic() + self._postpone(**_words(first))

    def put_off(self, error: PerfevalError | OSError | sqlite3.Error) -> None:
        """Take a failure that lies outside the files: say so, and try again later.

        Raises:
            PerfevalError: It does not lie there (a wrong rulebook).
        """
        finding = error.finding if isinstance(error, PerfevalError) else self._unwritable(error)
        if finding.code not in load("watch.toml")["retry"]["outside"]:
            raise PerfevalError(finding) from error
        self._known = None
        lang = self._options.lang
        words = {"message": finding.text("message", lang), "suggestion": finding.text("suggestion", lang)}
        self.blocked_till = monotonic() + self._postpone(**words)

    def _unwritable(self, error: OSError | sqlite3.Error) -> Finding:
        found = str(getattr(error, "filename", None) or self._post.out)
        return Finding("B26", found=found, args={"detail": cause_of(error)})

    def _postpone(self, **words: object) -> float:
        """Seconds until the next attempt, twice as long each time."""
        retry = load("watch.toml")["retry"]
        self._delay = min(self._delay * 2 or float(retry["first"]), float(retry["most"]))
        self._log("ended" if self.last else "retry", seconds=self._delay, **words)
        return self._delay


def _bad() -> list[str]:
    """Statuses of files that a slip goes back for."""
    return list(load("watch.toml")["slip"]["statuses"])


def _words(finding: Any) -> dict[str, object]:
    return {key: finding[key] for key in ("message", "suggestion")}
