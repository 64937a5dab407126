"""What a person sees at the command line: progress, the closing summary, problems; all of it on stderr."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from errno import EIO
from itertools import groupby
from pathlib import Path
from threading import Event, current_thread, main_thread
from time import monotonic, strftime
from types import FrameType
from typing import TYPE_CHECKING, Any, TextIO

from perfeval_xlsx.data import load
from perfeval_xlsx.findings import Finding, Lang

if TYPE_CHECKING:
    from perfeval_xlsx.batch.run import Outcome, Progress, Run
    from perfeval_xlsx.scoring.result import FindingResult, FormResult

_spoken: Lang | None = None
_as_events = False
_EVERY = 5.0
"""Seconds between plain lines of progress."""
_LISTED = 20
"""Most forms and most problems that the closing summary lists one by one."""
_NAMED = 3
"""Most paths named in one line of it."""


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
        _tell_problem(result["path"], finding, lang)


def _tell_problem(path: str, finding: FindingResult, lang: Lang) -> None:
    facts = {"path": path, "message": finding["message"], "suggestion": finding["suggestion"]}
    _notice("problem", say("closing", "problem", lang, **facts), code=finding["code"], **facts)


class Stop(Event):
    """A request to end; ``number`` is the signal that made it."""

    number = 0


@contextmanager
def stopping(lang: Lang, *, quiet: bool) -> Iterator[Stop]:
    """Turn the first Ctrl-C (or a request to end) into an event that lets a run finish what it has in hand."""
    stop = Stop()
    terminals = [stream for stream in (sys.stdout, sys.stderr) if stream.isatty()]

    def request(number: int, _frame: FrameType | None) -> None:
        if number == getattr(signal, "SIGHUP", None):  # the system and a shell both send it, and may do so twice
            _detach(terminals)
        elif stop.is_set():
            raise KeyboardInterrupt
        if stop.is_set():
            return
        stop.number = number
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


def tell_outcome(run: Run, outcome: Outcome, seconds: float, lang: Lang) -> None:
    """Print the closing summary of a run: how many, totals and grades, what needs a person, where the outputs are."""
    if _as_events:
        _finish_events(run, outcome, seconds)
        return
    for line in _closing(run, outcome, seconds, lang):
        tell(line)


def tell_failures(run: Run, lang: Lang) -> None:
    """Print why files failed, and nothing else."""
    if _as_events:
        for path, finding in _failures(run):
            _tell_problem(path, finding, lang)
        return
    for line in _problems(run, lang):
        tell(line)


def _finish_events(run: Run, outcome: Outcome, seconds: float) -> None:
    """The closing summary as events: every problem, then the sums."""
    for path, finding in _failures(run):
        facts = {key: finding[key] for key in ("code", "message", "suggestion")}
        tell_event("problem", path=path, **facts)
    tell_event(
        "finished", files=outcome.files, done=outcome.done, left=outcome.left, seconds=round(seconds, 3),
        statuses={status: count._asdict() for status, count in outcome.counts.items()}, grades=outcome.grades,
        interrupted=outcome.interrupted, damaged=outcome.damaged,
        changed=outcome.changed, leftovers=outcome.leftovers._asdict(), outputs=outcome.written,
        exit_code=outcome.exit_code,
    )  # fmt: skip


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


def _closing(run: Run, outcome: Outcome, seconds: float, lang: Lang) -> Iterator[str]:
    counts = outcome.counts
    facts = {"files": outcome.files, "done": outcome.done, "ready": outcome.files - outcome.done - outcome.left}
    yield say("closing", "files", lang, **facts, seconds=seconds)
    if outcome.damaged is not None:
        yield say("closing", "damaged", lang, path=outcome.damaged)
    yield from _left_over(outcome, lang)
    if outcome.changed:
        yield say("closing", "changed", lang, files=len(outcome.changed), paths=_some(outcome.changed, lang))
    if "scored" in counts:
        separator = say("closing", "separator", lang)
        grades = separator.join(say("closing", "grade", lang, grade=g, forms=n) for g, n in outcome.grades.items())
        scored = counts["scored"]
        yield say("closing", "scored", lang, forms=scored.forms, mean=scored.mean, grades=grades)
    for status in ("pending", "reported", "skipped", "duplicate", "deleted", "failed"):
        if status in counts:
            yield say("closing", status, lang, forms=counts[status].forms)
    if unwritten := len({head["path"] for head, _ in _file_failures(run) if head["status"] != "failed"}):
        yield say("closing", "unwritten", lang, files=unwritten)
    beside = [finding for _, finding in _other_failures(run)]
    if beside:
        yield say("closing", "beside", lang, lines=len(beside))
    sums = {
        name: sum(getattr(count, name) for count in counts.values())
        for name in ("judged", "errors", "warnings", "replaced")
    }
    refused = Counter(f"{finding['severity']}s" for finding in beside)
    sums |= {name: sums[name] + refused[name] for name in ("errors", "warnings")}
    yield say("closing", "person", lang, **sums)
    if units := sum(unit["path"] == unit["org"] for unit in run.manifest.units()):
        yield say("closing", "units", lang, units=units)
    if sum(count.forms for count in counts.values()) <= _LISTED:
        heads = [head for head in run.manifest.heads() if head["form"] is not None]
        names = Counter(map(_form_name, heads))
        yield from (_form_line(head, lang, alone=names[_form_name(head)] == 1) for head in heads)
    yield from _problems(run, lang)
    if outcome.written:
        separator = say("closing", "separator", lang)
        yield say("closing", "outputs", lang, paths=separator.join(map(str, outcome.written)))
    if outcome.interrupted:
        yield say("closing", "interrupted", lang, left=outcome.left)


def _left_over(outcome: Outcome, lang: Lang) -> Iterator[str]:
    """What became of outputs that this run would not have made."""
    removed, moved, others = outcome.leftovers
    if removed:
        yield say("closing", "renamed", lang, files=removed)
    if moved:
        yield say("closing", "moved", lang, files=len(moved), paths=_some(moved, lang))
    if others:
        yield say("closing", "others", lang, files=others)


def _some(paths: Sequence[Path], lang: Lang) -> str:
    """The first of some paths."""
    separator = say("closing", "separator", lang)
    return separator.join(map(str, paths[:_NAMED])) + ("……" if len(paths) > _NAMED else "")


def _form_name(head: FormResult) -> str:
    return head["org"] or head["title"] or head["path"]


def _form_line(head: FormResult, lang: Lang, *, alone: bool) -> str:
    """A form's total and grade; ``alone``: no other form has its name, else the line says which file it is of."""
    nothing = say("closing", "nothing", lang)
    persons: Any = head.get("person_rows")
    note = say("closing", "judged", lang, judged=persons) if persons else ""
    name = _form_name(head)
    if not alone:
        name = say("closing", "which", lang, name=name, path=head["path"], number=head["form"])
    figures = {"total": head["total"] or nothing, "grade": head["grade"] or nothing}
    return say("closing", "form", lang, **figures, name=name, note=note)


