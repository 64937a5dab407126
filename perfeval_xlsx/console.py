"""What a person sees at the command line: progress, the closing summary, problems; all of it on stderr."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from threading import Event, current_thread, main_thread
from time import monotonic
from types import FrameType
from typing import TYPE_CHECKING, Any, TextIO

from perfeval_xlsx.data import load
from perfeval_xlsx.findings import Finding, Lang

if TYPE_CHECKING:
    from perfeval_xlsx.batch.run import Outcome, Progress, Run
    from perfeval_xlsx.scoring.result import FormResult

_spoken: Lang | None = None
_EVERY = 5.0
"""Seconds between plain lines of progress."""
_LISTED = 20
"""Most forms and most problems that the closing summary lists one by one."""


def language() -> Lang:
    """The language a command was given, before that ``PERFEVAL_LANG``; Chinese by default."""
    return "en" if (_spoken or os.environ.get("PERFEVAL_LANG")) == "en" else "zh"


def speak(lang: Lang) -> Lang:
    """Take over the language a command was given."""
    global _spoken
    _spoken = lang
    return lang


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


def print_lines(lines: Iterable[str]) -> None:
    """Print results for a person to stdout."""
    for line in lines:
        print(line)


def tell(text: str) -> None:
    """Print a line to stderr."""
    print(text, file=sys.stderr, flush=True)


def tell_finding(finding: Finding, lang: Lang) -> None:
    """Print what is wrong and what to do about it."""
    suggestion = finding.text("suggestion", lang)
    tell(finding.text("message", lang) + (("。" if lang == "zh" else ". ") + suggestion if suggestion else ""))


def tell_stopped(result: FormResult, lang: Lang) -> None:
    """Print why a file has no form to show."""
    for finding in result["findings"]:
        facts = {"message": finding["message"], "suggestion": finding["suggestion"]}
        tell(say("closing", "problem", lang, path=result["path"], **facts))


@contextmanager
def stopping(lang: Lang, *, quiet: bool) -> Iterator[Event]:
    """Turn the first Ctrl-C (or a request to end) into an event that lets a run finish what it has in hand."""
    stop = Event()

    def request(_number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()
        if not quiet:
            tell(say("progress", "stopping", lang))

    if current_thread() is not main_thread():
        yield stop
        return
    signals = [signal.SIGINT, signal.SIGTERM]
    before = [signal.signal(number, request) for number in signals]
    try:
        yield stop
    finally:
        for number, handler in zip(signals, before, strict=True):
            signal.signal(number, handler)


@contextmanager
def watching(lang: Lang, *, quiet: bool) -> Iterator[Callable[[Progress], None]]:
    """Show a run's progress: a bar on a terminal, a plain line every few seconds otherwise."""
    if quiet:
        yield lambda _: None
    elif sys.stderr.isatty():
        with _bar(lang) as watch:
            yield watch
    else:
        yield _Lines(lang, sys.stderr)


class _Lines:
    """Plain lines of progress, at most one every few seconds."""

    def __init__(self, lang: Lang, stream: TextIO) -> None:
        self._lang, self._stream = lang, stream
        self._begun = self._last = monotonic()

    def __call__(self, progress: Progress) -> None:
        now = monotonic()
        if progress.done and progress.done < progress.total and now - self._last >= _EVERY:
            self._last = now
            rate = progress.done / (now - self._begun)
            left = (progress.total - progress.done) / rate
            facts = {"done": progress.done, "total": progress.total, "failed": progress.failed}
            print(say("progress", "line", self._lang, **facts, rate=rate, left=left), file=self._stream, flush=True)


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
            bar.update(
                task, description=text, total=progress.total, completed=progress.done, rate=speed, failed=failed
            )

        yield watch


def tell_outcome(run: Run, outcome: Outcome, seconds: float, lang: Lang) -> None:
    """Print the closing summary of a run: how many, totals and grades, what needs a person, where the outputs are."""
    for line in _closing(run, outcome, seconds, lang):
        tell(line)


def tell_failures(run: Run, lang: Lang) -> None:
    """Print why files failed, and nothing else."""
    for line in _problems(run, lang):
        tell(line)


def _closing(run: Run, outcome: Outcome, seconds: float, lang: Lang) -> Iterator[str]:
    counts = outcome.counts
    facts = {"files": outcome.files, "done": outcome.done, "ready": outcome.files - outcome.done - outcome.left}
    yield say("closing", "files", lang, **facts, seconds=seconds)
    if "scored" in counts:
        separator = say("closing", "separator", lang)
        grades = separator.join(say("closing", "grade", lang, grade=g, forms=n) for g, n in outcome.grades.items())
        scored = counts["scored"]
        yield say("closing", "scored", lang, forms=scored.forms, mean=scored.mean, grades=grades)
    for status in ("pending", "reported", "skipped", "duplicate", "failed"):
        if status in counts:
            yield say("closing", status, lang, forms=counts[status].forms)
    sums = {
        name: sum(getattr(count, name) for count in counts.values())
        for name in ("judged", "errors", "warnings", "replaced")
    }
    yield say("closing", "person", lang, **sums)
    if sum(count.forms for count in counts.values()) <= _LISTED:
        yield from (_form_line(head, lang) for head in run.manifest.heads() if head["form"] is not None)
    yield from _problems(run, lang)
    if outcome.reports:
        separator = say("closing", "separator", lang)
        yield say("closing", "outputs", lang, paths=separator.join(map(str, outcome.written())))
    if outcome.interrupted:
        yield say("closing", "interrupted", lang)


def _form_line(head: FormResult, lang: Lang) -> str:
    nothing = say("closing", "nothing", lang)
    persons: Any = head.get("person_rows")
    note = say("closing", "judged", lang, judged=persons) if persons else ""
    name = head["org"] or head["title"] or head["path"]
    figures = {"total": head["total"] or nothing, "grade": head["grade"] or nothing}
    return say("closing", "form", lang, **figures, name=name, note=note)


def _problems(run: Run, lang: Lang) -> Iterator[str]:
    """Why files failed or could not be written, the first of them one by one."""
    more = 0
    for number, (path, finding) in enumerate(_failures(run)):
        if number < _LISTED:
            message, suggestion = finding["message"], finding["suggestion"]
            yield say("closing", "problem", lang, path=path, message=message, suggestion=suggestion)
        else:
            more += 1
    if more:
        yield say("closing", "more", lang, more=more)


def _failures(run: Run) -> Iterator[tuple[str, Any]]:
    again = set(load("run.toml")["again"]["codes"])
    for head in run.manifest.troubled():
        for finding in head["findings"]:
            if head["status"] == "failed" or finding["code"] in again:
                yield head["path"], finding
