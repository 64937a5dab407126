"""The departments' reports against their forms, over a whole run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from hashlib import sha256
from pathlib import Path

from perfeval_xlsx.batch.compare import Found
from perfeval_xlsx.batch.options import Options
from perfeval_xlsx.findings import Finding, PerfevalError
from perfeval_xlsx.output.outcome import finding_result
from perfeval_xlsx.scoring.compare import department_key, form_key
from perfeval_xlsx.scoring.narrative import contradictions, read_report, reports_in, reports_of
from perfeval_xlsx.scoring.result import FormResult


def report_findings(heads: Callable[[], Iterable[FormResult]], options: Options) -> Found:
    """Read every report that is a department's of this run, against all its forms.

    Args:
        heads: Gives the run's results, with or without rows, in order; asked twice.
        options: Where the reports lie, beside the forms unless a folder was given; language.

    Returns:
        What contradicts the forms, by path and number of the department's first form.
    """
    reports: dict[str, dict[Path, None]] = defaultdict(dict)
    listed = _listing(options)
    for head in heads():
        if head["form"] is not None:
            for path in reports_of(head, listed(head["path"])):
                reports[department_key(head)][path] = None
    forms: dict[str, list[FormResult]] = defaultdict(list)
    for head in heads() if reports else ():
        if head["form"] is not None and department_key(head) in reports:
            forms[department_key(head)].append(head)
    found: Found = {}
    for key, paths in reports.items():
        findings = [finding for path in paths for finding in _read(path, forms[key])]
        if findings:
            found[form_key(forms[key][0])] = [finding_result(finding, options.lang) for finding in findings]
    return found


def _read(path: Path, forms: list[FormResult]) -> list[Finding]:
    """What one report says against its department's forms; one that cannot be read is a finding."""
    try:
        return contradictions(read_report(path), forms)
    except PerfevalError as error:
        return [error.finding]


def _listing(options: Options) -> Callable[[str], list[tuple[str, Path]]]:
    """Gives the reports among which a form's are sought, by the form's path; no folder is listed twice."""
    if options.reports is not None:
        everywhere = reports_in(Path(options.reports), below=True)
        return lambda _: everywhere
    beside = cache(reports_in)
    return lambda path: beside(Path(path).parent)


def reports_stamp(paths: Iterable[str], options: Options) -> str:
    """Digest of name, size and time of every report that may be read.

    Args:
        paths: The files of the run.
        options: Where reports lie.
    """
    listed = _listing(options)
    folders = dict.fromkeys(str(Path(path).parent / "_") for path in paths)
    reports = sorted({path for folder in folders for _, path in listed(folder)})
    return sha256("\n".join(_facts(reports)).encode("utf-8", "surrogateescape")).hexdigest()


def _facts(reports: Iterable[Path]) -> Iterator[str]:
    for path in reports:
        status = path.stat()
        yield f"{path} {status.st_size} {status.st_mtime_ns}"
