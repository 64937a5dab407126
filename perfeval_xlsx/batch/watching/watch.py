"""A watched inbox: what is dropped is scored, what is replaced done again, what is taken out marked.

The inbox is polled and compared with the manifest of the output folder. All that a restart needs is in there, so the
process may be ended at any moment.
"""

from __future__ import annotations

import os
import sqlite3
from threading import Event
from time import monotonic, sleep

from perfeval_xlsx.batch.options import Options
from perfeval_xlsx.batch.watching.clerk import Clerk, Log, Post
from perfeval_xlsx.batch.watching.inbox import Inbox, InboxError, Seen
from perfeval_xlsx.batch.watching.wake import Bell
from perfeval_xlsx.data import load
from perfeval_xlsx.findings import Finding, PerfevalError

_TICK = 0.2
"""Seconds after which a pause looks whether it should end; to wait on the event itself could shut a signal out."""


class Watch:
    """Watches one inbox; ``run`` does it.

    Args:
        post: Where it stands.
        options: How files are scored.
        stop: Set from outside to end.
        log: Told what happens.
    """

    def __init__(self, post: Post, options: Options, stop: Event, log: Log) -> None:
        self._post, self._options, self._stop, self._log = post, options, stop, log
        self._inbox = Inbox(post.inbox, post.out, post.apart)
        self._clerk = Clerk(post, self._inbox, options, stop, log)
        self._wait, self._took = post.interval, 0.0
        self._lost = ""
        self._busy: dict[str, float] = {}
        self._named: set[str] = set()

    def run(self) -> bool:
        """Watch until told to stop, or once.

        Returns:
            Whether the last look went through: the inbox was seen and all outputs could be written.

        Raises:
            PerfevalError: The inbox is a file, another run has the output folder at the start, or a rulebook is wrong.
        """
        if os.path.isfile(self._post.inbox):  # noqa: PTH113
            raise PerfevalError(Finding("B48", found=str(self._post.inbox)))
        with self._clerk, Bell(self._post.inbox) as bell:
            self._log("started", inbox=self._post.inbox, out=self._post.out, interval=self._post.interval)
            well = self._round()
            while not self._stop.is_set():
                self._pause(bell)
                self._clerk.last = self._post.once
                if not self._stop.is_set():
                    well = self._round()
                if self._post.once:
                    break
            if self._stop.is_set():
                self._log("stopped")
        return well

    def _pause(self, bell: Bell) -> None:
        """Wait for the next look, no shorter than the last round took: at most half of the time is spent working.

        Nor is there a look before the time that was announced for another try: it could not be followed by anything.
        """
        begun, due = monotonic(), False
        while not self._stop.is_set():
            waited = monotonic() - begun
            due = due or waited >= self._wait or bell.rung()
            if due and waited >= self._took and monotonic() >= self._clerk.blocked_till:
                return
            sleep(min(_TICK, self._post.interval))

    def _round(self) -> bool:
        """Look, and process what there is; return whether that went through."""
        begun = monotonic()
        try:
            self._clerk.process(self._look())
        except InboxError as error:
            self._report_loss(error.reason)
            return False
        except (PerfevalError, OSError, sqlite3.Error) as error:
            self._clerk.put_off(error)
            return False
        finally:
            self._took = monotonic() - begun
        return not self._clerk.unfinished

    def _look(self) -> Seen:
        """One look.

        Raises:
            InboxError: The inbox is lost.
        """
        self._wait = self._post.apart if self._post.once else self._post.interval
        seen = self._inbox.look(self._clerk.known())
        if self._lost:
            self._log("back", inbox=self._post.inbox)
            self._lost = ""
        if seen.open:
            self._wait = self._post.apart
        self._report_busy({source.relative for source in seen.busy})
        return seen

    def _report_loss(self, reason: str) -> None:
        if reason != self._lost:
            detail = load("watch.toml")["word"][reason][self._options.lang]
            self._log("lost", inbox=self._post.inbox, detail=detail)
        self._lost = reason

    def _report_busy(self, busy: set[str]) -> None:
        """Name files that take much longer than two looks, once."""
        now = monotonic()
        self._busy = {name: self._busy.get(name, now) for name in busy}
        lasting = {name for name, since in self._busy.items() if now - since > 2 * self._post.apart}
        if lasting - self._named:
            names = " ".join(sorted(lasting)[: load("watch.toml")["named"]])
            self._log("waiting", files=len(lasting), names=names)
        self._named = lasting
