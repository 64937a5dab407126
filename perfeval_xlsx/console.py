"""What a person sees at the command line: progress, problems, findings; all of it on stderr."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from errno import EIO
from threading import Event, current_thread, main_thread
from time import monotonic, strftime
from types import FrameType
from typing import TYPE_CHECKING, Any, TextIO

from perfeval_xlsx.data import load
from perfeval_xlsx.findings import Finding, Lang

if TYPE_CHECKING:
    from perfeval_xlsx.batch.run import Progress
    from perfeval_xlsx.scoring.result import FindingResult, FormResult

_spoken: Lang | None = None
_as_events = False
_ONE_REQUEST = 0.3
"""Seconds within which signals are one request: ``timeout`` and the like hand on what a terminal sends to all."""
_EVERY = 5.0
"""Seconds between plain lines of progress."""


def language() -> Lang:
    """The language a command was given, before that ``PERFEVAL_LANG``; Chinese by default."""
    return "en" if (_spoken or os.environ.get("PERFEVAL_LANG")) == "en" else "zh"


def speak(lang: Lang) -> Lang:
    """Take over the language a command was given."""
    global _spoken
    _spoken = lang
    return lang


def log_events(as_events: bool) -> bool:
    """Take over whether everything on stderr is to be one JSON object a line."""
    global _as_events
    _as_events = as_events
    return as_events


def tells_events() -> bool:
    """Whether everything on stderr is one JSON object a line."""
    return _as_events


def help_text(key: str) -> str:
    """A help text of ``data/console.toml``."""
    return str(load("console.toml")["help"][key][language()])


def say(section: str, key: str, lang: Lang, **values: object) -> str:
    """A text of ``data/console.toml`` with its values filled in."""
    return str(load("console.toml")[section][key][lang]).format(**values)


def prepare_streams() -> None:
    """Let no code page stop the output: JSON is UTF-8 everywhere, a character the console lacks becomes ``?``."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def print_json(lines: Iterator[str]) -> None:
    """Print JSON lines to stdout in UTF-8, whatever the console's code page."""
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(encoding="utf-8", newline="\n")
    for line in lines:
        sys.stdout.write(line + "\n")
    sys.stdout.flush()


def print_csv(rows: Iterable[Iterable[str]]) -> None:
    """Print a table to stdout as CSV in UTF-8, with the mark by which Excel knows the encoding."""
    import csv

    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(encoding="utf-8", newline="")
    sys.stdout.write("\ufeff")
    csv.writer(sys.stdout).writerows(rows)
    sys.stdout.flush()


def print_lines(lines: Iterable[str]) -> None:
    """Print results for a person to stdout."""
    for line in lines:
        print(line)


def tell(text: str) -> None:
    """Print a line to stderr; that a terminal has gone is told by a signal, and ends nothing at once."""
    try:
        print(text, file=sys.stderr, flush=True)
    except OSError as error:
        if error.errno != EIO:
            raise


def tell_event(event: str, **facts: object) -> None:
    """Print one event with its time as a JSON object, whatever the console's code page."""
    from datetime import datetime

    now = datetime.now().astimezone().isoformat(timespec="milliseconds")
    tell(json.dumps({"time": now, "event": event, **facts}, default=str))


def _notice(event: str, text: str, **facts: object) -> None:
    """Print an event for a machine or its words for a person."""
    if _as_events:
        tell_event(event, **facts)
    else:
        tell(text)


def tell_finding(finding: Finding, lang: Lang) -> None:
    """Print what is wrong and what to do about it."""
    suggestion = finding.text("suggestion", lang)
    if _as_events:
        tell_event("error", code=finding.code, message=finding.text("message", lang), suggestion=suggestion)
        return
    tell(finding.text("message", lang) + (("。" if lang == "zh" else ". ") + suggestion if suggestion else ""))


def tell_dry_run(files: int, pending: int, lang: Lang) -> None:
    """Print how many files there are, and how many of them would be read."""
    facts = {"files": files, "pending": pending}
    _notice("dry_run", say("dry_run", "sum", lang, **facts), **facts)


def tell_stopped(result: FormResult, lang: Lang) -> None:
    """Print why a file has no form to show."""
    for finding in result["findings"]:
        tell_problem(result["path"], finding, lang)


def tell_problem(path: str, finding: FindingResult, lang: Lang) -> None:
    """Print what is wrong with a file."""
    facts = {"path": path, "message": finding["message"], "suggestion": finding["suggestion"]}
    _notice("problem", say("closing", "problem", lang, **facts), code=finding["code"], **facts)