def _problems(run: Run, lang: Lang) -> Iterator[str]:
    """Why files failed or could not be written, a line a file, the first of them one by one."""
    more = 0
    for number, (path, findings) in enumerate(_lines_of(run)):
        if number < _LISTED:
            message = say("closing", "joint", lang).join(finding["message"] for finding in findings)
            yield say("closing", "problem", lang, path=path, message=message, suggestion=findings[0]["suggestion"])
        else:
            more += 1
    if more:
        yield say("closing", "more", lang, more=more)


def _lines_of(run: Run) -> Iterator[tuple[str, list[Any]]]:
    """What the closing summary lists: every file that failed, then every point about what was brought beside them."""
    for path, found in groupby(_file_failures(run), key=lambda failure: failure[0]["path"]):
        yield path, [finding for _, finding in found]
    for path, finding in _other_failures(run):
        yield path, [finding]


def _failures(run: Run) -> Iterator[tuple[str, Any]]:
    yield from ((head["path"], finding) for head, finding in _file_failures(run))
    yield from _other_failures(run)


def _file_failures(run: Run) -> Iterator[tuple[FormResult, Any]]:
    again = set(load("run.toml")["again"]["codes"])
    for head in run.manifest.troubled():
        for finding in head["findings"]:
            if head["status"] == "failed" or finding["code"] in again:
                yield head, finding


def _other_failures(run: Run) -> Iterator[tuple[str, Any]]:
    for unit in run.manifest.units():
        for finding in unit["findings"]:
            if unit["path"] != unit["org"] or finding["severity"] == "error":
                yield unit["path"], finding
