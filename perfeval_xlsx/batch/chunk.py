"""The spine: a chunk of files from bytes to filled copies. Read ``score_chunk`` first; all else here serves it."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

from perfeval_xlsx.batch.discover import Source, copy_name
from perfeval_xlsx.batch.options import Options
from perfeval_xlsx.batch.record import FileRecord, Packed, file_record, form_record, pack_all
from perfeval_xlsx.data import load
from perfeval_xlsx.findings import Finding, PerfevalError
from perfeval_xlsx.form.frames import Tables, to_frames
from perfeval_xlsx.form.model import Form
from perfeval_xlsx.form.province import place_of
from perfeval_xlsx.form.read import find_forms, why_none
from perfeval_xlsx.output.fill import Filling, fill_all
from perfeval_xlsx.output.outcome import failed_result, file_result, finding_result
from perfeval_xlsx.output.results import form_results
from perfeval_xlsx.scoring.footnote import read_footnote, with_footnote
from perfeval_xlsx.scoring.result import FindingResult, FormResult
from perfeval_xlsx.scoring.rulebook import Rulebook
from perfeval_xlsx.scoring.rulebook_file import choose_rulebook, load_rulebook
from perfeval_xlsx.scoring.score import ScoredTables, score
from perfeval_xlsx.workbook import AnyWorkbook, open_any

if TYPE_CHECKING:
    from perfeval_xlsx.scoring.reviews import Reviews

_log = logging.getLogger("perfeval_xlsx")
_log.addHandler(logging.NullHandler())


@dataclass(slots=True)
class Opened:
    """One file on its way: opened, then read, or with the result that says why not."""

    source: Source
    book: AnyWorkbook | None = None
    forms: list[Form] = field(default_factory=list)
    stopped: FormResult | None = None


def score_chunk(sources: Sequence[Source], options: Options, out: Path | None) -> list[FileRecord]:
    """Read, score and fill a chunk of files; every file that cannot be read comes to a record as well.

    Each step is taken for all files before the next: its code stays in the processor's caches, which saves a tenth.

    Args:
        sources: The files.
        options: How to read, score and write.
        out: Folder that ``scored/`` with the copies lies in; None writes none.
    """
    files = [open_file(source, options) for source in sources]
    read_forms(files, options)
    forms = [form for file in files for form in file.forms]
    tables = to_frames(forms)
    rulebooks = rulebooks_of(forms, tables, options)
    scored = reviewed(score(tables, rulebooks, options.lang), forms, rulebooks, options)
    results = form_results(forms, scored, options.lang)
    if options.audit:
        add_findings(forms, results, tables, scored, rulebooks, options)
    by_form = {form.id: result for form, result in zip(forms, results, strict=True)}
    finished = [(file, [by_form[form.id] for form in file.forms]) for file in files]
    copies = _copies(finished, options, out)
    told = [results if file.stopped is None else [file.stopped] for file, results in finished]
    packed = iter(pack_all(list(chain.from_iterable(told)), options.lang))
    return [
        _record(file, results, list(islice(packed, len(results))), copy, rulebooks)
        for file, results, copy in zip(files, told, copies, strict=True)
    ]


def reviewed(
    scored: ScoredTables, forms: Sequence[Form], rulebooks: Mapping[str, Rulebook], options: Options
) -> ScoredTables:
    """Put a reviewer's decisions in their places; one that cannot be used is a finding of its form."""
    if options.reviews is None:
        return scored
    from perfeval_xlsx.scoring.reviews import apply_reviews

    decisions = _reviews(options.reviews, _version(options.reviews))
    applied = apply_reviews(scored, decisions.of({form.path for form in forms}), rulebooks, options.lang)
    for form in forms:
        form.findings.extend(applied.findings.get(form.id, ()))
    return applied.scored


