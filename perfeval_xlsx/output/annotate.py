"""The reviewed copy: 复核得分 and 复核意见 beside the grid, disputed cells marked; everything else stays as it is."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from perfeval_xlsx.data import load
from perfeval_xlsx.findings import Finding, Lang, PerfevalError
from perfeval_xlsx.form.model import Form
from perfeval_xlsx.output.desk_rows import wide
from perfeval_xlsx.output.fill import Filling
from perfeval_xlsx.output.outcome import finding_result
from perfeval_xlsx.output.problem_store import covered
from perfeval_xlsx.output.problems import check_words
from perfeval_xlsx.output.relaid import relaid_note, write_relaid
from perfeval_xlsx.output.review import printed_places, review_kind
from perfeval_xlsx.scoring.compare import row_of
from perfeval_xlsx.scoring.result import FormResult
from perfeval_xlsx.workbook import (
    LegacyWorkbook,
    Refusal,
    Sheet,
    Workbook,
    a1,
    open_workbook,
    row_column,
)
from perfeval_xlsx.workbook.patch import TAG
from perfeval_xlsx.workbook.restyle import Look, dressing
from perfeval_xlsx.workbook.save import Copy, save_copies

Place = tuple[int, int]
_HEIGHT = re.compile(rb"\bht=[\"']([0-9.]+)")
_DISPUTED = frozenset({"error", "warning"})
_TOGETHER = 32
"""Copies made together: each holds the values and looks of two columns until it is written, some 60 KB."""


def annotate_all(fillings: Sequence[Filling], *, lang: Lang = "zh", durable: bool = True) -> list[PerfevalError | None]:
    """Write copies of workbooks with two columns right of each form and its disputed cells marked.

    The scores in the form itself stay as they are typed. Formats are appended to the file's own, so that nothing in it
    changes its look; where a cell cannot be written, the form's result gets a finding. A workbook that cannot be
    patched (.xls, .ods …) is laid out anew first, and the first form's result says so.

    Args:
        fillings: The workbooks with their forms and results, with all findings.
        lang: Language of the words we add.
        durable: Flush to disk before replacing.

    Returns:
        Why each copy is not there (it cannot be written or does not verify), None where it is.
    """
    groups = (fillings[at : at + _TOGETHER] for at in range(0, len(fillings), _TOGETHER))
    return [failed for group in groups for failed in _annotate(group, lang, durable=durable)]


def _annotate(fillings: Sequence[Filling], lang: Lang, *, durable: bool) -> list[PerfevalError | None]:
    """Annotate copies whose values and looks are in memory together."""
    copies = [_copied(one, lang) for one in fillings]
    save_copies([copy.copy for copy in copies if isinstance(copy, _Annotated)], durable=durable)
    for one, copy in zip(fillings, copies, strict=True):
        if isinstance(copy, _Annotated) and copy.copy.failed is None:
            for refusal in copy.copy.refused:
                _report(refusal, copy.pages[refusal.sheet], one.forms, one.results, lang)
    return [copy.copy.failed if isinstance(copy, _Annotated) else copy for copy in copies]


class _Annotated(NamedTuple):
    """A copy that is to be saved, and what its sheets get by their position."""

    copy: Copy
    pages: Mapping[int, _Page]


def _copied(one: Filling, lang: Lang) -> _Annotated | PerfevalError:
    """The copy that is to be saved, or why there can be none."""
    try:
        book = one.book if isinstance(one.book, Workbook) else _laid_out(one, one.book, lang)
        pages = _pages(book, one.forms, one.results, lang)
    except PerfevalError as error:
        return error
    looks = {index: page.looks for index, page in pages.items()}
    finish = dressing(book, looks, {index: page.widths() for index, page in pages.items()})
    return _Annotated(Copy(book, {index: page.values for index, page in pages.items()}, one.target, finish), pages)


def _laid_out(one: Filling, book: LegacyWorkbook, lang: Lang) -> Workbook:
    """A workbook in a format that has no lossless writer, laid out anew."""
    one.results[0]["findings"].append(finding_result(relaid_note(book), lang))
    with TemporaryDirectory() as folder:
        laid = Path(folder) / f"{Path(one.target).stem}.xlsx"
        write_relaid(book, {}, laid, durable=False)
        return open_workbook(laid)


def _pages(book: Workbook, forms: Sequence[Form], results: Sequence[FormResult], lang: Lang) -> dict[int, _Page]:
    """What the sheets of a workbook's forms get, by their position."""
    spans = [span for form in forms for span in form.spans()]
    pages = {
        index: _Page(book, book.sheet(index), _free_column(book, index, [s for s in spans if s[0] == index]))
        for index in dict.fromkeys(index for index, _, _ in spans)
    }
    for at, (form, result) in enumerate(zip(forms, results, strict=True)):
        beside = sum(_share_rows(form, other) for other in forms[:at])
        for index, _, _ in form.spans():
            pages[index].turn_to(beside)
        _annotate_form(pages, form, result, lang)
    return pages


