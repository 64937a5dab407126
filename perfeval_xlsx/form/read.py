"""From a workbook to its forms: every block located by its labels, every value with its cell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from perfeval_xlsx.findings import Finding
from perfeval_xlsx.form.columns import side_by_side, widen
from perfeval_xlsx.form.continuation import Group, gathered, reread
from perfeval_xlsx.form.doubles import settle_doubles, settle_funds
from perfeval_xlsx.form.evidence import block_findings, column_findings
from perfeval_xlsx.form.formulas import complete, formulas_of, tell, trusted
from perfeval_xlsx.form.fund_pairs import pair_points, read_columns, read_pairs
from perfeval_xlsx.form.funds import read_funds
from perfeval_xlsx.form.goals import read_goals
from perfeval_xlsx.form.grid import Grid
from perfeval_xlsx.form.header import Header
from perfeval_xlsx.form.heading import (
    begins_form,
    facts_of,
    first_row,
    read_heading,
    read_names,
    read_unit,
)
from perfeval_xlsx.form.indicators import Body, read_body, total_below
from perfeval_xlsx.form.labels import contains, plain_row, points_stated
from perfeval_xlsx.form.locate import (
    fund_header,
    indicator_headers,
    is_declaration,
    is_fund_header,
    is_list,
    is_process,
)
from perfeval_xlsx.form.model import Form
from perfeval_xlsx.form.province import province_of
from perfeval_xlsx.form.title import is_continued, is_title
from perfeval_xlsx.form.total import read_head_total, read_total
from perfeval_xlsx.workbook import AnyWorkbook, Sheet, a1


class _Located(NamedTuple):
    """A grid's header and body on a sheet, and what else is known of its form's place.

    Attributes:
        after: Last row of what stands above the form.
        before: Last row the form may take.
        top: First row of its indicator tables.
        funds: Header of its fund table, above the grid or below it.
        last: Last row the fund table may reach.
    """

    header: Header
    body: Body
    after: int
    before: int
    top: int
    funds: Header | None
    last: int


def find_forms(book: AnyWorkbook, path: str | None = None) -> list[Form]:
    """Read every form of a workbook, in the order of its sheets.

    A form on a hidden sheet, or on one named as an example, counts only where no other sheet holds one; passing it over
    is a finding of the first form.

    Args:
        book: The opened workbook.
        path: How the forms name their file; the workbook's own path by default.

    Returns:
        The forms, numbered from 1; none where the workbook holds none (see ``why_none``).

    Raises:
        PerfevalError: A sheet's part is damaged or over a limit.
    """
    name = str(book.path) if path is None else path

    passed: dict[int, Finding] = {}

    def again(sheet: Sheet) -> list[Form]:
        return _sheet_forms(sheet, name, passed)

    groups = gathered(((sheet, again(sheet)) for sheet in trusted(book)), _is_aside, again)
    computed = complete(book, [(sheet, group.forms) for group in groups for sheet in group.sheets])
    for group in groups if computed else ():
        if any(sheet.index in computed for sheet in group.sheets):
            group.forms = reread(group, again)
    held = [group for group in groups if group.forms]
    chosen = held if len(held) < 2 else [group for group in held if not _is_aside(group.sheets[0])] or held
    found = [form for group in chosen for form in group.forms]
    for number, form in enumerate(found, 1):
        form.number = number
    _note_continuations(groups)
    tell(found, (sheet for group in chosen for sheet in group.sheets), computed)
    for index, finding in passed.items() if found else ():
        found[0].findings.append(finding if index == found[0].sheet_index else replace(finding, cell=None))
    for group in held if held is not chosen else ():
        if all(group is not other for other in chosen):
            found[0].findings.append(Finding("R02", group.forms[0].first_cell, None, group.sheets[0].name))
    return found


def _note_continuations(groups: Sequence[Group]) -> None:
    """Say what may go on with the form before it and was not joined: on its sheet, or on the next one."""
    for group in groups:
        for form, following in pairwise(group.forms):
            if not form.total_cells and _headless(following) and form.funds:
                following.findings.append(Finding("R16", following.first_cell))
    if len(groups) < 2:
        return
    counted = [group for group in groups if group.sheets[0].cells and not _is_aside(group.sheets[0])]
    for before, group in pairwise(counted):
        if not before.forms:
            continue
        form, sheet = before.forms[-1], group.sheets[0]
        if not group.forms and group.says:
            form.findings.append(Finding("R20", form.first_cell, None, sheet.name))
        elif group.forms and (group.says or (_headless(group.forms[0]) and form.funds and not form.total_cells)):
            following = group.forms[0]
            following.findings.append(Finding("R10", following.first_cell, None, form.sheet, following.sheet))


def _headless(form: Form) -> bool:
    return form.title is None and not form.funds


def why_none(book: AnyWorkbook) -> list[Finding]:
    """Say why a workbook holds no form: what its tables are instead, or that there is none.

    Raises:
        PerfevalError: A sheet's part is damaged or over a limit.
    """
    for sheet in book.sheets():
        for header in indicator_headers(Grid(sheet)):
            other = _other_table(sheet, header)
            if other is not None:
                return [other]
    return [Finding("R01", None, None, book.path.name)]


def _other_table(sheet: Sheet, header: Header) -> Finding | None:
    """What a table is that has a form's header and is none."""
    code = "R03" if is_process(header) else "R04" if is_declaration(header) else None
    return Finding(code, a1(header.top, header.left), None, sheet.name) if code else None


