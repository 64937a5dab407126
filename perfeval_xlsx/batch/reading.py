"""Looking into files without a run: every form as it was read, one score explained."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from perfeval_xlsx.batch.chunk import Opened, findings_of, read_file, rulebooks_of
from perfeval_xlsx.batch.discover import discover
from perfeval_xlsx.batch.nothing import nothing_to_read
from perfeval_xlsx.batch.options import Options
from perfeval_xlsx.data import load
from perfeval_xlsx.findings import Finding, PerfevalError
from perfeval_xlsx.form.frames import to_frames
from perfeval_xlsx.form.model import Form
from perfeval_xlsx.form.read import find_forms, why_none
from perfeval_xlsx.form.values import normalise
from perfeval_xlsx.output.plain import check_lines, finding_lines
from perfeval_xlsx.scoring.result import FindingResult
from perfeval_xlsx.scoring.steps import What, steps
from perfeval_xlsx.workbook import open_any

_CELL = re.compile(r"(?:.*!)?[A-Z]{1,3}[1-9][0-9]*")
_SUGGESTED = 5


class Place(NamedTuple):
    """One score of one form: the row of an indicator, the execution or the total, and its name."""

    form: Form
    what: What
    name: str


def read_each(paths: Sequence[str], options: Options) -> Iterator[Opened]:
    """Open every workbook of files and folders, in order.

    Raises:
        PerfevalError: There is nothing to read.
    """
    sources = sorted(discover(paths), key=lambda source: source.key)
    if not sources:
        raise nothing_to_read(paths)
    return (read_file(source, options) for source in sources)


def explain_score(path: str, what: str, options: Options) -> list[str]:
    """Explain one score of a workbook, a line a step, and what was found there; or every finding of one code.

    Where several forms have the cell or the name, each is explained in turn.

    Args:
        path: The workbook.
        what: A cell of the row or of a finding, the name of an indicator or the start of it, a word for execution or
            total, or the code of a check.
        options: Rulebooks and language.

    Raises:
        PerfevalError: The file cannot be read, holds no form (``R01`` …), or has no such score (``Q03``).
    """
    book = open_any(path, passwords=options.passwords)
    forms = find_forms(book, path)
    if not forms:
        raise PerfevalError(why_none(book)[0])
    forms[0].findings.extend(book.findings)
    places = _places(forms)
    found = _found(places, what)
    tables = to_frames(forms)
    rulebooks = rulebooks_of(forms, tables, options)
    told = findings_of(forms, tables, rulebooks, options)
    lines: list[str] = []
    for form in forms:
        mine = [place for place in found if place.form is form]
        explained = [step for p in mine for step in steps(tables, rulebooks[form.id], form.id, p.what, options.lang)]
        for finding in _meant(told[form.id], what, mine):
            explained += finding_lines(finding, rulebooks[form.id], options.lang)
        if explained and len(forms) > 1:
            lines.append(f"{form.sheet} · {form.title or form.number}")
        lines += explained
    code = normalise(what).upper()
    if not lines and code in load("checks.toml")["check"]:
        return check_lines(code, rulebooks[forms[0].id], options.lang)
    if not lines:
        names = list(dict.fromkeys(place.name for place in places))
        close = difflib.get_close_matches(what, names, _SUGGESTED, 0.2) or names[:_SUGGESTED]
        raise PerfevalError(Finding("Q03", found=what, expected="、".join(close)))
    return lines


def _meant(findings: Sequence[FindingResult], what: str, places: Sequence[Place]) -> Iterator[FindingResult]:
    """The findings of a code or a cell, and those in the cells of the scores that are explained."""
    wanted = normalise(what).upper()
    cells = {wanted}.union(*map(_cells, places))
    return (finding for finding in findings if finding["code"] == wanted or _plain_cell(finding["cell"] or "") in cells)


def _places(forms: Sequence[Form]) -> list[Place]:
    """Every score of some forms."""
    words = load("console.toml")["explain"]
    places = []
    for form in forms:
        for row in form.indicators:
            name = row.values.get("level3") or row.values.get("level2") or row.values.get("level1") or ""
            places.append(Place(form, row.row, "".join(name.split())))
        if any(fund.role == "total" for fund in form.funds):
            places.append(Place(form, "execution", words["execution_words"][0]))
        places.append(Place(form, "total", words["total_words"][0]))
    return places


def _found(places: Sequence[Place], what: str) -> list[Place]:
    """The scores meant by a cell or a name; a whole name before the beginning of one, that before any part."""
    wanted = normalise(what)
    cell = wanted.upper()
    if _CELL.fullmatch(cell):
        return [place for place in places if cell in _cells(place)]
    words = load("console.toml")["explain"]
    for kind in ("execution", "total"):
        if what.strip().lower() in words[f"{kind}_words"]:
            return [place for place in places if place.what == kind]
    rows = [(normalise(place.name), place) for place in places if isinstance(place.what, int)]
    ways: tuple[Callable[[str], bool], ...] = (
        lambda name: name == wanted,
        lambda name: name.startswith(wanted),
        lambda name: wanted in name,
    )
    return next((hits for way in ways if (hits := [place for name, place in rows if way(name)])), [])


def _cells(place: Place) -> set[str]:
    """Addresses of everything a score is made of."""
    form = place.form
    if place.what == "total":
        return set(map(_plain_cell, form.total_cells.values()))
    if place.what == "execution":
        return {_plain_cell(cell) for fund in form.funds if fund.role == "total" for cell in fund.cells.values()}
    rows = (row for row in form.indicators if row.row == place.what)
    shared = {"level1", "level2"}
    return {_plain_cell(cell) for row in rows for field, cell in row.cells.items() if field not in shared}


def _plain_cell(cell: str) -> str:
    """An address in the hand that those asked for are compared in: a sheet's name may stand in it."""
    return normalise(cell).upper() if "!" in cell else cell
