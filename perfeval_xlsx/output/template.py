"""Official blank forms, one or hundreds: by name, from a list of units and indicators, or from last year's forms."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from perfeval_xlsx.data import load
from perfeval_xlsx.findings import Finding, Lang, PerfevalError
from perfeval_xlsx.form.model import Kind
from perfeval_xlsx.output.template_blank import Blank, Layout, layout_for
from perfeval_xlsx.output.template_carry import carry_over
from perfeval_xlsx.output.template_list import read_list
from perfeval_xlsx.scoring.rulebook import Rulebook
from perfeval_xlsx.scoring.rulebook_file import choose_rulebook

EXISTS, NO_SUCH_NAME, TWO_SOURCES = "L08", "L06", "L07"


def write_templates(
    out: Path,
    *,
    kind: Kind | None = None,
    rulebook: Rulebook | None = None,
    names: Sequence[str] = (),
    indicators: Path | None = None,
    source: Path | None = None,
    year: int | None = None,
    lang: Lang = "zh",
) -> list[Path]:
    """Write blank forms into a folder, one workbook a form.

    Args:
        out: Folder, made when missing; a file that exists already is never overwritten.
        kind: ``department``, ``project`` or ``transfer``; None: that of ``source``, else ``project``.
        rulebook: Decides on layout, points, tiers and grades; None: the one that scores such a form.
        names: Units that get a form. With ``indicators`` or ``source``: the units to take from them.
        indicators: List of units and their indicators, .csv or .xlsx (``docs/templates.md``); without a column of units
            every name gets the same indicators.
        source: A workbook, or a folder of them, with last year's forms: names, targets and points are carried over.
        year: Year of the forms; None: the year after that of ``source``, else left blank in the title.
        lang: Language of the prompts in the cells; the form itself is Chinese.

    Returns:
        The files written, in the order of names, list or source.

    Raises:
        PerfevalError: The list is wrong (its bad rows are named), the source holds no form, or a file exists. Nothing
            has been written then, unless writing itself failed.
    """
    if source is not None and indicators is not None:
        raise PerfevalError(Finding(TWO_SOURCES))
    blanks = list(_blanks(kind, rulebook, names, indicators, source, year))
    works = [(blank, *_looks(blank, rulebook)) for blank in blanks]
    paths = list(_paths(out, [(blank, layout) for blank, layout, _ in works]))
    existing = next((path for path in paths if path.exists()), None)
    if existing is not None:
        raise PerfevalError(Finding(EXISTS, found=str(existing)))
    out.mkdir(parents=True, exist_ok=True)
    from perfeval_xlsx.output.template_draw import write_form  # XlsxWriter is loaded where a workbook is written

    for path, (blank, layout, book) in zip(paths, works, strict=True):
        write_form(path, blank, layout, book, lang)
    return paths


def _blanks(
    kind: Kind | None,
    rulebook: Rulebook | None,
    names: Sequence[str],
    indicators: Path | None,
    source: Path | None,
    year: int | None,
) -> Iterator[Blank]:
    if source is not None:
        yield from _picked(carry_over(source, kind, year), names, source)
        return
    made: Kind = kind or "project"
    if indicators is None:
        yield from (Blank(made, org=name, year=year) for name in names or ("",))
        return
    book = rulebook or choose_rulebook(made, None, year)
    points = book.execution.points if "weight" in layout_for(made, book).get("total", {}) else None
    listed = [replace(blank, year=year) for blank in read_list(indicators, made, points)]
    if len(listed) == 1 and not listed[0].org and names:
        yield from (replace(listed[0], org=name) for name in names)
    else:
        yield from _picked(listed, names, indicators)


def _picked(blanks: Sequence[Blank], names: Sequence[str], where: Path) -> Sequence[Blank]:
    """The forms of the units asked for, all of them where none is."""
    absent = [name for name in names if name not in {blank.org for blank in blanks}]
    if absent:
        raise PerfevalError(Finding(NO_SUCH_NAME, found="、".join(absent), args={"file": str(where)}))
    return [blank for blank in blanks if not names or blank.org in names]


def _looks(blank: Blank, rulebook: Rulebook | None) -> tuple[Layout, Rulebook]:
    book = rulebook or choose_rulebook(blank.kind, blank.province, blank.year)
    return layout_for(blank.kind, book), book


def _paths(out: Path, works: Iterable[tuple[Blank, Layout]]) -> Iterator[Path]:
    """One path a form, different from every other also where letter case does not count."""
    words = load("templates.toml")["names"]
    taken: set[str] = set()
    for blank, layout in works:
        parts = [safe_name(part) for part in (blank.org, blank.project) if part]
        stem = words["join"].join([*(parts or [words["unnamed"]]), layout["title"][blank.kind]])
        name, number = stem, 1
        while name.casefold() in taken:
            number += 1
            name = f"{stem}({number})"
        taken.add(name.casefold())
        yield out / f"{name}.xlsx"


def safe_name(text: str) -> str:
    """Return ``text`` as a part of a file's name that Windows accepts: no ``:`` or ``/``, no ``CON``, not too long."""
    words = load("templates.toml")["names"]
    plain = re.sub(words["forbidden"], words["join"], " ".join(text.split()))[: words["longest"]].strip(". ")
    return re.sub(words["reserved"], lambda match: match[0] + words["join"], plain) or words["unnamed"]
