"""The reviewed copy: 复核得分 and 复核意见 beside the grid, disputed cells marked; everything else stays as it is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from perfeval_xlsx.data import load
from perfeval_xlsx.findings import Finding, Lang
from perfeval_xlsx.form.model import Form
from perfeval_xlsx.output.desk_book import wide
from perfeval_xlsx.output.outcome import finding_result
from perfeval_xlsx.output.problem_store import covered
from perfeval_xlsx.output.relaid import relaid_note, write_relaid
from perfeval_xlsx.output.review import printed_places, review_kind
from perfeval_xlsx.scoring.compare import row_of
from perfeval_xlsx.scoring.result import FormResult
from perfeval_xlsx.workbook import (
    AnyWorkbook,
    Refusal,
    Sheet,
    Workbook,
    a1,
    open_workbook,
    row_column,
    save_copy,
)
from perfeval_xlsx.workbook.restyle import Look, dressing

Place = tuple[int, int]
_DISPUTED = frozenset({"error", "warning"})


def annotate(
    book: AnyWorkbook,
    forms: Sequence[Form],
    results: Sequence[FormResult],
    target: Path,
    *,
    lang: Lang = "zh",
    durable: bool = True,
) -> None:
    """Write ``target``, a copy of ``book`` with two columns right of each form and its disputed cells marked.

    The scores in the form itself stay as they are typed. Formats are appended to the file's own, so that nothing in it
    changes its look; where a cell cannot be written, the form's result gets a finding. A workbook that cannot be
    patched (.xls, .ods …) is laid out anew first, and the first form's result says so.

    Args:
        book: The opened workbook.
        forms: Its forms.
        results: Their results with all findings, in the same order.
        target: Path of the copy; replaced at once.
        lang: Language of the words we add.
        durable: Flush to disk before replacing.

    Raises:
        PerfevalError: The copy cannot be written or does not verify.
    """
    if isinstance(book, Workbook):
        _annotate(book, forms, results, target, lang, durable=durable)
        return
    results[0]["findings"].append(finding_result(relaid_note(book), lang))
    with TemporaryDirectory() as folder:
        laid = Path(folder) / f"{target.stem}.xlsx"
        write_relaid(book, {}, laid, durable=False)
        _annotate(open_workbook(laid), forms, results, target, lang, durable=durable)


def _annotate(
    book: Workbook, forms: Sequence[Form], results: Sequence[FormResult], target: Path, lang: Lang, *, durable: bool
) -> None:
    pages: dict[int, _Page] = {}
    for form in forms:
        if form.sheet_index not in pages:
            mine = [other for other in forms if other.sheet_index == form.sheet_index]
            pages[form.sheet_index] = _Page(book, book.sheet(form.sheet_index), _free_column(book, mine))
    for form, result in zip(forms, results, strict=True):
        _annotate_form(pages[form.sheet_index], form, result, lang)
    data = load("desk.toml")["annotate"]
    widths = {
        index: {page.column: data["score_width"], page.column + 1: page.opinion_width()}
        for index, page in pages.items()
    }
    finish = dressing(book, {index: page.looks for index, page in pages.items()}, widths)
    edits = {index: page.values for index, page in pages.items()}
    for refusal in save_copy(book, edits, target, durable=durable, finish=finish):
        _report(refusal, pages[refusal.sheet], forms, results, lang)


@dataclass(slots=True)
class _Page:
    """What one sheet gets: values and looks by row and column."""

    book: Workbook
    sheet: Sheet
    column: int
    values: dict[Place, str | float] = field(default_factory=dict)
    looks: dict[Place, Look] = field(default_factory=dict)

    def style(self, place: Place) -> int:
        return self.book.style_at(self.sheet.index, *place)

    def mark(self, cell: str, fill: str) -> None:
        """Give a cell of the form a ground; a merged range shows that of its first cell."""
        row, column = row_column(cell)
        for merge in self.sheet.merges:
            if merge.top <= row <= merge.bottom and merge.left <= column <= merge.right:
                row, column = merge.top, merge.left
        self.looks[row, column] = Look(self.style((row, column)), fill)

    def opinion_width(self) -> float:
        """Width of the opinions' column: the form's rows keep their heights, so that each line should fit."""
        column = [str(text) for (_, column), text in self.values.items() if column == self.column + 1]
        least, most = load("desk.toml")["annotate"]["opinion_width"]
        return float(min(most, max([least, *(wide(line) + 2 for text in column for line in text.split("\n"))])))

    def put(self, row: int, score: str | None, opinion: str, like: Place, fill: str) -> None:
        """Write a row's two cells, in the hand of the cell ``like``."""
        base = self.style(like)
        if score is not None:
            self.values[row, self.column] = float(score)
        if opinion:
            self.values[row, self.column + 1] = opinion
        self.looks[row, self.column] = Look(base, fill, general=True)
        self.looks[row, self.column + 1] = Look(base, fill, wrapped=True, general=True)


def _free_column(book: Workbook, forms: Sequence[Form]) -> int:
    """The first column right of all that stands in the rows of a sheet's forms, framed blank cells included."""
    sheet, layout = book.sheet(forms[0].sheet_index), book.layout(forms[0].sheet_index)
    rows = {row for form in forms for row in range(form.extent[0], form.extent[1] + 1)}
    used = [column for row, column in sheet.cells if row in rows]
    used += [merge.right for merge in sheet.merges if not rows.isdisjoint(range(merge.top, merge.bottom + 1))]
    framed = [column for row, column in layout.blanks if row in rows] if layout is not None else []
    limit = book.package.limits.columns - 2
    return max((column for column in [*used, *framed] if column <= limit), default=0) + 1


