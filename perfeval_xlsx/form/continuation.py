"""One form over several sheets: where a sheet goes on with the form of the sheet before, both are read as one.

The rows of the next sheet are laid below those of the sheet before (above its total, where that has it), without the
head that the page repeats, and read like one sheet. What is read counts where the evidence agrees: no title, head,
goals or funds of its own, the same columns, every row of both sheets in one grid, points that still fit one form, and
levels that do not begin anew. Else both are left as they were read alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from perfeval_xlsx.form.formulas import formulas_of
from perfeval_xlsx.form.grid import Grid
from perfeval_xlsx.form.labels import pattern, plain_row, says_on
from perfeval_xlsx.form.locate import fund_header, indicator_headers
from perfeval_xlsx.form.model import Form, FormulaCell, IndicatorRow, Page
from perfeval_xlsx.form.title import is_continued, is_title
from perfeval_xlsx.workbook import Merge, Sheet, a1, on_sheet, row_column

Read = Callable[[Sheet], list[Form]]
_FIGURE = re.compile(r"\d{1,3}(?:\.\d+)?")
_WHOLE, _CLOSE = 100.0, 0.5
_FIRST_ROWS = 4
"""Rows at the top of a sheet in which it may say that it goes on."""
_SHARE = 0.6
"""From this share of rows with points on, rows without a header are a grid's."""


@dataclass(slots=True)
class Group:
    """A sheet, or several that hold one form.

    Attributes:
        sheets: The sheets.
        forms: The forms read from them.
        pages: Their rows in the order of the form that they hold together; empty for one sheet.
        says: The (first) sheet says that it goes on with the form before.
    """

    sheets: list[Sheet]
    forms: list[Form]
    pages: list[Page] = field(default_factory=list)
    says: bool = False


def gathered(read: Iterable[tuple[Sheet, list[Form]]], aside: Callable[[Sheet], bool], again: Read) -> list[Group]:
    """Join the sheets that go on with the form of the sheet before.

    Args:
        read: The workbook's sheets with the forms each holds by itself.
        aside: Whether a sheet (hidden, an example) does not count beside others; such a one is never joined.
        again: Reads the forms of a sheet.
    """
    groups: list[Group] = []
    before: Group | None = None
    for sheet, forms in read:
        group = Group([sheet], forms)
        if not sheet.cells or aside(sheet):
            groups.append(group)
            continue
        group.says = before is not None and _says_on(sheet)
        joined = _joined(before, group, again) if before is not None and _may_go_on(before, group) else None
        if before is None or joined is None:
            groups.append(group)
            before = group
        else:
            groups[groups.index(before)] = before = joined
    return groups


def reread(group: Group, again: Read) -> list[Form]:
    """Read a group again, its formulas computed."""
    alone = again(group.sheets[0])
    if not group.pages:
        return alone
    at = max(len(alone) - 1, 0)
    following = again(group.sheets[-1])
    return [*alone[:at], _whole(group.sheets, group.pages, again)[at], *following[1:]]


def _says_on(sheet: Sheet) -> bool:
    """Whether a sheet says that it goes on, by its name or in its first rows."""
    if pattern("continued", "sheet").search(sheet.name):
        return True
    last = min(row for row, _ in sheet.cells) + _FIRST_ROWS
    return any(says_on(cell.text) for (row, _), cell in sheet.cells.items() if row < last)


def _may_go_on(before: Group, group: Group) -> bool:
    """Whether a sheet may go on with the last form of the sheet before: it opens with no form of its own."""
    last = before.forms[-1] if before.forms else None
    first = group.forms[0] if group.forms else None
    if first is None:
        return last is not None and (group.says or _total_row(last) is None)
    if first.funds or any(first.goals.values()):
        return False
    return last is None or _total_row(last) is None or _total_row(first) is None


def _total_row(form: Form) -> int | None:
    """The form's row of its total below the grid (one in the head says nothing about where the grid ends)."""
    last = max((row.row for row in form.indicators), default=0)
    return min((row for row in map(form.row_of, form.total_cells.values()) if row > last), default=None)


class _Top(NamedTuple):
    """How a sheet begins: its first row that counts, whether it says that it goes on, whether it has a header."""

    first: int
    says: bool
    header: bool


