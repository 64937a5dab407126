"""The reports of an output folder, streamed from its manifest: the summary workbook and ``run.json``."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, TextIO

from perfeval_xlsx import __version__
from perfeval_xlsx.batch.manifest import Manifest
from perfeval_xlsx.batch.options import Options
from perfeval_xlsx.data import load
from perfeval_xlsx.findings import Finding, PerfevalError
from perfeval_xlsx.jsons import dumps
from perfeval_xlsx.scoring.result import SCHEMA, FormResult

if TYPE_CHECKING:
    from perfeval_xlsx.batch.run import Run
    from perfeval_xlsx.output.problem_store import ProblemStore
    from perfeval_xlsx.scoring.rulebook import Rulebook

_FORM_KEYS = (
    "path", "sheet", "form", "status", "copy", "kind", "title", "org", "year", "rulebook", "total", "grade",
    "grade_final", "low", "high", "low_grade", "high_grade", "self_total", "self_grade",
)  # fmt: skip
_FIRST, _NEXT = "\n  ", ",\n  "
"""What stands before a value of a list."""
_IN_MEMORY = 1 << 18


def report_paths(out: Path) -> tuple[Path, ...]:
    """The report files of an output folder, in the order they are written."""
    names = load("run.toml")["outputs"]
    return tuple(out / names[name] for name in ("summary", "findings", "reviews", "run"))


def prepare() -> None:
    """Import what the reports need, while the workers are busy and this process waits for them."""
    import perfeval_xlsx.output.problems
    import perfeval_xlsx.output.review
    import perfeval_xlsx.output.summary  # noqa: F401


def write_reports(run: Run, out: Path, options: Options, *, complete: bool) -> None:
    """Write all reports, and in an audit a list for every department; each is replaced at once.

    Args:
        run: The run, all of whose files are done.
        out: The output folder.
        options: Of the run.
        complete: Whether the run went to its end; an interrupted one says so in ``run.json``.

    Raises:
        PerfevalError: A report cannot be written.
    """
    from perfeval_xlsx.output.problem_store import ProblemStore
    from perfeval_xlsx.output.problems import write_problems
    from perfeval_xlsx.output.review import write_review
    from perfeval_xlsx.output.summary import write_summary

    manifest = run.manifest
    summary, problems, review, record = report_paths(out)
    write_summary(summary, manifest.heads(), manifest.details(), lang=options.lang, durable=options.durable)
    with ProblemStore(run.comparison, options.lang) as store:
        for head in run.results(rows=False):
            store.add(head)
        write_problems(problems, store, lang=options.lang)
        if options.audit:
            _write_returns(manifest, store, out, options)
    if complete or not review.exists():  # rows of files still to be read would be missing, and decisions on them
        everything = options.audit or run.reviews is not None
        results = manifest.results() if everything else manifest.unsettled()
        words = {"lang": options.lang, "reviews": run.reviews, "rulebooks": _own(options)}
        write_review(review, results, disputed=everything, **words)  # type: ignore[arg-type]
    _write(record, _run_json(run, options, complete=complete), durable=options.durable)


def _write_returns(manifest: Manifest, store: ProblemStore, out: Path, options: Options) -> None:
    """Write the departments' lists; those of an earlier run that nobody is to get any more go."""
    from perfeval_xlsx.output.returns import write_returns

    folder = load("run.toml")["outputs"]["returned"]
    lists = write_returns(out / folder, store, lang=options.lang, due=options.due)
    written = [f"{folder}/{path.name}" for path in lists]
    for name in set(manifest.noted("returns") or ()) - set(written):
        (out / name).unlink(missing_ok=True)
    manifest.note("returns", written)