class Stop(Event):
    """A request to end; ``number`` is the signal that made it, ``since`` when it came."""

    number = 0
    since = 0.0


@contextmanager
def stopping(lang: Lang, *, quiet: bool) -> Iterator[Stop]:
    """Turn the first Ctrl-C (or a request to end) into an event that lets a run finish what it has in hand."""
    stop = Stop()
    terminals = [stream for stream in (sys.stdout, sys.stderr) if stream.isatty()]

    def request(number: int, _frame: FrameType | None) -> None:
        if number == getattr(signal, "SIGHUP", None):  # the system and a shell both send it, and may do so twice
            _detach(terminals)
        elif stop.is_set() and monotonic() - stop.since > _ONE_REQUEST:
            raise KeyboardInterrupt
        if stop.is_set():
            return
        stop.number, stop.since = number, monotonic()
        stop.set()
        if not quiet:
            _notice("stopping", say("progress", "stopping", lang))

    if current_thread() is not main_thread():
        yield stop
        return
    names = ("SIGINT", "SIGTERM", "SIGBREAK", "SIGHUP")  # Windows ends a console program with the third
    signals = [getattr(signal, name) for name in names if hasattr(signal, name)]
    if signal.SIG_IGN is signal.getsignal(signals[-1]):  # nohup
        signals.pop()
    before = [signal.signal(number, request) for number in signals]
    try:
        yield stop
    except KeyboardInterrupt:
        _notice("interrupted", say("closing", "ended", lang))
        raise
    finally:
        for number, handler in zip(signals, before, strict=True):
            signal.signal(number, handler)


def _detach(terminals: Iterable[TextIO]) -> None:
    """Let what is still said to a terminal that is gone go nowhere: to write to it would fail."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in terminals:
        os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


@contextmanager
def watching(lang: Lang, *, quiet: bool) -> Iterator[Callable[[Progress], None]]:
    """Show a run's progress: a bar on a terminal, a plain line every few seconds otherwise."""
    if quiet:
        yield lambda _: None
    elif sys.stderr.isatty() and not _as_events:
        with _bar(lang) as watch:
            yield watch
    else:
        yield _Lines(lang)


class _Lines:
    """Plain lines of progress, at most one every few seconds."""

    def __init__(self, lang: Lang) -> None:
        self._lang = lang
        self._begun = self._last = monotonic()

    def __call__(self, progress: Progress) -> None:
        now = monotonic()
        if progress.writing:
            if now - self._begun >= _EVERY:
                _notice("writing", say("progress", "writing", self._lang))
        elif progress.done < progress.total and now - self._last >= _EVERY:
            self._last = now
            self._tell(progress, now - self._begun)

    def _tell(self, progress: Progress, seconds: float) -> None:
        """A line; as long as nothing is done, without a rate and the time that is left."""
        rate = progress.done / seconds
        facts: dict[str, Any] = {"done": progress.done, "total": progress.total, "failed": progress.failed}
        facts["rate"] = round(rate, 1)
        facts["left"] = round((progress.total - progress.done) / rate, 1) if rate else None
        _notice("progress", say("progress", "line" if rate else "none", self._lang, **facts), **facts)


@contextmanager
def _bar(lang: Lang) -> Iterator[Callable[[Progress], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"), TimeRemainingColumn(), TextColumn("{task.fields[failed]}"),
    )  # fmt: skip
    begun = monotonic()
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(say("progress", "bar", lang), total=None, rate="", failed="")

        def watch(progress: Progress) -> None:
            rate = progress.done / max(monotonic() - begun, 0.001)
            failed = f"{say('progress', 'failed', lang)} {progress.failed}" if progress.failed else ""
            text = say("progress", "writing" if progress.writing else "bar", lang)
            speed = f"{rate:.0f} {say('progress', 'rate', lang)}"
            bar.update(task, description=text, total=progress.total, completed=progress.done, rate=speed, failed=failed)

        yield watch


def watch_log(lang: Lang, *, quiet: bool) -> Callable[..., None]:
    """Log lines of a watched inbox, each with its time; with ``quiet`` what went well is left out."""
    words, loud = load("watch.toml")["log"], set(load("watch.toml")["loud"])

    def log(event: str, **facts: object) -> None:
        if quiet and event not in loud:
            return
        text = str(words[event][lang]).format(**facts)
        if _as_events:
            tell_event(event, text=text, **facts)
        else:
            tell(f"{strftime('%Y-%m-%d %H:%M:%S')} {text}")

    return log