def _top(group: Group) -> _Top | None:
    """How a sheet begins; None where it opens with something else than a grid that may go on."""
    grid = Grid(group.sheets[0])
    headers = indicator_headers(grid)
    if bool(headers) != bool(group.forms) or not grid.rows:
        return None
    head = grid.rows_between(1, headers[0].top - 1) if headers else grid.rows[:_FIRST_ROWS]
    lines = [row for row in head if is_continued(grid, row)]
    checked = head if headers else grid.rows
    titled = any(is_title(grid, row) and row not in lines for row in checked)
    if titled or (checked and fund_header(grid, 1, checked[-1])):
        return None
    if not lines:
        return _Top(grid.rows[0], group.says, bool(headers))
    return _Top(headers[0].top if headers else lines[-1] + 1, True, bool(headers))


def _joined(before: Group, group: Group, again: Read) -> Group | None:
    """Both sheets as one group, None where they are not one form."""
    top, last = _top(group), before.forms[-1] if before.forms else None
    if top is None or (last is None and indicator_headers(Grid(before.sheets[-1]))):
        return None
    sheets, pages = [*before.sheets, *group.sheets], _pages(before, last, group.sheets[0], top)
    whole = _whole(sheets, pages, again)
    at = max(len(before.forms) - 1, 0)
    if len(whole) <= at or not _is_one(last, group.forms[0] if group.forms else None, whole[at], top):
        return None
    return Group(sheets, [*before.forms[:at], whole[at], *group.forms[1:]], pages, before.says)


def _pages(before: Group, last: Form | None, sheet: Sheet, top: _Top) -> list[Page]:
    """The stretches of rows in the form's order: the next sheet's come below, or above the total already met."""
    own = before.sheets[0]
    pages = before.pages or [Page(own.name, own.index, 1, _last_row(own), 0)]
    total = None if last is None else _total_row(last)
    if total is None:
        return [*pages, _below(pages, sheet, top.first)]
    foot = pages[-1]
    first = total - foot.above
    pages = [*pages[:-1], foot._replace(last=first - 1)]
    mine = _below(pages, sheet, top.first)
    return [*pages, mine, foot._replace(first=first, above=mine.last + mine.above - first + 1)]


def _below(pages: Sequence[Page], sheet: Sheet, first: int) -> Page:
    above = pages[-1].last + pages[-1].above
    return Page(sheet.name, sheet.index, first, _last_row(sheet), above - first + 1)


def _last_row(sheet: Sheet) -> int:
    """The last row that holds something, but for a line that says the form goes on."""
    grid = Grid(sheet)
    texts = grid.texts(grid.rows[-1])
    onward = len(texts) == 1 and pattern("continued", "onward").match(plain_row(texts[0][1]))
    return grid.rows[-2] if onward and len(grid.rows) > 1 else grid.rows[-1]


def _whole(sheets: Sequence[Sheet], pages: Sequence[Page], again: Read) -> list[Form]:
    """Read the sheets as one; every address is told with its sheet."""
    laid = Sheet(sheets[0].name, sheets[0].index, sheets[0].state)
    by_index = {sheet.index: sheet for sheet in sheets}
    for page in pages:
        sheet = by_index[page.sheet_index]
        inside = range(page.first, page.last + 1)
        cells = ((place, cell) for place, cell in sheet.cells.items() if place[0] in inside)
        laid.cells.update(((row + page.above, column), cell) for (row, column), cell in cells)
        laid.merges += _merges(sheet, page)
    forms = again(laid)
    for form in forms:
        _tell(form, pages, by_index)
    return forms


def _merges(sheet: Sheet, page: Page) -> Iterator[Merge]:
    for merge in sheet.merges:
        if page.first <= merge.top <= page.last:
            bottom = min(merge.bottom, page.last) + page.above
            yield Merge(merge.top + page.above, merge.left, bottom, merge.right)


def _tell(form: Form, pages: Sequence[Page], sheets: dict[int, Sheet]) -> None:
    """Write every address of a form as its sheet has it, and take its formulas from there."""

    def told(address: str) -> str:
        row, column = row_column(address)
        page = next((page for page in pages if page.first <= row - page.above <= page.last), pages[-1])
        own = a1(row - page.above, column)
        return own if page.sheet_index == form.sheet_index else on_sheet(page.sheet, own)

    def all_told(cells: dict[str, str]) -> dict[str, str]:
        return {name: told(cell) for name, cell in cells.items()}

    for fund in form.funds:
        fund.cells = all_told(fund.cells)
    for row in (*form.indicators, *form.left_out):
        row.cells = all_told(row.cells)
    form.goal_cells, form.total_cells = all_told(form.goal_cells), all_told(form.total_cells)
    form.head_cells, form.note_cells = all_told(form.head_cells), [told(cell) for cell in form.note_cells]
    form.findings = [replace(found, cell=told(found.cell)) if found.cell else found for found in form.findings]
    form.pages = [page for page in (_cut(page, form.extent) for page in pages) if page.first <= page.last]
    form.formulas = [found for page in form.pages for found in _formulas(sheets[page.sheet_index], page, form)]


