"""The reports of an output folder, streamed from its manifest: the summary workbook and ``run.json``."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path
from typing import IO, TYPE_CHECKING

from perfeval_xlsx import __version__
from perfeval_xlsx.batch.copies import removed
from perfeval_xlsx.batch.lines import LineLists, joined
from perfeval_xlsx.batch.manifest import Manifest
from perfeval_xlsx.batch.options import Options
from perfeval_xlsx.data import load
from perfeval_xlsx.findings import Finding, PerfevalError, cause_of
from perfeval_xlsx.scoring.result import SCHEMA

if TYPE_CHECKING:
    from perfeval_xlsx.batch.run import Run
    from perfeval_xlsx.output.problem_store import ProblemStore
    from perfeval_xlsx.scoring.rulebook import Rulebook

_MODULES = (
    "xlsxwriter", "perfeval_xlsx.output.summary", "perfeval_xlsx.output.problems", "perfeval_xlsx.output.review",
)  # fmt: skip
_DATA = ("outputs.toml", "desk.toml")


def report_paths(out: Path) -> tuple[Path, ...]:
    """The report files of an output folder, in the order they are written."""
    names = load("run.toml")["outputs"]
    return tuple(out / names[name] for name in ("summary", "findings", "reviews", "run"))


def prepare() -> None:
    """Import and read what the reports need, while this process waits for the workers."""
    for module in _MODULES:
        import_module(module)
    for name in _DATA:
        load(name)


def write_reports(run: Run, out: Path, options: Options, *, left: int) -> None:
    """Write all reports, and in an audit a list for every department; each is replaced at once.

    Args:
        run: The run, all of whose files are done.
        out: The output folder.
        options: Of the run.
        left: How many files are still to be read; the reports of an interrupted run say so.

    Raises:
        PerfevalError: A report cannot be written.
    """
    from perfeval_xlsx.output.problem_store import ProblemStore
    from perfeval_xlsx.output.problems import write_problems
    from perfeval_xlsx.output.review import write_review
    from perfeval_xlsx.output.summary import write_summary

    manifest = run.manifest
    summary, problems, review, record = report_paths(out)
    write_summary(summary, manifest.ranked(), manifest.details(), lang=options.lang, durable=options.durable, left=left)
    with LineLists() as lists, ProblemStore(run.comparison, options.lang) as store:
        _collect(run, lists, store)
        write_problems(problems, store, lang=options.lang, left=left)
        if options.audit:
            _write_returns(manifest, store, out, options)
        if not left or not review.exists():  # rows of files still to be read, and decisions on them, would be missing
            everything = options.audit or run.reviews is not None
            results = manifest.results() if everything else manifest.unsettled()
            words = {"lang": options.lang, "reviews": run.reviews, "rulebooks": _own(options)}
            write_review(review, results, disputed=everything, **words)  # type: ignore[arg-type]
        _write(record, _run_json(run, options, lists, left), durable=options.durable)


def _collect(run: Run, lists: LineLists, store: ProblemStore) -> None:
    """Go through all forms once: what ``run.json`` says of them, and what was found in them."""
    for told in run.manifest.told():
        lists.add(told.lines)
        if run.comparison is None:
            store.add_sound(told.department) if told.head is None else store.add(told.head)
    for result in run.manifest.units() if run.comparison is None else run.results(rows=False):
        store.add(result)


def _write_returns(manifest: Manifest, store: ProblemStore, out: Path, options: Options) -> None:
    """Write the departments' lists; those of an earlier run that nobody is to get any more go."""
    from perfeval_xlsx.output.returns import write_returns

    folder = load("run.toml")["outputs"]["returned"]
    lists = write_returns(out / folder, store, lang=options.lang, due=options.due)
    written = [f"{folder}/{path.name}" for path in lists]
    earlier = set(manifest.noted("returns") or ()) - set(written)
    manifest.note("returns", [*written, *(name for name in sorted(earlier) if removed(out, name))])


def _run_json(run: Run, options: Options, lists: LineLists, left: int) -> Iterator[bytes]:
    """``run.json`` piece by piece: facts of the run, then what was replaced and what was found, form by form."""
    manifest = run.manifest
    counts = run.counts
    facts = {
        "schema": SCHEMA,
        "version": __version__,
        "complete": not left,
        **({"left": left} if left else {}),
        "options": options.shown(),
        "rulebooks": _rulebooks(manifest, options),
        "counts": {status: count.forms for status, count in sorted(counts.items())},
        "grades": run.grades,
        "judged": sum(count.judged for count in counts.values()),
        "reviews": run.reviews.record() if run.reviews else [],
    }
    yield json.dumps(facts, ensure_ascii=False, indent=1).removesuffix("\n}").encode()
    for before, name in (
        (b',\n "forms": [', "form"),
        (b'],\n "replaced": [', "replaced"),
        (b'],\n "findings": [', "findings"),
    ):
        yield before
        yield from lists.pieces(name)
    yield b'],\n "units": ['
    yield joined({key: unit[key] for key in ("path", "org", "status", "findings")} for unit in manifest.units())
    yield b"]\n}\n"


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


def _write(path: Path, pieces: Iterable[bytes], *, durable: bool) -> None:
    """Write a file at once.

    Raises:
        PerfevalError: It cannot be written.
    """
    temporary = path.with_name(f".{secrets.token_hex(6)}.tmp")
    try:
        with temporary.open("xb") as file:
            _pour(file, pieces, durable=durable)
        temporary.replace(path)
    except OSError as error:
        raise PerfevalError(Finding("B26", found=path.name, args={"detail": cause_of(error)})) from error
    finally:
        temporary.unlink(missing_ok=True)


def _pour(file: IO[bytes], pieces: Iterable[bytes], *, durable: bool) -> None:
    for piece in pieces:
        file.write(piece)
    if durable:
        file.flush()
        os.fsync(file.fileno())