def add_findings(
    forms: Sequence[Form],
    results: Sequence[FormResult],
    tables: Tables,
    scored: ScoredTables,
    rulebooks: Mapping[str, Rulebook],
    options: Options,
) -> None:
    """Add what an audit finds to the forms' results; of findings that say the same, only the one that says it best."""
    from perfeval_xlsx.output.problem_store import covered  # not needed where scores alone are asked for
    from perfeval_xlsx.scoring.audit import audit, without_repeats

    found = audit(tables, scored, rulebooks, options.lang)
    by_form: dict[str, list[FindingResult]] = {form.id: [] for form in forms}
    names = tuple(FindingResult.__annotations__)
    for form_id, *values in zip(*(found[name].tolist() for name in ("form_id", *names)), strict=True):
        by_form[form_id].append(dict(zip(names, values, strict=True)))  # type: ignore[arg-type]
    for form, result in zip(forms, results, strict=True):
        told = [*without_repeats(result["findings"], by_form[form.id]), *by_form[form.id]]
        result["findings"] = [finding for finding in told if not covered(finding, told)]


def findings_of(
    forms: Sequence[Form], tables: Tables, rulebooks: Mapping[str, Rulebook], options: Options
) -> dict[str, list[FindingResult]]:
    """Everything an audit finds in some forms, by form id."""
    scored = score(tables, rulebooks, options.lang)
    results = form_results(forms, scored, options.lang)
    add_findings(forms, results, tables, scored, rulebooks, options)
    return {form.id: result["findings"] for form, result in zip(forms, results, strict=True)}


def score_files(sources: Sequence[Source], options: Options, out: Path | None) -> list[FileRecord]:
    """``score_chunk``; where the chunk as a whole fails, file by file, so that one file costs itself alone."""
    try:
        return score_chunk(sources, options, out)
    except Exception:
        _log.exception("%d files from %s", len(sources), sources[0].shown)
    return [_score_alone(source, options, out) for source in sources]


def _score_alone(source: Source, options: Options, out: Path | None) -> FileRecord:
    """The record of one file; an unforeseen error is a finding, its traceback goes to the log."""
    try:
        return score_chunk([source], options, out)[0]
    except Exception as error:
        _log.exception("%s", source.shown)
        finding = Finding("B30", found=source.shown, args={"detail": type(error).__name__})
        return stopped_record(source, finding, options)


def stopped_record(source: Source, finding: Finding, options: Options) -> FileRecord:
    """The record of a file that one finding put an end to."""
    result = file_result(source.shown, "failed", [finding], options.lang)
    return file_record(source.relative, result, lang=options.lang)


def open_file(source: Source, options: Options) -> Opened:
    """Open a workbook."""
    file = Opened(source)
    try:
        if source.problem is not None:
            raise PerfevalError(source.problem)
        file.book = open_any(source.path, passwords=options.passwords)
    except PerfevalError as error:
        file.stopped = failed_result(source.shown, error, options.lang)
    return file


def read_forms(files: Sequence[Opened], options: Options) -> None:
    """Read the forms of opened workbooks: the sheets of all of them first."""
    for step in (_read_sheets, _find_forms):
        for file in files:
            if file.book is not None and file.stopped is None:
                try:
                    step(file, file.book, options)
                except PerfevalError as error:
                    file.stopped = failed_result(file.source.shown, error, options.lang)


def _read_sheets(_file: Opened, book: AnyWorkbook, _options: Options) -> None:
    for _ in book.sheets():
        pass


def _find_forms(file: Opened, book: AnyWorkbook, options: Options) -> None:
    file.forms = find_forms(book, file.source.shown)
    if file.forms:
        file.forms[0].findings.extend(book.findings)
    else:
        found = [*why_none(book), *book.findings]
        file.stopped = file_result(file.source.shown, "skipped", found, options.lang)


def read_file(source: Source, options: Options) -> Opened:
    """Open a workbook and read its forms."""
    file = open_file(source, options)
    read_forms([file], options)
    return file


