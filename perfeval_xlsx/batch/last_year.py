"""Last year's forms, read only as far as finding them again among this year's asks for."""

from __future__ import annotations

from collections.abc import Sequence

from perfeval_xlsx.batch.chunk import read_file
from perfeval_xlsx.batch.discover import discover
from perfeval_xlsx.batch.options import Options
from perfeval_xlsx.findings import PerfevalError
from perfeval_xlsx.form.model import Form
from perfeval_xlsx.scoring.record import FormRecord, record_of
from perfeval_xlsx.scoring.result import FormResult


def records_of_last_year(paths: Sequence[str], options: Options) -> tuple[list[FormRecord], list[FormResult]]:
    """Read last year's forms.

    Args:
        paths: Files and folders.
        options: Passwords and language.

    Returns:
        A record of every form, and the results of files that cannot be read.

    Raises:
        PerfevalError: A path does not exist, or a folder cannot be listed.
    """
    records: list[FormRecord] = []
    unread: list[FormResult] = []
    for source in sorted(discover(paths), key=lambda source: source.key):
        if source.problem is not None:
            raise PerfevalError(source.problem)
        file = read_file(source, options)
        records += map(_record, file.forms)
        if file.stopped is not None and file.stopped["status"] == "failed":
            unread.append(file.stopped)
    return records, unread


def _record(form: Form) -> FormRecord:
    """The record of a form that was read and not scored."""
    rows = [{**row.values, "cell": row.cells.get("score")} for row in form.indicators]
    facts = {"path": form.path, "form": form.number, "org": form.org, "kind": form.kind, "year": form.year}
    return record_of({**facts, "self_total": None, "total": None, "execution": None, "indicators": rows})