def _cut(page: Page, extent: tuple[int, int]) -> Page:
    """The part of a page that a form takes."""
    return page._replace(first=max(page.first, extent[0] - page.above), last=min(page.last, extent[1] - page.above))


def _formulas(sheet: Sheet, page: Page, form: Form) -> Iterator[FormulaCell]:
    for found in formulas_of(sheet, page.first, page.last):
        elsewhere = page.sheet_index != form.sheet_index
        yield replace(found, cell=on_sheet(page.sheet, found.cell)) if elsewhere else found


def _is_one(last: Form | None, following: Form | None, whole: Form, top: _Top) -> bool:
    """Whether the evidence agrees that what was read as one is one form."""
    if last is None:  # the sheet before holds the head alone
        return following is not None and bool(whole.title and whole.funds) and _rows(whole) == _rows(following)
    if not whole.pages or not _rows(last) or (following is not None and not _fits_head(last, following, top)):
        return False
    if following is not None and _rows(whole) != _rows(last) + _rows(following):
        return False
    if not _same_rows(last, whole):
        return False
    own = whole.indicators[len(last.indicators) :]
    if not own:
        return following is None and _ends(last, whole)
    if not (top.header or _are_rows(own)):
        return False
    return _points_fit(last, whole, top) and _levels_go_on(last, own, top)


def _rows(form: Form) -> int:
    return len(form.indicators)


def _same_rows(last: Form, whole: Form) -> bool:
    """Whether the rows of the sheet before are what they were."""
    pairs = zip(last.indicators, whole.indicators, strict=False)
    return _rows(whole) >= _rows(last) and all(own.cells == other.cells for own, other in pairs)


def _ends(last: Form, whole: Form) -> bool:
    """Whether the next sheet holds nothing but the total that the sheet before lacks, with the sum of its points."""
    if _total_row(last) is not None or _total_row(whole) is None:
        return False
    together, written = _sum(whole.indicators), _figure(whole.total.get("weight"))
    return written > 0 and any(abs(points - written) < _CLOSE for points in (together, together + _execution(last)))


def _fits_head(last: Form, following: Form, top: _Top) -> bool:
    """Whether a form of its own says nothing that the form before does not say: head and title only repeated."""
    if not top.says:
        return following.title is None and following.org is None and following.project is None
    return following.org in {None, last.org} and following.project in {None, last.project}


def _are_rows(rows: Sequence[IndicatorRow]) -> bool:
    """Whether rows below no header stand in the columns of the header above: names, and points where these are."""
    named = [row for row in rows if row.values.get("level3") and row.values.get("target")]
    if len(named) < _SHARE * len(rows):
        return False
    return "weight" not in rows[0].cells or sum(_points(row) is not None for row in rows) >= _SHARE * len(rows)


def _points(row: IndicatorRow) -> float | None:
    text = plain_row(row.values.get("weight") or "").removesuffix("分")
    return float(text) if _FIGURE.fullmatch(text) else None


def _sum(rows: Iterable[IndicatorRow]) -> float:
    return sum(_points(row) or 0.0 for row in rows)


def _points_fit(last: Form, whole: Form, top: _Top) -> bool:
    """Whether the points of both sheets are one form's: no more than 100, and the rest of what the first one has.

    Below a form with a total of its own they must make it whole, or the sheet say that it goes on.
    """
    first, together = _sum(last.indicators), _sum(whole.indicators)
    if together > _WHOLE + _CLOSE or (first > 0 and together == first):
        return False
    execution = _execution(last)
    full = any(abs(whole_points - _WHOLE) < _CLOSE for whole_points in (together, together + execution))
    if _total_row(last) is not None and not (full or (top.says and not first)):
        return False
    return not (first and abs(first + execution - _WHOLE) < _CLOSE)


def _execution(form: Form) -> float:
    """Points of the execution score, 0 where the form has none."""
    return sum(_figure(fund.values.get("weight")) for fund in form.funds if fund.role == "total")


def _figure(text: str | None) -> float:
    folded = plain_row(text or "").removesuffix("分")
    return float(folded) if _FIGURE.fullmatch(folded) else 0.0


def _levels_go_on(last: Form, rows: Sequence[IndicatorRow], top: _Top) -> bool:
    """Whether no level begins anew that the sheet before has closed, but where the sheet says that it goes on."""
    before = [row.values.get("level1") for row in last.indicators]
    closed = {level for level in before if level and level != before[-1]}
    return top.says or closed.isdisjoint(row.values.get("level1") for row in rows)