def _run_json(run: Run, options: Options, *, complete: bool) -> Iterator[str]:
    """``run.json`` piece by piece: facts of the run, then what was replaced and what was found, form by form."""
    manifest = run.manifest
    counts = manifest.counts()
    facts = {
        "schema": SCHEMA,
        "version": __version__,
        "complete": complete,
        "options": options.shown(),
        "rulebooks": _rulebooks(manifest, options),
        "counts": {status: count.forms for status, count in sorted(counts.items())},
        "grades": manifest.grades(),
        "judged": sum(count.judged for count in counts.values()),
        "reviews": run.reviews.record() if run.reviews else [],
    }
    yield json.dumps(facts, ensure_ascii=False, indent=1).removesuffix("\n}")
    with _Later() as replaced, _Later() as findings:
        yield ',\n "forms": ['
        yield from _joined(_form_facts(head, replaced, findings) for head in manifest.in_order())
        yield '],\n "replaced": ['
        yield from replaced.pieces()
        yield '],\n "findings": ['
        yield from findings.pieces()
    yield '],\n "units": ['
    yield from _joined({key: unit[key] for key in ("path", "org", "status", "findings")} for unit in manifest.units())
    yield "]\n}\n"


class _Later:
    """A list of JSON values that is written after another one, on disk meanwhile: each form is unpacked once."""

    def __init__(self) -> None:
        self._file = SpooledTemporaryFile(_IN_MEMORY, "w+", encoding="utf-8", newline="")  # noqa: SIM115
        self._before = _FIRST

    def __enter__(self) -> _Later:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, head: FormResult, values: Sequence[Mapping[str, object]]) -> None:
        """Add values with the form they belong to."""
        if values:
            whose = {"path": head["path"], "sheet": head["sheet"], "form": head["form"]}
            self._file.write(self._before + _NEXT.join([_line({**whose, **value}) for value in values]))
            self._before = _NEXT

    def pieces(self) -> Iterator[str]:
        """The list's text."""
        self._file.seek(0)
        while piece := self._file.read(_IN_MEMORY):
            yield piece


def _form_facts(head: FormResult, replaced: _Later, findings: _Later) -> dict[str, object]:
    """What ``run.json`` says of a form first; what it says later is put aside."""
    replaced.add(head, head["replaced"])
    findings.add(head, head["findings"])
    return {key: head.get(key) for key in _FORM_KEYS}


def _line(value: object) -> str:
    return dumps(value).decode()


def _joined(values: Iterable[object]) -> Iterator[str]:
    """JSON values, one a line, with commas between."""
    before = _FIRST
    for value in values:
        yield before + _line(value)
        before = _NEXT


def _rulebooks(manifest: Manifest, options: Options) -> list[dict[str, object]]:
    """The rulebooks that were used, with how well each is known."""
    from perfeval_xlsx.scoring.rulebook_file import load_rulebook

    used, own = manifest.rulebooks(), _own(options)
    known = {name: own.get(name) or load_rulebook(name) for name in used}
    return [
        {"id": name, "title": known[name].title, "document": known[name].document}
        | {"support": known[name].document_support, "digest": digest, "forms": manifest.forms_by(name)}
        for name, digest in used.items()
    ]


def _own(options: Options) -> dict[str, Rulebook]:
    """The rulebooks that were asked for, by id."""
    from perfeval_xlsx.scoring.rulebook_file import load_rulebook

    return {book.id: book for book in map(load_rulebook, options.rules)}


def _write(path: Path, pieces: Iterable[str], *, durable: bool) -> None:
    """Write a text file at once.

    Raises:
        PerfevalError: It cannot be written.
    """
    temporary = path.with_name(f".{secrets.token_hex(6)}.tmp")
    try:
        with temporary.open("x", encoding="utf-8", newline="\n") as file:
            _pour(file, pieces, durable=durable)
        temporary.replace(path)
    except OSError as error:
        detail = error.strerror or str(error)
        raise PerfevalError(Finding("B26", found=path.name, args={"detail": detail})) from error
    finally:
        temporary.unlink(missing_ok=True)


def _pour(file: TextIO, pieces: Iterable[str], *, durable: bool) -> None:
    for piece in pieces:
        file.write(piece)
    if durable:
        file.flush()
        os.fsync(file.fileno())