@dataclass(slots=True)
class _Page:
    """What one sheet gets: values and looks by row and column.

    Attributes:
        first: First column right of the forms.
        column: First of the two columns of the form at hand; ``last`` that of the last form so far.
    """

    book: Workbook
    sheet: Sheet
    first: int
    column: int = 0
    last: int = 0
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

    def room(self, row: int) -> float:
        """How many lines fit in a row; as many as there are where it has no height of its own."""
        layout = self.book.layout(self.sheet.index)
        place = layout.rows.get(row) if layout is not None else None
        tag = TAG.match(layout.part, place.start) if layout is not None and place is not None else None
        height = _HEIGHT.search(tag[2]) if tag is not None else None
        return math.inf if height is None else float(height[1]) // load("desk.toml")["annotate"]["line_height"]

    def turn_to(self, beside: int) -> None:
        """Take the columns of a form with ``beside`` other ones on the same rows before it."""
        self.column = self.first + 2 * beside
        self.last = max(self.last, self.column)

    def widths(self) -> dict[int, float]:
        """Widths of the columns that are added."""
        score = float(load("desk.toml")["annotate"]["score_width"])
        columns = range(self.first, self.last + 1, 2)
        return {at: width for c in columns for at, width in ((c, score), (c + 1, self._opinion_width(c + 1)))}

    def _opinion_width(self, opinions: int) -> float:
        """Width of an opinions' column: what its lines need, as far as the form stays legible beside it."""
        column = [str(text) for (_, column), text in self.values.items() if column == opinions]
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


def _share_rows(form: Form, other: Form) -> bool:
    """Whether two forms stand side by side: on the same rows of a sheet."""
    return any(
        index == theirs and first <= end and begin <= last
        for index, first, last in form.spans()
        for theirs, begin, end in other.spans()
    )


def _free_column(book: Workbook, index: int, spans: Sequence[tuple[int, int, int]]) -> int:
    """The first column right of all that stands in some rows of a sheet, framed blank cells included."""
    sheet, layout = book.sheet(index), book.layout(index)
    rows = {row for _, first, last in spans for row in range(first, last + 1)}
    used = [column for row, column in sheet.cells if row in rows]
    used += [merge.right for merge in sheet.merges if not rows.isdisjoint(range(merge.top, merge.bottom + 1))]
    framed = [column for row, column in layout.blanks if row in rows] if layout is not None else []
    limit = book.package.limits.columns - 2
    return max((column for column in [*used, *framed] if column <= limit), default=0) + 1


def _annotate_form(pages: Mapping[int, _Page], form: Form, result: FormResult, lang: Lang) -> None:
    texts, fills = _Texts(lang), load("desk.toml")["annotate"]["fill"]
    codes: dict[int, list[str]] = defaultdict(list)
    whole = _total_row(form) or form.extent[0]
    lines = {line.row: line for line in _lines(form, result, texts)}
    weights = load("desk.toml")["severity"]
    found = [finding for finding in result["findings"] if not covered(finding, result["findings"])]
    for finding in sorted(found, key=lambda found: -weights[found["severity"]]["weight"]):
        cell = finding["cell"]
        codes[form.row_of(cell) if cell and row_of(cell) else whole].append(finding["code"])
        if cell and finding["severity"] in _DISPUTED:
            index, address = form.place(cell)
            pages[index].mark(address, fills[finding["severity"]])
    for number in sorted({*lines, *codes}):
        index, row = form.row_place(number)
        page, known = pages[index], lines.get(number)
        like = row_column(form.place(known.cell)[1]) if known and known.cell else (row, max(1, page.column - 1))
        said = list(dict.fromkeys(codes.get(number, ())))
        opinion = texts.opinion(known.opinion if known else "", said, page.room(row))
        fill = fills["open" if known and known.open else "column"]
        page.put(row, known.score if known else None, opinion, like, fill)
    for number in _heading_rows(form) - {*lines, *codes}:
        index, row = form.row_place(number)
        _head(pages[index], row, lang, fills["header"])


@dataclass(frozen=True, slots=True)
class _Line:
    """A row of the form that has a score: what stands beside it."""

    row: int
    cell: str | None
    score: str | None
    opinion: str
    open: bool = False


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
        return _Line(number, row["cell"], row["score"], texts.short(row["basis"]))
    if kind == "disputed":
        return _Line(number, row["cell"], row["score"], texts.template("disputed", row))
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

    def opinion(self, own: str, codes: Sequence[str], room: float) -> str:
        """What stands beside a row: its own opinion, then code and title of each finding, where these have room.

        Titles that the row's own opinion says, or that would be cut off by its height, are left out: only the codes
        stand there. The whole messages are in the list of findings.
        """
        said = [code for code in codes if own and code in self.data["annotate"]["said"]]
        titled = [self.finding(code) for code in codes if code not in said]
        lines = [" ".join([*said, own]), *titled] if own else titled
        if len(lines) > room:
            lines = [" ".join([*codes, own]) if own else " ".join([titled[0], *codes[1:]])]
        return "\n".join(lines)

    def finding(self, code: str) -> str:
        return self.template("finding", {"code": code, "title": check_words(code, self.lang)[0]})

    def short(self, opinion: str) -> str:
        longest = int(self.data["annotate"]["longest"])
        return opinion if len(opinion) <= longest else f"{opinion[: longest - 1]}…"


def _total_row(form: Form) -> int | None:
    cell = form.total_cells.get("score") or next(iter(form.total_cells.values()), None)
    return form.row_of(cell) if cell else None


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
        if form.holds(refusal.sheet, refusal.row):
            cell = form.address(refusal.sheet, a1(refusal.row, refusal.column))
            finding = Finding("S11", cell, None, None, str(value), facts)
            result["findings"].append(finding_result(finding, lang))
