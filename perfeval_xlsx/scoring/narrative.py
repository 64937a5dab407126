"""A department's report against its form: figures that contradict each other, with the sentence quoted.

Only a figure that plainly speaks of the form's own total, grade, budget, execution or rate is compared; what might be
about something else (another year, one indicator, a part of the money) has no counterpart and is left alone. The
patterns are data (``data/narrative.toml``). Reading .docx needs the extra ``reports`` (python-docx).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

from perfeval_xlsx.data import load
from perfeval_xlsx.findings import Finding, PerfevalError
from perfeval_xlsx.limits import DEFAULT_LIMITS, Limits
from perfeval_xlsx.scoring.compare import file_name, plain
from perfeval_xlsx.scoring.measure import number
from perfeval_xlsx.scoring.result import FormResult
from perfeval_xlsx.scoring.rulebook import grade_alias
from perfeval_xlsx.scoring.rulebook_file import load_rulebook
from perfeval_xlsx.workbook.package import read_package

_USUAL = "national-2020"
_NEAR = 1e-9
AGREES = "agrees"


@dataclass(frozen=True, slots=True)
class Report:
    """A report's text.

    Attributes:
        name: The file's name, for messages.
        sentences: Its sentences as written, white space squeezed, in order; a table's cells among them.
    """

    name: str
    sentences: tuple[str, ...]


def read_report(path: Path | str, limits: Limits = DEFAULT_LIMITS) -> Report:
    """Read a report's text.

    Args:
        path: A ``.docx`` file.
        limits: Bounds on the package, checked before the library sees it.

    Raises:
        PerfevalError: The file cannot be read, or python-docx is not installed.
    """
    path = Path(path)
    try:
        import docx
    except ImportError as error:
        raise PerfevalError(Finding("N11", found=path.name)) from error
    try:
        content = path.read_bytes()
        read_package(content, limits)
        document = docx.Document(BytesIO(content))
        texts = list(_texts(document))
    except Exception as error:  # the library raises whatever its parsers do
        raise PerfevalError(Finding("N10", found=path.name, args={"detail": str(error)})) from error
    return Report(path.name, tuple(sentence for text in texts for sentence in split_sentences(text)))


def _texts(document: Any) -> Iterator[str]:
    """The text of paragraphs and table cells in the order of the document."""
    from docx.table import Table

    for block in document.iter_inner_content():
        if isinstance(block, Table):
            for row in block.rows:
                yield from dict.fromkeys(cell.text for cell in row.cells)
        else:
            yield block.text


def split_sentences(text: str) -> Iterator[str]:
    """Yield the sentences of a text, white space squeezed, each with its stop."""
    ends = re.escape(load("narrative.toml")["sentence_ends"])
    for sentence in re.findall(rf"[^{ends}]+[{ends}]?", text):
        squeezed = " ".join(sentence.split())
        if squeezed:
            yield squeezed


def reports_in(folder: Path, *, below: bool = False) -> list[tuple[str, Path]]:
    """Return the reports in a folder, and ``below`` it, sorted: each one's name as it is compared, and its path."""
    suffixes = load("narrative.toml")["suffixes"]
    paths = sorted(folder.rglob("*") if below else folder.iterdir()) if folder.is_dir() else []
    return [
        (plain(path.stem), path)
        for path in paths
        if path.suffix.lower() in suffixes and not path.name.startswith(("~$", "."))
    ]


def reports_of(form: Mapping[str, Any], reports: Sequence[tuple[str, Path]]) -> list[Path]:
    """Return the reports that are a form's: named like its workbook, or with its department's name.

    Args:
        form: The form (``FormResult``): its path and org.
        reports: What ``reports_in`` found in the form's own folder, or in another.
    """
    names = [plain(form.get("org")), plain(file_name(form).rpartition(".")[0])]
    wanted = [name for name in names if len(name) >= load("narrative.toml")["shortest_name"]]
    return [path for stem, path in reports if any(name in stem for name in wanted)]