def rulebooks_of(forms: Sequence[Form], tables: Tables, options: Options) -> dict[str, Rulebook]:
    """The rulebook of every form by its id, changed by the form's own footnote, which is a finding."""
    own = _own(options.rules, tuple(_version(rule) for rule in options.rules))
    chosen: dict[str, Rulebook] = {}
    for form in forms:
        place = place_of(form.org, form.title) or form.province
        usual = _usual(form.kind, place, form.year, own)
        book, differences = with_footnote(usual, read_footnote(tables.notes[form.id]), options.lang)
        if differences:
            separator = load("methods.toml")["words"]["separator"][options.lang]
            form.findings.append(Finding("S09", args={"texts": separator.join(differences)}))
        chosen[form.id] = book
    return chosen


def _version(rule: str) -> tuple[int, int] | None:
    """Size and time of a rulebook file, so that a process that lives long reads a changed one again."""
    try:
        status = Path(rule).stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns


@lru_cache(maxsize=4)
def _reviews(path: str, _of: tuple[int, int] | None) -> Reviews:
    from perfeval_xlsx.scoring.reviews import read_reviews

    return read_reviews(path)


@lru_cache(maxsize=16)
def _own(rules: tuple[str, ...], _versions: tuple[tuple[int, int] | None, ...]) -> tuple[Rulebook, ...]:
    """The rulebooks that were asked for, by id or path."""
    return tuple(load_rulebook(rule) for rule in rules)


@lru_cache(maxsize=4096)
def _usual(kind: str, place: str | None, year: int | None, own: tuple[Rulebook, ...]) -> Rulebook:
    """The rulebook before any footnote: the one that was asked for, else by kind, place and year."""
    return own[0] if len(own) == 1 else choose_rulebook(kind, place, year, own)


def _copies(
    finished: Sequence[tuple[Opened, list[FormResult]]], options: Options, out: Path | None
) -> list[str | None]:
    """Write the files' filled or annotated copies where they are wanted.

    Returns:
        Their paths below ``out``, None for a file that has none; the reason is a finding.
    """
    copies: list[str | None] = [None] * len(finished)
    if out is None or not (options.copies or options.annotate):
        return copies
    folder = load("run.toml")["outputs"]["annotated" if options.annotate else "copies"]
    fillings: dict[int, Filling] = {}
    for at, (file, results) in enumerate(finished):
        if file.book is not None and file.stopped is None:
            copies[at] = copy = f"{folder}/{copy_name(file.source.relative)}"
            fillings[at] = Filling(file.book, file.forms, results, os.path.join(out, copy))  # noqa: PTH118
    for (at, one), failed in zip(fillings.items(), _written([*fillings.values()], options), strict=True):
        if failed is not None:
            copies[at] = None
        for result in one.results:
            if failed is None:
                result["copy"] = copies[at]
            else:
                result["replaced"] = []
                result["findings"].append(finding_result(failed.finding, options.lang))
    return copies


def _written(fillings: Sequence[Filling], options: Options) -> list[PerfevalError | None]:
    """Write copies; return why each one is not there, None where it is."""
    if not options.annotate:
        return fill_all(fillings, keep=options.keep, lang=options.lang, durable=options.durable)
    from perfeval_xlsx.output.annotate import annotate_all  # takes a tenth of all imports, and most runs need none

    return annotate_all(fillings, lang=options.lang, durable=options.durable)


def _record(
    file: Opened,
    results: Sequence[FormResult],
    packed: list[Packed],
    copy: str | None,
    rulebooks: Mapping[str, Rulebook],
) -> FileRecord:
    """What is kept of a file."""
    digest = file.book.digest if file.book else ""
    forms = file.forms if file.stopped is None else []
    used = {rulebooks[form.id].id: rulebooks[form.id].digest for form in forms}
    return form_record(file.source.relative, results, digest, used, copy, packed=packed)