def _is_aside(sheet: Sheet) -> bool:
    return sheet.state != "visible" or contains(sheet.name, "sheets", "example")


def _sheet_forms(sheet: Sheet, path: str, passed: dict[int, Finding]) -> list[Form]:
    """The forms of a sheet; of tables that are none the first is noted in ``passed``, by the sheet's position."""
    grid = Grid(sheet)
    headers = indicator_headers(grid)
    parts = side_by_side(grid, headers)
    if parts:
        return [form for part in parts for form in _sheet_forms(part, path, passed)]
    others = (other for header in headers if (other := _other_table(sheet, header)) is not None)
    if (other := next(others, None)) is not None and not _is_aside(sheet):
        passed[sheet.index] = other
    return [_read(grid, located, path) for located in _located(grid, headers)]


def _located(grid: Grid, headers: list[Header]) -> Iterator[_Located]:
    """Every grid of a sheet with its body, process tables and declarations left alone."""
    repeats = _repeats(grid, headers)
    headers = [header for header in headers if header.top not in repeats]
    repeated = frozenset(row for rows in repeats.values() for row in rows)
    after, top = 0, 0
    for at, header in enumerate(headers):
        limit = headers[at + 1].top - 1 if at + 1 < len(headers) else (grid.rows[-1] if grid.rows else 0)
        widen(grid, header)
        settle_doubles(grid, header, limit)
        body = read_body(grid, header, limit, repeated)
        top = top or header.top
        if not (is_process(header) or is_declaration(header)):
            funds, last = fund_header(grid, after + 1, top - 1), top - 1
            if funds is None:
                funds, last = _funds_below(grid, body, limit)
            yield _Located(header, body, after, limit, top, funds, last)
            after, top = max(body.last, last), 0
        elif any(begins_form(grid, row) for row in grid.rows_between(body.last + 1, limit)):
            after, top = body.last, 0


def _funds_below(grid: Grid, body: Body, limit: int) -> tuple[Header | None, int]:
    """A fund table below the grid, and the last row it may reach: it stands before the next form's title."""
    rows = grid.rows_between(body.last + 1, limit)
    title = next((row for row in rows if is_title(grid, row)), None)
    if title is None and limit < grid.rows[-1]:
        return None, body.last
    last = limit if title is None else title - 1
    funds = fund_header(grid, body.last + 1, last)
    return funds, body.last if funds is None else last


def _repeats(grid: Grid, headers: Sequence[Header]) -> dict[int, range]:
    """Headers that go on with the form above, by first row: the rows to pass over, those between the blocks included.

    A header is repeated for the next printed page, or for the next annual goal of the same form (年度绩效目标2): the
    same columns again, and no total, title, head or fund table between.
    """
    repeats: dict[int, range] = {}
    for above, header in pairwise(headers):
        lines = [row for row in grid.rows_between(above.bottom + 1, header.top - 1) if is_continued(grid, row)]
        between = read_body(grid, above, lines[-1] - 1 if lines else header.top - 1)
        if not above.same_columns(header) or between.total_row is not None or not between.rows:
            continue
        rows = grid.rows_between(between.last + 1, header.top - 1)
        begins = [row for row in rows if begins_form(grid, row, repeated=bool(lines))]
        if not begins or _is_head_again(grid, rows, above.top):
            repeats[header.top] = range(rows[0] if rows else header.top, header.bottom + 1)
    return repeats


def _is_head_again(grid: Grid, rows: Sequence[int], before: int) -> bool:
    """Whether rows between two pages only repeat what the head above says: title, project, unit; no fund table."""
    head = {plain_row(text) for row in grid.rows_between(1, before - 1) for _, text in grid.texts(row)}
    if any(is_fund_header(grid, row) for row in rows):
        return False
    return all(plain_row(text) in head for row in rows for _, text in grid.texts(row))