def contradictions(report: Report, forms: Sequence[FormResult]) -> list[Finding]:
    """Return what a report says against the forms of one department.

    A figure is right when it agrees with any of the forms, at the precision it is printed with. Findings name no cell
    but that of the execution score: the report, too, may be what is wrong.

    Args:
        report: The report.
        forms: The department's forms (``FormResult``), all of those the report may speak of.
    """
    if not forms:
        return []
    said = [mention for sentence in report.sentences for mention in _mentions(sentence, _years(forms))]
    said = list(_with_units(said, forms))
    findings = []
    for figure in load("narrative.toml")["figure"]:
        judged = [(m, _verdict(m, figure, forms)) for m in said if m.key == figure["key"]]
        wrong = [(mention, known) for mention, known in judged if known is not None and known != AGREES]
        if figure["strict"] or all(known != AGREES for _, known in judged):
            findings += [_finding(report, figure, mention, known) for mention, known in wrong]
    return [*findings, *_shares(report)]


def _years(forms: Iterable[FormResult]) -> frozenset[str]:
    return frozenset(str(form["year"]) for form in forms if form["year"])


class _Mention(NamedTuple):
    """A figure a sentence states: which one, its value and unit as written, the sentence.

    ``units`` are those that the form's amounts may be in, for a sum of money.
    """

    key: str
    value: str
    unit: str
    sentence: str
    units: tuple[str, ...] = ()


def _mentions(sentence: str, years: frozenset[str]) -> Iterator[_Mention]:
    """Yield the figures of a sentence that are about the form's year and its whole."""
    text = "".join(unicodedata.normalize("NFKC", sentence).split())
    for figure in load("narrative.toml")["figure"]:
        taken: list[tuple[int, int]] = []
        for match in (m for pattern in _patterns(figure["key"]) for m in pattern.finditer(text)):
            overlaps = any(match.start() < end and start < match.end() for start, end in taken)
            taken.append(match.span())
            if not overlaps and _about_the_form(text, match, figure, years):
                unit = match.groupdict().get("unit") or ""
                yield _Mention(figure["key"], match["value"], unit, sentence)


@cache
def _patterns(key: str) -> tuple[re.Pattern[str], ...]:
    figure = next(figure for figure in load("narrative.toml")["figure"] if figure["key"] == key)
    return tuple(re.compile(pattern) for pattern in figure["patterns"])


def _about_the_form(text: str, match: re.Match[str], figure: Mapping[str, Any], years: frozenset[str]) -> bool:
    """Whether nothing in the sentence says that a figure is about something else."""
    data = load("narrative.toml")
    ends = re.escape(data["clause_ends"])
    clause_start = max((m.end() for m in re.finditer(f"[{ends}]", text[: match.start()])), default=0)
    following = re.search(f"[{ends}]", text[match.end() :])
    clause = text[clause_start : match.end() + (following.start() if following else len(text))]
    last = re.findall(data["year"], text[: match.end()])[-1:]
    if last and last[0] not in years:
        return False
    if any(re.search(word, text[: match.start()]) for word in data["before"]):
        return False
    return not any(re.search(word, clause) for word in (*data["around"], *figure["not"]))


def _verdict(mention: _Mention, figure: Mapping[str, Any], forms: Sequence[FormResult]) -> str | None:
    """``AGREES``, else the forms' figure; None where they have none to compare with."""
    known = []
    for form in forms:
        for shown in _figures(form, figure["key"]):
            agrees = _COMPARED[figure["kind"]](mention, shown, form)
            if agrees:
                return AGREES
            if agrees is not None:
                known.append(shown)
    return known[0] if known else None


def _figures(form: FormResult, key: str) -> Iterator[str]:
    """The form's own figures of a kind, as typed first, those it stands for otherwise after it."""
    execution = form["execution"]
    figures: dict[str, tuple[str | None, ...]] = {"total": (form["self_total"],), "grade": (form["self_grade"],)}
    if execution is not None:
        figures["budget"], figures["executed"] = (execution["budget"],), (execution["executed"],)
        figures["rate"] = (execution["self_rate"], execution["rate"])
    yield from (figure for figure in figures.get(key, ()) if figure)