def _annotate_form(page: _Page, form: Form, result: FormResult, lang: Lang) -> None:
    texts, fills = _Texts(lang), load("desk.toml")["annotate"]["fill"]
    opinions: dict[int, list[str]] = defaultdict(list)
    whole = _total_row(form) or form.extent[0]
    told = {finding["cell"] for finding in result["findings"] if finding["severity"] in _DISPUTED}
    lines = {line.row: line for line in _lines(form, result, texts)}
    for line in lines.values():
        if line.opinion and not (line.disputed and line.cell in told):
            opinions[line.row].append(line.opinion)
    weights = load("desk.toml")["severity"]
    found = [finding for finding in result["findings"] if not covered(finding, result["findings"])]
    for finding in sorted(found, key=lambda found: -weights[found["severity"]]["weight"]):
        row = row_of(finding["cell"]) or whole
        opinions[row].append(texts.finding(finding))
        if finding["cell"] and finding["severity"] in _DISPUTED:
            page.mark(finding["cell"], fills[finding["severity"]])
    for row in sorted({*lines, *opinions}):
        known = lines.get(row)
        like = row_column(known.cell) if known and known.cell else (row, max(1, page.column - 1))
        opinion = "\n".join(dict.fromkeys(opinions.get(row, ())))
        fill = fills["open" if known and known.open else "column"]
        page.put(row, known.score if known else None, opinion, like, fill)
    for row in _heading_rows(form) - {*lines, *opinions}:
        _head(page, row, lang, fills["header"])


@dataclass(frozen=True, slots=True)
class _Line:
    """A row of the form that has a score: what stands beside it."""

    row: int
    cell: str | None
    score: str | None
    opinion: str
    open: bool = False
    disputed: bool = False


def _lines(form: Form, result: FormResult, texts: _Texts) -> Iterator[_Line]:
    """The rows of the grid, the execution, the total."""
    if result["status"] == "reported":
        return
    places = printed_places(result)
    for read, row in zip(form.indicators, result["indicators"], strict=True):
        yield _line(read.row, row, places, texts)
    fund = next((fund for fund in form.funds if fund.role == "total"), None)
    if fund is not None and result["execution"] is not None:
        yield _line(fund.row, result["execution"], places, texts)
    total = _total_row(form)
    if total is not None:
        opinion = texts.template("ungraded" if result["grade"] is None else "total", result)
        yield _Line(total, form.total_cells.get("score"), result["total"], opinion if result["total"] else "")


def _line(number: int, row: Mapping[str, Any], places: int, texts: _Texts) -> _Line:
    kind = review_kind(row, places)
    if kind == "reviewed":
        return _Line(number, row["cell"], row["score"], row["basis"])
    if kind == "disputed":
        return _Line(number, row["cell"], row["score"], texts.template("disputed", row), disputed=True)
    if kind is None:
        return _Line(number, row["cell"], row["score"] if row["status"] == "ruled" else None, "")
    key = "open" if row["score"] is None or kind == "unscorable" else "judged"
    return _Line(number, row["cell"], row["score"], texts.template(key, row), open=True)


class _Texts:
    """The words of one language."""

    def __init__(self, lang: Lang) -> None:
        self.lang, self.data = lang, load("desk.toml")

    def template(self, key: str, facts: Mapping[str, Any]) -> str:
        """Fill a template; what is not known shows as an en dash."""
        shown = {name: "–" if value is None else value for name, value in facts.items()}
        return str(self.data["annotate"][key][self.lang].format_map(shown))

    def finding(self, finding: Mapping[str, Any]) -> str:
        severity = self.data["severity"][finding["severity"]]["word"][self.lang]
        return self.template("finding", {"severity": severity, "message": finding["message"]})


def _total_row(form: Form) -> int | None:
    cell = form.total_cells.get("score") or next(iter(form.total_cells.values()), None)
    return row_of(cell)


def _heading_rows(form: Form) -> set[int]:
    """The rows above the fund table and the grid."""
    first = [min((row.row for row in rows), default=0) for rows in (form.funds, [*form.indicators, *form.left_out])]
    return {row - 1 for row in first if row - 1 >= form.extent[0]}


def _head(page: _Page, row: int, lang: Lang, fill: str) -> None:
    data = load("desk.toml")["annotate"]
    base = page.style((row, max(1, page.column - 1)))
    for column, key in ((page.column, "score"), (page.column + 1, "opinion")):
        page.values[row, column] = data[key][lang]
        page.looks[row, column] = Look(base, fill)


def _report(refusal: Refusal, page: _Page, forms: Sequence[Form], results: Sequence[FormResult], lang: Lang) -> None:
    """Say in the form's result which cell could not be written, and with what."""
    value = page.values[refusal.row, refusal.column]
    facts = {"reason": refusal.text(lang)}
    for form, result in zip(forms, results, strict=True):
        if form.sheet_index == refusal.sheet and form.extent[0] <= refusal.row <= form.extent[1]:
            finding = Finding("S11", a1(refusal.row, refusal.column), None, None, str(value), facts)
            result["findings"].append(finding_result(finding, lang))