def _read(grid: Grid, located: _Located, path: str) -> Form:
    """Build one form from its located blocks."""
    header, body = located.header, located.body
    form = Form(path=path, sheet=grid.sheet.name, sheet_index=grid.sheet.index, number=0, kind="project")
    form.indicators, form.left_out = body.rows, body.left_out
    funds, tables = _read_funds(form, grid, located)
    below_funds = form.funds[-1].row + 1 if form.funds and tables < located.top else located.after + 1
    goals = read_goals(form, grid, below_funds, located.top - 1)
    tables = min(tables, located.top)
    if goals is None and form.funds:
        goals = read_goals(form, grid, first_row(grid, located.after, tables), tables - 1)
    below_head = min(tables, goals or tables)
    start = first_row(grid, located.after, below_head)
    head = grid.rows_between(start, below_head - 1)
    facts = facts_of(grid, head)
    read_heading(form, grid, head, facts)
    if goals is not None and goals < tables and form.org is None:
        rows = grid.rows_between(goals + 1, tables - 1)
        read_names(form, grid, rows, facts_of(grid, rows))
    read_unit(form, grid, funds, head)
    below = located.last if form.funds and form.funds[0].row > body.last else 0
    total = body.total_row or total_below(grid, header, form.funds[-1].row + 1 if below else 1, below)
    if total is not None:
        read_total(form, grid, header, total)
    read_head_total(form, grid, head, facts)
    if funds is not None or form.funds:
        form.execution_points = _execution_points(grid, funds) if funds else pair_points(grid, form.funds[0])
    form.province = province_of(form.org, form.title, form.sheet)
    form.columns, form.others = _columns(funds, header), [(_letter(c.left), c.label) for c in header.extra]
    form.headers = {name: (block.top, block.bottom) for name, block in (("funds", funds), ("grid", header)) if block}
    end = _end(grid, located)
    held = range(tables, form.funds[-1].row + 1) if form.funds else range(0)
    above = [row for row in grid.rows_between((goals or header.top) + 1, located.top - 1) if row not in held]
    for cell, text in _notes(grid, form, above, body, end):
        form.notes.append(text)
        form.note_cells.append(cell)
    form.extent = (start, end)
    form.formulas = formulas_of(grid.sheet, start, end)
    form.findings += column_findings(grid, header, form)
    form.findings += block_findings(grid, header, funds, form, start)
    return form


def _read_funds(form: Form, grid: Grid, located: _Located) -> tuple[Header | None, int]:
    """Fill in the funds; return their header and first row, that of the indicator tables where there are none.

    Amounts beside their labels come before a mere list of amounts without a total (年度主要任务).
    """
    funds = located.funds
    if funds is not None:
        settled = settle_funds(grid, funds, located.last)
        form.funds = read_funds(grid, funds, located.last)
    if funds is None or (is_list(funds) and all(fund.role != "total" for fund in form.funds)):
        first, last = located.after + 1, located.top - 1
        pairs = read_pairs(grid, first, last) or read_columns(grid, first, last)
        if funds is None or (pairs and any(pairs[0].values.values())):
            form.funds = pairs
            return None, pairs[0].row if pairs else located.top
    form.findings += settled
    return funds, funds.top


def _end(grid: Grid, located: _Located) -> int:
    """The form's last row: before the title or the tables of the next form."""
    last, before = max(located.body.last, located.last), located.before
    if before == (grid.rows[-1] if grid.rows else 0):
        return before
    funds = fund_header(grid, last + 1, before)
    return first_row(grid, last, funds.top if funds else before + 1) - 1


def _execution_points(grid: Grid, funds: Header) -> float | None:
    """Points of the execution score in a header or side label (``得分（20分*执行率）``), where one figure is given."""
    columns = [funds.columns[name] for name in ("score", "weight", "rate") if name in funds.columns]
    texts = [column.label for column in columns]
    for row in range(funds.top + 1, funds.bottom + 1):
        texts += [grid.own(row, column.left) for column in columns]
    texts += [grid.text(funds.top, column) for column in range(1, funds.left)]
    return points_stated(*texts)


def _columns(funds: Header | None, header: Header) -> dict[str, tuple[str, str]]:
    """Column letter and label of every field as it was understood; the fund table's under ``funds.``."""
    columns: dict[str, tuple[str, str]] = {}
    if funds is not None:
        for name, column in funds.columns.items():
            columns["funds." + name] = _letter(column.left), column.label
    for name, column in header.columns.items():
        columns[name] = _letter(column.left), column.label
    return columns


@lru_cache(maxsize=256)
def _letter(column: int) -> str:
    return a1(1, column)[:-1]


def _notes(grid: Grid, form: Form, above: Sequence[int], body: Body, end: int) -> Iterator[tuple[str, str]]:
    """Address and text of what stands below the grid, and of sentences between the goals and the grid (``above``)."""
    taken = {*form.goal_cells.values(), *form.total_cells.values()}
    rows = [*above, *body.notes, *grid.rows_between(body.last + 1, end)]
    for row in rows:
        for column, text in grid.texts(row):
            if a1(row, column) not in taken:
                yield a1(row, column), text