def _points_agree(mention: _Mention, shown: str, _form: FormResult) -> bool | None:
    known = number(shown)
    return None if known != known else _agrees(mention.value, known)


def _with_units(said: Sequence[_Mention], forms: Sequence[FormResult]) -> Iterator[_Mention]:
    """Yield the figures, sums of money with the units that the form's amounts may be in."""
    data = load("narrative.toml")
    money = [mention for mention in said if mention.unit in data["unit"]]
    units = [*data["usual_units"], *(mention.unit for mention in money)]
    for unit in data["unit"]:
        alike = (mention._replace(units=(unit,)) for mention in money)
        agreed = {
            m.key for m in alike for form in forms for shown in _figures(form, m.key) if _money_agrees(m, shown, form)
        }
        if len(agreed) > 1:
            units.append(unit)
    allowed = tuple(dict.fromkeys(units))
    return (mention._replace(units=allowed) if mention.unit in data["unit"] else mention for mention in said)


def _money_agrees(mention: _Mention, shown: str, _form: FormResult) -> bool | None:
    """The result does not say the form's unit: a figure agrees if it does so in any that it may be in."""
    known = number(shown)
    if known != known:
        return None
    said, scales = mention.value.replace(",", ""), load("narrative.toml")["unit"]
    return any(_agrees(said, known * scales[unit] / scales[mention.unit]) for unit in mention.units)


def _percent_agrees(mention: _Mention, shown: str, _form: FormResult) -> bool | None:
    known = number(shown.rstrip("%％"))
    if known != known:
        return None
    shares = (known,) if shown.rstrip().endswith(("%", "％")) else (known, known * 100)
    return any(_agrees(mention.value, share) for share in shares)


def _grade_agrees(mention: _Mention, shown: str, form: FormResult) -> bool | None:
    try:
        rulebook = load_rulebook(form["rulebook"] or _USUAL)
    except PerfevalError:
        rulebook = load_rulebook(_USUAL)
    said, known = grade_alias(mention.value, rulebook), grade_alias(shown, rulebook)
    return None if said is None or known is None else said == known


_COMPARED = {
    "points": _points_agree, "money": _money_agrees, "percent": _percent_agrees, "grade": _grade_agrees,
}  # fmt: skip


def _agrees(said: str, known: float) -> bool:
    """Whether a printed figure is ``known``, rounded or cut to the places it is printed with."""
    return abs(float(said) - known) < _last_place(said) - _NEAR


def _last_place(figure: str) -> float:
    return float(10.0 ** -len(figure.partition(".")[2]))


def _finding(report: Report, figure: Mapping[str, Any], mention: _Mention, known: str) -> Finding:
    found = f"{mention.value}{mention.unit}"
    return Finding(figure["code"], None, figure["field"], found, known, _quoted(report, mention.sentence))


def _quoted(report: Report, sentence: str) -> dict[str, str]:
    longest = load("narrative.toml")["longest_quote"]
    quote = sentence if len(sentence) <= longest else f"{sentence[: longest - 1]}…"
    return {"file": report.name, "sentence": quote}


def _shares(report: Report) -> Iterator[Finding]:
    """Shares of one whole, in one sentence, that add up to more than all of it."""
    data = load("narrative.toml")["shares"]
    for sentence in report.sentences:
        text = "".join(unicodedata.normalize("NFKC", sentence).split())
        wholes: dict[str, list[str]] = {}
        for match in re.finditer(data["pattern"], text):
            wholes.setdefault(match["of"], []).append(match["value"])
        for shares in wholes.values():
            total = sum(map(float, shares))
            if len(shares) >= data["fewest"] and total > 100 + len(shares) * max(map(_last_place, shares)):
                yield Finding(data["code"], None, data["field"], f"{total:g}%", "100%", _quoted(report, sentence))
