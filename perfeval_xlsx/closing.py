"""What a run came to, for a person or as events: sums and grades, what needs a person, where the outputs are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perfeval_xlsx.console import say, tell, tell_event, tell_problem, tells_events
from perfeval_xlsx.data import load
from perfeval_xlsx.findings import Lang

if TYPE_CHECKING:
    from perfeval_xlsx.batch.run import Outcome, Run
    from perfeval_xlsx.scoring.result import FormResult

_LISTED = 20
"""Most forms and most problems that the closing summary lists one by one."""
_NAMED = 3
"""Most paths named in one line of it."""


def tell_outcome(run: Run, outcome: Outcome, seconds: float, lang: Lang) -> None:
    """Print the closing summary of a run: how many, totals and grades, what needs a person, where the outputs are."""
    if tells_events():
        _finish_events(run, outcome, seconds)
        return
    for line in _closing(run, outcome, seconds, lang):
        tell(line)


def tell_failures(run: Run, lang: Lang) -> None:
    """Print why files failed, and nothing else."""
    if tells_events():
        for path, finding in _failures(run):
            tell_problem(path, finding, lang)
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
