"""Last year's forms as this year's blank ones: names, targets and points stay, what was achieved goes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from perfeval_xlsx.data import load
from perfeval_xlsx.findings import Finding, PerfevalError
from perfeval_xlsx.form.model import Form, IndicatorRow, Kind
from perfeval_xlsx.form.read import find_forms
from perfeval_xlsx.output.template_blank import Blank, Indicator, points_of
from perfeval_xlsx.workbook import open_any

NO_FORM, NOT_READ = "L05", "L09"
_OWNER_MARKS = ("~$", ".")


def carry_over(source: Path, kind: Kind | None, year: int | None) -> list[Blank]:
    """Read last year's forms.

    Args:
        source: A workbook of any format we read, or a folder searched with its subfolders, our own outputs left out.
        kind: Only forms of this kind; None takes all.
        year: Year of the new forms; None: one more than the form says.

    Raises:
        PerfevalError: There is no form, or workbooks cannot be read; of a folder all those are named.
    """
    blanks, failed = [], []
    for path in _workbooks(source):
        try:
            forms = find_forms(open_any(path))
        except PerfevalError as error:
            if path == source:
                raise
            failed.append((path.relative_to(source), error.finding))
            continue
        blanks += [_blank(form, year) for form in forms if kind is None or form.kind == kind]
    if failed:
        raise PerfevalError(Finding(NOT_READ, found=str(source), args=_told(failed)))
    if not blanks:
        raise PerfevalError(Finding(NO_FORM, found=str(source)))
    return blanks


def _told(failed: Sequence[tuple[Path, Finding]]) -> dict[str, str]:
    """What is wrong with each file, as the finding's texts take it."""
    words = load("templates.toml")["list"]
    told = {"count": str(len(failed))}
    for lang in ("zh", "en"):
        shown = [f"{path} ({found.text('message', lang)})" for path, found in failed[: words["shown"]]]
        rest = len(failed) - len(shown)
        more = words["more"][lang].format(count=rest) if rest > 0 else ""
        told[f"files_{lang}"] = words["join"][lang].join(shown) + more
    return told


def _workbooks(source: Path) -> Iterator[Path]:
    if not source.is_dir():
        yield source
        return
    words = load("run.toml")
    ours = set(words["outputs"].values())
    for path in sorted(source.rglob("*")):
        known = path.suffix.lower() in words["extensions"] and path.name not in ours
        if known and not path.name.startswith(_OWNER_MARKS):
            yield path


def _blank(form: Form, year: int | None) -> Blank:
    following = form.year + 1 if form.year is not None else None
    return Blank(
        form.kind,
        org=form.org or "",
        project=form.project or "",
        year=year if year is not None else following,
        province=form.province,
        indicators=tuple(map(_indicator, form.indicators)),
    )


def _indicator(row: IndicatorRow) -> Indicator:
    value = {name: text or "" for name, text in row.values.items()}
    texts = {name: value.get(name, "") for name in ("level1", "level2", "level3", "target", "sign", "unit")}
    return Indicator(**texts, weight=points_of(value.get("weight", "")))
